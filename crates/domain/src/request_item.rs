//! A request item: one source (or the place) and one window of a video request, and its whole life.
//!
//! Each command is a method that changes the item or says [`WrongState`]. What may follow what stands in
//! one function, [`targets`]; nothing else knows the state machine.

pub use crate::request_item_hold::Hold;
pub use crate::request_item_reason::{NOTHING_THERE, Reason, UnavailableCode};

use crate::id::{AccountId, CameraId, OrganizationId, RequestItemId, VideoRequestId};
use crate::text_enum::text_enum;
use crate::{Gap, Timestamp, Window};

text_enum! {
    /// Where an item stands.
    State as ItemState {
        /// Waits for the owner's decision.
        Pending = "pending",
        /// The approver asked something; the requester answers in the thread.
        NeedsInformation = "needs_information",
        /// Granted; waits for a connector, or for somebody with the upload link.
        Approved = "approved",
        /// A connector has leased it.
        Exporting = "exporting",
        /// Bytes arrive and are hashed.
        Uploading = "uploading",
        /// Arrived, seen by the owner's approvers only.
        InReview = "in_review",
        /// In the case; the requester is told.
        Released = "released",
        /// No recording for the window; the reason says why.
        Unavailable = "unavailable",
        /// Tries used up; closed until somebody retries.
        Failed = "failed",
        /// Refused by the owner.
        Denied = "denied",
        /// Withdrawn by the requester.
        Canceled = "canceled",
        /// The deadline passed.
        Expired = "expired",
    }
}

impl State {
    /// Nothing ever follows.
    pub const fn is_end(self) -> bool {
        matches!(self, Self::Released | Self::Unavailable | Self::Denied | Self::Canceled | Self::Expired)
    }

    /// Something can still happen without anybody reopening it: every state but the ends and `failed`.
    pub const fn is_open(self) -> bool {
        !self.is_end() && !matches!(self, Self::Failed)
    }
}

text_enum! {
    /// What may be done to an item, by people first, then by connectors, links and the clock.
    Action as ItemAction {
        /// The owner grants it, whole or narrowed.
        Approve = "approve",
        /// The owner refuses, before or after looking.
        Deny = "deny",
        /// The approver asks the requester something.
        Ask = "ask",
        /// The requester answers.
        Answer = "answer",
        /// The requester withdraws it.
        Cancel = "cancel",
        /// There is nothing: said by the owner or found by the connector.
        Unavailable = "unavailable",
        /// Try a failed item again.
        Retry = "retry",
        /// Let the requester have what arrived for review.
        Release = "release",
        /// Make an upload link.
        FileRequest = "file_request",
        /// Have the owner's side keep the footage until the decision.
        Hold = "hold",
        /// Let go of what is kept, before the decision.
        Free = "free",
        /// A connector took the export, or took it up again.
        Lease = "lease",
        /// The lease ran out; the export goes back to the queue.
        LeaseLost = "lease_lost",
        /// The first byte of a file, or of a further one, is on its way.
        UploadStarted = "upload_started",
        /// The last file is complete.
        Arrived = "arrived",
        /// Tries are used up.
        Fail = "fail",
        /// The deadline passed.
        Expire = "expire",
        /// The holder of the link has all or a part of it.
        LinkHave = "link_have",
        /// The holder of the link has nothing for the window.
        LinkNothing = "link_nothing",
        /// The holder of the link says no.
        LinkNo = "link_no",
    }
}

text_enum! {
    /// What the requester may do with what arrives.
    GrantedLevel {
        /// See the playable copy.
        View = "view",
        /// Also fetch the original.
        Download = "download",
    }
}

/// The owner's yes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// Who decided.
    pub by: AccountId,
    /// What is granted; the whole asked window if nothing is said.
    pub window: Option<Window>,
    /// The approver looks at what arrives before the requester gets it.
    pub review_before_release: bool,
    /// What the requester may do with it.
    pub level: GrantedLevel,
}

/// What the holder of a link answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkAnswer {
    /// I have it.
    Have,
    /// I have this part of it.
    Part(Window),
    /// There is nothing.
    Nothing,
    /// No.
    No,
}

/// The action does not fit the state: somebody else was first, or it makes no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot {action} an item that is {state}")]
pub struct WrongState {
    /// What was tried.
    pub action: Action,
    /// Where the item stands.
    pub state: State,
}

