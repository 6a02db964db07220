//! A video request: what one requester asks, and the status that follows from its items.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::id::{AccountId, CaseId, VideoRequestId};
use crate::position::Position;
use crate::request_item::State;
use crate::text_enum::text_enum;
use crate::{Timestamp, Window};

text_enum! {
    /// Where a request stands. Computed from its items, never set by hand.
    Status {
        /// Somebody has to decide or to answer.
        Pending = "pending",
        /// Granted; footage is on its way or looked at.
        Processing = "processing",
        /// Everything asked was released.
        Completed = "completed",
        /// Something was released, not everything.
        PartiallyCompleted = "partially_completed",
        /// There is no recording.
        VideoUnavailable = "video_unavailable",
        /// Tries used up.
        Failed = "failed",
        /// Refused.
        Denied = "denied",
        /// The deadline passed.
        Expired = "expired",
        /// Withdrawn.
        Canceled = "canceled",
    }
}

impl Status {
    /// The status of a request with items in these states; `None` if there are none.
    pub fn of(states: impl IntoIterator<Item = State>) -> Option<Self> {
        let states: Vec<State> = states.into_iter().collect();
        let any = |wanted: &[State]| states.iter().any(|state| wanted.contains(state));
        if states.is_empty() {
            return None;
        }
        Some(if any(&[State::Released]) {
            if states.iter().all(|state| *state == State::Released) {
                Self::Completed
            } else {
                Self::PartiallyCompleted
            }
        } else if any(&[State::Pending, State::NeedsInformation]) {
            Self::Pending
        } else if any(&[State::Approved, State::Exporting, State::Uploading, State::InReview]) {
            Self::Processing
        } else if any(&[State::Unavailable]) {
            Self::VideoUnavailable
        } else if any(&[State::Failed]) {
            Self::Failed
        } else if any(&[State::Denied]) {
            Self::Denied
        } else if any(&[State::Expired]) {
            Self::Expired
        } else {
            Self::Canceled
        })
    }
}

/// Whether anything can still change by itself.
pub fn is_open(states: impl IntoIterator<Item = State>) -> bool {
    states.into_iter().any(State::is_open)
}

/// What happened, where and when.
#[derive(Clone, Debug, PartialEq)]
pub struct Incident {
    /// The agency's own number for it.
    pub number: Option<String>,
    /// When; an instant or a span.
    pub from: Timestamp,
    /// Its end, not before its start.
    pub to: Timestamp,
    /// Where.
    pub position: Option<Position>,
    /// Where, in words.
    pub address: Option<String>,
}

/// What one requester asks.
#[derive(Clone, Debug, PartialEq)]
pub struct VideoRequest {
    /// Its id.
    pub id: VideoRequestId,
    /// The number that people use.
    pub number: String,
    /// What it is about.
    pub name: String,
    /// A kind of incident, in the agency's words.
    pub category: Option<String>,
    /// On what basis, for the owners to read.
    pub reason: Option<String>,
    /// Who asks.
    pub requester_id: AccountId,
    /// What happened.
    pub incident: Incident,
    /// When it is wanted.
    pub needed_by: Option<Timestamp>,
    /// Where the footage will go; none until something is approved.
    pub case_id: Option<CaseId>,
    /// From its items, kept beside them for filters.
    pub status: Status,
    /// From its items, kept beside them for filters.
    pub open: bool,
    /// The first overwrite time among its open items; what a list sorts by.
    pub overwrite_at: Option<Timestamp>,
    /// When it was submitted.
    pub created_at: Timestamp,
    /// Counts writes; a write compares it.
    pub version: i64,
}

/// When the recorder writes over the window: its start plus the retention. `None` when the retention is not known.
pub fn overwrite_at(window: Window, retention_hours: Option<i64>) -> Option<Timestamp> {
    let hours = u64::try_from(retention_hours?).ok()?;
    Some(window.from.plus(Duration::from_secs(hours.checked_mul(3600)?)))
}

/// One field that is wrong, and what was expected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct FieldError {
    /// JSON Pointer to the field.
    pub pointer: String,
    /// What was expected.
    pub message: String,
}

impl FieldError {
    /// The field and what was expected of it.
    pub fn new(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), message: message.into() }
    }
}

/// How much may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest window of an item.
    pub longest_window: Duration,
    /// How far ahead the end of a window that is being recorded may lie.
    pub ahead: Duration,
    /// How many items a request may have.
    pub items: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { longest_window: Duration::from_secs(2 * 3600), ahead: Duration::from_secs(15 * 60), items: 500 }
    }
}

/// The longest name, category, number and address, in characters.
pub const SHORT_TEXT: usize = 200;
/// The longest reason, comment, question and answer, in characters.
pub const LONG_TEXT: usize = 10_000;

