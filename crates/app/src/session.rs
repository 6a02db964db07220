//! Signing in and out. Failures throttle account and address together, so that nobody can lock out somebody
//! else; an address alone is throttled too, much later, so that it cannot try all accounts.

use std::net::IpAddr;
use std::time::Duration;

use domain::Caller;
use domain::Timestamp;
use domain::account::Account;

use crate::secret::{self, Secret};
use crate::{App, Error, Kind, Result, did};

/// Failures that count, and for how long.
const FAILURES_COUNT_FOR: Duration = Duration::from_secs(15 * 60);
const FREE_TRIES: i64 = 5;
const FREE_TRIES_OF_AN_ADDRESS: i64 = 100;
const LONGEST_WAIT_SECONDS: u64 = 15 * 60;

/// How long to wait after the last of so many failures: doubling from one second.
fn wait(failures: i64, free: i64) -> Duration {
    match failures - free {
        ..0 => Duration::ZERO,
        over => Duration::from_secs((1u64 << over.min(20)).min(LONGEST_WAIT_SECONDS)),
    }
}

fn keys(login: &str, address: Option<IpAddr>) -> [(String, i64); 2] {
    // A prefix of IPv6 is one household; of IPv4, one address.
    let address = match address {
        Some(IpAddr::V6(six)) => format!("{:x?}", &six.segments()[..4]),
        Some(IpAddr::V4(four)) => four.to_string(),
        None => "unknown".to_owned(),
    };
    let both = secret::hash(&format!("{} {address}", login.trim().to_lowercase()));
    [
        (format!("account and address {both}"), FREE_TRIES),
        (format!("address {}", secret::hash(&address)), FREE_TRIES_OF_AN_ADDRESS),
    ]
}

async fn throttle(tx: &mut store::Tx, keys: &[(String, i64)]) -> Result<()> {
    for (key, free) in keys {
        let Some((failures, last)) = store::session::failures(tx, key).await? else { continue };
        let again = last.plus(wait(failures, *free));
        let forgotten = last.plus(FAILURES_COUNT_FOR) < tx.now();
        if again > tx.now() && !forgotten {
            let seconds = again.since(tx.now()).as_secs() + 1;
            return Err(Error::new(
                Kind::Throttled(seconds),
                "throttled",
                format!("Too many failed tries. Try again in {seconds} seconds."),
            ));
        }
    }
    Ok(())
}

/// Signs in with an address or a user name. Answers the session's secret, for a cookie, and whose it is.
pub async fn sign_in(app: &App, login: &str, password: &str, address: Option<IpAddr>) -> Result<(Secret, Account)> {
    let keys = keys(login, address);
    let stored = {
        let mut tx = app.read().await?;
        throttle(&mut tx, &keys).await?;
        if login.len() > 254 || password.len() > 1024 {
            None
        } else {
            store::account::find_password(&mut tx, login).await?
        }
    };
    let hash = stored.as_ref().and_then(|(_, hash)| hash.clone());
    let fits = app.passwords().verify(password, hash).await?;
    let mut tx = app.begin().await?;
    let (Some((id, _)), true) = (stored, fits) else {
        let forget_before = tx.now().minus(FAILURES_COUNT_FOR);
        for (key, _) in &keys {
            store::session::count_failure(&mut tx, key, forget_before).await?;
        }
        tx.commit_housekeeping().await?;
        return Err(Error::new(
            Kind::Unauthenticated,
            "wrong_credentials",
            "Address and password do not fit together.",
        ));
    };
    let account = store::account::find(&mut tx, &id).await?.ok_or_else(|| Error::internal("the account vanished"))?;
    let secret = Secret::new(app, "session");
    store::session::insert(&mut tx, &secret.hash(), &id).await?;
    store::session::forget_failures(&mut tx, &keys[0].0).await?;
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
    drop(tx);
    if session.last_seen_at.plus(Duration::from_secs(60)) <= app.now() {
        let mut tx = app.begin().await?;
        store::session::touch(&mut tx, &hash).await?;
        store::account::seen(&mut tx, &account.id).await?;
        tx.commit_housekeeping().await?;
    }
    Ok(Caller::session(account, groups))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_and_end() {
        assert_eq!(wait(4, FREE_TRIES), Duration::ZERO);
        assert_eq!(wait(5, FREE_TRIES), Duration::from_secs(1));
        assert_eq!(wait(8, FREE_TRIES), Duration::from_secs(8));
        assert_eq!(wait(500, FREE_TRIES), Duration::from_secs(LONGEST_WAIT_SECONDS));
    }
}
