//! Connectors: processes beside video systems, and the work that they are given.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::id::{CameraId, ConnectorId, OrganizationId, RequestItemId, TaskId};
use crate::text_enum::text_enum;
use crate::{Invalid, Timestamp};

/// A connector that was silent for so long is offline.
pub const OFFLINE_AFTER: Duration = Duration::from_secs(90);

/// An instance of a connector that was silent for so long makes room for another one with the same key.
pub const GONE_AFTER: Duration = Duration::from_secs(60);

/// So long it is told that two had the same key.
pub const USED_TWICE_FOR: Duration = Duration::from_secs(300);

/// How long a lease lasts unless it is extended.
pub const LEASE: Duration = Duration::from_secs(30);

/// How often a task is tried before it is given up.
pub const TRIES: i64 = 5;

/// A process beside a video system.
#[derive(Debug, Clone, PartialEq)]
pub struct Connector {
    /// Its id.
    pub id: ConnectorId,
    /// Whose cameras it publishes.
    pub organization_id: OrganizationId,
    /// That organization's name.
    pub organization_name: String,
    /// What the office calls it.
    pub name: String,
    /// The adapter that it uses; none before it first called.
    pub adapter: Option<String>,
    /// Program and version.
    pub software: Option<String>,
    /// The version of the protocol that was agreed.
    pub protocol_version: Option<i64>,
    /// Its last publication; 0 before the first.
    pub source_sequence: i64,
    /// Its machine's clock minus ours.
    pub clock_offset_ms: Option<i64>,
    /// What is wrong beside the recorder.
    pub problem: Option<Problem>,
    /// Which of those who may have its key is heard; none from versions that do not say.
    pub instance: Option<String>,
    /// When another one was last refused beside it.
    pub used_twice_at: Option<Timestamp>,
    /// When it last called.
    pub last_seen_at: Option<Timestamp>,
    /// When its key was revoked.
    pub revoked_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Counts changes.
    pub version: i64,
}

/// What is wrong beside the recorder, and what can be done about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ConnectorProblem)]
pub struct Problem {
    /// In a sentence.
    pub text: String,
    /// What somebody beside the recorder can do.
    pub what_to_do: String,
}

impl Connector {
    /// Whether it called lately.
    pub fn is_online(&self, now: Timestamp) -> bool {
        is_online(self.last_seen_at, self.revoked_at, now)
    }

    /// What is wrong: that it is not heard of, or else what it says itself.
    pub fn trouble(&self, now: Timestamp) -> Option<Problem> {
        if self.revoked_at.is_some() {
            return None;
        }
        if self.is_online(now) {
            return if self.is_used_twice(now) { Some(self.used_twice()) } else { self.problem.clone() };
        }
        let (text, what_to_do) = if self.last_seen_at.is_none() {
            (
                "It has never called.",
                "Save its connection file beside the recorder and start the connector with it. If it runs, its log says what keeps it from calling.",
            )
        } else {
            (
                "It is not heard of any more.",
                "See that the machine beside the recorder is on, that it reaches this address, and that the connector runs there. What it was given waits for it.",
            )
        };
        Some(Problem { text: text.to_owned(), what_to_do: what_to_do.to_owned() })
    }

    /// Whether a call of this instance comes beside those of another one that lives. The one that was there first is heard.
    pub fn is_beside(&self, instance: &str, now: Timestamp) -> bool {
        self.instance.as_deref().is_some_and(|heard| heard != instance)
            && self.last_seen_at.is_some_and(|at| now.since(at) < GONE_AFTER)
    }

    /// Whether another instance was refused beside the one that is heard, not long ago.
    pub fn is_used_twice(&self, now: Timestamp) -> bool {
        self.used_twice_at.is_some_and(|at| now.since(at) <= USED_TWICE_FOR)
    }

    /// That, and what it says itself.
    fn used_twice(&self) -> Problem {
        let (text, what_to_do) = self.problem.as_ref().map_or(("", ""), |own| (&own.text, &own.what_to_do));
        let used_twice = "Its connection file is used on two machines. The one that was there first works, and the other is refused.";
        let stop_one = "Stop the connector on one of them. A second video system needs a connector of its own, with a file of its own.";
        Problem {
            text: format!("{used_twice} {text}").trim_end().to_owned(),
            what_to_do: format!("{stop_one} {what_to_do}").trim_end().to_owned(),
        }
    }

    /// What the office may enter.
    pub fn validate(&self) -> Result<(), Invalid> {
        let mut invalid = Invalid::new();
        invalid.require_text("/name", &self.name, 200);
        invalid.into_result()
    }
}

/// Whether a connector that was last seen then is online.
pub fn is_online(last_seen_at: Option<Timestamp>, revoked_at: Option<Timestamp>, now: Timestamp) -> bool {
    revoked_at.is_none() && last_seen_at.is_some_and(|at| now.since(at) <= OFFLINE_AFTER)
}

