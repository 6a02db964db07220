//! The web page, embedded in the binary: the office's at any path, the guests' under `/f/`.

use axum::Router;
use axum::http::StatusCode;
use memory_serve::CacheControl;

use super::Shared;

/// Any path that is no file is the office's page: it routes by itself.
pub(super) fn routes() -> Router<Shared> {
    let served = || memory_serve::load!().html_cache_control(CacheControl::NoCache).cache_control(CacheControl::Long);
    let office = served().index_file(Some("/staff.html")).fallback(Some("/staff.html")).fallback_status(StatusCode::OK);
    let guests = served().index_file(Some("/guest.html")).fallback(Some("/guest.html")).fallback_status(StatusCode::OK);
    office.into_router().nest("/f", guests.into_router())
}
