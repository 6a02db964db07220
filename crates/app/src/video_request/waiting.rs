//! What an item waits for.

use domain::Timestamp;
use domain::request_item::State;
use store::request_item::{Link, Shown};

/// What an item waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitingFor {
    /// The owner's decision.
    Decision,
    /// The requester's answer.
    Answer,
    /// The connector, which is there.
    Connector,
    /// The connector, which has not been heard of since.
    ConnectorOffline(Option<Timestamp>),
    /// The window is still being recorded.
    Recording,
    /// The video system, which its connector cannot reach.
    System,
    /// The key of what is held, which is not there.
    Key,
    /// Room on the disk beside the recorder.
    Room,
    /// Room on the disk of the server.
    ServerRoom,
    /// The hours at which the connector sends footage.
    Hours,
    /// Somebody with the upload link.
    Link,
    /// A new upload link: the last has run out, or was revoked.
    NewLink,
}

pub(super) fn waiting_for(shown: &Shown, link: Option<&Link>, now: Timestamp) -> Option<WaitingFor> {
    let item = &shown.item;
    let recording = shown.phase.as_deref() == Some("waiting_for_recording") || item.window().to > now;
    match (item.state, &shown.connector) {
        (State::Pending, _) => Some(WaitingFor::Decision),
        (State::NeedsInformation, _) => Some(WaitingFor::Answer),
        (State::Approved, None) if link.is_some_and(|link| link.is_out(now)) => Some(WaitingFor::Link),
        (State::Approved, None) => Some(WaitingFor::NewLink),
        (State::Approved | State::Exporting | State::Uploading, Some(connector)) => {
            if !domain::connector::is_online(connector.last_seen_at, None, now) {
                Some(WaitingFor::ConnectorOffline(connector.last_seen_at))
            } else if recording && item.state != State::Uploading {
                Some(WaitingFor::Recording)
            } else {
                match shown.phase.as_deref() {
                    Some("waiting_for_system") => Some(WaitingFor::System),
                    Some("waiting_for_key") => Some(WaitingFor::Key),
                    Some("waiting_for_room") => Some(WaitingFor::Room),
                    Some("waiting_for_server_room") => Some(WaitingFor::ServerRoom),
                    Some("waiting_for_hours") => Some(WaitingFor::Hours),
                    _ => (item.state == State::Approved).then_some(WaitingFor::Connector),
                }
            }
        }
        _ => None,
    }
}