text_enum! {
    /// What a connector is asked to do, as the protocol names it.
    TaskKind {
        /// Publish its sources anew.
        Discover = "discover",
        /// Send a picture of a source.
        Thumbnail = "thumbnail",
        /// Say what is recorded.
        Coverage = "coverage",
        /// Keep a window.
        Hold = "hold",
        /// Export a window and upload it.
        Export = "export",
        /// Let go of what was kept.
        Free = "free",
    }
}

text_enum! {
    /// Where a task stands.
    TaskState {
        /// For the connector to take.
        Waiting = "waiting",
        /// The connector works on it.
        Leased = "leased",
        /// Ended well.
        Done = "done",
        /// Answered: there is no recording of what was asked for.
        Unavailable = "unavailable",
        /// Given up.
        Failed = "failed",
        /// No longer wanted.
        Canceled = "canceled",
    }
}

/// Something that a connector is asked to do.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    /// Its id.
    pub id: TaskId,
    /// Who is asked.
    pub connector_id: ConnectorId,
    /// What sort of task, as on the wire.
    pub kind: TaskKind,
    /// The request item that it is for.
    pub item_id: Option<RequestItemId>,
    /// The camera that it is about.
    pub camera_id: Option<CameraId>,
    /// What is wanted, as on the wire.
    pub payload: serde_json::Value,
    /// Where it stands.
    pub state: TaskState,
    /// Rises with each lease; who holds an older number has lost it.
    pub lease: i64,
    /// When the lease ends.
    pub lease_until: Timestamp,
    /// When it may be taken.
    pub run_at: Timestamp,
    /// Tries that failed.
    pub attempts: i64,
    /// What the connector does about it.
    pub phase: Option<String>,
    /// Bytes that arrived.
    pub bytes_done: Option<i64>,
    /// Of how many.
    pub bytes_total: Option<i64>,
    /// Why the last try failed, or there is no recording.
    pub last_error: Option<String>,
    /// When it was asked.
    pub created_at: Timestamp,
}

impl Task {
    /// Whether the lease with this number is held now.
    pub fn is_held(&self, lease: i64, now: Timestamp) -> bool {
        self.state == TaskState::Leased && self.lease == lease && now < self.lease_until
    }

    /// Whether the lease with this number ended the task. Whoever says so again is told the same again.
    pub fn was_ended_by(&self, lease: i64) -> bool {
        matches!(self.state, TaskState::Done | TaskState::Unavailable | TaskState::Failed) && self.lease == lease
    }

    /// When it is tried again after so many failures; never, once [`TRIES`] are used up. From two seconds, threefold each time.
    pub fn again_at(&self, now: Timestamp) -> Option<Timestamp> {
        let factor = 3u64.saturating_pow(u32::try_from(self.attempts.clamp(1, 10) - 1).unwrap_or(0));
        (self.attempts < TRIES).then(|| now.plus(Duration::from_secs(2 * factor)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(state: TaskState, attempts: i64) -> Task {
        let at = Timestamp::from_micros(1_000_000);
        Task {
            id: TaskId::new(at, [1; 10]),
            connector_id: ConnectorId::new(at, [2; 10]),
            kind: TaskKind::Export,
            item_id: None,
            camera_id: None,
            payload: serde_json::Value::Null,
            state,
            lease: 3,
            lease_until: at.plus(LEASE),
            run_at: at,
            attempts,
            phase: None,
            bytes_done: None,
            bytes_total: None,
            last_error: None,
            created_at: at,
        }
    }

    #[test]
    fn a_lease_is_held_by_its_last_number_and_for_its_time() {
        let at = Timestamp::from_micros(1_000_000);
        let leased = task(TaskState::Leased, 0);
        assert!(leased.is_held(3, at));
        assert!(!leased.is_held(2, at));
        assert!(!leased.is_held(3, at.plus(LEASE)), "slept through it");
        assert!(!task(TaskState::Waiting, 0).is_held(3, at));
        assert!(task(TaskState::Done, 0).was_ended_by(3));
        assert!(task(TaskState::Unavailable, 0).was_ended_by(3));
        assert!(!task(TaskState::Canceled, 0).was_ended_by(3));
    }

    #[test]
    fn tries_are_further_and_further_apart_and_end() {
        let at = Timestamp::from_micros(0);
        let waits: Vec<_> =
            (1..=TRIES).map(|n| task(TaskState::Leased, n).again_at(at).map(|t| t.since(at).as_secs())).collect();
        assert_eq!(waits, [Some(2), Some(6), Some(18), Some(54), None]);
    }

    #[test]
    fn a_silent_connector_is_offline() {
        let at = Timestamp::from_micros(0);
        assert!(is_online(Some(at), None, at.plus(OFFLINE_AFTER)));
        assert!(!is_online(Some(at), None, at.plus(OFFLINE_AFTER + Duration::from_secs(1))));
        assert!(!is_online(Some(at), Some(at), at));
        assert!(!is_online(None, None, at));
    }
}
