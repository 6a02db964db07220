//! Sessions of systems that take an account as JSON and answer with a cookie or a token.

use reqwest::{Method, RequestBuilder};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;

use super::Trouble;
use super::web::{self, Web, WebError};
use crate::config::WebConfig;

/// How such a system is logged in to.
#[derive(Debug, Clone, Copy)]
pub struct Login {
    /// The path that takes the account.
    pub path: &'static [&'static str],
    /// How the system calls the name of an account.
    pub user: &'static str,
    /// Where its answer has the session.
    pub answer: Answer,
}

/// Where the answer to a login has the session.
#[derive(Debug, Clone, Copy)]
pub enum Answer {
    /// The first cookie that is set.
    Cookie,
    /// The field `token` of its JSON.
    Token,
}

#[derive(Deserialize)]
struct Granted {
    token: String,
}

/// A web server of such a system, and the session of the last login.
pub struct Session {
    web: Web,
    config: WebConfig,
    login: Login,
    /// Empty where no account is configured.
    kept: Mutex<Option<String>>,
}

impl Session {
    /// Checks the settings; nothing is asked yet.
    pub fn new(config: WebConfig, login: Login) -> anyhow::Result<Self> {
        Ok(Self { web: Web::new(&config)?, config, login, kept: Mutex::default() })
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
                let body = serde_json::json!({self.login.user: user, "password": password});
                let request = self.web.request(Method::POST, self.login.path).json(&body);
                match self.login.answer {
                    Answer::Cookie => self.web.cookie(request).await?,
                    Answer::Token => self.web.json::<Granted>(request).await?.token,
                }
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
