//! The process beside a video system. It only dials out: publishes the cameras that its operator allows, and exports and uploads
//! what was granted. What it says to the server is in the crate `protocol`.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod absence;
pub mod adapter;
pub mod backoff;
pub mod burned;
pub mod challenge;
pub mod check;
pub mod client;
pub mod clock;
pub mod config;
pub mod cut;
pub mod disk;
pub mod fetch;
pub mod fragments;
pub mod growth;
pub mod held;
pub mod lanes;
pub mod limits;
pub mod media;
pub mod memory;
pub mod publish;
pub mod recorder;
pub mod room;
pub mod rtsp;
pub mod session;
pub mod spool;
pub mod status;
pub mod task;
pub mod upload;

/// What others wrote, for a terminal: a control character does there what it likes, and those that turn the direction of writing hide what
/// stands there.
pub fn plain(text: &str) -> String {
    let acts = |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let shown = |c: char| if acts(c) { c.escape_unicode().to_string() } else { c.to_string() };
    text.chars().map(shown).collect()
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}
