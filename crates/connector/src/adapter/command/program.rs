//! The program of a configuration: started when it is needed, and again after it broke down, later each time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::life::Life;
use super::message::{self, Failure, Hello};
use super::target::Target;
use crate::adapter::Trouble;
use crate::backoff::Backoff;
use crate::config::CommandConfig;

/// A program that lived for so long is started again at once.
const STEADY: Duration = Duration::from_secs(60);

/// The program of a configuration.
pub(super) struct Program {
    config: CommandConfig,
    state: tokio::sync::Mutex<State>,
}

struct State {
    running: Option<Arc<Life>>,
    backoff: Backoff,
    not_before: Instant,
}

/// A request that did not give what it should.
pub(super) enum Refusal {
    /// The program says why.
    Failed(Failure),
    /// The program is to blame.
    Trouble(Trouble),
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Failed(failure) => failure.into(),
            Refusal::Trouble(trouble) => trouble,
        }
    }
}

impl From<Trouble> for Refusal {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

/// What is said of a program that does not keep to the protocol.
pub(super) fn wrong(what: &str) -> Trouble {
    Trouble::again(format!("The adapter's program: {what}."))
}

impl Program {
    /// Nothing is started yet.
    pub(super) fn new(config: CommandConfig) -> Self {
        let backoff = Backoff::up_to(Duration::from_secs(30));
        Self { config, state: tokio::sync::Mutex::new(State { running: None, backoff, not_before: Instant::now() }) }
    }

    /// What it says of itself.
    pub(super) async fn hello(&self) -> Result<Hello, Trouble> {
        Ok(self.running().await?.0)
    }

    /// Asks, and waits for the answer.
    pub(super) async fn ask<T: DeserializeOwned>(&self, method: &str, params: impl Serialize) -> Result<T, Refusal> {
        self.ask_for_file(method, params, None).await
    }

    /// The same, of a method that writes a file.
    pub(super) async fn ask_for_file<T: DeserializeOwned>(
        &self,
        method: &str,
        params: impl Serialize,
        target: Option<&Target>,
    ) -> Result<T, Refusal> {
        let (_, running) = self.running().await?;
        let slot = running.slots.acquire().await;
        let line = running.ask(method, params, target, self.within()).await?;
        drop(slot);
        Ok(message::result(&line)?)
    }

    fn within(&self) -> Duration {
        Duration::from_secs(self.config.answer_seconds.max(1).into())
    }

    /// The program that runs, started if need be.
    async fn running(&self) -> Result<(Hello, Arc<Life>), Trouble> {
        let mut state = self.state.lock().await;
        if let Some(running) = &state.running {
            match running.ended() {
                None => return Ok((running.hello.clone(), Arc::clone(running))),
                Some((at, _)) => {
                    if at.saturating_duration_since(running.started) > STEADY {
                        state.backoff.reset();
                    }
                    state.running = None;
                    state.not_before = at + state.backoff.next_wait();
                }
            }
        }
        if Instant::now() < state.not_before {
            return Err(wrong("it broke down, and is started again shortly"));
        }
        match Life::start(&self.config, self.within()).await {
            Ok(running) => {
                let running = Arc::new(running);
                state.running = Some(Arc::clone(&running));
                Ok((running.hello.clone(), running))
            }
            Err(trouble) => {
                state.not_before = Instant::now() + state.backoff.next_wait();
                Err(trouble)
            }
        }
    }
}
