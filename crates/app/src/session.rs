//! Signing in and out.

use std::net::IpAddr;
use std::time::Duration;

use domain::Caller;
use domain::Timestamp;
use domain::account::Account;

use crate::secret::{self, Secret};
use crate::{App, Error, Kind, Result, did, throttle};

/// Signs in with an address or a user name. Answers the session's secret, for a cookie, and whose it is.
pub async fn sign_in(app: &App, login: &str, password: &str, address: Option<IpAddr>) -> Result<(Secret, Account)> {
    let attempt = throttle::begin(app, login, address).await?;
    let stored = {
        let mut tx = app.read().await?;
        if login.len() > 254 || password.len() > 1024 {
            None
        } else {
            store::account::find_password(&mut tx, login).await?
        }
    };
    let hash = stored.as_ref().and_then(|(_, hash)| hash.clone());
    let fits = app.passwords().verify(password, hash).await?;
    let (Some((id, _)), true) = (stored, fits) else {
        return Err(Error::new(
            Kind::Unauthenticated,
            "wrong_credentials",
            "Address and password do not fit together.",
        ));
    };
    let mut tx = app.begin().await?;
    let account = store::account::find(&mut tx, &id).await?.ok_or_else(|| Error::internal("the account vanished"))?;
    let secret = Secret::new(app, "session");
    store::session::insert(&mut tx, &secret.hash(), &id).await?;
    attempt.succeeded(&mut tx).await?;
    store::account::seen(&mut tx, &id).await?;
    let caller = Caller::session(account.clone(), Vec::new());
    tx.commit([did(&caller, "session.sign_in").about("account", &id)]).await?;
    Ok((secret, account))
}

fn has_run_out(app: &App, session: &store::session::Session, now: Timestamp) -> bool {
    let settings = app.settings();
    session.last_seen_at.plus(settings.session_idle) <= now || session.created_at.plus(settings.session_absolute) <= now
}

/// Who a session's secret belongs to. Notes the use, once a minute.
pub async fn resume(app: &App, presented: &str) -> Result<Caller> {
    let (session, caller) = read(app, presented).await?;
    if session.last_seen_at.plus(Duration::from_secs(60)) <= app.now() {
        let mut tx = app.begin().await?;
        store::session::touch(&mut tx, &secret::hash(presented)).await?;
        store::account::seen(&mut tx, &session.account_id).await?;
        tx.commit_housekeeping().await?;
    }
    Ok(caller)
}

/// Who a session's secret still belongs to. That a page is open is no use of it: an idle session ends.
pub async fn holder(app: &App, presented: &str) -> Result<Caller> {
    Ok(read(app, presented).await?.1)
}

async fn read(app: &App, presented: &str) -> Result<(store::session::Session, Caller)> {
    let hash = secret::hash(presented);
    let refused = || Error::new(Kind::Unauthenticated, "session_ended", "Your session has ended. Sign in again.");
    let mut tx = app.read().await?;
    let session =
        store::session::find(&mut tx, &hash).await?.filter(|s| !has_run_out(app, s, app.now())).ok_or_else(refused)?;
    let account = store::account::find(&mut tx, &session.account_id)
        .await?
        .filter(|a| a.disabled_at.is_none())
        .ok_or_else(refused)?;
    let groups = store::group::of_account(&mut tx, &account.id).await?;
    Ok((session, Caller::session(account, groups)))
}

/// Signs out.
pub async fn sign_out(app: &App, caller: &Caller, presented: &str) -> Result<()> {
    let mut tx = app.begin().await?;
    store::session::remove(&mut tx, &secret::hash(presented)).await?;
    match caller.account_id() {
        Some(id) => tx.commit([did(caller, "session.sign_out").about("account", id)]).await?,
        None => tx.commit_housekeeping().await?,
    }
    Ok(())
}
