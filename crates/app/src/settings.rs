//! What the administrator configures. The server reads it from a file and the environment.

use std::path::PathBuf;
use std::time::Duration;

/// Delivery of mail.
#[derive(Debug, Clone)]
pub struct Smtp {
    /// Host name of the mail server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// `starttls`, `tls` or `none`.
    pub security: SmtpSecurity,
    /// User name, where the server asks for one.
    pub username: Option<String>,
    /// Password.
    pub password: Option<String>,
    /// The sender: `Sightline <sightline@example.org>`.
    pub from: String,
}

/// How the connection to the mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmtpSecurity {
    /// Plain text; for a server on this machine.
    None,
    /// Begins plain and must become TLS.
    StartTls,
    /// TLS from the first byte.
    Tls,
}

/// All settings that actions read.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The address that links in mails begin with, without a slash at the end.
    pub public_url: String,
    /// The longest window of footage that one item may ask for.
    pub longest_window: Duration,
    /// Whether requester and approver may be the same person.
    pub requester_may_approve: bool,
    /// How long a request waits for a decision, and an approved item for its footage.
    pub deadline: Duration,
    /// Number template of requests.
    pub request_numbers: String,
    /// Number template of cases.
    pub case_numbers: String,
    /// How long an upload link holds by default.
    pub link_lifetime: Duration,
    /// The largest file that may be uploaded, in bytes.
    pub largest_upload_bytes: u64,
    /// Whether each part of an upload is on the disk before it is answered. Otherwise the whole is, before it is recorded.
    pub durable_parts: bool,
    /// How long an unfinished upload is kept.
    pub upload_lifetime: Duration,
    /// How long a file is kept that was refused, or whose item ended otherwise without its release.
    pub refused_lifetime: Duration,
    /// How long a session holds without use.
    pub session_idle: Duration,
    /// How long a session holds at most.
    pub session_absolute: Duration,
    /// Mail delivery; without it mail is kept for the administrator to read.
    pub smtp: Option<Smtp>,
    /// Streets and buildings that the agency brings, as GeoJSON.
    pub streets: Option<PathBuf>,
    /// How media programs are run.
    pub media: Media,
    /// The file with the ledger's key; `ledger-key` in the data directory where it is not given. Servers that share a
    /// database share this file.
    pub ledger_key: Option<PathBuf>,
    /// Whether anybody may read tiles and checkpoints, not auditors alone.
    pub ledger_public: bool,
    /// Work of hashing a password.
    pub password_cost: PasswordCost,
}

/// How media programs are run.
#[derive(Debug, Clone)]
pub struct Media {
    /// `ffmpeg`.
    pub ffmpeg: PathBuf,
    /// `ffprobe`.
    pub ffprobe: PathBuf,
    /// The command that confines them, put before theirs; empty only in tests.
    pub confine: Vec<std::ffi::OsString>,
}

/// Work of hashing a password: tests do not wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordCost {
    /// 19 MiB, two passes (OWASP's recommendation for argon2id).
    Production,
    /// As little as the algorithm allows.
    Test,
}

impl Default for Settings {
    fn default() -> Self {
        const HOUR: u64 = 3600;
        Self {
            public_url: "http://127.0.0.1:8080".to_owned(),
            longest_window: Duration::from_secs(2 * HOUR),
            requester_may_approve: false,
            deadline: Duration::from_secs(30 * 24 * HOUR),
            request_numbers: "VR-{YYYY}-{###}".to_owned(),
            case_numbers: "C-{YYYY}-{###}".to_owned(),
            link_lifetime: Duration::from_secs(14 * 24 * HOUR),
            largest_upload_bytes: 64 << 30,
            durable_parts: false,
            upload_lifetime: Duration::from_secs(3 * 24 * HOUR),
            refused_lifetime: Duration::from_secs(7 * 24 * HOUR),
            session_idle: Duration::from_secs(12 * HOUR),
            session_absolute: Duration::from_secs(7 * 24 * HOUR),
            smtp: None,
            streets: None,
            media: Media { ffmpeg: "ffmpeg".into(), ffprobe: "ffprobe".into(), confine: Vec::new() },
            ledger_key: None,
            ledger_public: false,
            password_cost: PasswordCost::Production,
        }
    }
}
