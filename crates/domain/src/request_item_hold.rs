//! Whether the owner's side keeps an item's footage from being overwritten.

use crate::request_item::RequestItem;
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

impl RequestItem {
    /// The owner's side was asked to keep the footage.
    pub fn hold_asked(&mut self) -> bool {
        let ask = self.state.is_open() && self.hold == Hold::None;
        if ask {
            self.hold = Hold::Asked;
        }
        ask
    }

    /// The owner's side says what became of the hold. Only an outstanding one can be answered.
    pub fn hold_answered(&mut self, hold: Hold) -> bool {
        let fits = match self.hold {
            Hold::Asked => matches!(hold, Hold::Held | Hold::Unsupported | Hold::Lost),
            Hold::Held => matches!(hold, Hold::Lost | Hold::Freed),
            _ => false,
        };
        if fits {
            self.hold = hold;
        }
        fits
    }
}
