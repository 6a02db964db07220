//! Whether the owner's side keeps an item's footage from being overwritten.

use crate::Timestamp;
use crate::request_item::{Action, Change, RequestItem, WrongState};
use crate::text_enum::text_enum;

text_enum! {
    /// Whether the owner's side keeps the footage from being overwritten.
    Hold {
        /// Nobody asked.
        None = "none",
        /// Asked, not yet answered.
        Asked = "asked",
        /// Kept.
        Held = "held",
        /// The video system cannot.
        Unsupported = "unsupported",
        /// No longer needed.
        Freed = "freed",
        /// It was kept, and is gone.
        Lost = "lost",
    }
}

impl Hold {
    /// Asked or kept: somebody has to let go of it.
    pub const fn is_outstanding(self) -> bool {
        matches!(self, Self::Asked | Self::Held)
    }
}

impl RequestItem {
    /// Has the owner's side keep the footage. What was let go, or could not be kept, may be asked again.
    pub fn hold(&mut self) -> Result<Change, WrongState> {
        self.check(Action::Hold)?;
        if self.hold.is_outstanding() {
            return Err(WrongState { action: Action::Hold, state: self.state });
        }
        self.hold = Hold::Asked;
        Ok(self.stays(Action::Hold, false))
    }

    /// Lets go of it before the decision.
    pub fn free(&mut self) -> Result<Change, WrongState> {
        self.check(Action::Free)?;
        if !self.hold.is_outstanding() {
            return Err(WrongState { action: Action::Free, state: self.state });
        }
        self.let_go(Hold::Freed);
        Ok(self.stays(Action::Free, true))
    }

    /// Whether asking to hold, or to free, makes sense as the hold stands now.
    pub fn hold_allows(&self, action: Action) -> bool {
        match action {
            Action::Hold => !self.hold.is_outstanding(),
            Action::Free => self.hold.is_outstanding(),
            _ => true,
        }
    }

    /// The owner's side says what became of the hold, and until when it keeps it. Only an outstanding one can be answered.
    pub fn hold_answered(&mut self, hold: Hold, until: Option<Timestamp>) -> bool {
        let fits = match self.hold {
            Hold::Asked => matches!(hold, Hold::Held | Hold::Unsupported | Hold::Lost),
            Hold::Held => matches!(hold, Hold::Lost | Hold::Freed),
            _ => false,
        };
        if fits && hold == Hold::Held {
            (self.hold, self.held_until) = (hold, until);
        } else if fits {
            self.let_go(hold);
        }
        fits
    }

    /// Its term is over: the owner's side has let go by itself.
    pub fn hold_run_out(&mut self, now: Timestamp) -> bool {
        self.held_until.is_some_and(|until| until <= now) && self.hold_answered(Hold::Freed, None)
    }

    pub(crate) fn let_go(&mut self, how: Hold) {
        (self.hold, self.held_until) = (how, None);
    }

    fn stays(&self, action: Action, frees_hold: bool) -> Change {
        Change { action, from: self.state, to: self.state, frees_hold }
    }
}
