//! The rules of Sightline: one file per noun. Nothing here reads a clock, draws a random number
//! or touches a disk, so every rule can be tested by calling it.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod account;
pub mod caller;
pub mod camera;
pub mod case;
pub mod connector;
pub mod evidence;
pub mod file_request;
pub mod gap;
pub mod gazetteer;
pub mod id;
pub mod invalid;
pub mod mail;
pub mod number_template;
pub mod policy;
pub mod position;
pub mod request_item;
mod request_item_hold;
mod request_item_reason;
pub mod text;
pub mod text_enum;
pub mod time;
pub mod upload;
pub mod video_request;
pub mod waiting_for;

pub use caller::Caller;
pub use gap::Gap;
pub use invalid::Invalid;
pub use position::Position;
pub use time::{Timestamp, Window};
pub use waiting_for::WaitingFor;
