//! What connector and server say to each other, versioned. The types are the wire: `snake_case` JSON over HTTPS, which the
//! connector alone dials.
//!
//! | call | body | answer |
//! | --- | --- | --- |
//! | `POST /api/v1/connector/hello` | [`Hello`] | [`HelloAnswer`] |
//! | `PUT /api/v1/connector/sources` | [`Sources`] | [`SourcesAnswer`]; 409: send the whole set |
//! | `PUT /api/v1/connector/sources/{device_id}/thumbnail` | a JPEG | 204 |
//! | `POST /api/v1/connector/tasks/lease` | [`LeaseRequest`] | 200 [`Task`], or 204 when nothing came up in time |
//! | `POST /api/v1/connector/tasks/{id}/progress` | [`Progress`] | 204 |
//! | `POST /api/v1/connector/tasks/{id}/extend` | [`Extend`] | 200 [`Extended`] |
//! | `POST /api/v1/connector/tasks/{id}/complete` | [`Complete`] | 204 |
//! | `POST /api/v1/connector/tasks/{id}/fail` | [`Fail`] | 204 |
//! | `/api/v1/uploads` | tus 1.0.0; `Upload-Metadata` carries `task_id` and `lease` | |
//!
//! Every call carries `Authorization: Bearer <key>`, with the key of the [`ConnectionFile`]; 401 means that the key is of another
//! server or was revoked. Every call about a task, and every `PATCH` of its upload (in the header [`LEASE_HEADER`]), carries
//! the lease number. Every call of a running connector carries in the header [`INSTANCE_HEADER`] an id that it keeps with its
//! state; another id beside one that lives is answered 409 with the code [`USED_TWICE`], so that two with the same connection file do not
//! publish over each other. Any other 409 means that the lease is lost: the connector drops the work and changes nothing more.
//! A call that got no answer is sent again as it was; each of them may arrive twice.
//!
//! Both sides tolerate fields and task kinds that they do not know. What cannot be tolerated raises the version; a `hello` names the
//! versions that the connector speaks and the server chooses the highest that both know.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod connection;
mod hello;
mod manifest;
mod source;
mod task;

pub use connection::ConnectionFile;
pub use domain::Gap;
pub use hello::{ConnectorRef, Hello, HelloAnswer, ProblemReport, Software};
pub use manifest::{ClockOffset, ExportFacts, Manifest, Segment};
pub use source::{SourceDescription, SourceProblem, Sources, SourcesAnswer};
pub use task::{
    Complete, Extend, Extended, Fail, FailCause, LeaseRequest, Phase, Progress, Task, TaskPayload, TaskResult,
    UnavailableReason,
};

/// The versions that this crate speaks, best first.
pub const VERSIONS: &[u32] = &[1];

/// The header in which each `PATCH` of a task's upload carries the lease number.
pub const LEASE_HEADER: &str = "sightline-lease";

/// The header in which a running connector says which one it is of those who may have its connection file.
pub const INSTANCE_HEADER: &str = "sightline-instance";

/// The code of a 409 that is answered to the second one with the same connection file.
pub const USED_TWICE: &str = "used_twice";

/// The highest version that both sides know.
pub fn choose_version(offered: &[u32]) -> Option<u32> {
    VERSIONS.iter().copied().filter(|version| offered.contains(version)).max()
}