/// What a requester sends, before it is a request.
#[derive(Clone, Debug, PartialEq)]
pub struct Submission<'a> {
    /// What it is about.
    pub name: &'a str,
    /// A kind of incident.
    pub category: Option<&'a str>,
    /// On what basis.
    pub reason: Option<&'a str>,
    /// What happened.
    pub incident: &'a Incident,
    /// When it is wanted.
    pub needed_by: Option<Timestamp>,
    /// Each item's window, and whether it names a source.
    pub items: &'a [AskedItem<'a>],
}

/// One item of a [`Submission`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AskedItem<'a> {
    /// Whether a source is named; without one the item asks for the incident's place.
    pub has_source: bool,
    /// Which cameras of a vehicle.
    pub channels: Option<&'a [String]>,
    /// The start of the window.
    pub from: Timestamp,
    /// The end of the window.
    pub to: Timestamp,
}

/// Everything that is wrong with a submission, field by field; empty when it is a request.
pub fn check_submission(submission: &Submission<'_>, limits: Limits, now: Timestamp) -> Vec<FieldError> {
    let mut errors = Vec::new();
    check_text(&mut errors, "/name", Some(submission.name), SHORT_TEXT, true);
    check_text(&mut errors, "/category", submission.category, SHORT_TEXT, false);
    check_text(&mut errors, "/reason", submission.reason, LONG_TEXT, false);
    check_incident(&mut errors, submission.incident, now);
    if submission.needed_by.is_some_and(|needed_by| needed_by <= now) {
        errors.push(FieldError::new("/needed_by", "must lie in the future"));
    }
    if submission.items.is_empty() {
        errors.push(FieldError::new("/items", "must have at least one item"));
    } else if submission.items.len() > limits.items {
        errors.push(FieldError::new("/items", format!("must have at most {} items", limits.items)));
        return errors;
    }
    let has_place = submission.incident.position.is_some()
        || submission.incident.address.as_deref().is_some_and(|address| !address.trim().is_empty());
    for (index, item) in submission.items.iter().enumerate() {
        errors.extend(check_window(&format!("/items/{index}"), item.from, item.to, limits, now));
        if !item.has_source && !has_place {
            errors.push(FieldError::new(
                format!("/items/{index}/source_id"),
                "name a source, or give the incident a position or an address",
            ));
        }
        if let Some(channels) = item.channels
            && (channels.is_empty()
                || channels.len() > 64
                || channels.iter().any(|channel| channel.trim().is_empty() || channel.chars().count() > SHORT_TEXT))
        {
            errors.push(FieldError::new(format!("/items/{index}/channels"), "must be 1 to 64 names, or null for all"));
        }
    }
    errors
}

/// The rules for a window of footage, under the pointer of the object that holds `from` and `to`.
///
/// It must not be empty or reversed, not longer than the policy allows, and must have begun. It may still be recording: its end
/// may lie [`Limits::ahead`] of now, and the export waits for it.
pub fn check_window(at: &str, from: Timestamp, to: Timestamp, limits: Limits, now: Timestamp) -> Option<FieldError> {
    let longest = limits.longest_window;
    let Some(window) = Window::checked(from, to) else {
        return Some(FieldError::new(format!("{at}/to"), "must be later than from"));
    };
    if window.from >= now {
        Some(FieldError::new(format!("{at}/from"), "must lie in the past"))
    } else if window.duration() > longest {
        Some(FieldError::new(format!("{at}/to"), format!("must be at most {} after from", in_words(longest))))
    } else if window.to > now.plus(limits.ahead) {
        Some(FieldError::new(format!("{at}/to"), format!("must be at most {} ahead of now", in_words(limits.ahead))))
    } else {
        None
    }
}

fn check_incident(errors: &mut Vec<FieldError>, incident: &Incident, now: Timestamp) {
    check_text(errors, "/incident/number", incident.number.as_deref(), SHORT_TEXT, false);
    check_text(errors, "/incident/address", incident.address.as_deref(), SHORT_TEXT, false);
    if incident.to < incident.from {
        errors.push(FieldError::new("/incident/to", "must not be earlier than from"));
    }
    if incident.from > now {
        errors.push(FieldError::new("/incident/from", "must lie in the past"));
    }
    if incident.position.is_some_and(|position| !position.is_valid()) {
        errors
            .push(FieldError::new("/incident/position", "must be a latitude within ±90° and a longitude within ±180°"));
    }
}

/// A text field: at most so many characters, no control characters but line breaks and tabs, not blank where it is needed.
pub fn check_text(errors: &mut Vec<FieldError>, pointer: &str, text: Option<&str>, longest: usize, needed: bool) {
    let Some(text) = text else {
        if needed {
            errors.push(FieldError::new(pointer, "is missing"));
        }
        return;
    };
    if needed && text.trim().is_empty() {
        errors.push(FieldError::new(pointer, "must not be empty"));
    } else if text.chars().count() > longest {
        errors.push(FieldError::new(pointer, format!("must have at most {longest} characters")));
    } else if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        errors.push(FieldError::new(pointer, "must not contain control characters"));
    }
}

