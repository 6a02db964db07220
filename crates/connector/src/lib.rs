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
pub mod fragments;
pub mod growth;
pub mod held;
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

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}
