//! People and their tokens.

use std::collections::BTreeSet;
use std::fmt;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::acts::{Act, acts_between, insert_act};
use super::error::Doing;
use super::journal::instant;
use super::logins::end_logins;
use super::{Store, StoreError};
use crate::access::{Permission, Role, is_same_person, permit};
use crate::segment::{ContentHash, is_id};

/// What tokens begin with, so that a leaked one is recognised.
const PREFIX: &str = "loa_";

/// Somebody who works with the station.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct User {
    /// Their name, unique for ever.
    pub name: String,
    /// What they are.
    pub roles: BTreeSet<Role>,
    /// Since when.
    pub created: Timestamp,
    /// Until when; none for those who still are.
    pub revoked: Option<Timestamp>,
}

/// A new token, to be shown once: only its hash is kept. Printed with `Display`, hidden from `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub(super) String);

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl Secret {
    /// 256 bits from the system.
    pub(super) fn new() -> Result<Self, StoreError> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(StoreError::Random)?;
        // A hash prints as 64 hexadecimal digits, and so do these bytes.
        Ok(Self(format!("{PREFIX}{}", ContentHash(bytes))))
    }
}

/// A fast hash serves: what it hides is 256 random bits, not a word people chose. Looking for the hash, not the token,
/// leaves nothing to be learned from how long the search takes.
pub(super) fn hash_of(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}

fn roles_text(roles: &BTreeSet<Role>) -> String {
    roles.iter().map(|role| role.code()).collect::<Vec<_>>().join(",")
}

/// Columns `name, roles, created_ms, revoked_ms`.
pub(super) fn user_of((name, roles, created_ms, revoked_ms): UserRow) -> Result<User, StoreError> {
    let roles = roles.split(',').filter(|role| !role.is_empty()).map(str::parse).collect::<Result<_, _>>();
    let roles = roles.map_err(|cause: crate::access::NotARole| StoreError::Value {
        subject: format!("user `{name}`"),
        cause: cause.into(),
    })?;
    Ok(User { name, roles, created: instant(created_ms)?, revoked: revoked_ms.map(instant).transpose()? })
}

pub(super) type UserRow = (String, String, i64, Option<i64>);

pub(super) fn user_row(row: &Row<'_>) -> rusqlite::Result<UserRow> {
    row.try_into()
}

fn find(connection: &Connection, name: &str) -> Result<Option<User>, StoreError> {
    connection
        .query_row("SELECT name, roles, created_ms, revoked_ms FROM person WHERE name = ?1", [name], user_row)
        .optional()
        .doing("read a user")?
        .map(user_of)
        .transpose()
}

/// Whether somebody has this name, or had it, also in other case: who reads the log cannot tell `Lan` from `lan`. Ids
/// are ASCII, so that there is one way to write each letter.
fn is_taken(connection: &Connection, name: &str) -> Result<bool, StoreError> {
    connection
        .query_row("SELECT EXISTS (SELECT 1 FROM person WHERE name = ?1 COLLATE NOCASE)", [name], |row| {
            row.get(0)
        })
        .doing("look for a name")
}

/// The person, who was not revoked.
pub(super) fn present(connection: &Connection, name: &str) -> Result<User, StoreError> {
    find(connection, name)?
        .filter(|user| user.revoked.is_none())
        .ok_or_else(|| StoreError::NoUser(name.to_owned()))
}

pub(super) fn insert_user(
    connection: &Connection,
    name: &str,
    roles: &BTreeSet<Role>,
    at: Timestamp,
) -> Result<(), StoreError> {
    connection
        .execute(
            "INSERT INTO person (name, roles, created_ms) VALUES (?1, ?2, ?3)",
            params![name, roles_text(roles), at.as_millisecond()],
        )
        .doing("add a user")?;
    Ok(())
}

fn everyone(connection: &Connection) -> Result<Vec<User>, StoreError> {
    let rows = connection
        .prepare_cached("SELECT name, roles, created_ms, revoked_ms FROM person ORDER BY name")
        .and_then(|mut statement| statement.query_map([], user_row)?.collect::<rusqlite::Result<Vec<_>>>())
        .doing("read the users")?;
    rows.into_iter().map(user_of).collect()
}

