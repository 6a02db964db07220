//! The binary sightline: HTTP, command line, configuration, the embedded page.

pub mod cli;
pub mod config;
pub mod demo;
pub mod http;
