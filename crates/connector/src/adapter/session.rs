//! Sessions of systems that take an account as JSON and answer with a cookie.

use reqwest::{Method, RequestBuilder};
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;

use super::Trouble;
use super::web::{self, Web, WebError};
use crate::config::WebConfig;

/// A web server of such a system, and the session of the last login.
pub struct Session {
    web: Web,
    config: WebConfig,
    /// How the system calls the name of an account.
    user: &'static str,
    /// Empty where no account is configured.
    kept: Mutex<Option<String>>,
}

impl Session {
    /// Checks the settings; nothing is asked yet.
    pub fn new(config: WebConfig, user: &'static str) -> anyhow::Result<Self> {
        Ok(Self { web: Web::new(&config)?, config, user, kept: Mutex::default() })
    }

    /// The server.
    pub fn web(&self) -> &Web {
        &self.web
    }

    /// The settings.
    pub fn config(&self) -> &WebConfig {
        &self.config
    }

    /// The session of the last login, or of a new one; empty where no account is configured.
    pub async fn current(&self) -> Result<String, Trouble> {
        let mut kept = self.kept.lock().await;
        if let Some(session) = &*kept {
            return Ok(session.clone());
        }
        let fresh = match web::credentials(&self.config)? {
            None => String::new(),
            Some((user, password)) => {
                let request = self.web.request(Method::POST, &["api", "login"]);
                let body = serde_json::json!({self.user: user, "password": password});
                self.web.cookie(request.json(&body)).await?
            }
        };
        Ok(kept.insert(fresh).clone())
    }

    /// Another session than one that was refused, which somebody else may have replaced meanwhile.
    async fn other(&self, refused: &str) -> Result<String, Trouble> {
        self.kept.lock().await.take_if(|session| session == refused);
        self.current().await
    }

    /// Asks with a session. One that was ended is replaced, once.
    pub async fn json<T: DeserializeOwned>(
        &self,
        request: impl Fn(&str) -> RequestBuilder,
    ) -> Result<Result<T, WebError>, Trouble> {
        let session = self.current().await?;
        Ok(match self.web.json(request(&session)).await {
            Err(WebError::Refused(401)) => self.web.json(request(&self.other(&session).await?)).await,
            answer => answer,
        })
    }
}