/// Those who may manage users.
pub(super) fn managers(connection: &Connection) -> Result<Vec<User>, StoreError> {
    let manages = |user: &User| user.revoked.is_none() && permit(&user.roles, Permission::ManageUsers);
    Ok(everyone(connection)?.into_iter().filter(manages).collect())
}

/// Makes sure that somebody else may manage users, where this person may.
fn must_leave_a_manager(connection: &Connection, name: &str) -> Result<(), StoreError> {
    let (them, others): (Vec<_>, Vec<_>) =
        managers(connection)?.into_iter().partition(|user| user.name == name);
    if them.is_empty() || !others.is_empty() { Ok(()) } else { Err(StoreError::LastAdmin(name.to_owned())) }
}

/// People in one transaction: what is done with them and the act that it is are kept together, or neither is.
#[derive(Debug)]
pub struct People<'t>(pub(super) &'t Connection);

impl People<'_> {
    /// Adds a person, under a name that nobody has, not in other case either.
    pub fn add_user(&self, name: &str, roles: &BTreeSet<Role>, at: Timestamp) -> Result<User, StoreError> {
        if !is_id(name) {
            return Err(StoreError::BadUserName(name.to_owned()));
        }
        if is_taken(self.0, name)? {
            return Err(StoreError::UserExists(name.to_owned()));
        }
        insert_user(self.0, name, roles, at)?;
        present(self.0, name)
    }

    /// A person leaves: their tokens and logins end, their name stays in the log.
    pub fn revoke(&self, name: &str, at: Timestamp) -> Result<(), StoreError> {
        present(self.0, name)?;
        self.0
            .execute("UPDATE person SET revoked_ms = ?2 WHERE name = ?1", params![name, at.as_millisecond()])
            .and_then(|_| end_tokens(self.0, name, at))
            .and_then(|()| end_logins(self.0, name))
            .doing("revoke a user")
    }

    /// Makes a token for a person; `label` says for what, as `phone`.
    pub fn new_token(&self, name: &str, label: &str, at: Timestamp) -> Result<Secret, StoreError> {
        let secret = Secret::new()?;
        present(self.0, name)?;
        self.0
            .execute(
                "INSERT INTO token (hash, person, label, created_ms) VALUES (?1, ?2, ?3, ?4)",
                params![hash_of(&secret.0), name, label, at.as_millisecond()],
            )
            .doing("make a token")?;
        Ok(secret)
    }

    /// Ends all tokens of a person, as after a lost phone.
    pub fn revoke_tokens(&self, name: &str, at: Timestamp) -> Result<(), StoreError> {
        present(self.0, name)?;
        end_tokens(self.0, name, at).doing("revoke tokens")
    }

    /// Keeps what a person did.
    pub fn act(&self, act: &Act) -> Result<(), StoreError> {
        insert_act(self.0, act)
    }

    /// What people did since an instant; newest first, so many at most.
    pub fn acts_since(&self, from: Timestamp, limit: u32) -> Result<Vec<Act>, StoreError> {
        acts_between(self.0, from, Timestamp::MAX, limit)
    }
}

impl Store {
    /// Does something with people, in one transaction: where it fails, nothing of it is done.
    pub fn with_people<T, F>(&self, operation: &'static str, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&People<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        self.write(operation, move |transaction| work(&People(transaction)))
    }

    /// Gives a person other roles, and keeps who did; not where nobody would be left who may manage users.
    pub fn set_roles(&self, name: &str, roles: &BTreeSet<Role>, act: Act) -> Result<User, StoreError> {
        let (name, roles) = (name.to_owned(), roles.clone());
        self.write("change the roles of a user", move |transaction| {
            present(transaction, &name)?;
            if !permit(&roles, Permission::ManageUsers) {
                must_leave_a_manager(transaction, &name)?;
            }
            transaction
                .execute("UPDATE person SET roles = ?2 WHERE name = ?1", params![name, roles_text(&roles)])
                .doing("change the roles of a user")?;
            insert_act(transaction, &act)?;
            present(transaction, &name)
        })
    }

