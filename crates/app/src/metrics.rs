//! Numbers for whoever watches over the installation. They hold no names.

use domain::Caller;
use domain::policy::{self, Privilege};
use store::metrics::{Counted, by_state};

use crate::{App, Result};

/// How many there are, by state.
#[derive(Debug)]
pub struct Metrics {
    /// Of jobs.
    pub jobs: Vec<(String, i64)>,
    /// Of mails.
    pub mails: Vec<(String, i64)>,
    /// Of request items.
    pub items: Vec<(String, i64)>,
    /// Leaves under the last checkpoint.
    pub ledger_size: u64,
}

/// The numbers of this moment.
pub async fn read(app: &App, caller: &Caller) -> Result<Metrics> {
    policy::holds_everywhere(caller, Privilege::ViewDashboard)?;
    let mut tx = app.read().await?;
    Ok(Metrics {
        jobs: by_state(&mut tx, Counted::Jobs).await?,
        mails: by_state(&mut tx, Counted::Mails).await?,
        items: by_state(&mut tx, Counted::Items).await?,
        ledger_size: store::ledger::head(&mut tx).await?.map_or(0, |head| head.size),
    })
}
