//! Signing in: passwords, the logins of browsers, and the links that let people set a password.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, params};

use super::error::Doing as _;
use super::people::{People, User, UserRow, hash_of, managers, present, user_of, user_row};
use super::{Secret, Store, StoreError};
use crate::access::Role;
use crate::access::password::{Cost, Kept};

/// Days that a link holds.
pub const LINK_DAYS: i64 = 7;
/// A login ends after so long, also one that is used every day: long enough for a phone in a drawer, and short enough
/// for one that was lost.
const LOGIN: SignedDuration = SignedDuration::from_hours(30 * 24);

/// For whom a link sets a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Link {
    /// For whoever becomes the station's first administrator.
    First,
    /// For this person.
    For(String),
}

impl People<'_> {
    /// Sets the password of the person a link is for, and ends their logins and links: whoever knew the old one is out.
    /// Not where the link was used, replaced or has ended meanwhile; whether it was.
    pub fn set_password(&self, link: &str, kept: Kept, at: Timestamp) -> Result<bool, StoreError> {
        let Some(Link::For(name)) = find_link(self.0, &hash_of(link), at)? else { return Ok(false) };
        present(self.0, &name)?;
        insert_password(self.0, &name, kept, at)?;
        end_logins(self.0, &name).doing("set a password")?;
        Ok(true)
    }

    /// The first administrator of a station comes in by their link, under a name that nobody has. Not where the link was
    /// used, replaced or has ended meanwhile, or there is an administrator; whether they did.
    pub fn add_first(
        &self,
        secret: &str,
        name: &str,
        roles: &BTreeSet<Role>,
        kept: Kept,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        if find_link(self.0, &hash_of(secret), at)? != Some(Link::First) {
            return Ok(false);
        }
        self.add_user(name, roles, at)?;
        insert_password(self.0, name, kept, at)?;
        // Also should they leave before its time is over: a link opens once.
        self.0.execute("DELETE FROM link WHERE person IS NULL", []).doing("end the first link")?;
        Ok(true)
    }

    /// Makes the link by which the station's first administrator comes in; none where somebody may manage users.
    pub fn first_link(&self, at: Timestamp) -> Result<Option<Secret>, StoreError> {
        if managers(self.0)?.is_empty() { self.new_link(Link::First, at).map(Some) } else { Ok(None) }
    }

    /// Signs a browser in; what it is to show from then on. Logins that have ended are forgotten.
    pub fn sign_in(&self, name: &str, at: Timestamp) -> Result<Secret, StoreError> {
        let secret = Secret::new()?;
        present(self.0, name)?;
        let (began, ends) = (at.as_millisecond(), (at + LOGIN).as_millisecond());
        self.0
            .execute("DELETE FROM login WHERE ends_ms <= ?1", [began])
            .and_then(|_| {
                self.0.execute(
                    "INSERT INTO login (hash, person, began_ms, ends_ms) VALUES (?1, ?2, ?3, ?4)",
                    params![hash_of(&secret.0), name, began, ends],
                )
            })
            .doing("sign in")?;
        Ok(secret)
    }

    /// Signs all browsers of a person out.
    pub fn sign_out_everywhere(&self, name: &str) -> Result<(), StoreError> {
        present(self.0, name)?;
        end_logins(self.0, name).doing("sign out")
    }

    /// Makes a link that sets a password once. Any link of before for the same person is no more.
    pub fn new_link(&self, link: Link, at: Timestamp) -> Result<Secret, StoreError> {
        let ends = at + SignedDuration::from_hours(24 * LINK_DAYS);
        let secret = Secret::new()?;
        let person = match link {
            Link::First => None,
            Link::For(name) => Some(present(self.0, &name)?.name),
        };
        self.0
            .execute("DELETE FROM link WHERE person IS ?1", [&person])
            .and_then(|_| {
                self.0.execute(
                    "INSERT INTO link (hash, person, ends_ms) VALUES (?1, ?2, ?3)",
                    params![hash_of(&secret.0), person, ends.as_millisecond()],
                )
            })
            .doing("make a link")?;
        Ok(secret)
    }
}

