//! Secrets that we hand out: sessions, tokens, links, connector keys. 256 random bits; only their hash is stored.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proof::Sha256Digest;

use crate::App;

/// A secret to be shown or sent once. It does not print itself.
#[derive(Clone)]
pub struct Secret(String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(secret)")
    }
}

impl Secret {
    /// A new one, with a prefix that tells people and scanners what it is: `slt_…`.
    pub fn new(app: &App, prefix: &str) -> Self {
        Self(format!("{prefix}_{}", URL_SAFE_NO_PAD.encode(app.random::<32>())))
    }

    /// The secret itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is stored.
    pub fn hash(&self) -> String {
        hash(&self.0)
    }
}

/// The hash under which a presented secret is looked up. Looking up a hash of 256 random bits in an index leaks nothing
/// that helps to guess them, so this is as good as a comparison in constant time.
pub fn hash(presented: &str) -> String {
    Sha256Digest::of(presented.as_bytes()).to_string()
}
