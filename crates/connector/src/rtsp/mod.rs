//! A client for recorded footage over RTSP 1.0 (RFC 2326), interleaved in TCP, as ONVIF's replay and its likes give it.
//!
//! Whatever answers is not trusted: all sizes are bounded, all waiting ends, nobody is followed elsewhere, and neither addresses
//! nor what was sent get into an error.

pub mod client;
pub mod depacketize;
pub mod message;
pub mod mp4;
pub mod parameter_sets;
pub mod replay;
pub mod rtp;
pub mod sdp;

use crate::adapter::Trouble;

/// Why footage did not come.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RtspError {
    /// 401 or 403.
    #[error("it does not accept the user name and password of the configuration ({0})")]
    Refused(u16),
    /// There is no such footage.
    #[error("it does not know what was asked for ({0})")]
    NotFound(u16),
    /// Any other status that is no success.
    #[error("it answered {0}")]
    Status(u16),
    /// Not what was asked for.
    #[error("its answer is not understood: {0}")]
    Form(&'static str),
    /// No answer, or it broke off.
    #[error("no answer: {0}")]
    Silent(String),
    /// There is nobody to ask.
    #[error("it cannot be reached: {0}")]
    Away(String),
    /// More than there can be.
    #[error("it sends more than the window can hold")]
    TooMuch,
    /// What it sent is no footage.
    #[error("what it sent cannot be read: {0}")]
    Unreadable(String),
    /// What it sent cannot be written.
    #[error("what it sent cannot be written: {0}")]
    Disk(String),
    /// There is no room on the disk for what it sends.
    #[error("there is no room on the disk for what it sends")]
    NoRoom,
}

impl RtspError {
    fn form(what: &'static str) -> Self {
        Self::Form(what)
    }
}

impl From<RtspError> for Trouble {
    fn from(error: RtspError) -> Self {
        match error {
            RtspError::NoRoom => Self::NoRoom,
            RtspError::Away(_) | RtspError::Status(500..=599) => {
                Self::Away(format!("The video system's footage: {error}."))
            }
            other => Self::again(format!("The video system's footage: {other}.")),
        }
    }
}
