//! The binary `sightline-connector`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use domain::id::RequestItemId;
use protocol::{ClockOffset, ConnectionFile};
use sightline_connector::adapter::{self, Discovery};
use sightline_connector::burned::Shown;
use sightline_connector::client::Client;
use sightline_connector::config::{self, Config};
use sightline_connector::held::{Held, Holds, Kept};
use sightline_connector::recorder::Recorder;
use sightline_connector::{check, disk, media, plain, session, spool::Spool};
use tokio_util::sync::CancellationToken;

/// Connects a video system with a Sightline server. It only dials out.
#[derive(Parser)]
#[command(name = "sightline-connector", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Publishes sources and works on tasks until it is stopped.
    Run {
        #[command(flatten)]
        files: Files,
        /// Where exports wait for their upload.
        #[arg(long)]
        state: Option<PathBuf>,
        /// Stop when standard input ends, as it does when the process that started this one is gone.
        #[arg(long)]
        until_stdin_closes: bool,
    },
    /// Says what would be published, and what is wrong. Sends nothing but a hello.
    Check {
        #[command(flatten)]
        files: Files,
        /// Where exports wait for their upload, if `run` is told so too.
        #[arg(long)]
        state: Option<PathBuf>,
    },
    /// Lists what is held for requests that are not decided.
    Held {
        /// The file that the operator wrote.
        #[arg(long)]
        config: PathBuf,
        /// Where it lies, if `run` is told so too.
        #[arg(long)]
        state: Option<PathBuf>,
        #[command(subcommand)]
        then: Option<HeldCommand>,
    },
}

#[derive(Subcommand)]
enum HeldCommand {
    /// Deletes what is held for an item, or has the video system let go of it. The connector may be running.
    Delete {
        /// As the list names it.
        item: RequestItemId,
    },
}

#[derive(Args)]
struct Files {
    /// The file that the server issued.
    #[arg(long)]
    connection: PathBuf,
    /// The file that the operator wrote.
    #[arg(long)]
    config: PathBuf,
}

fn main() -> ExitCode {
    // Before any thread exists: a confined process gives up its rights and becomes ffmpeg.
    match confine::dispatch() {
        Some(code) => code,
        None => serve(),
    }
}

