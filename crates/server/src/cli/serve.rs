//! `serve` and `worker`.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, bail};
use app::App;
use clap::Args;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::Place;
use crate::config::Config;
use crate::http;

/// Runs the server.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    place: Place,
    /// Address and port to listen on.
    #[arg(long)]
    listen: Option<SocketAddr>,
    /// Shows all settings, defaults included and secrets left out, and ends.
    #[arg(long)]
    print_config: bool,
}

impl Serve {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let mut config = self.place.configuration()?;
        if let Some(listen) = self.listen {
            config.server.listen = listen;
        }
        if self.print_config {
            print!("{}", config.print());
            return Ok(());
        }
        let app = config.open_app().await?;
        announce_first_administrator(&app, &config).await?;
        let stop = stop_on_signal();
        serve(app, &config, stop, |address| println!("Sightline listens on http://{address}")).await
    }
}

/// Makes the first administrator of a new installation and prints the one-time password, once.
pub(crate) async fn announce_first_administrator(app: &App, config: &Config) -> anyhow::Result<()> {
    let set_up = app::account::set_up(
        app,
        &config.installation.name,
        &config.installation.time_zone,
        &config.installation.administrator,
    )
    .await;
    if let Some((email, password)) = set_up.context("setting up the installation")? {
        println!("Administrator: {email}\nOne-time password: {}", password.reveal());
    }
    Ok(())
}

/// So long may what is under way take when the server is told to stop. Uploads and downloads go on where they were with the next one.
const GRACE: Duration = Duration::from_secs(10);

/// Serves until told to stop; work under way is ended properly. `listening` is told the address.
pub(crate) async fn serve(
    app: App,
    config: &Config,
    stop: CancellationToken,
    listening: impl FnOnce(SocketAddr),
) -> anyhow::Result<()> {
    let listen = config.server.listen;
    if !listen.ip().is_loopback() && !config.server.behind_proxy {
        bail!(
            "{listen} can be reached from outside, but plain HTTP would be spoken: set server.behind_proxy = true behind a proxy that speaks HTTPS, or listen on 127.0.0.1"
        );
    }
    let listener = TcpListener::bind(listen).await.with_context(|| format!("listening on {listen}"))?;
    app::jobs::schedule(&app).await?;
    let workers = tokio::spawn(app::jobs::work(app.clone(), stop.clone()));
    let feed = tokio::spawn(app::live::feed(app.clone(), stop.clone()));
    listening(listener.local_addr()?);
    let service = http::router(app.clone(), config).into_make_service_with_connect_info::<SocketAddr>();
    let ended = axum::serve(listener, service).with_graceful_shutdown({
        let stop = stop.clone();
        async move { stop.cancelled().await }
    });
    tokio::select! {
        ended = ended => ended?,
        () = async { stop.cancelled().await; tokio::time::sleep(GRACE).await } => {}
    }
    stop.cancel();
    let _ = tokio::join!(workers, feed);
    app.db().close().await;
    Ok(())
}

/// Jobs and mail without HTTP.
pub(crate) async fn work(place: &Place) -> anyhow::Result<()> {
    let app = place.configuration()?.open_app().await?;
    app::jobs::schedule(&app).await?;
    app::jobs::work(app, stop_on_signal()).await;
    Ok(())
}

/// Cancelled by SIGINT and SIGTERM.
pub(crate) fn stop_on_signal() -> CancellationToken {
    let stop = CancellationToken::new();
    let canceled = stop.clone();
    tokio::spawn(async move {
        let mut terminate =
            tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).expect("SIGTERM can be caught");
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
        canceled.cancel();
    });
    stop
}
