//! Who may do what: roles and permissions, as values. Names, tokens and where they are kept are the store's concern.
//!
//! | may | uploader | approver | operator | auditor | admin |
//! | --- | :-: | :-: | :-: | :-: | :-: |
//! | [`See`](Permission::See) the catalogue, the timeline, what is on air | x | x | x | x | x |
//! | [`HandIn`](Permission::HandIn) recordings, write their words, ask for approval | x | x | x | | |
//! | [`Approve`](Permission::Approve) or return what others handed in | | x | | | |
//! | [`Withdraw`](Permission::Withdraw) a recording, also from the air | | x | x | | |
//! | [`TakeTheAir`](Permission::TakeTheAir) now, stop what sounds | | | x | | |
//! | [`CallEmergency`](Permission::CallEmergency) | | x | x | | |
//! | [`EditSchedule`](Permission::EditSchedule) | | | x | | x |
//! | [`ConfirmClock`](Permission::ConfirmClock): take the machine's time for right | | | x | | x |
//! | [`ReadLog`](Permission::ReadLog), verify it, print reports | | x | x | x | x |
//! | [`ReadActs`](Permission::ReadActs) of people | | | | x | x |
//! | [`ManageUsers`](Permission::ManageUsers) | | | | | x |
//!
//! An admin may not approve: who hands out roles should not also decide what a village hears. An admin can take the
//! approver's role openly, and the record of acts shows it.

pub mod password;
pub mod throttle;

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization as _;

/// What a person is at the station; one may be several things.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Người biên soạn: hands in recordings.
    Uploader,
    /// Người duyệt: lets them on the air, or takes them off.
    Approver,
    /// Người vận hành: runs the station.
    Operator,
    /// Người kiểm tra: reads the log.
    Auditor,
    /// Quản trị: gives roles.
    Admin,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 5] = [Self::Uploader, Self::Approver, Self::Operator, Self::Auditor, Self::Admin];

    /// Its name in commands, the API and the database.
    pub fn code(self) -> &'static str {
        match self {
            Self::Uploader => "uploader",
            Self::Approver => "approver",
            Self::Operator => "operator",
            Self::Auditor => "auditor",
            Self::Admin => "admin",
        }
    }

    /// Whether this role alone allows something.
    fn may(self, permission: Permission) -> bool {
        use Permission as P;
        match self {
            Self::Uploader => matches!(permission, P::See | P::HandIn),
            Self::Approver => matches!(
                permission,
                P::See | P::HandIn | P::Approve | P::Withdraw | P::CallEmergency | P::ReadLog
            ),
            Self::Operator => matches!(
                permission,
                P::See
                    | P::HandIn
                    | P::Withdraw
                    | P::TakeTheAir
                    | P::CallEmergency
                    | P::EditSchedule
                    | P::ConfirmClock
                    | P::ReadLog
            ),
            Self::Auditor => matches!(permission, P::See | P::ReadLog | P::ReadActs),
            Self::Admin => {
                matches!(
                    permission,
                    P::See | P::EditSchedule | P::ConfirmClock | P::ReadLog | P::ReadActs | P::ManageUsers
                )
            }
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

/// A text that names no role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is none of uploader, approver, operator, auditor, admin")]
pub struct NotARole(String);

impl FromStr for Role {
    type Err = NotARole;

    fn from_str(text: &str) -> Result<Self, NotARole> {
        Self::ALL.into_iter().find(|role| role.code() == text).ok_or_else(|| NotARole(text.to_owned()))
    }
}

/// Something one may be allowed to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Permission {
    /// See the catalogue, the timeline and what is on air.
    See,
    /// Hand in recordings, write their words, ask for approval.
    HandIn,
    /// Approve or return what was handed in.
    Approve,
    /// Withdraw a recording, also from the air.
    Withdraw,
    /// Air something now, or stop what sounds.
    TakeTheAir,
    /// Air an emergency, also in quiet hours.
    CallEmergency,
    /// Change the schedule.
    EditSchedule,
    /// Say that the machine's clock is right, where the log has later times.
    ConfirmClock,
    /// Read and verify the log, print reports.
    ReadLog,
    /// Read the record of people's acts.
    ReadActs,
    /// Add and remove users, give roles and tokens.
    ManageUsers,
}

impl Permission {
    /// Every permission.
    pub const ALL: [Self; 11] = [
        Self::See,
        Self::HandIn,
        Self::Approve,
        Self::Withdraw,
        Self::TakeTheAir,
        Self::CallEmergency,
        Self::EditSchedule,
        Self::ConfirmClock,
        Self::ReadLog,
        Self::ReadActs,
        Self::ManageUsers,
    ];
}

/// Whether somebody with these roles may do something.
pub fn permit(roles: &BTreeSet<Role>, permission: Permission) -> bool {
    roles.iter().any(|role| role.may(permission))
}

/// Whether people may approve what they handed in themselves: a setting of the station.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OwnWork {
    /// A second person looks at everything.
    #[default]
    NeedsAnother,
    /// A station with a single person has no other way.
    MayApprove,
}