#[tokio::main]
async fn serve() -> ExitCode {
    let filter = tracing_subscriber::EnvFilter::try_from_env("SIGHTLINE_LOG").unwrap_or_else(|_| "info".into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let done = match Cli::parse().command {
        Command::Run { files, state, until_stdin_closes } => run(&files, state, until_stdin_closes).await,
        Command::Check { files, state } => check(&files, state).await,
        Command::Held { config, state, then } => held(&config, state, then).await,
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("sightline-connector: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn read_connection(path: &Path) -> anyhow::Result<ConnectionFile> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    toml::from_str(&text).with_context(|| format!("{} is no connection file", path.display()))
}

fn read(files: &Files) -> anyhow::Result<(Client, Recorder, Config)> {
    let connection = read_connection(&files.connection)?;
    let config = config::read(&files.config)?;
    media::confine_by(confinement(&config)?);
    let recorder = Recorder::new(adapter::open(&config)?, &config);
    Ok((Client::new(&connection)?, recorder, config))
}

/// This program, which becomes ffmpeg without the rights that ffmpeg does not need.
fn confinement(config: &Config) -> anyhow::Result<Vec<OsString>> {
    let itself = std::env::current_exe().context("cannot find this program")?;
    let option = config.connector.allow_unconfined.then(|| "--allow-unconfined".into());
    Ok([itself.into(), "confined".into()].into_iter().chain(option).collect())
}

fn state_folder(told: Option<PathBuf>, config: &Config) -> anyhow::Result<PathBuf> {
    told.or_else(|| config.connector.state.clone()).context("no state folder")
}

async fn run(files: &Files, state: Option<PathBuf>, until_stdin_closes: bool) -> anyhow::Result<ExitCode> {
    let (client, recorder, config) = read(files)?;
    media::present().await?;
    if let Some(megabytes) = config.limits.keep_free_mb {
        disk::keep_free(u64::from(megabytes) * 1_000_000);
    }
    let state = state_folder(state, &config)?;
    let spool = Spool::open(&state)?;
    let holds = Holds::open(&state, config.hold.as_ref().map(|hold| hold.key_file.as_path()))?;
    let stop = CancellationToken::new();
    tokio::spawn({
        let stop = stop.clone();
        async move {
            let stdin_closed = async {
                if until_stdin_closes {
                    let (closed, wait) = tokio::sync::oneshot::channel::<()>();
                    // a thread of its own, which nothing waits for at the end
                    std::thread::spawn(move || {
                        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
                        drop(closed);
                    });
                    let _ = wait.await;
                } else {
                    std::future::pending::<()>().await;
                }
            };
            let terminated = async {
                match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
                    Ok(mut signal) => drop(signal.recv().await),
                    Err(_) => std::future::pending().await,
                }
            };
            tokio::select! {
                () = stdin_closed => {}
                () = terminated => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            stop.cancel();
        }
    });
    session::run(client, recorder, (spool, holds), config, stop).await;
    Ok(ExitCode::SUCCESS)
}

async fn check(files: &Files, state: Option<PathBuf>) -> anyhow::Result<ExitCode> {
    let (client, recorder, config) = read(files)?;
    let mut wrong = check::machine(&config, &state_folder(state, &config)?);
    if let Err(error) = media::present().await {
        wrong.push(error.to_string());
    }
    // first of all, as its answer tells the time by which clocks are measured
    if let Err(error) = client.hello(&session::hello(recorder.kind(), false)).await {
        wrong.push(error.to_string());
    }
    let clock = recorder.read_clock().await;
    let Discovery { sources, whole, problem, .. } = recorder.everything().await;
    if let Some(problem) = &problem {
        wrong.push(format!("{} {}", problem.text, problem.what_to_do));
    }
    for described in config.sources.iter().filter(|_| whole) {
        if !sources.iter().any(|source| source.device_id == described.id) {
            wrong
                .push(format!("The configuration describes '{}', which the video system does not have.", described.id));
        }
    }
    for source in &sources {
        let published = match recorder.allows(source) {
            true if source.validate().is_err() => "refused",
            true => "published",
            false => "kept back",
        };
        let place = source.position.map_or("no position".to_owned(), |p| format!("{:.5}, {:.5}", p.lat, p.lon));
        let last = source.last_seen_at.map_or(String::new(), |at| format!("; last written {at}"));
        println!("{published}: {} \"{}\" ({place}{last})", plain(&source.device_id), plain(&source.name));
        // of a folder only what is described and has no file yet; other systems need not tell
        if recorder.kind() == "folder" && source.last_seen_at.is_none() {
            wrong.push(format!("There is no recording of the source '{}' of the configuration.", source.device_id));
        }
    }
    wrong.extend(check::sources(&recorder, &sources));
    match &clock {
        Some(Ok(Shown { text, clock })) => println!("clock: {}", off(text, clock)),
        Some(Err(why)) => wrong.push(format!("The burned-in clock is not read: {why}. {}", why.what_to_do())),
        None => {}
    }
    for text in &wrong {
        println!("wrong: {}", plain(text));
    }
    if wrong.is_empty() {
        println!("nothing is wrong");
        return Ok(ExitCode::SUCCESS);
    }
    Ok(ExitCode::FAILURE)
}

/// What a clock in a picture showed, and how far it is off.
fn off(text: &str, clock: &ClockOffset) -> String {
    let seconds = |ms: i64| format!("{:.1} s", ms.unsigned_abs() as f64 / 1_000.0);
    let direction = if clock.offset_ms < 0 { "behind" } else { "ahead" };
    let uncertain = clock.uncertainty_ms.unwrap_or(0);
    format!("the picture shows {text}, which is {} {direction}, to {}", seconds(clock.offset_ms), seconds(uncertain))
}

async fn held(config: &Path, state: Option<PathBuf>, then: Option<HeldCommand>) -> anyhow::Result<ExitCode> {
    let config = config::read(config)?;
    let state = state_folder(state, &config)?;
    let key_file = config.hold.as_ref().map(|hold| hold.key_file.as_path());
    let holds = Holds::beside(&state, key_file).with_context(|| format!("cannot read {}/held", state.display()))?;
    match then {
        None => return Ok(list(&holds)),
        Some(HeldCommand::Delete { item }) => {
            anyhow::ensure!(holds.has(&item), "nothing is held for {item}");
            let recorder = Recorder::new(adapter::open(&config)?, &config);
            holds.let_go(&recorder, &item).await?;
            println!("no longer held; the server learns that it is lost from the running connector");
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn list(holds: &Holds) -> ExitCode {
    let all = holds.list();
    let damaged: Vec<_> = holds.items().into_iter().filter(|item| holds.find(item).is_none()).collect();
    for item in &damaged {
        println!("{item}: cannot be read: what was noted of it is damaged");
    }
    for Held { item_id, source, window, until, kept } in &all {
        let how = match (kept, holds.size_bytes(item_id)) {
            (Kept::Lock { lost: true, .. }, _) => "the video system, which kept it, no longer has it".to_owned(),
            (Kept::Lock { .. }, _) => "by the video system itself".to_owned(),
            (Kept::Export { .. }, Some(bytes)) => format!("an encrypted copy of {:.1} MB", bytes as f64 / 1e6),
            (Kept::Export { .. }, None) => "an encrypted copy that is missing".to_owned(),
        };
        let locked =
            holds.unreadable(item_id).map_or(String::new(), |why| format!(", which cannot be read now: {why}"));
        let name = if source.name.is_empty() { String::new() } else { format!(" \"{}\"", plain(&source.name)) };
        let (device_id, from, to) = (plain(&source.device_id), window.from, window.to);
        println!("{item_id}: {device_id}{name}, {from} to {to}, until {until}; {how}{locked}");
    }
    if all.is_empty() && damaged.is_empty() {
        println!("nothing is held");
    }
    match holds.problem() {
        None => ExitCode::SUCCESS,
        Some(problem) => {
            println!("wrong: {} {}", problem.text, problem.what_to_do);
            ExitCode::FAILURE
        }
    }
}
