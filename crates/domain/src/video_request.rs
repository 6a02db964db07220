//! A video request: what one requester asks, and the status that follows from its items.

use std::time::Duration;

use crate::id::{AccountId, CaseId, OrganizationId, VideoRequestId};
use crate::invalid::FieldError;
use crate::position::Position;
use crate::request_item::State;
use crate::text_enum::text_enum;
use crate::{Invalid, Timestamp, Window};

text_enum! {
    /// Where a request stands. Computed from its items, never set by hand.
    Status as RequestStatus {
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

text_enum! {
    /// What somebody may do to a request as a whole.
    RequestAction {
        /// Grant what is pending, as it was asked.
        Approve = "approve",
        /// Deny what is pending.
        Deny = "deny",
        /// Withdraw what can still be withdrawn.
        Cancel = "cancel",
        /// Write into the thread.
        Comment = "comment",
    }
}

text_enum! {
    /// What an entry of a request's thread is.
    MessageKind {
        /// Said by somebody.
        Comment = "comment",
        /// Asked by an approver about an item.
        Question = "question",
        /// Answered by the requester.
        Answer = "answer",
        /// Said with a decision.
        Decision = "decision",
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
    /// Where the requester works.
    pub organization_id: OrganizationId,
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
    /// The first overwrite time among its open items that are not held; what a list sorts by.
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

/// Says everything that is wrong with a submission, field by field.
pub fn check_submission(submission: &Submission<'_>, limits: Limits, now: Timestamp) -> Result<(), Invalid> {
    let mut invalid = Invalid::new();
    invalid.require_text("/name", submission.name, SHORT_TEXT);
    invalid.limit_text("/category", submission.category, SHORT_TEXT);
    invalid.limit_text("/reason", submission.reason, LONG_TEXT);
    check_incident(&mut invalid, submission.incident, now);
    if submission.needed_by.is_some_and(|needed_by| needed_by <= now) {
        invalid.add("/needed_by", "This must lie in the future.");
    }
    match submission.items.len() {
        0 => invalid.add("/items", "Ask for at least one item."),
        count if count > limits.items => {
            invalid.add("/items", format!("At most {} items fit into one request.", limits.items))
        }
        _ => check_items(&mut invalid, submission, limits, now),
    }
    invalid.into_result()
}

fn check_items(invalid: &mut Invalid, submission: &Submission<'_>, limits: Limits, now: Timestamp) {
    let has_place = submission.incident.position.is_some()
        || submission.incident.address.as_deref().is_some_and(|address| !address.trim().is_empty());
    for (index, item) in submission.items.iter().enumerate() {
        invalid.0.extend(check_window(&format!("/items/{index}"), item.from, item.to, limits, now));
        if !item.has_source && !has_place {
            let message = "Name a source, or give the incident a position or an address.";
            invalid.add(format!("/items/{index}/source_id"), message);
        }
        // Every source is one camera, until there are vehicles: a channel of it would be asked for and never looked at.
        if item.channels.is_some() {
            invalid.add(format!("/items/{index}/channels"), "Only a vehicle has channels. Leave this out.");
        }
    }
}

/// The rules for a window of footage, under the pointer of the object that holds `from` and `to`.
///
/// It must not be empty or reversed, not longer than the policy allows, and must have begun. It may still be recording: its end
/// may lie [`Limits::ahead`] of now, and the export waits for it.
pub fn check_window(at: &str, from: Timestamp, to: Timestamp, limits: Limits, now: Timestamp) -> Option<FieldError> {
    let wrong = |field: &str, message: String| Some(FieldError { pointer: format!("{at}/{field}"), message });
    let longest = limits.longest_window;
    let Some(window) = Window::checked(from, to) else {
        return wrong("to", "The end must be later than the start.".to_owned());
    };
    if window.from >= now {
        wrong("from", "The window lies in the future; nothing is recorded yet.".to_owned())
    } else if window.duration() > longest {
        wrong("to", format!("The window is longer than {}, the most that one item may ask for.", in_words(longest)))
    } else if window.to > now.plus(limits.ahead) {
        wrong("to", format!("The window ends more than {} from now.", in_words(limits.ahead)))
    } else {
        None
    }
}

fn check_incident(invalid: &mut Invalid, incident: &Incident, now: Timestamp) {
    invalid.limit_text("/incident/number", incident.number.as_deref(), SHORT_TEXT);
    invalid.limit_text("/incident/address", incident.address.as_deref(), SHORT_TEXT);
    if incident.to < incident.from {
        invalid.add("/incident/to", "The end must not be earlier than the start.");
    }
    if incident.from > now {
        invalid.add("/incident/from", "The incident lies in the future.");
    }
    if incident.position.is_some_and(|position| !position.is_valid()) {
        invalid.add("/incident/position", "Expected a latitude within ±90° and a longitude within ±180°.");
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
        let too_long = "The window is longer than 2 hours, the most that one item may ask for.";
        assert_eq!(check(-8000, 0).unwrap().message, too_long);
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
        let errors = check_submission(&submission, Limits::default(), at(0)).unwrap_err().0;
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
            check_submission(&submission, Limits::default(), at(0)).err().unwrap_or_default().0
        };
        assert_eq!(errors(&incident, &items)[0].pointer, "/items/0/source_id");
        incident.address = Some("5th & Main".into());
        assert_eq!(errors(&incident, &items), []);
        assert_eq!(errors(&incident, &[])[0].pointer, "/items");
        assert_eq!(errors(&incident, &[items[0]; 501])[0].pointer, "/items");
    }
}
