//! What the product does: one function per verb; jobs; mail and its templates.
#![cfg_attr(any(test, feature = "testing"), allow(clippy::unwrap_used, clippy::expect_used))]

pub mod media;
