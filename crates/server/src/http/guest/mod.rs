//! What is answered to people without an account.

mod link;

use super::document::Routes;

/// All routes for people without an account.
pub(super) fn routes() -> Routes {
    Routes::new().merge(link::routes())
}
