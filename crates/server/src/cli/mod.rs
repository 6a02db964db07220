//! The command line. Each command is a few lines over the actions of `app`.

mod account;
mod check;
mod connector;
pub(crate) mod serve;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::config::Config;

/// Camera registry and video requests with provable custody.
#[derive(Debug, Parser)]
#[command(name = "sightline", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the server.
    Serve(serve::Serve),
    /// Runs a small city with cameras, recorders and people, to try everything with.
    Demo(crate::demo::Demo),
    /// Runs jobs and mail only, for installations with many servers.
    Worker(Place),
    /// Brings the database up to date.
    Migrate(Place),
    /// Holds everything that is kept against what was recorded of it; ends with 1 and a line for each mismatch.
    Check(check::Check),
    /// The ledger.
    Ledger {
        #[command(subcommand)]
        command: check::LedgerCommand,
    },
    /// Prints the OpenAPI document.
    Openapi,
    /// Accounts.
    Account {
        #[command(subcommand)]
        command: account::AccountCommand,
    },
    /// Prints what a connector needs to dial in.
    ConnectionFile(connector::ConnectionFile),
    /// API tokens.
    Token {
        #[command(subcommand)]
        command: account::TokenCommand,
    },
}

/// Where the installation is.
#[derive(Debug, Clone, Args)]
pub(crate) struct Place {
    /// The data directory: SQLite and files, unless the configuration says otherwise.
    #[arg(long, env = "SIGHTLINE_DATA")]
    pub(crate) data: Option<PathBuf>,
    /// The configuration file (TOML). Settings also come from SIGHTLINE_SECTION__KEY.
    #[arg(long)]
    pub(crate) config: Option<PathBuf>,
}

impl Place {
    /// The configuration: defaults, then the file, then the environment, then the flags.
    pub(crate) fn configuration(&self) -> anyhow::Result<Config> {
        let mut config = Config::load(self.config.as_deref())?;
        if let Some(data) = &self.data {
            config.data = data.clone();
        }
        Ok(config)
    }
}

/// Runs the command line.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    init_log();
    if rustls::crypto::aws_lc_rs::default_provider().install_default().is_err() {
        tracing::debug!("a TLS provider was installed already");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("threads can be started");
    match runtime.block_on(run(cli)) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("sightline: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn init_log() {
    // The page's library tells each file of the page at the start, which nobody wants to read.
    let usual = || "info,memory_serve=warn".into();
    let filter = tracing_subscriber::EnvFilter::try_from_env("SIGHTLINE_LOG").unwrap_or_else(|_| usual());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false).init();
}

async fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    match cli.command {
        Command::Serve(serve) => serve.run().await?,
        Command::Demo(demo) => demo.run().await?,
        Command::Worker(place) => serve::work(&place).await?,
        Command::Migrate(place) => place.configuration()?.open_database().await?.migrate().await?,
        Command::Check(check) => return check.run().await,
        Command::Ledger { command } => command.run().await?,
        Command::Openapi => println!("{}", crate::http::openapi()),
        Command::Account { command } => command.run().await?,
        Command::ConnectionFile(command) => command.run().await?,
        Command::Token { command } => command.run().await?,
    }
    Ok(ExitCode::SUCCESS)
}
