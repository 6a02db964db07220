//! Where an installation keeps its rows and its bytes.

use store::testing::{S3Server, empty_postgres};

/// What a test chooses, and what has to run for it.
pub(crate) enum Storage {
    /// SQLite and a folder, both in the data directory.
    DataDirectory,
    /// PostgreSQL and S3.
    Servers { database: String, s3: S3Server },
}

impl Storage {
    /// An empty database and an empty bucket.
    pub(crate) async fn servers() -> Self {
        Self::Servers { database: empty_postgres().await, s3: S3Server::start().await }
    }

    /// As the configuration file of the server names it.
    pub(crate) fn settings(&self) -> String {
        match self {
            Self::DataDirectory => String::new(),
            Self::Servers { database, s3 } => format!(
                "[database]\nurl = \"{database}\"\n\
                 [blobs]\ns3_endpoint = \"{}\"\ns3_bucket = \"{}\"\ns3_access_key = \"{}\"\ns3_secret_key = \"{}\"\n",
                s3.access.endpoint, s3.access.bucket, s3.access.access_key, s3.access.secret_key
            ),
        }
    }
}
