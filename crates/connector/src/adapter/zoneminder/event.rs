//! Events of ZoneMinder, and what their local times mean.

use std::time::Duration;

use domain::{Timestamp, Window};
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use serde::Deserialize;

use crate::adapter::archive::Recording;

/// Times are told in whole seconds.
pub(super) const PRECISION: Duration = Duration::from_secs(1);
/// So far around a window events are looked at: an hour that the clock shows twice is told from its order.
pub(super) const AROUND: Duration = Duration::from_secs(3_600 + 60);
/// Neighbours overlap by less.
const OVERLAP_US: i64 = 5_000_000;

#[derive(Deserialize)]
pub(super) struct Events {
    pub(super) events: Vec<EventRow>,
}

#[derive(Deserialize)]
pub(super) struct EventRow {
    #[serde(rename = "Event")]
    pub(super) event: Event,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Event {
    id: Number,
    start_date_time: Option<String>,
    end_date_time: Option<String>,
    #[serde(default)]
    length: Option<Number>,
    #[serde(default)]
    archived: Option<Number>,
    #[serde(default)]
    notes: Option<String>,
    #[serde(default)]
    default_video: Option<String>,
}

/// Some versions write numbers as text.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum Number {
    Whole(i64),
    Float(f64),
    Text(String),
}

impl Number {
    pub(super) fn float(&self) -> Option<f64> {
        match self {
            Self::Whole(number) => Some(*number as f64),
            Self::Float(number) => Some(*number),
            Self::Text(text) => text.trim().parse().ok(),
        }
        .filter(|number: &f64| number.is_finite())
    }
}

impl std::fmt::Display for Number {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Whole(number) => number.fmt(out),
            Self::Float(number) => number.fmt(out),
            Self::Text(text) => text.fmt(out),
        }
    }
}

/// A time as the API takes it.
pub(super) fn local(at: Timestamp, zone: &TimeZone) -> String {
    let at = at.to_jiff().unwrap_or(jiff::Timestamp::MAX);
    zone.to_datetime(at).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// What a local time may mean: in the hour that the clock shows twice two things, the earlier first.
fn meanings(text: Option<&str>, zone: &TimeZone) -> Vec<Timestamp> {
    let Some(civil) = text.and_then(|text| DateTime::strptime("%Y-%m-%d %H:%M:%S", text).ok()) else {
        return Vec::new();
    };
    let told = |offset: jiff::tz::Offset| offset.to_timestamp(civil).ok().map(Timestamp::from);
    let offsets = match zone.to_ambiguous_timestamp(civil).offset() {
        AmbiguousOffset::Unambiguous { offset } => vec![offset],
        AmbiguousOffset::Gap { before, .. } => vec![before],
        AmbiguousOffset::Fold { before, after } => vec![before, after],
    };
    offsets.into_iter().filter_map(told).collect()
}

impl Event {
    pub(super) fn name(&self) -> String {
        self.id.to_string()
    }

    pub(super) fn archived(&self) -> bool {
        self.archived.as_ref().and_then(Number::float) == Some(1.0)
    }

    pub(super) fn notes(&self) -> &str {
        self.notes.as_deref().unwrap_or_default()
    }

    /// Whether it was kept as single pictures only, and has no video to hand out.
    pub(super) fn is_of_pictures(&self) -> bool {
        self.default_video.as_deref() == Some("") && self.end_date_time.is_some()
    }

    fn number(&self) -> i64 {
        self.id.float().map_or(0, |number| number as i64)
    }

    fn length(&self) -> Duration {
        let seconds = self.length.as_ref().and_then(Number::float).unwrap_or(0.0);
        Duration::try_from_secs_f64(seconds.clamp(0.0, 1e6)).unwrap_or_default()
    }

    pub(super) fn earliest(&self, zone: &TimeZone) -> Option<Timestamp> {
        meanings(self.start_date_time.as_deref(), zone).first().copied()
    }

    pub(super) fn surely_ended_before(&self, at: Timestamp, zone: &TimeZone) -> bool {
        let ends = meanings(self.end_date_time.as_deref(), zone);
        ends.last().is_some_and(|ends| ends.plus(PRECISION) < at)
    }
}

/// Events with their true place in time, in order. They are numbered as they begin, so that a clock that was set back shows.
fn placed<'a>(events: &'a [Event], zone: &TimeZone) -> Vec<(&'a Event, Timestamp)> {
    let mut events: Vec<_> = events.iter().collect();
    events.sort_by_key(|event| event.number());
    events.dedup_by_key(|event| event.number());
    let mut before = i64::MIN;
    let mut out = Vec::new();
    for event in events {
        let starts = meanings(event.start_date_time.as_deref(), zone);
        let follows = |at: &&Timestamp| at.as_micros().saturating_add(OVERLAP_US) >= before;
        let Some(begins) = starts.iter().find(follows).or(starts.last()).copied() else { continue };
        before = begins.plus(event.length()).as_micros();
        out.push((event, begins));
    }
    out.sort_by_key(|(_, begins)| *begins);
    out
}

/// The recordings that events are.
pub(super) fn recordings(events: Vec<Event>, zone: &TimeZone) -> Vec<Recording> {
    let placed = placed(&events, zone);
    let newest = placed.len().saturating_sub(1);
    let recording = |(index, (event, begins)): (usize, &(&Event, Timestamp))| {
        let long = event.length().max(PRECISION);
        // an event that was never closed, as after a crash, ends where its video does
        let open = event.end_date_time.is_none() && index == newest;
        Recording { name: event.name(), begins: *begins, or_later: PRECISION, ends: (!open).then(|| begins.plus(long)) }
    };
    placed.iter().enumerate().map(recording).collect()
}

/// The events that hold some of a window.
pub(super) fn reaching_into<'a>(events: &'a [Event], window: Window, zone: &TimeZone) -> Vec<&'a Event> {
    let reaches = |(event, begins): &(&Event, Timestamp)| {
        let ends = begins.plus(event.length() + PRECISION);
        *begins < window.to && (ends > window.from || event.end_date_time.is_none())
    };
    placed(events, zone).into_iter().filter(reaches).map(|(event, _)| event).collect()
}
