//! What is answered to people without an account.

mod link;

use utoipa_axum::router::OpenApiRouter;

use super::Shared;

/// All routes for people without an account.
pub(super) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().merge(link::routes())
}
