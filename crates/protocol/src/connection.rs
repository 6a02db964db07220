use domain::id::ConnectorId;
use serde::{Deserialize, Serialize};

/// What a connector needs to dial in: TOML, issued once by the server. It holds a secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionFile {
    /// The server, without a path: `https://sightline.example`.
    pub url: String,
    /// The connector that the server made.
    pub connector_id: ConnectorId,
    /// The bearer key. The server keeps only its hash.
    pub key: String,
    /// Versions of the protocol that the server speaks.
    #[serde(default)]
    pub versions: Vec<u32>,
    /// The only certificate authority to trust, in PEM; none for those of the system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_pem: Option<String>,
}

impl std::fmt::Debug for ConnectionFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ConnectionFile")
            .field("url", &self.url)
            .field("connector_id", &self.connector_id)
            .finish_non_exhaustive()
    }
}

impl ConnectionFile {
    /// The file as the server issues it.
    pub fn to_toml(&self) -> String {
        let quoted = |text: &str| serde_json::Value::from(text).to_string(); // a JSON string is a TOML basic string
        let mut out = String::from(
            "# What sightline-connector needs to dial in. Keep it as you keep a password: it holds a secret.\n",
        );
        out += &format!("url = {}\n", quoted(&self.url));
        out += &format!("connector_id = {}\n", quoted(self.connector_id.as_str()));
        out += &format!("key = {}\n", quoted(&self.key));
        let versions: Vec<_> = self.versions.iter().map(u32::to_string).collect();
        out += &format!("versions = [{}]\n", versions.join(", "));
        if let Some(pem) = &self.ca_pem {
            out += &format!("ca_pem = {}\n", quoted(pem));
        }
        out
    }
}