impl Store {
    /// What is kept of a person's password, where they have one.
    pub fn password(&self, name: &str) -> Result<Option<Kept>, StoreError> {
        self.read(|connection| {
            connection
                .query_row(
                    "SELECT salt, memory_kib, passes, hash FROM password JOIN person ON name = person
                     WHERE name = ?1 AND revoked_ms IS NULL",
                    [name],
                    |row| {
                        let cost = Cost { memory_kib: row.get(1)?, passes: row.get(2)? };
                        Ok(Kept { salt: row.get(0)?, cost, hash: row.get(3)? })
                    },
                )
                .optional()
                .doing("read a password")
        })
    }

    /// Signs a browser out.
    pub fn sign_out(&self, secret: &str) -> Result<(), StoreError> {
        let hash = hash_of(secret);
        self.write("sign out", move |transaction| {
            transaction.execute("DELETE FROM login WHERE hash = ?1", [hash]).doing("sign out")?;
            Ok(())
        })
    }

    /// Who is signed in with what a browser shows; none for what never was a login, or is none any more.
    pub fn login(&self, secret: &str, at: Timestamp) -> Result<Option<User>, StoreError> {
        self.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT name, roles, person.created_ms, person.revoked_ms FROM login JOIN person ON name = person
                     WHERE hash = ?1 AND ends_ms > ?2 AND person.revoked_ms IS NULL",
                )
                .and_then(|mut statement| {
                    statement.query_row(params![hash_of(secret), at.as_millisecond()], user_row).optional()
                })
                .doing("look for a login")?
                .map(|row: UserRow| user_of(row))
                .transpose()
        })
    }

    /// For whom a link is; none where it was used, has ended, or never was. The first administrator's opens
    /// nothing while somebody may manage users.
    pub fn link(&self, secret: &str, at: Timestamp) -> Result<Option<Link>, StoreError> {
        let hash = hash_of(secret);
        self.read(|connection| find_link(connection, &hash, at))
    }

    /// Those who have a password.
    pub fn with_password(&self) -> Result<Vec<String>, StoreError> {
        self.read(|connection| {
            connection
                .prepare_cached("SELECT person FROM password ORDER BY person")
                .and_then(|mut statement| statement.query_map([], |row| row.get(0))?.collect())
                .doing("read who has a password")
        })
    }
}

fn insert_password(connection: &Connection, name: &str, kept: Kept, at: Timestamp) -> Result<(), StoreError> {
    let Kept { salt, cost, hash } = kept;
    connection
        .execute(
            "INSERT OR REPLACE INTO password (person, salt, memory_kib, passes, hash, set_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![name, salt, cost.memory_kib, cost.passes, hash, at.as_millisecond()],
        )
        .doing("set a password")?;
    Ok(())
}

fn find_link(connection: &Connection, hash: &[u8; 32], at: Timestamp) -> Result<Option<Link>, StoreError> {
    let person: Option<Option<String>> = connection
        .query_row(
            "SELECT person FROM link WHERE hash = ?1 AND ends_ms > ?2",
            params![hash, at.as_millisecond()],
            |row| row.get(0),
        )
        .optional()
        .doing("look for a link")?;
    match person {
        None => Ok(None),
        Some(Some(name)) => Ok(Some(Link::For(name))),
        Some(None) => Ok(managers(connection)?.is_empty().then_some(Link::First)),
    }
}

