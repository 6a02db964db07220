//! SQL and blobs. The only crate that knows the database and the object store.
//!
//! Every write goes through [`Tx`], whose [`Tx::commit`] takes the ledger events that say what
//! happened. Queries are free functions on `&mut Tx`, one file per noun.
#![cfg_attr(any(test, feature = "testing"), allow(clippy::unwrap_used, clippy::expect_used))]

pub mod account;
pub mod blob;
pub mod camera;
pub mod case;
pub mod check;
pub mod connector;
pub mod connector_task;
mod db;
mod error;
pub mod event;
pub mod evidence;
pub mod file_request;
pub mod group;
pub mod history;
pub mod idempotency;
pub mod job;
pub mod ledger;
pub mod mail;
pub mod message;
pub mod metrics;
pub mod number;
pub mod organization;
pub mod place;
pub mod request_item;
mod row;
pub mod seal;
pub mod session;
pub mod setting;
mod sql;
#[cfg(feature = "testing")]
pub mod testing;
pub mod throttle;
pub mod token;
mod tx;
pub mod upload;
pub mod video_request;

pub use blob::Blobs;
pub use db::{Committed, Database, Engine};
pub use error::Error;
pub use event::Event;
pub use row::Columns;
pub use sql::Sql;
pub use tx::Tx;

/// What every query answers.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A source of random bytes; the system's in production, a counted one in tests.
pub type Entropy = std::sync::Arc<dyn Fn(&mut [u8]) + Send + Sync>;
