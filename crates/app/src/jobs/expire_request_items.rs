//! Ends the items whose deadline has passed, and the holds whose term is over.

use std::time::Duration;

use crate::{App, Result};

/// Idempotency keys are kept for a day.
const KEYS_KEPT_FOR: Duration = Duration::from_secs(24 * 3600);

pub(super) async fn run(app: &App) -> Result<()> {
    while crate::request_item::expire_one(app).await? {}
    while crate::request_item::hold_run_out(app).await? {}
    let mut tx = app.begin().await?;
    let before = tx.now().minus(KEYS_KEPT_FOR);
    store::idempotency::remove_before(&mut tx, before).await?;
    Ok(tx.commit_housekeeping().await?)
}
