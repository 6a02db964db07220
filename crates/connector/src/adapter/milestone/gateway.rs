//! The API Gateway of a management server: tokens, and what is asked with them
//! (<https://doc.developer.milestonesys.com/mipvmsapi/>).

use std::time::{Duration, Instant};

use domain::Window;
use protocol::{ClockOffset, SourceDescription};
use reqwest::{Method, RequestBuilder};
use serde::Deserialize;
use tokio::sync::Mutex;

use super::{camera, lock};
use crate::adapter::Trouble;
use crate::adapter::web::{self, LONGEST_ANSWER, Web, WebError};
use crate::config::WebConfig;

/// A token is replaced so long before it ends, if it lasts long enough.
const EARLY: Duration = Duration::from_secs(300);

/// The gateway, and the token of the last login.
pub(super) struct Gateway {
    web: Web,
    config: WebConfig,
    kept: Mutex<Option<Token>>,
}

struct Token {
    value: String,
    until: Instant,
}

#[derive(Deserialize)]
struct Login {
    access_token: String,
    /// Seconds.
    expires_in: u64,
}

impl Gateway {
    pub(super) fn new(config: WebConfig) -> anyhow::Result<Self> {
        anyhow::ensure!(config.password_file.is_some(), "XProtect wants a username and a password_file");
        Ok(Self { web: Web::new(&config)?, config, kept: Mutex::default() })
    }

    /// A token that holds, and is not the one that was refused.
    async fn token(&self, refused: &str) -> Result<String, Trouble> {
        let mut kept = self.kept.lock().await;
        if let Some(token) = &*kept
            && token.until > Instant::now()
            && token.value != refused
        {
            return Ok(token.value.clone());
        }
        *kept = None;
        let (username, password) = web::credentials(&self.config)?.unwrap_or_default();
        let form = [
            ("grant_type", "password"),
            ("username", &username),
            ("password", &password),
            ("client_id", "GrantValidatorClient"),
        ];
        let request = self.web.request(Method::POST, &["API", "IDP", "connect", "token"]).form(&form);
        let login: Login = match self.web.json(request).await {
            // "invalid_grant" (RFC 6749, 5.2)
            Err(WebError::Status(400)) => return Err(WebError::Refused(400).into()),
            answer => answer?,
        };
        let lasts = Duration::from_secs(login.expires_in.min(86_400));
        let until = Instant::now() + lasts.saturating_sub(EARLY.min(lasts / 2));
        Ok(kept.insert(Token { value: login.access_token, until }).value.clone())
    }

    fn request(&self, method: Method, resource: &[&str]) -> RequestBuilder {
        let path: Vec<_> = ["api", "rest", "v1"].into_iter().chain(resource.iter().copied()).collect();
        self.web.request(method, &path)
    }

    /// Asks with a token. One that was ended is replaced, once.
    async fn ask(&self, request: RequestBuilder) -> Result<Result<Vec<u8>, WebError>, Trouble> {
        let again = request.try_clone().expect("a request whose body is in memory");
        let token = self.token("").await?;
        Ok(match self.web.bytes(request.bearer_auth(&token), LONGEST_ANSWER).await {
            Err(WebError::Refused(401)) => {
                let other = self.token(&token).await?;
                self.web.bytes(again.bearer_auth(other), LONGEST_ANSWER).await
            }
            answer => answer,
        })
    }

    /// The cameras that are enabled and that the account may see.
    pub(super) async fn cameras(&self) -> Result<Vec<SourceDescription>, Trouble> {
        let answer = self.ask(self.request(Method::GET, &["cameras"])).await??;
        Ok(camera::read(&answer, self.config.retention_hours)?)
    }

    /// Whether there is such a camera.
    pub(super) async fn has(&self, camera: &str) -> Result<bool, Trouble> {
        match self.ask(self.request(Method::GET, &["cameras", camera])).await? {
            Err(WebError::NotFound | WebError::Status(400)) => Ok(false),
            answer => Ok(answer.map(|_| true)?),
        }
    }

    /// How far the clock of the gateway's machine is off; it tells that to everybody.
    pub(super) async fn clock(&self) -> Result<Option<ClockOffset>, Trouble> {
        Ok(self.web.clock(self.request(Method::GET, &["sites"])).await?)
    }

    /// Makes an evidence lock, and answers its id; none where the account has no right to, or the product has none.
    pub(super) async fn lock(&self, camera: &str, window: Window) -> Result<Option<String>, Trouble> {
        let request = self.request(Method::POST, &["evidenceLocks"]).json(&lock::wanted(camera, window));
        match self.ask(request).await? {
            Ok(answer) => lock::made(&answer).map(Some).ok_or_else(|| Trouble::never(UNNAMED)),
            Err(error @ (WebError::Refused(403) | WebError::NotFound | WebError::Status(400..=407 | 501))) => {
                tracing::warn!(%error, "the video system makes no evidence lock; an export is held instead");
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Deletes an evidence lock; one that is gone is no trouble.
    pub(super) async fn unlock(&self, id: &str) -> Result<(), Trouble> {
        let lock = ["evidenceLocks", id];
        match self.ask(self.request(Method::DELETE, &lock)).await? {
            Ok(_) | Err(WebError::NotFound) => Ok(()),
            // the one error that is documented may mean anything, so that a look tells
            Err(error @ WebError::Status(400)) => match self.has_lock(id).await {
                Ok(false) => Ok(()),
                _ => Err(error.into()),
            },
            Err(error) => Err(error.into()),
        }
    }

    /// Whether there is such an evidence lock. It is gone where the gateway does not know it and otherwise answers.
    pub(super) async fn has_lock(&self, id: &str) -> Result<bool, Trouble> {
        match self.ask(self.request(Method::GET, &["evidenceLocks", id])).await? {
            Err(WebError::NotFound | WebError::Status(400)) => Ok(self.cameras().await.map(|_| false)?),
            answer => Ok(answer.map(|_| true)?),
        }
    }
}

/// Not tried again, as each try would make another.
const UNNAMED: &str = "The video system made an evidence lock and does not say how it calls it: look for \"Sightline\" among its evidence locks.";
