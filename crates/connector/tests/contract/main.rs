//! The suite that holds every adapter to the contract of `sightline_connector::adapter`.
//!
//! A system of the suite answers as its recorded answers in `fixtures/` do; `docs/guide/connectors/` says where each comes from.
#![allow(clippy::unwrap_used)]

mod command;
mod folder;
mod frigate;
mod full_disk;
mod mediamtx;
mod milestone;
mod moonfire;
mod nx;
mod onvif;
mod pages;
mod rtsp;
mod scenarios;
mod site;
mod small_disk;
mod system;
#[allow(dead_code)]
mod world;
mod zoneminder;

/// Each scenario is a test of its own for each system.
macro_rules! contract {
    ($module:ident, $system:ty; $($scenario:ident),* $(,)?) => {
        mod $module {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $scenario() {
                crate::scenarios::$scenario::<$system>().await;
            })*
        }
    };
}

/// What holds for every system; a list of one's own takes the place of the scenario of holds.
macro_rules! footage {
    ($module:ident, $system:ty) => {
        footage! { $module, $system; a_hold_and_its_end }
    };
    ($module:ident, $system:ty; $($more:ident)?) => {
        contract! { $module, $system;
            it_lists_its_cameras,
            it_shows_a_picture,
            coverage_tells_gaps,
            a_window_within_a_recording,
            a_window_over_a_seam,
            recordings_that_overlap,
            recordings_that_begin_within_a_second,
            a_window_with_a_gap,
            a_window_without_footage,
            what_is_still_being_recorded,
            a_camera_that_is_not_there,
            the_hour_that_happens_twice,
            a_clock_that_is_ahead,
            $($more)?
        }
    };
}

/// What holds for those that are asked over the network besides.
macro_rules! network {
    ($module:ident, $system:ty) => {
        mod $module {
            use crate::scenarios;
            use crate::site::Fault;

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn a_wrong_password() {
                scenarios::a_wrong_password::<$system>().await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn a_camera_that_vanishes() {
                scenarios::a_camera_that_vanishes::<$system>().await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn a_network_that_breaks() {
                scenarios::a_network_that_breaks::<$system>().await;
            }

            network!(@broken $system; an_error Status(500), a_refusal Status(403), elsewhere Redirect, a_page Html,
                nothing Empty, nonsense Nonsense, no_end Endless, huge_headers Headers, no_answer Silent);
        }
    };
    (@broken $system:ty; $($name:ident $fault:ident $(($status:literal))?),*) => {
        mod a_server_that_answers {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::scenarios::a_server_that_is_broken::<$system>(super::Fault::$fault $(($status))?).await;
            })*
        }
        mod footage_that_is {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::scenarios::footage_that_is_none::<$system>(super::Fault::$fault $(($status))?).await;
            })*
        }
    };
}

footage!(command_footage, crate::command::Command);
// without `a_hold_and_its_end`: what the program keeps is in a file, which `command/hold.rs` looks at
footage! { command_exporting_footage, crate::command::Exporting; }
footage!(folder_of_ffmpeg_footage, crate::folder::Folder<crate::folder::Ffmpeg>);
footage!(folder_of_frigate_footage, crate::folder::Folder<crate::folder::Frigate>);
footage!(folder_of_mediamtx_footage, crate::folder::Folder<crate::folder::MediaMtx>);
footage!(folder_of_mediamtx_with_offset_footage, crate::folder::Folder<crate::folder::MediaMtxWithOffset>);
footage!(folder_of_motioneye_footage, crate::folder::Folder<crate::folder::MotionEye>);
footage!(folder_of_shinobi_footage, crate::folder::Folder<crate::folder::Shinobi>);
footage!(onvif_footage, crate::onvif::Onvif);
network!(onvif_network, crate::onvif::Onvif);
footage!(frigate_footage, crate::frigate::Frigate);
network!(frigate_network, crate::frigate::Frigate);
footage!(mediamtx_footage, crate::mediamtx::MediaMtx);
network!(mediamtx_network, crate::mediamtx::MediaMtx);
footage!(milestone_footage, crate::milestone::Milestone<crate::milestone::Corporate>);
network!(milestone_network, crate::milestone::Milestone<crate::milestone::Corporate>);
footage!(moonfire_footage, crate::moonfire::Moonfire);
network!(moonfire_network, crate::moonfire::Moonfire);
footage!(nx_footage, crate::nx::Nx);
network!(nx_network, crate::nx::Nx);
footage!(zoneminder_footage, crate::zoneminder::ZoneMinder);
network!(zoneminder_network, crate::zoneminder::ZoneMinder);
