use domain::id::{RequestItemId, TaskId, UploadId};
use domain::{Timestamp, Window};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Manifest;

/// Asks for a task. The server answers as soon as there is one, or with 204 when the wait is over.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LeaseRequest {
    /// How long the connector is ready to wait; the server may answer sooner.
    pub wait_seconds: u32,
    /// The kinds that it has room for now; empty for any.
    #[serde(default)]
    pub kinds: Vec<String>,
    /// The items whose footage it holds now; none from versions that do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<Vec<RequestItemId>>,
}

/// Something to do, leased for a time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Task {
    /// Its id; the same for each try.
    pub id: TaskId,
    /// Rises with each try. A call with an older number is answered 409.
    pub lease: i64,
    /// How long the lease lasts from now, unless it is extended.
    pub lease_seconds: u32,
    /// What to do.
    #[serde(flatten)]
    pub payload: TaskPayload,
}

/// What a task wants.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum TaskPayload {
    /// Look again which sources there are, and publish them.
    Discover {},
    /// Send a fresh picture of a source.
    Thumbnail {
        /// Of which.
        device_id: String,
    },
    /// Say for which spans there are recordings.
    Coverage {
        /// Of which source.
        device_id: String,
        /// Start of what is asked about.
        from: Timestamp,
        /// Its end.
        to: Timestamp,
    },
    /// Keep a window from being overwritten.
    Hold {
        /// For which request item.
        item_id: RequestItemId,
        /// Of which source.
        device_id: String,
        /// Start of what is to be kept.
        from: Timestamp,
        /// Its end.
        to: Timestamp,
        /// Let go then, also when nobody says so; none: a month from now.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
    },
    /// Export a window and upload it.
    Export {
        /// For which request item.
        item_id: RequestItemId,
        /// Of which source.
        device_id: String,
        /// Start of what is granted.
        from: Timestamp,
        /// Its end.
        to: Timestamp,
    },
    /// Let go of what was held.
    Free {
        /// For which request item.
        item_id: RequestItemId,
        /// Of which source.
        device_id: String,
    },
    /// Of a later version: failed as unsupported.
    #[serde(other)]
    Unknown,
}

impl TaskPayload {
    /// Which source it is about, and which window of it.
    pub fn about(&self) -> (Option<&str>, Option<Window>) {
        match self {
            Self::Thumbnail { device_id } | Self::Free { device_id, .. } => (Some(device_id), None),
            Self::Coverage { device_id, from, to }
            | Self::Hold { device_id, from, to, .. }
            | Self::Export { device_id, from, to, .. } => (Some(device_id), Some(Window { from: *from, to: *to })),
            Self::Discover {} | Self::Unknown => (None, None),
        }
    }

    /// The name on the wire.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Discover {} => "discover",
            Self::Thumbnail { .. } => "thumbnail",
            Self::Coverage { .. } => "coverage",
            Self::Hold { .. } => "hold",
            Self::Export { .. } => "export",
            Self::Free { .. } => "free",
            Self::Unknown => "unknown",
        }
    }
}

/// How far a task is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Progress {
    /// The lease that the connector holds.
    pub lease: i64,
    /// What it does.
    pub phase: Phase,
    /// Bytes of the upload that are sent; before that, of what was fetched and cut.
    pub bytes_done: i64,
    /// Its size, once known; before that, about how much will have been fetched, where the video system lets that be told.
    #[serde(default)]
    pub bytes_total: Option<i64>,
    /// Why it waits, in a sentence, where the phase alone does not say it; none from versions that do not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// What a connector does about a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// The window, or its last segment, is still being recorded.
    WaitingForRecording,
    /// The video system cannot be reached; `note` says why. It is tried again and again.
    WaitingForSystem,
    /// What is held for it cannot be read, or nothing can be held, until its key is back; [`Progress::note`] says why.
    WaitingForKey,
    /// The recorder is read.
    Exporting,
    /// The disk beside the recorder is full.
    WaitingForRoom,
    /// The export waits for the hours at which its owner sends footage.
    WaitingForHours,
    /// Bytes are on their way.
    Uploading,
    /// The server's disk is full.
    WaitingForServerRoom,
    /// Of a later version.
    #[serde(other)]
    Other,
}

impl Phase {
    /// As written on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WaitingForRecording => "waiting_for_recording",
            Self::WaitingForSystem => "waiting_for_system",
            Self::WaitingForKey => "waiting_for_key",
            Self::Exporting => "exporting",
            Self::WaitingForRoom => "waiting_for_room",
            Self::WaitingForHours => "waiting_for_hours",
            Self::Uploading => "uploading",
            Self::WaitingForServerRoom => "waiting_for_server_room",
            Self::Other => "other",
        }
    }

    /// The phase that is written so.
    pub fn named(text: &str) -> Self {
        let known = [
            Self::WaitingForRecording,
            Self::WaitingForSystem,
            Self::WaitingForKey,
            Self::Exporting,
            Self::WaitingForRoom,
            Self::WaitingForHours,
            Self::Uploading,
            Self::WaitingForServerRoom,
        ];
        known.into_iter().find(|phase| phase.as_str() == text).unwrap_or(Self::Other)
    }
}

/// Asks to keep a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Extend {
    /// The lease that the connector holds.
    pub lease: i64,
}

/// The lease goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Extended {
    /// For so long from now.
    pub lease_seconds: u32,
}

/// A task is done. Sent again, with the same lease, it is answered in the same way and changes nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Complete {
    /// The lease that the connector holds.
    pub lease: i64,
    /// What came of it.
    pub result: TaskResult,
}

/// What came of a task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum TaskResult {
    /// Published anew.
    Discovered {},
    /// The picture was sent.
    Thumbnail {},
    /// What is recorded.
    Coverage {
        /// Of which source.
        device_id: String,
        /// The spans with recordings, in order, within what was asked.
        spans: Vec<Window>,
        /// Whether the answer covers all that was asked; a part still being recorded is missing otherwise.
        complete: bool,
    },
    /// Kept until then.
    Held {
        /// None: until it is freed.
        until: Option<Timestamp>,
    },
    /// Let go.
    Freed {},
    /// Exported and uploaded. The server compares size and SHA-256 with what arrived.
    Exported {
        /// The finished upload.
        upload_id: UploadId,
        /// Of the file, lower-case hexadecimal, computed beside the recorder.
        sha256: String,
        /// Its size.
        size_bytes: i64,
        /// What it was made from.
        manifest: Box<Manifest>,
    },
}

/// A task cannot be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Fail {
    /// The lease that the connector holds.
    pub lease: i64,
    /// Why.
    #[serde(flatten)]
    pub cause: FailCause,
}

/// Why a task cannot be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum FailCause {
    /// This connector does not know such tasks.
    Unsupported {
        /// In a sentence.
        detail: String,
    },
    /// There is no recording, and there will be none.
    Unavailable {
        /// Why there is none.
        reason: UnavailableReason,
        /// In a sentence.
        detail: String,
    },
    /// Something broke.
    Error {
        /// Whether it may go better later.
        retryable: bool,
        /// In a sentence.
        detail: String,
    },
}

/// Why there is no recording of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UnavailableReason {
    /// The recorder has no recording of then. Where it is not known how long recordings are kept, there may have been one.
    NeverRecorded,
    /// It keeps none for so long.
    Overwritten,
    /// There are recordings before and after, none between.
    Gap,
}
