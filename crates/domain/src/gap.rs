//! Gaps: parts of a window without footage.

use serde::{Deserialize, Serialize};

use crate::{Timestamp, Window};

/// A part of the window without footage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Gap {
    /// Its start.
    pub from: Timestamp,
    /// Its end.
    pub to: Timestamp,
    /// Why, where known, as the recorder's connector tells it: such as a recording that cannot be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Gap {
    /// When there is no footage.
    pub const fn window(&self) -> Window {
        Window { from: self.from, to: self.to }
    }
}

impl Window {
    /// What of this window lies outside another.
    pub fn outside(self, other: Self) -> Vec<Self> {
        let before = Self::checked(self.from, self.to.min(other.from));
        let after = Self::checked(self.from.max(other.to), self.to);
        before.into_iter().chain(after).collect()
    }
}

/// Each reason once, in the order in which it first occurs, with all that it is for.
pub fn by_reason<'a>(gaps: impl IntoIterator<Item = &'a Gap>) -> Vec<(Option<&'a str>, Vec<Window>)> {
    let mut told: Vec<(Option<&str>, Vec<Window>)> = Vec::new();
    for gap in gaps {
        let reason = gap.reason.as_deref();
        match told.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, windows)) => windows.push(gap.window()),
            None => told.push((reason, vec![gap.window()])),
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_is_told_once() {
        let gap = |second: i64, reason: Option<&str>| Gap {
            from: Timestamp::from_micros(second * 1_000_000),
            to: Timestamp::from_micros((second + 1) * 1_000_000),
            reason: reason.map(str::to_owned),
        };
        let gaps = [gap(1, Some("damaged")), gap(3, None), gap(5, Some("damaged")), gap(7, Some("locked"))];
        let windows = |of: &[usize]| of.iter().map(|at| gaps[*at].window()).collect::<Vec<_>>();
        assert_eq!(
            by_reason(&gaps),
            [(Some("damaged"), windows(&[0, 2])), (None, windows(&[1])), (Some("locked"), windows(&[3]))]
        );
    }

    #[test]
    fn what_a_part_lacks_lies_before_and_after_it() {
        let window = |from: i64, to: i64| Window { from: Timestamp::from_micros(from), to: Timestamp::from_micros(to) };
        let whole = window(10, 20);
        assert_eq!(whole.outside(window(12, 15)), [window(10, 12), window(15, 20)]);
        assert_eq!(whole.outside(window(10, 15)), [window(15, 20)]);
        assert_eq!(whole.outside(window(0, 30)), []);
        assert_eq!(whole.outside(window(30, 40)), [whole, whole][..1]);
    }
}
