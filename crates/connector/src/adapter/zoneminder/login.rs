//! Access tokens of ZoneMinder's API.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::adapter::Trouble;
use crate::adapter::web::{self, Web};
use crate::config::WebConfig;

/// A token is replaced so long before it runs out.
const EARLY: Duration = Duration::from_secs(300);

#[derive(Default)]
pub(super) struct Login(Mutex<Option<Token>>);

struct Token {
    value: String,
    until: Instant,
}

#[derive(Deserialize)]
struct Answer {
    access_token: String,
    access_token_expires: u64,
}

impl Login {
    /// A token that holds; empty where no account is configured, for a ZoneMinder without accounts.
    pub(super) async fn token(&self, web: &Web, config: &WebConfig) -> Result<String, Trouble> {
        let mut token = self.0.lock().await;
        match &*token {
            Some(token) if token.until > Instant::now() => Ok(token.value.clone()),
            _ => log_in(&mut token, web, config).await,
        }
    }

    /// Another token than the last.
    pub(super) async fn anew(&self, web: &Web, config: &WebConfig) -> Result<String, Trouble> {
        log_in(&mut *self.0.lock().await, web, config).await
    }
}

async fn log_in(token: &mut Option<Token>, web: &Web, config: &WebConfig) -> Result<String, Trouble> {
    *token = None;
    let Some((user, pass)) = web::credentials(config)? else { return Ok(String::new()) };
    let request = web.request(Method::POST, &["api", "host", "login.json"]);
    let answer: Answer = web.json(request.form(&[("user", user), ("pass", pass)])).await?;
    let long = Duration::from_secs(answer.access_token_expires.min(86_400)).saturating_sub(EARLY);
    *token = Some(Token { value: answer.access_token.clone(), until: Instant::now() + long });
    Ok(answer.access_token)
}
