//! The server, through its front door: one program, because each that is linked by itself carries the whole server; as
//! twenty-four of them they filled CI's disk. One file of it: `cargo nextest run -p sightline-server people::`.
#![allow(clippy::unwrap_used, missing_docs)]

mod bad_input;
mod bad_line;
mod check;
mod check_facts;
mod commands;
mod confined;
mod connectors;
mod crashes;
mod creating;
mod custody_rules;
mod cut_cable;
mod demo;
mod evidence;
mod fetching;
mod footage;
mod full_disk;
mod holds;
mod ledger;
mod people;
mod permissions;
mod public_tus_client;
mod queries;
mod registry;
mod request_lists;
mod streets;
mod support;
mod upload_rules;
mod uploads;
mod video_requests;
mod visibility;
mod whole_story;
mod zoneminder;
