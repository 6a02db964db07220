//! The configuration: defaults, then a TOML file, then `SIGHTLINE_SECTION__KEY`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use app::settings::{Media, PasswordCost, Smtp, SmtpSecurity};
use app::{App, Clock, Database, Settings};
use domain::number_template::NumberTemplate;
use serde::{Deserialize, Serialize};

/// All settings. `sightline serve --print-config` shows them.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The data directory.
    pub data: PathBuf,
    /// What is asked once, when the installation is new.
    pub installation: Installation,
    /// HTTP.
    pub server: Server,
    /// The database.
    pub database: DatabaseConfig,
    /// The bytes.
    pub blobs: Blobs,
    /// Rules of requests.
    pub requests: Requests,
    /// Cases and uploads.
    pub evidence: Evidence,
    /// Sessions.
    pub sessions: Sessions,
    /// Delivery of mail; without a host mail is kept and read in the page.
    pub smtp: SmtpConfig,
    /// The map.
    pub map: Map,
    /// Media programs.
    pub media: MediaConfig,
    /// The ledger.
    pub ledger: Ledger,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data: "data".into(),
            installation: Installation::default(),
            server: Server::default(),
            database: DatabaseConfig::default(),
            blobs: Blobs::default(),
            requests: Requests::default(),
            evidence: Evidence::default(),
            sessions: Sessions::default(),
            smtp: SmtpConfig::default(),
            map: Map::default(),
            media: MediaConfig::default(),
            ledger: Ledger::default(),
        }
    }
}

