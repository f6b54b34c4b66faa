//! Guessing takes long: who failed to sign in must wait, and longer each time.

use std::collections::BTreeMap;
use std::time::Duration;

/// Failures that cost nothing: people mistype.
const FREE: u32 = 4;
/// The first wait; each further failure doubles it.
const FIRST: Duration = Duration::from_secs(5);
/// The longest wait. A person who forgot is not locked out for a day by somebody else's guessing.
const LONGEST: Duration = Duration::from_secs(15 * 60);
/// After so long without a failure all is forgotten.
const FORGET: Duration = Duration::from_secs(60 * 60);
/// Keys that are remembered, at most; those that failed longest ago go first.
const MOST: usize = 4096;

/// Failures of late, by what they have in common: a person's name, an address.
#[derive(Debug, Default)]
pub struct Throttle {
    failures: BTreeMap<String, Failures>,
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    last: Duration,
}

impl Failures {
    fn wait(self) -> Duration {
        match self.count.checked_sub(FREE) {
            None | Some(0) => Duration::ZERO,
            Some(over) => FIRST.saturating_mul(1 << (over - 1).min(16)).min(LONGEST),
        }
    }
}

impl Throttle {
    /// How long an attempt under any of these keys must wait; none that may be made now. `now` counts from anywhere.
    pub fn wait(&self, keys: &[&str], now: Duration) -> Option<Duration> {
        let left = |key: &&str| {
            let failures = self.failures.get(*key)?;
            Some((failures.last + failures.wait()).saturating_sub(now))
        };
        keys.iter().filter_map(left).max().filter(|left| !left.is_zero())
    }

    /// An attempt failed.
    pub fn failed(&mut self, keys: &[&str], now: Duration) {
        self.failures.retain(|_, failures| now.saturating_sub(failures.last) < FORGET);
        for key in keys {
            if self.failures.len() >= MOST && !self.failures.contains_key(*key) {
                let oldest = self.failures.iter().min_by_key(|(_, failures)| failures.last);
                let oldest = oldest.map(|(key, _)| key.clone());
                oldest.and_then(|oldest| self.failures.remove(&oldest));
            }
            let failures = self.failures.entry((*key).to_owned()).or_insert(Failures { count: 0, last: now });
            *failures = Failures { count: failures.count.saturating_add(1), last: now };
        }
    }

    /// An attempt under this key succeeded: its failures were mistakes.
    pub fn succeeded(&mut self, key: &str) {
        self.failures.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_few_mistakes_cost_nothing_and_then_each_costs_more() {
        let mut throttle = Throttle::default();
        let mut waits = Vec::new();
        for _ in 0..8 {
            throttle.failed(&["lan", "10.0.0.7"], at(100));
            waits.push(throttle.wait(&["lan", "10.0.0.8"], at(100)).map_or(0, |wait| wait.as_secs()));
        }
        assert_eq!(waits, [0, 0, 0, 0, 5, 10, 20, 40]);
        assert_eq!(throttle.wait(&["minh", "10.0.0.7"], at(110)), Some(at(30)), "by either key");
        assert_eq!(throttle.wait(&["minh", "10.0.0.8"], at(110)), None);
        assert_eq!(throttle.wait(&["lan"], at(141)), None, "waited");
        throttle.succeeded("lan");
        throttle.failed(&["lan"], at(150));
        assert_eq!(throttle.wait(&["lan"], at(150)), None, "mistakes of before are forgiven");
    }

    #[test]
    fn no_wait_is_endless_and_no_memory_either() {
        let mut throttle = Throttle::default();
        for _ in 0..100 {
            throttle.failed(&["lan"], at(0));
        }
        assert_eq!(throttle.wait(&["lan"], at(0)), Some(LONGEST));
        for number in 0..2 * u64::try_from(MOST).unwrap() {
            throttle.failed(&[&number.to_string()], at(1) + Duration::from_nanos(number));
        }
        assert_eq!(throttle.failures.len(), MOST);
        throttle.failed(&["minh"], at(3700));
        assert_eq!(throttle.failures.len(), 1, "an hour later all is forgotten");
    }
}
