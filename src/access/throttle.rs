//! Guessing takes long: who failed to sign in must wait, and longer each time.
//!
//! Failures count by name and address together, so that a person who mistypes slows nobody else, also where many come
//! from one address; and, with more of them free, by each of the two alone: whoever tries many names, or one name from
//! many addresses, waits too. A browser that somebody has signed in with before is not held up by who guesses at their
//! name elsewhere: its own failures count apart.

use std::collections::BTreeMap;
use std::time::Duration;

/// Failures of one name from one address that cost nothing: people mistype.
const FREE: u32 = 4;
/// Failures that cost nothing of one name from anywhere, and from one address under any name: a whole office may have
/// one, or come through one proxy. A person alone, who waits after the fifth, does not get there within an hour.
const FREE_TOGETHER: u32 = 20;
/// The first wait; each further failure doubles it.
const FIRST: Duration = Duration::from_secs(5);
/// The longest wait. A person who forgot is not locked out for a day by somebody else's guessing.
const LONGEST: Duration = Duration::from_secs(15 * 60);
/// After so long without a failure all is forgotten.
const FORGET: Duration = Duration::from_secs(60 * 60);
/// Keys that are remembered, at most; those that failed longest ago go first.
const MOST: usize = 4096;

/// An attempt to sign in.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'a> {
    /// As whom.
    pub name: &'a str,
    /// From where.
    pub address: &'a str,
    /// The network which whoever has the address has the whole of.
    pub network: &'a str,
    /// In a browser that has signed in under this name before.
    pub known: bool,
}

/// What failures have in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Both(String, String),
    Name(String),
    Known(String),
    Network(String),
}

impl Attempt<'_> {
    fn both(self) -> Key {
        Key::Both(self.name.to_owned(), self.address.to_owned())
    }

    fn alone(self) -> [Key; 2] {
        let name = self.name.to_owned();
        [if self.known { Key::Known(name) } else { Key::Name(name) }, Key::Network(self.network.to_owned())]
    }

    fn keys(self) -> impl Iterator<Item = Key> {
        self.alone().into_iter().chain([self.both()])
    }
}

/// Failures of late.
#[derive(Debug, Default)]
pub struct Throttle {
    failures: BTreeMap<Key, Failures>,
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    last: Duration,
}

impl Failures {
    fn wait(self, free: u32) -> Duration {
        match self.count.checked_sub(free) {
            None | Some(0) => Duration::ZERO,
            Some(over) => FIRST.saturating_mul(1 << (over - 1).min(16)).min(LONGEST),
        }
    }
}

impl Throttle {
    /// How long an attempt must wait; none that may be made now. `now` counts from anywhere.
    pub fn wait(&self, attempt: Attempt<'_>, now: Duration) -> Option<Duration> {
        let left = |key: Key| {
            let failures = self.failures.get(&key)?;
            let free = if matches!(key, Key::Both(..)) { FREE } else { FREE_TOGETHER };
            Some((failures.last + failures.wait(free)).saturating_sub(now))
        };
        attempt.keys().filter_map(left).max().filter(|left| !left.is_zero())
    }

    /// An attempt failed.
    pub fn failed(&mut self, attempt: Attempt<'_>, now: Duration) {
        self.failures.retain(|_, failures| now.saturating_sub(failures.last) < FORGET);
        for key in attempt.keys() {
            if self.failures.len() >= MOST && !self.failures.contains_key(&key) {
                let oldest = self.failures.iter().min_by_key(|(_, failures)| failures.last);
                let oldest = oldest.map(|(key, _)| key.clone());
                oldest.and_then(|oldest| self.failures.remove(&oldest));
            }
            let failures = self.failures.entry(key).or_insert(Failures { count: 0, last: now });
            *failures = Failures { count: failures.count.saturating_add(1), last: now };
        }
    }

