//! Slows down whoever guesses passwords. Tries are counted for account and address together, so that nobody can lock out
//! somebody else; and for an address alone, much later, so that it cannot try all accounts. Who has signed in from an address
//! before is not slowed down by what others do from it.
//!
//! A try counts as failed before the password is looked at, and is taken back when it was right: however many tries
//! arrive at once, no more than the free ones are looked at. Those for one account and address take turns, so that a
//! right one that is under way is not taken for a failure; other servers' are counted all the same.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use store::Tx;
use store::throttle::{self, Tries};
use tokio::sync::OwnedMutexGuard;

use crate::{App, Error, Kind, Result, secret};

/// Failures count for so long.
const COUNT_FOR: Duration = Duration::from_secs(15 * 60);
const FREE: i64 = 5;
const FREE_OF_AN_ADDRESS: i64 = 100;
/// Links are not guessed: this keeps those who try from being a burden.
const FREE_LINKS: i64 = 20;
const LONGEST_WAIT_SECONDS: u64 = 15 * 60;
/// Who signed in from an address is known there for so long.
const KNOWN_FOR: Duration = Duration::from_secs(90 * 24 * 3600);

/// Who is at their try of an account from an address, and who waits for it.
#[derive(Default)]
pub(crate) struct Turns(Mutex<HashMap<String, Weak<tokio::sync::Mutex<()>>>>);

impl Turns {
    async fn wait(&self, key: &str) -> OwnedMutexGuard<()> {
        let turn = {
            let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            turns.retain(|_, turn| turn.strong_count() > 0);
            let taken = turns.get(key).and_then(Weak::upgrade);
            taken.unwrap_or_else(|| {
                let turn = Arc::default();
                turns.insert(key.to_owned(), Arc::downgrade(&turn));
                turn
            })
        };
        turn.lock_owned().await
    }
}

/// A try that counts as failed until [`Try::succeeded`]. The next one waits until this is dropped.
pub(crate) struct Try {
    both: String,
    address: Option<String>,
    _turn: OwnedMutexGuard<()>,
}

/// Counts a try, or refuses it for now.
pub(crate) async fn begin(app: &App, login: &str, address: Option<IpAddr>) -> Result<Try> {
    let address = household(address);
    let both = format!("account and address {}", secret::hash(&format!("{} {address}", login.trim().to_lowercase())));
    let alone = format!("address {}", secret::hash(&address));
    let turn = app.turns().wait(&both).await;
    let mut tx = app.begin().await?;
    let known = count(&mut tx, &both, FREE).await?.succeeded_at.is_some();
    if !known {
        count(&mut tx, &alone, FREE_OF_AN_ADDRESS).await?;
    }
    tx.commit_housekeeping().await?;
    Ok(Try { both, address: (!known).then_some(alone), _turn: turn })
}

/// Counts a link that does not exist, or refuses to say so for now.
pub(crate) async fn wrong_link(app: &App, address: Option<IpAddr>) -> Result<()> {
    let mut tx = app.begin().await?;
    count(&mut tx, &format!("link {}", secret::hash(&household(address))), FREE_LINKS).await?;
    Ok(tx.commit_housekeeping().await?)
}

/// A prefix of IPv6 is one household; of IPv4, one address.
fn household(address: Option<IpAddr>) -> String {
    match address {
        Some(IpAddr::V6(six)) => format!("{:x?}", &six.segments()[..4]),
        Some(IpAddr::V4(four)) => four.to_string(),
        None => "unknown".to_owned(),
    }
}

/// Counts one more try under a key; answers what was there before.
async fn count(tx: &mut Tx, key: &str, free: i64) -> Result<Tries> {
    let now = tx.now();
    let mut before = throttle::lock(tx, key).await?;
    if before.last_at.plus(COUNT_FOR) < now {
        before.failures = 0;
    }
    let again = before.last_at.plus(wait(before.failures, free));
    if again > now {
        let seconds = again.since(now).as_secs() + 1;
        let sentence = format!("Too many failed tries. Try again in {seconds} seconds.");
        return Err(Error::new(Kind::Throttled(seconds), "throttled", sentence));
    }
    throttle::set_failures(tx, key, before.failures + 1).await?;
    Ok(before)
}

/// How long to wait after the last of so many failures: doubling from one second.
fn wait(failures: i64, free: i64) -> Duration {
    match failures - free {
        ..0 => Duration::ZERO,
        over => Duration::from_secs((1u64 << over.min(20)).min(LONGEST_WAIT_SECONDS)),
    }
}

impl Try {
    /// Takes the try back: the password was right.
    pub(crate) async fn succeeded(&self, tx: &mut Tx) -> Result<()> {
        throttle::succeeded(tx, &self.both).await?;
        if let Some(address) = &self.address {
            throttle::take_back(tx, address).await?;
        }
        Ok(())
    }
}

/// Forgets what no longer counts.
pub(crate) async fn forget(app: &App) -> Result<()> {
    let mut tx = app.begin().await?;
    let (tried_before, known_before) = (tx.now().minus(COUNT_FOR), tx.now().minus(KNOWN_FOR));
    throttle::forget(&mut tx, tried_before, known_before).await?;
    Ok(tx.commit_housekeeping().await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_and_end() {
        assert_eq!(wait(4, FREE), Duration::ZERO);
        assert_eq!(wait(5, FREE), Duration::from_secs(1));
        assert_eq!(wait(8, FREE), Duration::from_secs(8));
        assert_eq!(wait(500, FREE), Duration::from_secs(LONGEST_WAIT_SECONDS));
    }
}