/// Whether `approver` with these roles may approve what `uploader` handed in.
pub fn may_approve(roles: &BTreeSet<Role>, approver: &str, uploader: &str, own_work: OwnWork) -> bool {
    let may_own = own_work == OwnWork::MayApprove;
    permit(roles, Permission::Approve) && (may_own || !is_same_person(approver, uploader))
}

/// Whether two names are one person's: nobody becomes another by a capital letter or a space, or on a keyboard that makes
/// its accents otherwise.
pub fn is_same_person(name: &str, other: &str) -> bool {
    // Taken apart once more behind the small letters, as some of them are made of two.
    let plain = |name: &str| {
        let small: String = name.nfd().flat_map(char::to_lowercase).nfc().collect();
        small.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    plain(name) == plain(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of this room's documentation, as it is printed.
    fn table() -> Vec<(String, Vec<bool>)> {
        include_str!("mod.rs")
            .lines()
            .filter_map(|line| line.strip_prefix("//! | [`"))
            .map(|line| {
                let name = line.split('`').next().unwrap().to_owned();
                let marks = line.split('|').skip(1).take(5).map(|cell| cell.trim() == "x").collect();
                (name, marks)
            })
            .collect()
    }

    #[test]
    fn the_documented_table_is_what_holds() {
        let table = table();
        assert_eq!(table.len(), Permission::ALL.len());
        for (permission, (name, marks)) in Permission::ALL.into_iter().zip(table) {
            assert_eq!(format!("{permission:?}"), name);
            for (role, mark) in Role::ALL.into_iter().zip(marks) {
                assert_eq!(permit(&BTreeSet::from([role]), permission), mark, "{role} {permission:?}");
            }
        }
    }

    #[test]
    fn roles_add_up_and_no_role_may_nothing() {
        let both = BTreeSet::from([Role::Uploader, Role::Auditor]);
        assert!(permit(&both, Permission::HandIn) && permit(&both, Permission::ReadActs));
        assert!(!permit(&both, Permission::Approve));
        assert!(Permission::ALL.iter().all(|permission| !permit(&BTreeSet::new(), *permission)));
    }

    #[test]
    fn nobody_approves_their_own_work_unless_the_station_says_so() {
        let approver = BTreeSet::from([Role::Approver, Role::Uploader]);
        assert!(!may_approve(&approver, "lan", "lan", OwnWork::NeedsAnother));
        assert!(may_approve(&approver, "lan", "lan", OwnWork::MayApprove));
        assert!(may_approve(&approver, "lan", "minh", OwnWork::NeedsAnother));
        assert!(!may_approve(&BTreeSet::from([Role::Operator]), "an", "minh", OwnWork::MayApprove));
        for (one, other) in
            [("Lan", "lan"), (" lan ", "lan"), ("Ánh Tuyết", "a\u{301}nh  tuyê\u{301}t"), ("ĐÀO", "đào")]
        {
            assert!(!may_approve(&approver, one, other, OwnWork::NeedsAnother), "{one} is {other}");
        }
        assert!(may_approve(&approver, "Lán", "lan", OwnWork::NeedsAnother), "an accent makes another name");
    }

    #[test]
    fn a_role_reads_back_from_its_name() {
        for role in Role::ALL {
            assert_eq!(role.to_string().parse(), Ok(role));
        }
        assert!("root".parse::<Role>().is_err());
    }
}
