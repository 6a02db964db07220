//! Cases: they hold files and say who may do what with them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::id::{AccountId, CaseId, GroupId, NotAnId};
use crate::text_enum::text_enum;
use crate::{Invalid, Timestamp};

text_enum! {
    /// What somebody may do in a case. Each level holds those before it.
    Level {
        /// See the playable copy and the thumbnail of each file, and nothing else of it.
        View = "view",
        /// Also fetch the originals.
        Download = "download",
        /// Also rename the case, add files and ask for them by link.
        Edit = "edit",
        /// Also say who may do what, and close the case.
        Manage = "manage",
    }
}

impl Level {
    /// From 1 to 4, as the database keeps it: so the highest of several is its `MAX`.
    pub const fn rank(self) -> i64 {
        self as i64 + 1
    }

    /// The level of a rank.
    pub fn of_rank(rank: i64) -> Option<Self> {
        Self::ALL.iter().copied().find(|level| level.rank() == rank)
    }
}

/// A case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// Its id.
    pub id: CaseId,
    /// The number that people use.
    pub number: String,
    /// What it is about.
    pub name: String,
    /// Who made it.
    pub created_by: AccountId,
    /// Since when nothing is added.
    pub closed_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Counts writes; a write compares it.
    pub version: i64,
}

/// The longest name, in characters.
pub const NAME: usize = 200;

/// The case is not as the action needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Nothing is added to a closed case.
    #[error("The case is closed. Reopen it first.")]
    Closed,
    /// Only a closed case is reopened.
    #[error("The case is open.")]
    Open,
}

impl Case {
    /// Gives it another name.
    pub fn rename(&mut self, name: &str) -> Result<(), Invalid> {
        check_name(name)?;
        self.name = name.trim().to_owned();
        Ok(())
    }

    /// Nothing is added from now on.
    pub fn close(&mut self, now: Timestamp) -> Result<(), Refused> {
        self.require_open()?;
        self.closed_at = Some(now);
        Ok(())
    }

    /// Files may be added again.
    pub fn reopen(&mut self) -> Result<(), Refused> {
        self.closed_at.take().map(drop).ok_or(Refused::Open)
    }

    /// Adding to it needs it open.
    pub fn require_open(&self) -> Result<(), Refused> {
        if self.closed_at.is_some() { Err(Refused::Closed) } else { Ok(()) }
    }
}

/// What is wrong with a name.
pub fn check_name(name: &str) -> Result<(), Invalid> {
    let mut invalid = Invalid::new();
    invalid.require_text("/name", name, NAME);
    invalid.into_result()
}

/// Whom an access list names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Principal {
    /// One person.
    Account(AccountId),
    /// Everybody in a group.
    Group(GroupId),
}

impl Principal {
    /// The id.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Account(id) => id.as_str(),
            Self::Group(id) => id.as_str(),
        }
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Principal {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        match text.parse::<GroupId>() {
            Ok(group) => Ok(Self::Group(group)),
            Err(_) => text.parse().map(Self::Account).map_err(|_| NotAnId("acc_ or grp")),
        }
    }
}

impl Serialize for Principal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Principal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl utoipa::PartialSchema for Principal {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .pattern(Some("^(acc|grp)_[0-7][0-9a-hjkmnp-tv-z]{25}$"))
            .into()
    }
}

impl utoipa::ToSchema for Principal {}

/// One line of an access list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// Who.
    pub principal: Principal,
    /// What they may do.
    pub level: Level,
    /// Until when; none: without end.
    pub expires_at: Option<Timestamp>,
}

/// The most lines of an access list.
pub const LINES: usize = 200;

/// What is wrong with an access list: everybody once, no end in the past, and somebody who keeps managing it.
pub fn check_access(entries: &[Access], now: Timestamp) -> Result<(), Invalid> {
    let mut invalid = Invalid::new();
    if entries.len() > LINES {
        invalid.add("/entries", format!("At most {LINES} entries fit; put people into groups."));
    }
    for (index, entry) in entries.iter().enumerate() {
        if entries[..index].iter().any(|earlier| earlier.principal == entry.principal) {
            invalid.add(format!("/entries/{index}/principal_id"), "This person or group is named twice.");
        }
        if entry.expires_at.is_some_and(|at| at <= now) {
            invalid.add(format!("/entries/{index}/expires_at"), "Expected a time in the future.");
        }
    }
    if !entries.iter().any(|entry| entry.level == Level::Manage && entry.expires_at.is_none()) {
        invalid.add("/entries", "Somebody has to manage the case without an end.");
    }
    invalid.into_result()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(n: u8) -> Principal {
        Principal::Account(AccountId::new(Timestamp::from_micros(0), [n; 10]))
    }

    fn access(principal: Principal, level: Level, expires_at: Option<i64>) -> Access {
        Access { principal, level, expires_at: expires_at.map(Timestamp::from_micros) }
    }

    #[test]
    fn levels_hold_those_before_them() {
        assert!(Level::View < Level::Download && Level::Download < Level::Edit && Level::Edit < Level::Manage);
        assert!(Level::ALL.iter().all(|level| Level::of_rank(level.rank()) == Some(*level)));
        assert_eq!((Level::View.rank(), Level::Manage.rank(), Level::of_rank(5)), (1, 4, None));
    }

    #[test]
    fn a_list_keeps_a_manager_and_names_everybody_once() {
        let now = Timestamp::from_micros(10);
        let check = |entries: &[Access]| {
            check_access(entries, now).map_err(|i| i.0.into_iter().map(|e| e.pointer).collect::<Vec<_>>())
        };
        assert_eq!(check(&[access(account(1), Level::Manage, None)]), Ok(()));
        assert_eq!(check(&[]), Err(vec!["/entries".to_owned()]));
        assert_eq!(check(&[access(account(1), Level::Manage, Some(99))]), Err(vec!["/entries".to_owned()]));
        let twice = [access(account(1), Level::Manage, None), access(account(1), Level::View, Some(10))];
        assert_eq!(check(&twice), Err(vec!["/entries/1/principal_id".to_owned(), "/entries/1/expires_at".to_owned()]));
    }

    #[test]
    fn a_case_is_closed_once_and_reopened_once() {
        let mut case = Case {
            id: CaseId::new(Timestamp::from_micros(0), [0; 10]),
            number: "C-1".into(),
            name: "One".into(),
            created_by: AccountId::new(Timestamp::from_micros(0), [0; 10]),
            closed_at: None,
            created_at: Timestamp::from_micros(0),
            version: 1,
        };
        assert_eq!(case.reopen(), Err(Refused::Open));
        assert_eq!(case.close(Timestamp::from_micros(5)), Ok(()));
        assert_eq!(case.close(Timestamp::from_micros(6)), Err(Refused::Closed));
        assert_eq!(case.reopen(), Ok(()));
        assert!(case.rename(" ").is_err() && case.rename(" Two ").is_ok() && case.name == "Two");
    }
}