    /// An attempt succeeded: the failures of this name from this address were mistakes. Those of others stay.
    pub fn succeeded(&mut self, attempt: Attempt<'_>) {
        let Some(mistakes) = self.failures.remove(&attempt.both()) else { return };
        for key in attempt.alone() {
            if let Some(failures) = self.failures.get_mut(&key) {
                failures.count = failures.count.saturating_sub(mistakes.count);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn from<'a>(address: &'a str, name: &'a str) -> Attempt<'a> {
        Attempt { name, address, network: address, known: false }
    }

    #[test]
    fn a_few_mistakes_cost_nothing_and_then_each_costs_more() {
        let mut throttle = Throttle::default();
        let lan = from("10.0.0.7", "lan");
        let mut waits = Vec::new();
        for _ in 0..8 {
            throttle.failed(lan, at(100));
            waits.push(throttle.wait(lan, at(100)).map_or(0, |wait| wait.as_secs()));
        }
        assert_eq!(waits, [0, 0, 0, 0, 5, 10, 20, 40]);
        assert_eq!(throttle.wait(from("10.0.0.7", "minh"), at(100)), None, "the same office, another person");
        assert_eq!(
            throttle.wait(from("10.0.0.8", "lan"), at(100)),
            None,
            "somebody else guesses: she comes in"
        );
        assert_eq!(throttle.wait(lan, at(110)), Some(at(30)));
        assert_eq!(throttle.wait(lan, at(141)), None, "waited");
        throttle.succeeded(lan);
        throttle.failed(lan, at(150));
        assert_eq!(throttle.wait(lan, at(150)), None, "mistakes of before are forgiven");
    }

    #[test]
    fn many_names_from_one_address_and_one_name_from_many_addresses_wait_too() {
        let many: Vec<_> = (0..=FREE_TOGETHER).map(|number| number.to_string()).collect();
        let (mut names, mut addresses) = (Throttle::default(), Throttle::default());
        for other in &many {
            names.failed(from("10.0.0.7", other), at(0));
            addresses.failed(from(other, "lan"), at(0));
        }
        assert_eq!(names.wait(from("10.0.0.7", "minh"), at(0)), Some(FIRST));
        assert_eq!(names.wait(from("10.0.0.8", "minh"), at(0)), None);
        assert_eq!(addresses.wait(from("10.0.0.8", "lan"), at(0)), Some(FIRST));
        assert_eq!(addresses.wait(from("10.0.0.8", "minh"), at(0)), None);
        // Whoever comes in takes back their own failures, and nobody else's.
        names.succeeded(from("10.0.0.7", "none"));
        assert_eq!(names.wait(from("10.0.0.7", "minh"), at(0)), Some(FIRST));
        names.succeeded(from("10.0.0.7", "3"));
        assert_eq!(names.wait(from("10.0.0.7", "minh"), at(0)), None);
    }

    #[test]
    fn a_known_browser_waits_for_its_own_failures_only() {
        let mut throttle = Throttle::default();
        let known = |address| Attempt { known: true, ..from(address, "lan") };
        let many: Vec<_> = (0..=FREE_TOGETHER).map(|number| number.to_string()).collect();
        for other in &many {
            throttle.failed(from(other, "lan"), at(0));
        }
        assert_eq!(throttle.wait(from("10.0.0.7", "lan"), at(0)), Some(FIRST));
        assert_eq!(throttle.wait(known("10.0.0.7"), at(0)), None);
        throttle.succeeded(known("10.0.0.7"));
        for other in &many {
            throttle.failed(known(other), at(0));
        }
        assert_eq!(throttle.wait(known("10.0.0.7"), at(0)), Some(FIRST), "who stole its mark waits too");
    }

    #[test]
    fn whoever_has_a_network_waits_at_each_of_its_addresses() {
        let mut throttle = Throttle::default();
        let of = |network, address, name| Attempt { network, ..from(address, name) };
        let many: Vec<_> = (0..=FREE_TOGETHER).map(|number| number.to_string()).collect();
        for number in &many {
            throttle.failed(of("2001:db8::/64", number, number), at(0));
        }
        assert_eq!(throttle.wait(of("2001:db8::/64", "another", "minh"), at(0)), Some(FIRST));
        assert_eq!(throttle.wait(of("2001:db9::/64", "another", "minh"), at(0)), None);
    }

    #[test]
    fn no_wait_is_endless_and_no_memory_either() {
        let mut throttle = Throttle::default();
        let lan = from("10.0.0.7", "lan");
        for _ in 0..100 {
            throttle.failed(lan, at(0));
        }
        assert_eq!(throttle.wait(lan, at(0)), Some(LONGEST));
        for number in 0..2 * u64::try_from(MOST).unwrap() {
            throttle.failed(from("10.0.0.7", &number.to_string()), at(1) + Duration::from_nanos(number));
        }
        assert_eq!(throttle.failures.len(), MOST);
        throttle.failed(from("10.0.0.8", "minh"), at(3700));
        assert_eq!(throttle.failures.len(), 3, "an hour later all is forgotten");
    }
}
