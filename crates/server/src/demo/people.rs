//! Who works with the demo, and their passwords.

use std::path::Path;

use anyhow::{Context as _, Result};
use domain::account::Role;
use serde::{Deserialize, Serialize};

use super::city::Owner;

/// Somebody of the demo.
pub(super) struct Somebody {
    pub(super) name: &'static str,
    pub(super) works_for: Owner,
    /// None: they open what is shared with them.
    pub(super) role: Option<Role>,
    /// What the table calls them.
    pub(super) title: &'static str,
    /// Holds the role for every organization, not only for their own.
    pub(super) everywhere: bool,
    /// What they do in the story.
    pub(super) story: &'static str,
}

/// Everybody, in the order in which they are shown.
pub(super) const EVERYBODY: [Somebody; 10] = [
    Somebody {
        name: "Ines Okafor",
        works_for: Owner::Police,
        role: Some(Role::Investigator),
        title: "investigator",
        everywhere: true,
        story: "asks for footage",
    },
    Somebody {
        name: "Paul Reyes",
        works_for: Owner::Police,
        role: Some(Role::Approver),
        title: "approver",
        everywhere: true,
        story: "decides, for every owner",
    },
    Somebody {
        name: "Tara Lindt",
        works_for: Owner::Transit,
        role: Some(Role::Approver),
        title: "approver",
        everywhere: false,
        story: "decides for transit",
    },
    Somebody {
        name: "Mona Keller",
        works_for: Owner::Mall,
        role: Some(Role::Approver),
        title: "approver",
        everywhere: false,
        story: "decides for the mall",
    },
    Somebody {
        name: "Ada Brandt",
        works_for: Owner::Police,
        role: Some(Role::Administrator),
        title: "administrator",
        everywhere: true,
        story: "runs the installation",
    },
    Somebody {
        name: "Otto Virtanen",
        works_for: Owner::Police,
        role: Some(Role::Auditor),
        title: "auditor",
        everywhere: true,
        story: "checks who did what",
    },
    Somebody {
        name: "Cam Alvarez",
        works_for: Owner::Transit,
        role: Some(Role::Operator),
        title: "operator",
        everywhere: false,
        story: "runs transit's recorder",
    },
    Somebody {
        name: "Mika Sato",
        works_for: Owner::Mall,
        role: Some(Role::Operator),
        title: "operator",
        everywhere: false,
        story: "runs the mall's cameras",
    },
    Somebody {
        name: "Gus Navarro",
        works_for: Owner::Transit,
        role: Some(Role::Guest),
        title: "guest",
        everywhere: true,
        story: "asks as a guest from another agency",
    },
    Somebody {
        name: "Nora Feld",
        works_for: Owner::Police,
        role: None,
        title: "prosecutor",
        everywhere: false,
        story: "reads the cases that are shared with her",
    },
];

impl Somebody {
    /// The address to sign in with.
    pub(super) fn email(&self) -> String {
        format!("{}@{}", self.name.replace(' ', ".").to_lowercase(), self.works_for.mail_domain())
    }
}

/// How somebody signs in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Credentials {
    pub(super) email: String,
    pub(super) password: String,
    pub(super) role: String,
}

const WORDS: [&str; 32] = [
    "amber", "anchor", "basalt", "birch", "canyon", "cedar", "cobalt", "copper", "coral", "delta", "ember", "falcon",
    "fjord", "garnet", "harbor", "heron", "indigo", "juniper", "lantern", "maple", "meadow", "nickel", "ocean", "opal",
    "pebble", "prairie", "quartz", "river", "saffron", "timber", "velvet", "willow",
];

/// The passwords of this data directory: invented once, so that a restart prints the same again.
pub(super) fn credentials(folder: &Path, mut random: impl FnMut() -> [u8; 8]) -> Result<Vec<Credentials>> {
    let path = folder.join("accounts.json");
    if let Ok(text) = std::fs::read_to_string(&path) {
        return serde_json::from_str(&text).with_context(|| format!("{} is not what the demo wrote", path.display()));
    }
    let invented: Vec<Credentials> = EVERYBODY
        .iter()
        .map(|somebody| Credentials {
            email: somebody.email(),
            password: password(random()),
            role: somebody.title.to_owned(),
        })
        .collect();
    super::write_private(&path, &serde_json::to_vec_pretty(&invented)?)?;
    Ok(invented)
}

fn password(random: [u8; 8]) -> String {
    let words: Vec<&str> = random[..4].iter().map(|&byte| WORDS[usize::from(byte) % WORDS.len()]).collect();
    let number = u32::from_be_bytes([random[4], random[5], random[6], random[7]]) % 10_000;
    format!("{}-{number:04}", words.join("-"))
}

/// The table that a person reads.
pub(super) fn table(url: &str, credentials: &[Credentials]) -> String {
    let mut text = format!("\n{} is at {url}\n\n", super::city::NAME);
    for (somebody, known) in EVERYBODY.iter().zip(credentials) {
        text += &format!("  {:<14} {:<44} {:<38} {}\n", known.role, known.email, known.password, somebody.story);
    }
    text += "\nA participant needs no account: approve a request for a street camera on Union, Cedar or Park Avenue, where the police have\n\
             no recorder, and open the upload link in the mail to its approver (the administrator reads mails in the page).\n";
    text + "\nThe cameras record until you press Ctrl-C.\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_invented_once() {
        let folder = tempfile::tempdir().unwrap();
        let mut number = 0;
        let mut random = || {
            number += 1;
            [number; 8]
        };
        let first = credentials(folder.path(), &mut random).unwrap();
        let again = credentials(folder.path(), &mut random).unwrap();
        assert_eq!(format!("{first:?}"), format!("{again:?}"));
        assert!(first.iter().all(|known| known.password.len() >= 20));
        let roles: Vec<_> = first.iter().map(|known| known.role.as_str()).collect();
        for role in ["administrator", "investigator", "approver", "auditor", "operator", "guest", "prosecutor"] {
            assert!(roles.contains(&role), "{role}");
        }
    }
}
