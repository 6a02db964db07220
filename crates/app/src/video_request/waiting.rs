//! What an item waits for.

use domain::request_item::State;
use domain::{Timestamp, WaitingFor};
use protocol::Phase;
use store::request_item::{Link, Shown};

pub(super) fn waiting_for(shown: &Shown, link: Option<&Link>, now: Timestamp) -> Option<WaitingFor> {
    let item = &shown.item;
    let phase = shown.phase.as_deref().map(Phase::named);
    let recording = phase == Some(Phase::WaitingForRecording) || item.window().to > now;
    match (item.state, &shown.connector) {
        (State::Pending, _) => Some(WaitingFor::Decision),
        (State::NeedsInformation, _) => Some(WaitingFor::Answer),
        (State::Approved, None) if link.is_some_and(|link| link.is_out(now)) => Some(WaitingFor::Link),
        (State::Approved, None) => Some(WaitingFor::NewLink),
        (State::Approved | State::Exporting | State::Uploading, Some(connector)) => {
            if !domain::connector::is_online(connector.last_seen_at, None, now) {
                Some(WaitingFor::ConnectorOffline)
            } else if recording && item.state != State::Uploading {
                Some(WaitingFor::Recording)
            } else {
                match phase {
                    Some(Phase::WaitingForSystem) => Some(WaitingFor::System),
                    Some(Phase::WaitingForKey) => Some(WaitingFor::Key),
                    Some(Phase::WaitingForRoom) => Some(WaitingFor::Room),
                    Some(Phase::WaitingForServerRoom) => Some(WaitingFor::ServerRoom),
                    Some(Phase::WaitingForHours) => Some(WaitingFor::Hours),
                    _ => (item.state == State::Approved).then_some(WaitingFor::Connector),
                }
            }
        }
        _ => None,
    }
}

/// Since when that is so, where it is known.
pub(super) fn waiting_since(shown: &Shown, waiting_for: Option<WaitingFor>) -> Option<Timestamp> {
    let offline = waiting_for == Some(WaitingFor::ConnectorOffline);
    shown.connector.as_ref().filter(|_| offline).and_then(|connector| connector.last_seen_at)
}
