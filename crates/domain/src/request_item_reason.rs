//! Why an item ended without footage.

use serde::{Deserialize, Serialize};

use crate::text_enum::text_enum;

text_enum! {
    /// Why there is no recording.
    UnavailableCode {
        /// The source never recorded the window.
        NeverRecorded = "never_recorded",
        /// It was recorded, and the recorder has written over it.
        Overwritten = "overwritten",
        /// The whole window lies in a gap of the recording.
        Gap = "gap",
        /// The owner says that there is nothing.
        NothingThere = "nothing_there",
    }
}

/// Why an item is unavailable or failed, or expired before its deadline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ItemReason)]
pub struct Reason {
    /// An [`UnavailableCode`], the code of the error that used up the tries, or `link_abandoned`.
    pub code: String,
    /// The sentence for people.
    pub detail: String,
}