/// Why a command was refused. The item is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The action does not fit the state.
    #[error(transparent)]
    WrongState(#[from] WrongState),
    /// The window that was given reaches outside the one that was asked or granted.
    #[error("the window must lie inside {} to {}", .0.from, .0.to)]
    OutsideWindow(Window),
}

/// What a command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Change {
    /// What was done.
    pub action: Action,
    /// The state before.
    pub from: State,
    /// The state now.
    pub to: State,
    /// A hold that was asked or kept is no longer needed: tell the connector.
    pub frees_hold: bool,
}

impl Change {
    /// Whether the state is another one now.
    pub fn moved(self) -> bool {
        self.from != self.to
    }
}

/// The states that an action can lead to; none when it is not allowed.
///
/// Beyond the table of the product description: an upload that lost its connector stays `uploading` and is taken up again
/// by the next lease; a link's "no" denies an item also after the approver granted it, because the holder of the
/// footage decides for themselves.
pub const fn targets(state: State, action: Action) -> &'static [State] {
    use Action as A;
    use State as S;
    match (state, action) {
        (S::Pending, A::Approve) => &[S::Approved],
        (S::Pending | S::InReview, A::Deny) => &[S::Denied],
        (S::Pending, A::Ask) => &[S::NeedsInformation],
        (S::NeedsInformation, A::Answer) => &[S::Pending],
        (S::Pending | S::NeedsInformation | S::Approved | S::Exporting | S::Uploading | S::Failed, A::Cancel) => {
            &[S::Canceled]
        }
        (S::Pending | S::Approved | S::Exporting, A::Unavailable) => &[S::Unavailable],
        (S::Failed, A::Retry) => &[S::Approved],
        (S::InReview, A::Release) => &[S::Released],
        (S::Approved, A::FileRequest) => &[S::Approved],
        (S::Pending, A::Hold | A::Free) => &[S::Pending],
        (S::NeedsInformation, A::Hold | A::Free) => &[S::NeedsInformation],
        (S::Uploading, A::FileRequest) => &[S::Uploading],
        (S::Approved | S::Exporting, A::Lease) => &[S::Exporting],
        (S::Uploading, A::Lease | A::LeaseLost) => &[S::Uploading],
        (S::Exporting, A::LeaseLost) => &[S::Approved],
        (S::Approved | S::Exporting | S::Uploading, A::UploadStarted) => &[S::Uploading],
        (S::Uploading, A::Arrived) => &[S::InReview, S::Released],
        (S::Approved | S::Exporting | S::Uploading, A::Fail) => &[S::Failed],
        (S::Pending | S::NeedsInformation | S::Approved | S::Uploading, A::Expire) => &[S::Expired],
        (S::Pending | S::Approved, A::LinkHave) => &[S::Approved],
        (S::Uploading, A::LinkHave) => &[S::Uploading],
        (S::Pending | S::Approved, A::LinkNothing) => &[S::Unavailable],
        (S::Pending | S::Approved, A::LinkNo) => &[S::Denied],
        _ => &[],
    }
}

/// What may be done to an item in this state, whoever does it.
pub fn allowed(state: State) -> impl Iterator<Item = Action> {
    Action::ALL.iter().copied().filter(move |action| !targets(state, *action).is_empty())
}

/// One source and window of a video request.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestItem {
    /// Its id.
    pub id: RequestItemId,
    /// The request that it belongs to.
    pub request_id: VideoRequestId,
    /// The source asked; none when only a place was asked.
    pub source_id: Option<CameraId>,
    /// Who decides: the source's owner, or the host for a place.
    pub organization_id: OrganizationId,
    /// Which cameras of a vehicle; none means all.
    pub channels: Option<Vec<String>>,
    /// What was asked.
    pub asked: Window,
    /// What was granted; kept beside what was asked.
    pub granted: Option<Window>,
    /// Where it stands. Only commands change it.
    pub state: State,
    /// Why it is unavailable or failed, or has expired.
    pub reason: Option<Reason>,
    /// Whether the owner's side keeps the footage.
    pub hold: Hold,
    /// Until when it does; none: until it is freed.
    pub held_until: Option<Timestamp>,
    /// The approver looks first.
    pub review_before_release: bool,
    /// What the requester may do with what arrives; none before a decision.
    pub level: Option<GrantedLevel>,
    /// Who decided; none before a decision, or when a link or the clock did.
    pub decided_by: Option<AccountId>,
    /// When it was decided.
    pub decided_at: Option<Timestamp>,
    /// Bytes received so far.
    pub bytes_done: i64,
    /// Bytes expected, once known.
    pub bytes_total: Option<i64>,
    /// How many times a connector took it since it was approved or retried.
    pub attempts: i64,
    /// When the recorder writes over the footage.
    pub overwrite_at: Option<Timestamp>,
    /// When it expires if nothing arrives.
    pub deadline_at: Option<Timestamp>,
    /// Counts writes; a write compares it.
    pub version: i64,
}

