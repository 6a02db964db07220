//! `sightline demo`: a small believable city with recorders whose footage can be checked by looking
//! at it.

pub mod city;
pub mod footage;
mod office;
mod people;
pub mod recorders;

use std::fs::File;
use std::io::Write as _;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::cli::serve;
use crate::config::Config;
use crate::http;

/// Runs a small city with cameras, recorders and people, to try everything with.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// The data directory. A second start goes on where the first ended.
    #[arg(long, env = "SIGHTLINE_DATA", default_value = "demo-data")]
    data: PathBuf,
    /// Address and port to listen on.
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Prints one line of JSON, once everything runs: the address, and who can sign in.
    #[arg(long)]
    json: bool,
}

impl Demo {
    pub(crate) async fn run(self) -> Result<()> {
        let folder = std::path::absolute(&self.data)?.join("demo");
        crate::config::private_folder(&folder)?;
        let lock = File::create(folder.join("lock"))?;
        if lock.try_lock().is_err() {
            bail!("a demo runs on {} already", self.data.display());
        }
        let config = self.configuration(&folder)?;
        let app = config.open_app().await?;
        let stop = serve::stop_on_signal();
        // However this ends, the recorders end too.
        let _ended = stop.clone().drop_guard();
        let credentials = people::credentials(&folder, || app.random())?;

        // The recorders need a moment to fill in the past; the office is furnished meanwhile.
        let (recorders, caught_up) = start_recorders(&folder, &stop);
        let api = http::router(app.clone(), &config);
        office::furnish(&app, api.clone(), &folder, &credentials).await.context("furnishing the city")?;
        let mut running = tokio::task::JoinSet::new();
        running.spawn({
            let (app, config, stop) = (app.clone(), config.clone(), stop.clone());
            async move { serve::serve(app, &config, stop, |_| ()).await }
        });
        for owner in recorders::OWNERS {
            let (folder, stop) = (folder.clone(), stop.clone());
            running.spawn(async move { recorders::connect(&folder, owner, stop).await });
        }
        let told = async {
            for past in caught_up {
                past.await.context("a recorder stopped")?;
            }
            while !office::everything_is_published(&api, &credentials).await? {
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
            Ok::<_, anyhow::Error>(())
        };
        tokio::select! {
            told = told => {
                told?;
                self.announce(&config, &credentials)?;
                stop.cancelled().await;
            }
            () = stop.cancelled() => {}
            Some(ended) = running.join_next() => ended??,
        }
        stop.cancel();
        while let Some(ended) = running.join_next().await {
            ended??;
        }
        for recorder in recorders {
            recorder.await??;
        }
        Ok(())
    }

    /// That of a server, with the city's streets.
    fn configuration(&self, folder: &Path) -> Result<Config> {
        let streets = folder.join("streets.geojson");
        std::fs::write(&streets, city::streets_layer().to_string())?;
        let mut config = Config::load(None)?;
        config.data.clone_from(&self.data);
        config.server.listen = self.listen;
        config.map.streets = streets;
        Ok(config)
    }

    fn announce(&self, config: &Config, credentials: &[people::Credentials]) -> Result<()> {
        let url = config.public_url();
        let mut out = std::io::stdout().lock();
        if self.json {
            writeln!(out, "{}", json!({"url": url, "accounts": credentials}))?;
        } else {
            write!(out, "{}", people::table(&url, credentials))?;
        }
        Ok(out.flush()?)
    }
}

type Recorders = Vec<tokio::task::JoinHandle<Result<()>>>;

/// Starts a thread for each recorder; answers when each has caught up.
fn start_recorders(folder: &Path, stop: &CancellationToken) -> (Recorders, Vec<tokio::sync::oneshot::Receiver<()>>) {
    recorders::OWNERS
        .into_iter()
        .map(|owner| {
            let (caught_up, past) = tokio::sync::oneshot::channel();
            let (alive, ended) = std::sync::mpsc::channel();
            let (folder, stop) = (folder.to_owned(), stop.clone());
            tokio::spawn(async move {
                stop.cancelled().await;
                drop(alive);
            });
            let recorder = tokio::task::spawn_blocking(move || {
                recorders::record(&folder, owner, &ended, || {
                    let _ = caught_up.send(());
                })
            });
            (recorder, past)
        })
        .unzip()
}

/// Writes a secret, whole or not at all, readable by its owner alone.
fn write_private(path: &Path, bytes: &[u8]) -> Result<()> {
    let unfinished = path.with_extension("tmp");
    let mut file = File::options().create(true).write(true).truncate(true).mode(0o600).open(&unfinished)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    Ok(std::fs::rename(&unfinished, path)?)
}
