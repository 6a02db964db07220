//! The rules of Sightline: one file per noun. Nothing here reads a clock, draws a random number
//! or touches a disk, so every rule can be tested by calling it.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod id;
pub mod time;

pub use time::{Timestamp, Window};
