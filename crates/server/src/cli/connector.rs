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
    /// The address at which the connector reaches the server, such as `https://video.example.org`. Without it the configured
    /// `server.public_url` is written; give one or the other, for this command does not know where the server listens.
    #[arg(long, value_parser = address)]
    url: Option<String>,
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
        let mut file = app::connector::connection_file(&app, &organization.id, &self.name).await?;
        match self.url {
            Some(url) => file.url = url,
            None if config.server.public_url.is_empty() => eprintln!(
                "sightline: no public address is configured, so the file says {}. If the connector cannot reach the server there, run \
                 this again with --url https://…, or set server.public_url.",
                file.url
            ),
            None => {}
        }
        print!("{}", file.to_toml());
        Ok(())
    }
}

/// An address that a connector can dial, without a slash at its end.
fn address(text: &str) -> Result<String, String> {
    let host =
        text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).map(|rest| rest.trim_end_matches('/'));
    match host {
        Some(host) if !host.is_empty() && !host.contains(char::is_whitespace) => {
            Ok(text.trim_end_matches('/').to_owned())
        }
        _ => Err("expected an address that begins with https:// or http://".to_owned()),
    }
}
