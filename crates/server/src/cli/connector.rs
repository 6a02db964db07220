//! `connection-file`: on the data directory, whether or not the server runs.

use anyhow::Context as _;
use clap::Args;

use super::Place;

/// Prints what a connector needs to dial in, nothing else. Makes the connector if there is none of this name; an earlier file of
/// the same connector is worth nothing from then on.
#[derive(Debug, Args)]
pub(crate) struct ConnectionFile {
    /// The connector's name.
    name: String,
    /// Whose cameras it publishes: the host's unless said otherwise.
    #[arg(long)]
    organization: Option<String>,
    #[command(flatten)]
    place: Place,
}

impl ConnectionFile {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let config = self.place.configuration()?;
        let app = config.open_app().await?;
        let organization = match self.organization {
            None => app::organization::host(&app).await?,
            Some(name) => {
                let found = app::organization::find_by_name(&app, &name).await?;
                found.with_context(|| format!("there is no organization {name:?}"))?
            }
        };
        print!("{}", app::connector::connection_file(&app, &organization.id, &self.name).await?.to_toml());
        Ok(())
    }
}
