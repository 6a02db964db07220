//! What connectors call. The messages are the crate `protocol`.

mod session;
mod task;

use axum::extract::FromRequestParts;
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
        Ok(Self(app::connector::resume(&shared.app, bearer(&parts.headers).unwrap_or_default()).await?))
    }
}
