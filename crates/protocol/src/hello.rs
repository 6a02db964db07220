use domain::Timestamp;
use domain::id::ConnectorId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The first call of a connector, and the first after each interruption.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Hello {
    /// Versions of this protocol that the connector speaks.
    pub versions: Vec<u32>,
    /// Whether the process has just begun: what an earlier one had leased is then given back at once, instead of running out.
    pub restarted: bool,
    /// The program that calls.
    pub software: Software,
    /// The adapters that this program has.
    pub adapter_kinds: Vec<String>,
    /// The adapter that it was configured to use.
    pub adapter: String,
    /// What the connector's clock shows.
    pub clock: Timestamp,
}

/// A program and its version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Software {
    /// Such as `sightline-connector`.
    pub name: String,
    /// Such as `0.1.0`.
    pub version: String,
}

/// The server's settings for this connector.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HelloAnswer {
    /// The version that both will speak.
    pub version: u32,
    /// Who the server takes the caller for.
    pub connector: ConnectorRef,
    /// What the server's clock shows.
    pub clock: Timestamp,
    /// A connector that was silent for three times as long is shown as offline.
    pub heartbeat_seconds: u32,
    /// How long a call for a task may wait for one.
    pub longest_wait_seconds: u32,
    /// How often a source's thumbnail is wanted anew.
    pub thumbnail_seconds: u32,
    /// The last publication that was taken over; none before the first.
    pub sequence: Option<i64>,
}

/// A connector as the server knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConnectorRef {
    /// Its id.
    pub id: ConnectorId,
    /// The name that the office gave it.
    pub name: String,
}

/// What is wrong beside the recorder, for the people in the office.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProblemReport {
    /// What is wrong, in a sentence.
    pub text: String,
    /// What somebody beside the recorder can do about it.
    pub what_to_do: String,
}
