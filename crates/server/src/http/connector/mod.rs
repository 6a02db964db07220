//! What connectors call. The messages are the crate `protocol`.

mod session;
mod task;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use domain::Caller;

use super::Shared;
use super::document::Routes;
use super::extract::bearer;
use super::problem::Problem;

/// All routes of connectors, under `/connector`.
pub(super) fn routes() -> Routes {
    Routes::new().merge(session::routes()).merge(task::routes())
}

/// A connector with its key.
struct Calling(Caller);

impl FromRequestParts<Shared> for Calling {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Problem> {
        let key = bearer(&parts.headers).unwrap_or_default();
        Ok(Self(app::connector::resume(&shared.app, key, instance(&parts.headers)).await?))
    }
}

/// Which of those who may have its key calls.
pub(super) fn instance(headers: &HeaderMap) -> Option<&str> {
    headers.get(protocol::INSTANCE_HEADER)?.to_str().ok()
}