fn in_words(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (count, unit) = match seconds {
        s if s > 0 && s % 3600 == 0 => (s / 3600, "hour"),
        s if s > 0 && s % 60 == 0 => (s / 60, "minute"),
        s => (s, "second"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000_000_000;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(NOW + seconds * 1_000_000)
    }

    #[test]
    fn the_status_is_the_first_that_fits() {
        use State::*;
        let cases: &[(&[State], Status)] = &[
            (&[Released, Released], Status::Completed),
            (&[Released, Pending], Status::PartiallyCompleted),
            (&[Released, Failed], Status::PartiallyCompleted),
            (&[Released, Canceled], Status::PartiallyCompleted),
            (&[Pending, Approved], Status::Pending),
            (&[NeedsInformation, Denied], Status::Pending),
            (&[Approved, Denied], Status::Processing),
            (&[Exporting], Status::Processing),
            (&[Uploading, Unavailable], Status::Processing),
            (&[InReview, Failed], Status::Processing),
            (&[Canceled, Expired, Denied, Failed, Unavailable], Status::VideoUnavailable),
            (&[Canceled, Expired, Denied, Failed], Status::Failed),
            (&[Canceled, Expired, Denied], Status::Denied),
            (&[Canceled, Expired], Status::Expired),
            (&[Canceled], Status::Canceled),
        ];
        for (states, status) in cases {
            assert_eq!(Status::of(states.iter().copied()), Some(*status), "{states:?}");
        }
        assert_eq!(Status::of([]), None);
    }

    #[test]
    fn open_is_what_can_change_by_itself() {
        assert!(is_open([State::Released, State::Pending]));
        assert!(is_open([State::InReview]));
        assert!(!is_open([State::Failed, State::Released, State::Canceled]));
    }

    #[test]
    fn the_overwrite_time_is_start_plus_retention() {
        let window = Window { from: at(0), to: at(60) };
        assert_eq!(overwrite_at(window, Some(168)), Some(at(7 * 86_400)));
        assert_eq!(overwrite_at(window, None), None);
        assert_eq!(overwrite_at(window, Some(-1)), None);
    }

    #[test]
    fn windows_that_are_refused() {
        let check = |from, to| check_window("/items/3", at(from), at(to), Limits::default(), at(0));
        let pointer = |from, to| check(from, to).map(|error| error.pointer);
        assert_eq!(pointer(-60, -120).as_deref(), Some("/items/3/to"), "reversed");
        assert_eq!(pointer(-60, -60).as_deref(), Some("/items/3/to"), "empty");
        assert_eq!(pointer(60, 120).as_deref(), Some("/items/3/from"), "in the future");
        assert_eq!(pointer(-8000, -799).as_deref(), Some("/items/3/to"), "two hours and a second");
        assert_eq!(pointer(-60, 901).as_deref(), Some("/items/3/to"), "ends too far ahead");
        assert_eq!(check(-7200, 0), None);
        assert_eq!(check(-60, 60), None, "is being recorded");
        assert_eq!(check(-8000, 0).unwrap().message, "must be at most 2 hours after from");
    }

    #[test]
    fn every_wrong_field_is_named_at_once() {
        let incident = Incident {
            number: Some("x".repeat(201)),
            from: at(10),
            to: at(5),
            position: Some(Position { lat: 91.0, lon: 0.0 }),
            address: Some("a\u{0}b".into()),
        };
        let no_channels: &[String] = &[];
        let items = [AskedItem { has_source: true, channels: Some(no_channels), from: at(-5), to: at(-9) }];
        let submission = Submission {
            name: "  ",
            category: None,
            reason: None,
            incident: &incident,
            needed_by: Some(at(-1)),
            items: &items,
        };
        let errors = check_submission(&submission, Limits::default(), at(0));
        let pointers: Vec<&str> = errors.iter().map(|error| error.pointer.as_str()).collect();
        let expected = "/name /incident/number /incident/address /incident/to /incident/from /incident/position \
                        /needed_by /items/0/to /items/0/channels";
        assert_eq!(pointers.join(" "), expected);
    }

    #[test]
    fn a_place_only_item_needs_a_place() {
        let mut incident = Incident { number: None, from: at(-60), to: at(-60), position: None, address: None };
        let items = [AskedItem { has_source: false, channels: None, from: at(-60), to: at(-30) }];
        let errors = |incident: &Incident, items: &[AskedItem<'_>]| {
            let submission = Submission { name: "n", category: None, reason: None, incident, needed_by: None, items };
            check_submission(&submission, Limits::default(), at(0))
        };
        assert_eq!(errors(&incident, &items)[0].pointer, "/items/0/source_id");
        incident.address = Some("5th & Main".into());
        assert_eq!(errors(&incident, &items), []);
        assert_eq!(errors(&incident, &[])[0].pointer, "/items");
        assert_eq!(errors(&incident, &[items[0]; 501])[0].pointer, "/items");
    }
}