/// Ends the logins and links of a person.
pub(super) fn end_logins(connection: &Connection, name: &str) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM login WHERE person = ?1", [name])?;
    connection.execute("DELETE FROM link WHERE person = ?1", [name])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{at, store};
    use super::*;

    fn kept(password: &str) -> Kept {
        Kept::new(password, [1; 16]).unwrap()
    }

    /// Sets a password by a new link.
    fn set(store: &Store, name: &str, password: &str, now: Timestamp) {
        let link = store.new_link(Link::For(name.to_owned()), now).unwrap().to_string();
        assert!(store.set_password(&link, kept(password), now).unwrap());
    }

    #[test]
    fn a_login_holds_until_it_ends_in_any_of_five_ways() {
        let (store, _dir) = store();
        store.add_user("lan", &BTreeSet::from([Role::Uploader]), at(0)).unwrap();
        let signed_in = |secret: &Secret, now| store.login(&secret.to_string(), now).unwrap().is_some();
        let (out, late, other) =
            (store.sign_in("lan", at(1)), store.sign_in("lan", at(1)), store.sign_in("lan", at(1)));
        let (out, late, other) = (out.unwrap(), late.unwrap(), other.unwrap());
        assert!(signed_in(&out, at(2)) && signed_in(&late, at(2)));
        store.sign_out(&out.to_string()).unwrap();
        assert!(!signed_in(&out, at(3)), "signed out");
        let month = LOGIN.as_secs();
        assert!(signed_in(&late, at(month)));
        assert!(!signed_in(&late, at(1 + month)), "too old");
        set(&store, "lan", "mưa thuận gió hoà", at(4));
        assert!(!signed_in(&other, at(5)), "a new password");
        let last = store.sign_in("lan", at(6)).unwrap();
        assert!(!signed_in(&Secret("loa_0".to_owned()), at(6)), "made up");
        store.revoke_user("lan", at(7)).unwrap();
        assert!(!signed_in(&last, at(8)), "left");
        assert!(matches!(store.sign_in("lan", at(9)), Err(StoreError::NoUser(_))));
    }

    #[test]
    fn a_password_is_its_persons_until_they_leave() {
        let (store, _dir) = store();
        store.add_user("lan", &BTreeSet::new(), at(0)).unwrap();
        assert_eq!(store.password("lan").unwrap(), None);
        set(&store, "lan", "mưa thuận gió hoà", at(1));
        assert!(store.password("lan").unwrap().unwrap().is("mưa thuận gió hoà"));
        assert_eq!(store.with_password().unwrap(), ["lan"]);
        set(&store, "lan", "nắng lên rồi đó", at(2));
        assert!(!store.password("lan").unwrap().unwrap().is("mưa thuận gió hoà"));
        store.revoke_user("lan", at(3)).unwrap();
        assert_eq!(store.password("lan").unwrap(), None);
    }

    #[test]
    fn a_link_opens_once_and_for_one_person() {
        let (store, _dir) = store();
        let first_link =
            |now| store.with_people("make a link", move |people| people.first_link(now)).unwrap();
        let first = first_link(at(0)).unwrap().to_string();
        store.add_user("hoa", &BTreeSet::from([Role::Uploader]), at(0)).unwrap();
        assert_eq!(store.link(&first, at(1)).unwrap(), Some(Link::First));
        assert_eq!(store.link(&first, at(LINK_DAYS * 86_400)).unwrap(), None, "too late");
        let admin = BTreeSet::from([Role::Admin]);
        let add = |name: &'static str| {
            let (first, admin) = (first.clone(), admin.clone());
            store.with_people("add the first person", move |people| {
                people.add_first(&first, name, &admin, kept("mưa thuận gió hoà"), at(2))
            })
        };
        assert!(matches!(add("Hoa"), Err(StoreError::UserExists(_))), "the name of somebody who may less");
        assert!(add("lan").unwrap(), "somebody who may less keeps nobody out");
        assert_eq!(store.user("lan").unwrap().unwrap().roles, admin);
        assert!(store.password("lan").unwrap().is_some());
        assert_eq!(store.link(&first, at(3)).unwrap(), None, "there is somebody now");
        assert_eq!(first_link(at(3)), None);
        assert!(!add("minh").unwrap(), "the second at the same moment");
        let old = store.new_link(Link::For("lan".to_owned()), at(3)).unwrap().to_string();
        let new = store.new_link(Link::For("lan".to_owned()), at(3)).unwrap().to_string();
        assert_eq!(store.link(&old, at(4)).unwrap(), None, "replaced");
        assert_eq!(store.link(&new, at(4)).unwrap(), Some(Link::For("lan".to_owned())));
        // Whoever opened the page by a link that is no more sets nothing.
        let late = at(3 + LINK_DAYS * 86_400);
        for (link, now, why) in
            [(&old, at(5), "replaced"), (&new, late, "too late"), (&first, at(5), "first")]
        {
            assert!(!store.set_password(link, kept("nắng lên rồi đó"), now).unwrap(), "{why}");
        }
        assert!(store.set_password(&new, kept("gió mùa đông bắc"), at(5)).unwrap());
        assert_eq!(store.link(&new, at(6)).unwrap(), None, "used");
        assert!(!store.set_password(&new, kept("nắng lên rồi đó"), at(6)).unwrap(), "at the same moment");
        assert!(store.password("lan").unwrap().unwrap().is("gió mùa đông bắc"));
        assert!(matches!(store.new_link(Link::For("minh".to_owned()), at(9)), Err(StoreError::NoUser(_))));
        store.revoke_user("lan", at(9)).unwrap();
        assert_eq!(store.link(&first, at(10)).unwrap(), None, "it opened once");
        assert!(first_link(at(10)).is_some(), "nobody may manage users");
    }
}
