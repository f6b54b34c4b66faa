//! Passwords: which are good enough, and what is kept of them.

use argon2::{Algorithm, Argon2, Params, Version};

/// Letters that a password has at least.
pub const SHORTEST: usize = 10;
/// Letters that a password has at most: what is hashed is bounded.
pub const LONGEST: usize = 200;

/// What it costs to try one password: Argon2id with 19 MiB and two passes, the first choice of OWASP's Password Storage
/// Cheat Sheet. More memory would crowd out the air on a machine with one gigabyte.
const COST: Cost = Cost { memory_kib: 19 * 1024, passes: 2 };

/// What it costs to try one password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Memory, in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
}

/// What is kept of a password: Argon2id of it, RFC 9106.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Random bytes of this password alone.
    pub salt: Vec<u8>,
    /// What it cost.
    pub cost: Cost,
    /// The hash.
    pub hash: [u8; 32],
}

/// Why a password is not good enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weak {
    /// Fewer letters than [`SHORTEST`].
    Short,
    /// More letters than [`LONGEST`].
    Long,
    /// It is, or contains, the person's name, or hardly any different letters.
    Guessable,
}

/// Whether a password is good enough for a person of this name. Length counts, not kinds of letters (NIST SP 800-63B).
pub fn check(password: &str, name: &str) -> Result<(), Weak> {
    let letters = password.chars().count();
    let mut different: Vec<char> = password.chars().collect();
    different.sort_unstable();
    different.dedup();
    if letters < SHORTEST {
        Err(Weak::Short)
    } else if letters > LONGEST {
        Err(Weak::Long)
    } else if different.len() < 5
        || (name.len() > 3 && password.to_lowercase().contains(&name.to_lowercase()))
    {
        Err(Weak::Guessable)
    } else {
        Ok(())
    }
}

impl Kept {
    /// Of a new password; none where the machine lacks the memory. `salt`: 16 random bytes.
    pub fn new(password: &str, salt: [u8; 16]) -> Option<Self> {
        let hash = hash(password, &salt, COST)?;
        Some(Self { salt: salt.to_vec(), cost: COST, hash })
    }

    /// Something that no password opens, and that takes as long to find out.
    pub fn none() -> Self {
        Self { salt: vec![0; 16], cost: COST, hash: [0; 32] }
    }

    /// Whether it is this password.
    pub fn is(&self, password: &str) -> bool {
        password.len() <= 4 * LONGEST
            && hash(password, &self.salt, self.cost).is_some_and(|hash| same(&hash, &self.hash))
    }
}

fn hash(password: &str, salt: &[u8], cost: Cost) -> Option<[u8; 32]> {
    let params = Params::new(cost.memory_kib, cost.passes, 1, Some(32)).ok()?;
    let mut hash = [0; 32];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(password.as_bytes(), salt, &mut hash)
        .ok()?;
    Some(hash)
}

/// Compares all bytes, so that the time it takes tells nothing.
pub fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |different, (a, b)| different | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_password_opens_what_is_kept_of_it() {
        let kept = Kept::new("mưa thuận gió hoà", [7; 16]).unwrap();
        assert!(kept.is("mưa thuận gió hoà"));
        assert!(!kept.is("mưa thuận gió hoa"));
        assert!(!kept.is(""));
        assert_ne!(kept.hash, Kept::new("mưa thuận gió hoà", [8; 16]).unwrap().hash, "the salt counts");
        assert!(!Kept::none().is(""));
    }

    #[test]
    fn it_is_argon2id_as_others_compute_it() {
        // `printf %s password | argon2 somesalt -id -t 2 -k 19456 -p 1 -l 32 -r`, of Debian's package argon2.
        let cost = Cost { memory_kib: 19_456, passes: 2 };
        let hash = hash("password", b"somesalt", cost).unwrap();
        let text: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(text, "3cbd356a63f2794bb11bb1f4bc8af95fea87919bd69c79860465c562f87ccf61");
    }

    #[test]
    fn short_and_guessable_passwords_are_not_taken() {
        assert_eq!(check("chín chữ!", "lan"), Err(Weak::Short));
        assert_eq!(check(&"dài ".repeat(60), "lan"), Err(Weak::Long));
        assert_eq!(check("aaaaaaaaaaaa", "lan"), Err(Weak::Guessable));
        assert_eq!(check("Minh.Hoa-2026", "minh.hoa"), Err(Weak::Guessable));
        assert_eq!(check("mưa thuận gió", "lan"), Ok(()));
    }
}