    /// A person is let go by somebody who manages users, which is kept; not where nobody would be left who may.
    pub fn let_go(&self, name: &str, act: Act) -> Result<(), StoreError> {
        let name = name.to_owned();
        self.write("revoke a user", move |transaction| {
            must_leave_a_manager(transaction, &name)?;
            People(transaction).revoke(&name, act.at)?;
            insert_act(transaction, &act)
        })
    }

    /// Everyone, also those who left, by name.
    pub fn users(&self) -> Result<Vec<User>, StoreError> {
        self.read(everyone)
    }

    /// The person of a name, also one who left.
    pub fn user(&self, name: &str) -> Result<Option<User>, StoreError> {
        self.read(|connection| find(connection, name))
    }

    /// Whom somebody means who types a name, in whatever case: the one of exactly this name, or the only one who still
    /// is. None where older stations have two, and it is neither.
    pub fn meant_by(&self, typed: &str) -> Result<Option<String>, StoreError> {
        self.read(|connection| {
            let names: Vec<String> = connection
                .prepare_cached(
                    "SELECT name FROM person WHERE name = ?1 COLLATE NOCASE AND revoked_ms IS NULL",
                )
                .and_then(|mut statement| statement.query_map([typed], |row| row.get(0))?.collect())
                .doing("look for a name")?;
            match names.as_slice() {
                [only] => Ok(Some(only.clone())),
                several => Ok(several.iter().find(|name| *name == typed).cloned()),
            }
        })
    }

    /// Whose account a name is that somebody writes for who did something, in whatever case: of several, as older stations
    /// have them, the one of exactly this name, or who still is.
    pub fn known_as(&self, written: &str) -> Result<Option<User>, StoreError> {
        let mut all = self.users()?;
        all.retain(|user| is_same_person(&user.name, written));
        Ok(all.into_iter().min_by_key(|user| (user.name != written, user.revoked.is_some())))
    }

    /// Whose token this is; none for one that never was, or is no more.
    pub fn user_by_token(&self, token: &str) -> Result<Option<User>, StoreError> {
        if !token.starts_with(PREFIX) {
            return Ok(None);
        }
        self.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT name, roles, person.created_ms, person.revoked_ms FROM token JOIN person ON name = person
                     WHERE hash = ?1 AND token.revoked_ms IS NULL AND person.revoked_ms IS NULL",
                )
                .and_then(|mut statement| statement.query_row([hash_of(token)], user_row).optional())
                .doing("look for a token")?
                .map(user_of)
                .transpose()
        })
    }
}

