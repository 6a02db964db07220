//! `check` and `ledger`: on the data directory, whether or not the server runs.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use app::check::Outside;
use clap::{Args, Subcommand};

use super::Place;

/// Holds everything that is kept against what was recorded of it.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// A checkpoint that was kept elsewhere: finds a ledger that was cut short or rewritten, and signed anew.
    #[arg(long)]
    checkpoint: Option<PathBuf>,
    /// The public key that was kept elsewhere, as `sightline ledger key` prints it.
    #[arg(long)]
    key: Option<String>,
    #[command(flatten)]
    place: Place,
}

impl Check {
    pub(crate) async fn run(self) -> anyhow::Result<ExitCode> {
        let read = |path: PathBuf| {
            std::fs::read_to_string(&path).with_context(|| format!("reading the checkpoint {}", path.display()))
        };
        let outside = Outside { checkpoint: self.checkpoint.map(read).transpose()?, vkey: self.key };
        let app = self.place.configuration()?.open_existing_app().await?;
        let report = app::check::run(&app, &outside).await.map_err(with_cause)?;
        for finding in &report.findings {
            println!("MISMATCH {finding}");
        }
        for name in &report.leftovers {
            println!("LEFTOVER {name}: no row names this picture; it can be removed");
        }
        if report.unsealed > 0 {
            println!("{} rows are older than seals: only their files and events were compared", report.unsealed);
        }
        println!(
            "{} events, {} of them in the ledger, {} with their personal part erased; {} rows; {} files, {} bytes; {}.",
            report.events,
            report.leaves,
            report.erased,
            report.rows,
            report.files,
            report.bytes,
            match report.findings.len() {
                0 => "all as recorded".to_owned(),
                1 => "1 mismatch".to_owned(),
                n => format!("{n} mismatches"),
            }
        );
        Ok(if report.findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum LedgerCommand {
    /// Prints the last checkpoint, to be kept elsewhere.
    Checkpoint(Place),
    /// Prints the public key, to be kept elsewhere.
    Key(Place),
    /// Erases again what was erased before: run it after a backup was restored.
    ReplayTombstones(Place),
}

impl LedgerCommand {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Checkpoint(place) => {
                let app = place.configuration()?.open_existing_app().await?;
                print!("{}", app::ledger::checkpoint_for_operator(&app).await.map_err(with_cause)?);
            }
            Self::Key(place) => {
                let app = place.configuration()?.open_existing_app().await?;
                println!("{}", app::ledger::verifier(&app).await.map_err(with_cause)?);
            }
            Self::ReplayTombstones(place) => {
                let app = place.configuration()?.open_existing_app().await?;
                println!("{} erased again.", app::ledger::replay_tombstones(&app).await.map_err(with_cause)?);
            }
        }
        Ok(())
    }
}

/// Whoever uses the command line owns the data and may see causes.
fn with_cause(error: app::Error) -> anyhow::Error {
    match error.source {
        Some(source) => anyhow::Error::from_boxed(source),
        None => anyhow::anyhow!(error.message),
    }
}
