//! The binary sightline: HTTP, command line, configuration, the embedded page.

pub mod confined;
pub mod demo;
