//! `account add`, `account set-password` and `token create`: on the data directory, whether or not the server runs.

use std::io::Read as _;

use anyhow::{Context as _, bail};
use app::account::NewAccount;
use clap::Subcommand;
use domain::account::{Grant, Role};
use domain::policy::Privilege;

use super::Place;

#[derive(Debug, Subcommand)]
pub(crate) enum AccountCommand {
    /// Adds an account. Prints a one-time password unless one is given.
    Add {
        email: String,
        /// administrator, investigator, approver, auditor, operator or guest.
        #[arg(long)]
        role: Role,
        /// The person's name; the address when none is given.
        #[arg(long)]
        name: Option<String>,
        /// The organization: the host unless said otherwise.
        #[arg(long)]
        organization: Option<String>,
        /// Reads the password from standard input.
        #[arg(long)]
        password_stdin: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Sets a new password for somebody who forgot theirs, and ends their sessions. Prints a one-time password unless one is given.
    SetPassword {
        email: String,
        /// Reads the password from standard input.
        #[arg(long)]
        password_stdin: bool,
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Creates a token and prints it, nothing else.
    Create {
        /// The address of the account that it speaks for.
        #[arg(long)]
        account: String,
        /// Cuts it to these privileges; may be repeated.
        #[arg(long)]
        scope: Vec<String>,
        /// What it is for.
        #[arg(long, default_value = "command line")]
        name: String,
        #[command(flatten)]
        place: Place,
    },
}

impl AccountCommand {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let (email, role, name, organization, password_stdin, place) = match self {
            Self::Add { email, role, name, organization, password_stdin, place } => {
                (email, role, name, organization, password_stdin, place)
            }
            Self::SetPassword { email, password_stdin, place } => {
                return set_password(&email, password_stdin, &place).await;
            }
        };
        let config = place.configuration()?;
        let app = config.open_app().await?;
        super::serve::announce_first_administrator(&app, &config).await?;
        let host = app::organization::host(&app).await?;
        let organization = match organization {
            None => host.clone(),
            Some(name) => app::organization::find_by_name(&app, &name)
                .await?
                .with_context(|| format!("there is no organization {name:?}"))?,
        };
        let password = password_stdin.then(read_password).transpose()?;
        // A role at the host holds for all organizations, as the people of the host work for all of them.
        let organization_id = (organization.id != host.id).then(|| organization.id.clone());
        let new = NewAccount {
            name: name.unwrap_or_else(|| email.clone()),
            email,
            user_name: None,
            organization_id: organization.id,
            grants: vec![Grant {
                role,
                organization_id: organization_id.or((role == Role::Approver).then_some(host.id)),
            }],
            password,
        };
        let (account, one_time) = app::account::create_by_operator(&app, new).await?;
        println!("{} {}", account.id, account.email);
        if let Some(secret) = one_time {
            println!("One-time password: {}", secret.reveal());
        }
        Ok(())
    }
}

async fn set_password(email: &str, password_stdin: bool, place: &Place) -> anyhow::Result<()> {
    let password = password_stdin.then(read_password).transpose()?;
    let app = place.configuration()?.open_app().await?;
    if let Some(secret) = app::account::reset_password(&app, email, password.as_deref()).await? {
        println!("One-time password: {}", secret.reveal());
    }
    Ok(())
}

fn read_password() -> anyhow::Result<String> {
    let mut text = String::new();
    std::io::stdin().take(4096).read_to_string(&mut text)?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

impl TokenCommand {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let Self::Create { account, scope, name, place } = self;
        let app = place.configuration()?.open_app().await?;
        let Some(found) = app::account::find_by_email(&app, &account).await? else {
            bail!("there is no account {account:?}")
        };
        let scopes = scope
            .iter()
            .map(|s| s.parse::<Privilege>().map_err(|_| anyhow::anyhow!("{s:?} is not a privilege")))
            .collect::<Result<_, _>>()?;
        let (_, secret) = app::token::create_by_operator(&app, &found.id, &name, scopes).await?;
        println!("{}", secret.reveal());
        Ok(())
    }
}
