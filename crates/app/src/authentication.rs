//! Passwords: argon2id, as many at once as there are cores.

use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;

use crate::settings::PasswordCost;
use crate::{Error, Result};

/// Hashes and verifies passwords off the async threads.
#[derive(Clone)]
pub(crate) struct Passwords {
    argon: Argon2<'static>,
    at_once: Arc<Semaphore>,
    /// Verified when there is no such account, so that the time taken does not tell.
    decoy: Arc<str>,
}

impl Passwords {
    pub(crate) fn new(cost: PasswordCost) -> Self {
        let params = match cost {
            PasswordCost::Production => Params::DEFAULT,
            PasswordCost::Test => {
                Params::new(Params::MIN_M_COST, 1, 1, None).expect("the least that the algorithm allows")
            }
        };
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let decoy = argon
            .hash_password_with_salt(b"nobody has this password", b"sixteen bytes of")
            .expect("fixed input")
            .to_string();
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self { argon, at_once: Arc::new(Semaphore::new(cores)), decoy: decoy.into() }
    }

    /// The PHC string of a password under a fresh salt.
    pub(crate) async fn hash(&self, password: &str, salt: [u8; 16]) -> Result<String> {
        let (argon, password) = (self.argon.clone(), password.to_owned());
        self.run(move || argon.hash_password_with_salt(password.as_bytes(), &salt).map(|hash| hash.to_string()))
            .await?
            .map_err(|e| Error::internal(e.to_string()))
    }

    /// Whether the password fits. Takes as long when there is nothing to compare with.
    pub(crate) async fn verify(&self, password: &str, hash: Option<String>) -> Result<bool> {
        let (argon, password, known) = (self.argon.clone(), password.to_owned(), hash.is_some());
        let hash = hash.unwrap_or_else(|| self.decoy.to_string());
        let fits = self
            .run(move || {
                PasswordHash::new(&hash).is_ok_and(|parsed| argon.verify_password(password.as_bytes(), &parsed).is_ok())
            })
            .await?;
        Ok(fits && known)
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let _one = self.at_once.acquire().await.map_err(Error::internal)?;
        tokio::task::spawn_blocking(work).await.map_err(Error::internal)
    }
}
