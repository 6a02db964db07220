//! File requests: upload links that need no account.

use std::time::Duration;

use crate::id::{CaseId, FileRequestId, RequestItemId};
use crate::text_enum::text_enum;
use crate::{Invalid, Timestamp, Window};

text_enum! {
    /// What the holder of a link says.
    Answer as LinkAnswer {
        /// I have it.
        Have = "have",
        /// I have a part of it.
        Part = "part",
        /// There is nothing.
        Nothing = "nothing",
        /// No.
        No = "no",
    }
}

/// What a link is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum For {
    /// The footage of a request item.
    Item(RequestItemId),
    /// Any files for a case.
    Case(CaseId),
}

/// An upload link, without its token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRequest {
    /// Its id.
    pub id: FileRequestId,
    /// What it is for.
    pub purpose: For,
    /// What is asked, as its holder reads it.
    pub name: String,
    /// More words.
    pub description: Option<String>,
    /// What its holder said.
    pub answer: Option<Answer>,
    /// Of a part: which they have, within what was granted.
    pub part: Option<Window>,
    /// What its holder added.
    pub comment: Option<String>,
    /// The id of who made it; none: the server, on approval.
    pub created_by: Option<String>,
    /// When it runs out.
    pub expires_at: Timestamp,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// When its holder said that all is sent.
    pub finished_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Counts writes; a write compares it.
    pub version: i64,
}

/// Why a link does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Dead {
    /// Somebody revoked it.
    #[error("This link was revoked. Ask whoever sent it for a new one.")]
    Revoked,
    /// Its time is over.
    #[error("This link has run out. Ask whoever sent it for a new one.")]
    Expired,
    /// Its holder said that all is sent.
    #[error("You have already finished: nothing can be added by this link.")]
    Finished,
}

impl FileRequest {
    /// Whether it can be opened. A finished link shows its receipt until it runs out, and for an [`hour`](RECEIPT) at least. One that was
    /// revoked after its time was over has run out: nobody took it from its holder.
    pub fn require_open(&self, now: Timestamp) -> Result<(), Dead> {
        let receipt = self.finished_at.map(|at| at.plus(RECEIPT));
        if self.revoked_at.is_some_and(|at| at < self.expires_at) {
            Err(Dead::Revoked)
        } else if receipt.map_or(self.expires_at, |until| until.max(self.expires_at)) <= now {
            Err(Dead::Expired)
        } else {
            Ok(())
        }
    }

    /// Whether files can be sent by it.
    pub fn require_unfinished(&self, now: Timestamp) -> Result<(), Dead> {
        self.require_open(now)?;
        if self.finished_at.is_some() { Err(Dead::Finished) } else { Ok(()) }
    }

    /// Whether a file that its holder began to send then may go on: its own time may be over since.
    pub fn require_going_on(&self, begun: Timestamp) -> Result<(), Dead> {
        if self.revoked_at.is_some() { Err(Dead::Revoked) } else { self.require_unfinished(begun) }
    }

    /// Whether it ended with the last file that was on its way when its time was over.
    pub fn has_finished_late(&self) -> bool {
        self.finished_at.is_some_and(|at| at >= self.expires_at)
    }

    /// What people read to each other on the telephone to be sure that they speak of the same link. It opens nothing.
    pub fn code(&self) -> String {
        code(&self.id)
    }
}

/// The code of a link, by its id.
pub fn code(id: &FileRequestId) -> String {
    let tail = &id.as_str()[id.as_str().len() - 8..];
    format!("{}-{}", &tail[..4], &tail[4..]).to_uppercase()
}

/// The longest description and comment, in characters.
pub const WORDS: usize = 4_000;
/// How long its receipt is shown at least, also where its time is over: an hour.
pub const RECEIPT: Duration = Duration::from_secs(3600);
/// The longest that a link holds, in days.
pub const DAYS: u64 = 90;

/// What is wrong with a new link.
pub fn check(name: &str, description: Option<&str>, expires_at: Timestamp, now: Timestamp) -> Result<(), Invalid> {
    let mut invalid = Invalid::new();
    invalid.require_text("/name", name, crate::case::NAME);
    invalid.limit_text("/description", description, WORDS);
    let last = now.plus(Duration::from_secs(DAYS * 24 * 3600));
    if expires_at <= now {
        invalid.add("/expires_at", "Expected a time in the future.");
    } else if expires_at > last {
        invalid.add("/expires_at", format!("A link holds for {DAYS} days at most."));
    }
    invalid.into_result()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_ends_by_revocation_by_time_and_by_its_holder() {
        let at = Timestamp::from_micros;
        let link = FileRequest {
            id: FileRequestId::new(at(0), [7; 10]),
            purpose: For::Case(CaseId::new(at(0), [0; 10])),
            name: "Footage".into(),
            description: None,
            answer: None,
            part: None,
            comment: None,
            created_by: None,
            expires_at: at(100),
            revoked_at: None,
            finished_at: None,
            created_at: at(0),
            version: 1,
        };
        assert_eq!(link.require_unfinished(at(99)), Ok(()));
        assert_eq!(link.require_open(at(100)), Err(Dead::Expired));
        let revoked = FileRequest { revoked_at: Some(at(5)), ..link.clone() };
        assert_eq!(revoked.require_open(at(200)), Err(Dead::Revoked));
        let too_late = FileRequest { revoked_at: Some(at(100)), ..link.clone() };
        assert_eq!(too_late.require_open(at(200)), Err(Dead::Expired));
        let finished = FileRequest { finished_at: Some(at(5)), ..link.clone() };
        assert_eq!((finished.require_open(at(6)), finished.require_unfinished(at(6))), (Ok(()), Err(Dead::Finished)));
        let receipt = at(5).plus(RECEIPT);
        assert_eq!((finished.require_open(at(101)), finished.require_open(receipt)), (Ok(()), Err(Dead::Expired)));
        assert!(
            !finished.has_finished_late()
                && FileRequest { finished_at: Some(at(100)), ..link.clone() }.has_finished_late()
        );
        // What was begun in time goes on, unless it is stopped.
        assert_eq!((link.require_going_on(at(99)), link.require_going_on(at(100))), (Ok(()), Err(Dead::Expired)));
        assert_eq!(revoked.require_going_on(at(4)), Err(Dead::Revoked));
        assert_eq!(too_late.require_going_on(at(4)), Err(Dead::Revoked));
        assert_eq!(finished.require_going_on(at(4)), Err(Dead::Finished));
        assert_eq!(link.code().len(), 9);
    }

    #[test]
    fn a_new_link_needs_words_and_a_time_ahead() {
        let at = Timestamp::from_micros;
        assert!(check("x", None, at(2), at(1)).is_ok());
        assert!(check(" ", None, at(2), at(1)).is_err());
        assert!(check("x", None, at(1), at(1)).is_err());
        assert!(check("x", None, at(i64::MAX), at(1)).is_err());
    }
}
