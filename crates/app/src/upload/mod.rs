//! Uploads: files that arrive in parts, by tus, from connectors, staff and the holders of links.

pub mod checksum;
mod pipeline;
pub mod receive;