impl RequestItem {
    /// The window to export: what was granted, else what was asked.
    pub fn window(&self) -> Window {
        self.granted.unwrap_or(self.asked)
    }

    /// What of the window its holder lacks, by their word that they have a `part` of it alone. Nothing of what ended without footage.
    pub fn lacks(&self, part: Option<Window>) -> Vec<Gap> {
        let Some(part) = part.filter(|_| self.state.is_open() || self.has_arrived()) else { return Vec::new() };
        let reason = format!("the owner has only {} to {}", part.from, part.to);
        let gap = |Window { from, to }| Gap { from, to, reason: Some(reason.clone()) };
        self.window().outside(part).into_iter().map(gap).collect()
    }

    /// The state table's answer, before anything is changed.
    pub(crate) fn check(&self, action: Action) -> Result<&'static [State], WrongState> {
        match targets(self.state, action) {
            [] => Err(WrongState { action, state: self.state }),
            targets => Ok(targets),
        }
    }

    /// Goes to the `choice`th target of the action.
    fn go(&mut self, action: Action, choice: usize) -> Result<Change, WrongState> {
        let to = self.check(action)?[choice];
        let from = std::mem::replace(&mut self.state, to);
        let ended =
            matches!(to, State::Released | State::Denied | State::Canceled | State::Expired | State::Unavailable);
        let frees_hold = ended && matches!(self.hold, Hold::Asked | Hold::Held);
        if frees_hold {
            self.let_go(Hold::Freed);
        }
        Ok(Change { action, from, to, frees_hold })
    }

    fn decided(&mut self, by: Option<AccountId>, now: Timestamp) {
        self.decided_by = by;
        self.decided_at = Some(now);
    }

    /// The owner grants the asked window or a part of it.
    pub fn approve(&mut self, approval: Approval, now: Timestamp) -> Result<Change, Refused> {
        self.check(Action::Approve)?;
        let window = approval.window.unwrap_or(self.asked);
        if window.from >= window.to || !self.asked.contains(window) {
            return Err(Refused::OutsideWindow(self.asked));
        }
        let change = self.go(Action::Approve, 0)?;
        self.granted = Some(window);
        self.review_before_release = approval.review_before_release;
        self.level = Some(approval.level);
        self.decided(Some(approval.by), now);
        Ok(change)
    }

    /// The owner refuses, before or after looking.
    pub fn deny(&mut self, by: AccountId, now: Timestamp) -> Result<Change, WrongState> {
        let change = self.go(Action::Deny, 0)?;
        self.decided(Some(by), now);
        Ok(change)
    }

    /// The approver asks the requester something.
    pub fn ask(&mut self) -> Result<Change, WrongState> {
        self.go(Action::Ask, 0)
    }

    /// The requester answers; the decision is the owner's again.
    pub fn answer(&mut self) -> Result<Change, WrongState> {
        self.go(Action::Answer, 0)
    }

    /// The requester withdraws it.
    pub fn cancel(&mut self) -> Result<Change, WrongState> {
        self.go(Action::Cancel, 0)
    }

    /// There is no recording. `by` is the approver who says so; none when the connector found it.
    pub fn unavailable(
        &mut self,
        code: UnavailableCode,
        detail: impl Into<String>,
        by: Option<AccountId>,
        now: Timestamp,
    ) -> Result<Change, WrongState> {
        let change = self.go(Action::Unavailable, 0)?;
        self.reason = Some(Reason { code: code.as_str().to_owned(), detail: detail.into() });
        if by.is_some() {
            self.decided(by, now);
        }
        Ok(change)
    }

    /// A connector took the export, or took it up again after a lost lease.
    pub fn lease(&mut self) -> Result<Change, WrongState> {
        let change = self.go(Action::Lease, 0)?;
        self.attempts += 1;
        Ok(change)
    }

    /// The connector's lease ran out.
    pub fn lease_lost(&mut self) -> Result<Change, WrongState> {
        self.go(Action::LeaseLost, 0)
    }

    /// The first byte of a file is on its way.
    pub fn upload_started(&mut self) -> Result<Change, WrongState> {
        self.go(Action::UploadStarted, 0)
    }

    /// Whether what is asked has arrived. An approver may add to it, before its release and after.
    pub const fn has_arrived(&self) -> bool {
        matches!(self.state, State::InReview | State::Released)
    }

    /// Whether a file may come for it: it is granted, and did not end without footage.
    pub const fn takes_files(&self) -> bool {
        self.has_arrived() || !targets(self.state, Action::UploadStarted).is_empty()
    }

    /// How far the bytes are. Says whether anything is new; nothing is, outside `exporting` and `uploading`.
    pub fn progressed(&mut self, bytes_done: i64, bytes_total: Option<i64>) -> bool {
        if !matches!(self.state, State::Exporting | State::Uploading) {
            return false;
        }
        let new = (bytes_done.max(0), bytes_total.filter(|total| *total >= 0));
        let old = (self.bytes_done, self.bytes_total);
        (self.bytes_done, self.bytes_total) = new;
        old != new
    }

    /// The last file is complete: released, or to be looked at first.
    pub fn arrived(&mut self) -> Result<Change, WrongState> {
        let choice = usize::from(!self.review_before_release);
        self.go(Action::Arrived, choice)
    }

    /// The approver has looked: let the requester have it.
    pub fn release(&mut self) -> Result<Change, WrongState> {
        self.go(Action::Release, 0)
    }

    /// Tries are used up.
    pub fn fail(&mut self, reason: Reason) -> Result<Change, WrongState> {
        let change = self.go(Action::Fail, 0)?;
        self.reason = Some(reason);
        Ok(change)
    }

    /// Somebody tries a failed item again, until the new deadline.
    pub fn retry(&mut self, deadline_at: Option<Timestamp>) -> Result<Change, WrongState> {
        let change = self.go(Action::Retry, 0)?;
        self.reason = None;
        self.attempts = 0;
        (self.bytes_done, self.bytes_total) = (0, None);
        self.deadline_at = deadline_at;
        Ok(change)
    }

    /// Whether the deadline has passed and ends this item.
    pub fn is_due(&self, now: Timestamp) -> bool {
        !targets(self.state, Action::Expire).is_empty() && self.deadline_at.is_some_and(|deadline| deadline <= now)
    }

    /// The deadline passed.
    pub fn expire(&mut self) -> Result<Change, WrongState> {
        self.go(Action::Expire, 0)
    }

    /// The last link by which a file was coming has ended, and none has come whole.
    pub fn abandoned(&mut self) -> Result<Change, WrongState> {
        let change = self.go(Action::Expire, 0)?;
        let detail = "The upload link ended before a whole file had arrived.";
        self.reason = Some(Reason { code: "link_abandoned".to_owned(), detail: detail.to_owned() });
        Ok(change)
    }

    /// The holder of an upload link answers. "I have it" grants what was still undecided; of what was granted their answer takes nothing.
    pub fn link_answer(&mut self, answer: LinkAnswer, now: Timestamp) -> Result<Change, Refused> {
        match answer {
            LinkAnswer::Have | LinkAnswer::Part(_) => {
                self.check(Action::LinkHave)?;
                let window = self.window();
                if let LinkAnswer::Part(part) = answer
                    && (part.from >= part.to || !window.contains(part))
                {
                    return Err(Refused::OutsideWindow(window));
                }
                let change = self.go(Action::LinkHave, 0)?;
                if change.from == State::Pending {
                    self.level = Some(GrantedLevel::Download);
                    self.decided(None, now);
                }
                self.granted = Some(window);
                Ok(change)
            }
            LinkAnswer::Nothing => {
                let change = self.go(Action::LinkNothing, 0)?;
                self.reason = Some(Reason {
                    code: UnavailableCode::NothingThere.as_str().to_owned(),
                    detail: NOTHING_THERE.to_owned(),
                });
                Ok(change)
            }
            LinkAnswer::No => {
                let change = self.go(Action::LinkNo, 0)?;
                self.decided(None, now);
                Ok(change)
            }
        }
    }
}

#[cfg(test)]
#[path = "request_item_tests.rs"]
mod tests;