fn end_tokens(connection: &Connection, name: &str, at: Timestamp) -> rusqlite::Result<()> {
    connection.execute(
        "UPDATE token SET revoked_ms = ?2 WHERE person = ?1 AND revoked_ms IS NULL",
        params![name, at.as_millisecond()],
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{at, store};
    use super::*;

    #[test]
    fn a_token_opens_the_door_until_it_is_revoked() {
        let (store, dir) = store();
        let roles = BTreeSet::from([Role::Uploader, Role::Admin]);
        store.add_user("lan", &roles, at(0)).unwrap();
        let phone = store.new_token("lan", "phone", at(1)).unwrap();
        let script = store.new_token("lan", "script", at(2)).unwrap();
        assert_ne!(phone, script);
        let user = store.user_by_token(&phone.to_string()).unwrap().unwrap();
        assert_eq!((user.name.as_str(), user.roles), ("lan", roles));
        assert_eq!(store.user_by_token("loa_0").unwrap(), None);
        assert_eq!(store.user_by_token("").unwrap(), None);
        assert_eq!(format!("{phone:?}"), "Secret");
        let clear = phone.to_string();
        drop(store);
        for entry in std::fs::read_dir(dir.path()).unwrap() {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap();
            assert!(
                !bytes.windows(clear.len()).any(|window| window == clear.as_bytes()),
                "only its hash is kept"
            );
        }
        let store = Store::open(dir.path()).unwrap();
        store.with_people("revoke tokens", |people| people.revoke_tokens("lan", at(3))).unwrap();
        assert_eq!(store.user_by_token(&clear).unwrap(), None);
        let new = store.new_token("lan", "phone", at(4)).unwrap().to_string();
        store.revoke_user("lan", at(5)).unwrap();
        assert_eq!(store.user_by_token(&new).unwrap(), None);
        assert!(matches!(store.new_token("lan", "phone", at(6)), Err(StoreError::NoUser(_))));
    }

    #[test]
    fn a_name_is_given_once_and_for_ever() {
        let (store, _dir) = store();
        let none = BTreeSet::new();
        store.add_user("lan", &none, at(0)).unwrap();
        store.revoke_user("lan", at(1)).unwrap();
        assert!(matches!(store.add_user("lan", &none, at(2)), Err(StoreError::UserExists(_))));
        assert!(matches!(store.add_user("a b", &none, at(2)), Err(StoreError::BadUserName(_))));
        for other in ["Lan", "LAN"] {
            assert!(matches!(store.add_user(other, &none, at(2)), Err(StoreError::UserExists(_))), "{other}");
        }
        assert_eq!(store.users().unwrap().len(), 1);
        assert_eq!(store.user("lan").unwrap().unwrap().revoked, Some(at(1)));
    }

    #[test]
    fn a_typed_name_means_whoever_has_it_in_whatever_case() {
        let (store, _dir) = store();
        let meant = |typed: &str| store.meant_by(typed).unwrap();
        store.add_user("Minh.Hoa", &BTreeSet::new(), at(0)).unwrap();
        assert_eq!(meant("minh.hoa").as_deref(), Some("Minh.Hoa"));
        assert_eq!((meant("minh"), meant("mình.hoa"), meant("")), (None, None, None));
        // As stations have them that let both in.
        let pair = |transaction: &rusqlite::Transaction<'_>| {
            for name in ["lan", "Lan"] {
                insert_user(transaction, name, &BTreeSet::new(), at(1))?;
            }
            Ok(())
        };
        store.write("add a pair", pair).unwrap();
        assert_eq!(
            (meant("lan").as_deref(), meant("Lan").as_deref(), meant("LAN")),
            (Some("lan"), Some("Lan"), None)
        );
        store.revoke_user("lan", at(2)).unwrap();
        assert_eq!((meant("lan").as_deref(), meant("LAN").as_deref()), (Some("Lan"), Some("Lan")));
    }

    fn act(subject: &str, second: i64) -> Act {
        Act {
            at: at(second),
            by: "an".to_owned(),
            what: "user.add".to_owned(),
            subject: subject.to_owned(),
            title: None,
            origin: "command line".to_owned(),
        }
    }

    #[test]
    fn the_last_who_may_manage_users_stays_and_stays_so() {
        let (store, _dir) = store();
        let (admin, operator) = (BTreeSet::from([Role::Admin]), BTreeSet::from([Role::Operator]));
        for name in ["an", "binh", "chi"] {
            store.add_user(name, &admin, at(0)).unwrap();
        }
        store.let_go("chi", act("chi", 1)).unwrap();
        store.set_roles("an", &operator, act("an", 2)).unwrap();
        assert!(matches!(store.set_roles("binh", &operator, act("binh", 3)), Err(StoreError::LastAdmin(_))));
        assert!(matches!(store.let_go("binh", act("binh", 3)), Err(StoreError::LastAdmin(_))));
        store.set_roles("binh", &BTreeSet::from([Role::Admin, Role::Operator]), act("binh", 4)).unwrap();
        store.let_go("an", act("an", 5)).unwrap();
        let subjects: Vec<_> =
            store.acts(at(0), at(9), 9).unwrap().into_iter().map(|act| act.subject).collect();
        assert_eq!(subjects, ["an", "binh", "an", "chi"], "what was refused is no act");
    }

    #[test]
    fn roles_change_and_acts_are_kept_newest_first() {
        let (store, _dir) = store();
        store.add_user("an", &BTreeSet::new(), at(0)).unwrap();
        let roles = BTreeSet::from([Role::Operator]);
        assert_eq!(store.set_roles("an", &roles, act("user.roles", 3)).unwrap().roles, roles);
        for second in 1..=2 {
            store.act(act(&second.to_string(), second)).unwrap();
        }
        let subjects = |limit| -> Vec<String> {
            store.acts(at(1), at(3), limit).unwrap().into_iter().map(|act| act.subject).collect()
        };
        assert_eq!(subjects(10), ["2", "1"]);
        assert_eq!(subjects(1), ["2"]);
    }
}