macro_rules! section {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty = $default:expr,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name { $($(#[$field_doc])* pub $field: $type,)* }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }
    };
}

section! {
    /// What is asked once, when the installation is new.
    Installation {
        /// The name of the host organization.
        name: String = "Our agency".to_owned(),
        /// Its IANA time zone; numbers and screens follow it.
        time_zone: String = "UTC".to_owned(),
        /// The first administrator's address.
        administrator: String = "admin@localhost".to_owned(),
    }
}

section! {
    /// HTTP.
    Server {
        /// Address and port.
        listen: SocketAddr = SocketAddr::from(([127, 0, 0, 1], 8080)),
        /// The address that people type; links in mails begin with it. Empty: made of `listen`.
        public_url: String = String::new(),
        /// A proxy in front speaks HTTPS and sets `X-Forwarded-For`.
        behind_proxy: bool = false,
    }
}

section! {
    /// The database.
    DatabaseConfig {
        /// `postgres://…`; empty: SQLite in the data directory.
        url: String = String::new(),
    }
}

section! {
    /// The bytes.
    Blobs {
        /// S3 endpoint; empty: a folder in the data directory.
        s3_endpoint: String = String::new(),
        /// Bucket.
        s3_bucket: String = String::new(),
        /// Region.
        s3_region: String = "us-east-1".to_owned(),
        /// Access key.
        s3_access_key: String = String::new(),
        /// Secret key.
        s3_secret_key: String = String::new(),
    }
}

section! {
    /// Rules of requests.
    Requests {
        /// The longest window, in seconds, that one item may ask for.
        longest_window_seconds: u64 = 7200,
        /// Whether requester and approver may be the same person.
        requester_may_approve: bool = false,
        /// Days until an undecided request and unfetched footage expire.
        deadline_days: u64 = 30,
        /// Number template.
        numbers: String = "VR-{YYYY}-{###}".to_owned(),
        /// Days that an upload link holds.
        link_days: u64 = 14,
    }
}

section! {
    /// Cases and uploads.
    Evidence {
        /// Number template of cases.
        case_numbers: String = "C-{YYYY}-{###}".to_owned(),
        /// The largest file, in bytes.
        largest_upload_bytes: u64 = 64 << 30,
        /// Whether each part of an upload is on the disk before it is answered, and not only the whole at its end. Slower; without it
        /// a power failure may cost an unfinished upload what arrived last, which its sender then sends again.
        durable_parts: bool = false,
        /// Hours that an unfinished upload is kept.
        upload_hours: u64 = 72,
        /// Hours that a file is kept after it was refused, or after its item ended otherwise without its release. Its hash stays.
        refused_hours: u64 = 168,
    }
}

section! {
    /// Sessions.
    Sessions {
        /// Minutes without use after which one ends.
        idle_minutes: u64 = 720,
        /// Hours after which one ends in any case.
        absolute_hours: u64 = 168,
    }
}

section! {
    /// Delivery of mail.
    SmtpConfig {
        /// Host name; empty: mail is kept.
        host: String = String::new(),
        /// Port.
        port: u16 = 587,
        /// `starttls`, `tls` or `none`.
        security: String = "starttls".to_owned(),
        /// User name; empty: none.
        username: String = String::new(),
        /// Password.
        password: String = String::new(),
        /// The sender.
        from: String = "Sightline <sightline@localhost>".to_owned(),
    }
}

section! {
    /// The map.
    Map {
        /// Streets and buildings as a GeoJSON file; empty: none.
        streets: PathBuf = PathBuf::new(),
    }
}

section! {
    /// Media programs.
    MediaConfig {
        /// `ffmpeg`.
        ffmpeg: PathBuf = "/usr/bin/ffmpeg".into(),
        /// `ffprobe`.
        ffprobe: PathBuf = "/usr/bin/ffprobe".into(),
        /// Run them even where this kernel has no Landlock, so that a hostile file could reach this server's other files.
        allow_unconfined: bool = false,
    }
}

section! {
    /// The ledger.
    Ledger {
        /// The file with its private key; empty: `ledger-key` in the data directory. Servers that share a database share it.
        key: PathBuf = PathBuf::new(),
        /// Whether anybody may read checkpoints and tiles, not auditors alone.
        public: bool = false,
    }
}

/// Shown instead of a secret.
const HIDDEN: &str = "(set)";

impl Config {
    /// Reads the file, if one is named, and the environment.
    pub fn load(file: Option<&Path>) -> anyhow::Result<Self> {
        let mut table = match file {
            Some(file) => std::fs::read_to_string(file)
                .with_context(|| format!("reading {}", file.display()))?
                .parse::<toml::Table>()?,
            None => toml::Table::new(),
        };
        overlay(&mut table, std::env::vars())?;
        let config = toml::Value::Table(table)
            .try_into()
            .context("the configuration has a setting that is unknown or of the wrong kind")?;
        Ok(config)
    }

    /// All settings as TOML, secrets left out.
    pub fn print(&self) -> String {
        let mut shown = self.clone();
        for secret in [&mut shown.blobs.s3_secret_key, &mut shown.smtp.password] {
            if !secret.is_empty() {
                *secret = HIDDEN.to_owned();
            }
        }
        if let Some((scheme, rest)) = shown.database.url.clone().split_once("://")
            && let Some((_, host)) = rest.rsplit_once('@')
        {
            shown.database.url = format!("{scheme}://{HIDDEN}@{host}");
        }
        toml::to_string(&shown).expect("settings are plain data")
    }

    /// The address that links begin with.
    pub fn public_url(&self) -> String {
        match self.server.public_url.trim_end_matches('/') {
            "" => format!("http://{}", self.server.listen),
            given => given.to_owned(),
        }
    }

    fn settings(&self) -> anyhow::Result<Settings> {
        let smtp = &self.smtp;
        let security = match smtp.security.as_str() {
            "none" => SmtpSecurity::None,
            "starttls" => SmtpSecurity::StartTls,
            "tls" => SmtpSecurity::Tls,
            other => anyhow::bail!("smtp.security is {other:?}; expected starttls, tls or none"),
        };
        for (setting, template) in
            [("requests.numbers", &self.requests.numbers), ("evidence.case_numbers", &self.evidence.case_numbers)]
        {
            NumberTemplate::parse(template).with_context(|| format!("{setting} = {template:?}"))?;
        }
        if !smtp.host.is_empty() {
            app::mail::check_sender(&smtp.from).map_err(|why| {
                anyhow::anyhow!(
                    "smtp.from = {:?} is no address ({why}); such as \"Sightline <sightline@agency.example>\"",
                    smtp.from
                )
            })?;
        }
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let itself = std::env::current_exe().context("finding this program")?;
        Ok(Settings {
            public_url: self.public_url(),
            longest_window: Duration::from_secs(self.requests.longest_window_seconds),
            requester_may_approve: self.requests.requester_may_approve,
            deadline: Duration::from_secs(self.requests.deadline_days * 86_400),
            request_numbers: self.requests.numbers.clone(),
            case_numbers: self.evidence.case_numbers.clone(),
            link_lifetime: Duration::from_secs(self.requests.link_days * 86_400),
            largest_upload_bytes: self.evidence.largest_upload_bytes,
            durable_parts: self.evidence.durable_parts,
            upload_lifetime: Duration::from_secs(self.evidence.upload_hours * 3600),
            refused_lifetime: Duration::from_secs(self.evidence.refused_hours * 3600),
            session_idle: Duration::from_secs(self.sessions.idle_minutes * 60),
            session_absolute: Duration::from_secs(self.sessions.absolute_hours * 3600),
            smtp: given(&smtp.host).map(|host| Smtp {
                host,
                port: smtp.port,
                security,
                username: given(&smtp.username),
                password: given(&smtp.password),
                from: smtp.from.clone(),
            }),
            streets: (!self.map.streets.as_os_str().is_empty()).then(|| self.map.streets.clone()),
            media: Media {
                ffmpeg: self.media.ffmpeg.clone(),
                ffprobe: self.media.ffprobe.clone(),
                confine: {
                    let option = self.media.allow_unconfined.then(|| "--allow-unconfined".into());
                    [itself.into(), "confined".into()].into_iter().chain(option).collect()
                },
            },
            ledger_key: (!self.ledger.key.as_os_str().is_empty()).then(|| self.ledger.key.clone()),
            ledger_public: self.ledger.public,
            password_cost: PasswordCost::Production,
        })
    }

    /// Connects to the database.
    pub async fn open_database(&self) -> anyhow::Result<Database> {
        private_folder(&self.data)?;
        let url =
            if self.database.url.is_empty() { Database::sqlite_url(&self.data) } else { self.database.url.clone() };
        Database::open(&url, Database::system_entropy()).await.context("opening the database")
    }

    /// Opens an installation that is there: a mistyped folder must not become a new one that is found to be in order.
    pub async fn open_existing_app(&self) -> anyhow::Result<App> {
        if self.database.url.is_empty() && !self.data.join("sightline.db").is_file() {
            anyhow::bail!("there is no installation in {}: say which with --data or --config", self.data.display());
        }
        self.open_app().await
    }

    /// Opens the installation. SQLite is brought up to date; PostgreSQL must be, by `sightline migrate`, unless it is empty.
    pub async fn open_app(&self) -> anyhow::Result<App> {
        let db = self.open_database().await?;
        db.migrate_at_start().await.context("the database does not fit this version: run `sightline migrate`")?;
        let blobs = if self.blobs.s3_endpoint.is_empty() {
            app::Blobs::in_folder(&self.data.join("blobs"), Database::system_entropy())
        } else {
            let s3 = app::S3 {
                endpoint: self.blobs.s3_endpoint.clone(),
                bucket: self.blobs.s3_bucket.clone(),
                region: self.blobs.s3_region.clone(),
                access_key: self.blobs.s3_access_key.clone(),
                secret_key: self.blobs.s3_secret_key.clone(),
            };
            app::Blobs::in_s3(&s3, Database::system_entropy())
        };
        let blobs = blobs.context("opening the file store")?;
        if !self.blobs.s3_endpoint.is_empty() {
            let bucket = format!("the bucket {:?} at {}", self.blobs.s3_bucket, self.blobs.s3_endpoint);
            blobs.reach().await.with_context(|| format!("{bucket} cannot be listed: make it, or correct [blobs]"))?;
        }
        Ok(App::new(db, blobs, Clock::System, self.settings()?, self.data.clone()))
    }
}

/// Makes the data directory, readable by its owner alone.
pub(crate) fn private_folder(folder: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .with_context(|| format!("making {}", folder.display()))
}

/// Puts `SIGHTLINE_SECTION__KEY` over the file's settings. Values are TOML where they parse as it, text otherwise.
fn overlay(table: &mut toml::Table, variables: impl Iterator<Item = (String, String)>) -> anyhow::Result<()> {
    for (name, value) in variables {
        let Some((section, key)) = name.strip_prefix("SIGHTLINE_").and_then(|rest| rest.split_once("__")) else {
            continue;
        };
        let section = table.entry(section.to_lowercase()).or_insert_with(|| toml::Table::new().into());
        let section = section.as_table_mut().with_context(|| format!("{name}: this is not a section"))?;
        let parsed = format!("v = {value}").parse::<toml::Table>().ok().and_then(|mut t| t.remove("v"));
        section.insert(key.to_lowercase(), parsed.unwrap_or(toml::Value::String(value)));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_wins_over_the_file() {
        let mut table: toml::Table = "[requests]\nlongest_window_seconds = 60\nnumbers = 'A-{###}'".parse().unwrap();
        let set = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        overlay(
            &mut table,
            [
                set("SIGHTLINE_REQUESTS__LONGEST_WINDOW_SECONDS", "90"),
                set("SIGHTLINE_SMTP__HOST", "mail.example.org"),
                set("HOME", "/"),
            ]
            .into_iter(),
        )
        .unwrap();
        let config: Config = toml::Value::Table(table).try_into().unwrap();
        assert_eq!(config.requests.longest_window_seconds, 90);
        assert_eq!(config.requests.numbers, "A-{###}");
        assert_eq!(config.smtp.host, "mail.example.org");
    }

    #[test]
    fn printing_hides_secrets() {
        let mut config = Config::default();
        config.smtp.password = "hunter2hunter2".into();
        config.database.url = "postgres://sightline:hunter2@db/sightline".into();
        let shown = config.print();
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(shown.contains("postgres://(set)@db/sightline"));
    }

    #[test]
    fn unknown_settings_are_refused() {
        assert!(toml::Value::Table("[smtp]\nhots = 'x'".parse().unwrap()).try_into::<Config>().is_err());
    }
}
