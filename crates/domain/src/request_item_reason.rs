//! Why an item ended without footage.

use serde::{Deserialize, Serialize};

use crate::text_enum::text_enum;

text_enum! {
    /// Why there is no recording.
    UnavailableCode {
        /// There is no recording of the window. Where it is not known how long recordings are kept, there may have been one.
        NeverRecorded = "never_recorded",
        /// The recorder keeps none for so long.
        Overwritten = "overwritten",
        /// The whole window lies in a gap of the recording.
        Gap = "gap",
        /// The owner says that there is nothing.
        NothingThere = "nothing_there",
    }
}

/// Why an item is unavailable or failed, or has expired where more is to be said than that its deadline passed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ItemReason)]
pub struct Reason {
    /// An [`UnavailableCode`], the code of the error that used up the tries, or of what expired `link_abandoned`, `system_away` or `key_missing`.
    pub code: String,
    /// The sentence for people.
    pub detail: String,
}

/// What stands beside [`UnavailableCode::NothingThere`] where nobody says more.
pub const NOTHING_THERE: &str = "The owner has no footage of this window.";

impl Reason {
    /// What to tell people: why there is no recording, and what is known besides.
    pub fn sentences(&self) -> String {
        let Some(known) = self.code.parse().ok().map(UnavailableCode::sentence) else { return self.detail.clone() };
        let detail = self.detail.trim();
        // That there is nothing is said once: that detail says it again.
        if known.starts_with(detail) || detail == NOTHING_THERE {
            known.to_owned()
        } else {
            format!("{known} {detail}")
        }
    }
}

impl UnavailableCode {
    /// The same words as on the page.
    fn sentence(self) -> &'static str {
        match self {
            Self::NeverRecorded => "The recorder has no recording of that time.",
            Self::Overwritten => "The recorder had already overwritten it.",
            Self::Gap => "The recorder has a gap there.",
            Self::NothingThere => "The owner looked and has nothing.",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_why_and_what_is_known_besides() {
        let said = |code: &str, detail: &str| Reason { code: code.into(), detail: detail.into() }.sentences();
        assert_eq!(said("gap", "The disk was full."), "The recorder has a gap there. The disk was full.");
        assert_eq!(said("nothing_there", "The owner looked and has nothing."), "The owner looked and has nothing.");
        assert_eq!(said("nothing_there", NOTHING_THERE), "The owner looked and has nothing.");
        assert_eq!(said("overwritten", ""), "The recorder had already overwritten it.");
        assert_eq!(said("adapter_failed", "The disk is full."), "The disk is full.", "tries that are used up");
    }
}
