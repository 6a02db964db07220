//! Accounts, organizations, roles and tokens.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::id::{AccountId, GroupId, OrganizationId, TokenId};
use crate::policy::Privilege;
use crate::{Invalid, Timestamp};

/// An owner of sources, or the agency that runs the installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization {
    /// Its id.
    pub id: OrganizationId,
    /// As its people call it; unique.
    pub name: String,
    /// IANA time zone.
    pub time_zone: String,
    /// Runs this installation.
    pub is_host: bool,
    /// Its sources hold what is asked of them as soon as it is asked, so that it is not overwritten before the decision.
    pub holds_on_submission: bool,
    /// When it was entered.
    pub created_at: Timestamp,
    /// Rises with each change.
    pub version: i64,
}

/// A set of accounts of one organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its id.
    pub id: GroupId,
    /// Whose.
    pub organization_id: OrganizationId,
    /// Its name.
    pub name: String,
    /// Its members.
    pub members: Vec<AccountId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Rises with each change.
    pub version: i64,
}

/// A person who signs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// Where the person works.
    pub organization_id: OrganizationId,
    /// Its name, for screens.
    pub organization_name: String,
    /// Lowercase.
    pub email: String,
    /// Lowercase.
    pub user_name: String,
    /// The person's name.
    pub name: String,
    /// Signed in with a one-time password: nothing else is allowed before a new one is chosen.
    pub must_change_password: bool,
    /// Since when it cannot sign in.
    pub disabled_at: Option<Timestamp>,
    /// Last signed in or active.
    pub last_seen_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Rises with each change.
    pub version: i64,
    /// The roles held.
    pub grants: Vec<Grant>,
}

impl Account {
    /// Everything the roles give, each for one organization or for all, and what every account holds.
    pub fn privileges(&self) -> Vec<(Privilege, Option<OrganizationId>)> {
        let each = self.grants.iter().flat_map(|g| g.role.privileges().iter().map(|p| (*p, g.organization_id.clone())));
        let mut all: Vec<_> = each.chain([(Privilege::OpenCases, None)]).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// What is wrong with the fields that people enter.
    pub fn validate(&self) -> Result<(), Invalid> {
        let mut invalid = Invalid::new();
        invalid.require_text("/name", &self.name, 200);
        let plausible = |email: &str| {
            email.len() <= 254
                && !email.chars().any(|c| c.is_whitespace() || c.is_control())
                && matches!(email.split_once('@'), Some((a, b)) if !a.is_empty() && !b.is_empty() && !b.contains('@'))
        };
        if !plausible(&self.email) {
            invalid.add("/email", "Expected an e-mail address such as ana@example.org.");
        }
        let name_chars =
            |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-' | '@' | '+');
        if self.user_name.is_empty() || self.user_name.len() > 254 || !self.user_name.chars().all(name_chars) {
            invalid.add("/user_name", "Expected letters, digits, dots, dashes and underscores.");
        }
        invalid.into_result()
    }
}

/// A role held for one organization, or for all.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Grant {
    /// The role.
    pub role: Role,
    /// For which organization; none means for all.
    pub organization_id: Option<OrganizationId>,
}

/// A named set of privileges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Runs the installation; decides no request and opens no case by it.
    Administrator,
    /// Asks for footage.
    Investigator,
    /// Decides for the owner of cameras.
    Approver,
    /// Sees who did what.
    Auditor,
    /// Runs cameras and connectors of an organization.
    Operator,
    /// An officer of another agency: asks, and sees only their own.
    Guest,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Administrator, Self::Investigator, Self::Approver, Self::Auditor, Self::Operator, Self::Guest];

    /// As written in the API and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::Investigator => "investigator",
            Self::Approver => "approver",
            Self::Auditor => "auditor",
            Self::Operator => "operator",
            Self::Guest => "guest",
        }
    }

    /// As people say it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Administrator => "Administrator",
            Self::Investigator => "Investigator",
            Self::Approver => "Approver",
            Self::Auditor => "Auditor",
            Self::Operator => "Camera operator",
            Self::Guest => "Guest requester",
        }
    }

    /// What it gives.
    pub const fn privileges(self) -> &'static [Privilege] {
        use Privilege as P;
        match self {
            Self::Administrator => &[
                P::ViewRegistry,
                P::ManageRegistry,
                P::ViewParticipants,
                P::ManageParticipants,
                P::DeleteParticipants,
                P::InviteRequesters,
                P::ManageForms,
                P::ManageConnectors,
                P::ManageAccounts,
                P::ManageSettings,
                P::ViewDashboard,
            ],
            Self::Investigator => {
                &[P::ViewRegistry, P::ViewParticipants, P::SubmitRequests, P::CreateCases, P::ViewDashboard]
            }
            Self::Approver => &[P::ViewRegistry, P::ApproveRequests, P::ViewDashboard],
            Self::Auditor => &[P::ViewRegistry, P::ViewAllRequests, P::ViewAudit, P::ViewDashboard],
            Self::Operator => &[P::ViewRegistry, P::ManageRegistry, P::ManageConnectors],
            Self::Guest => &[P::ViewRegistry, P::SubmitRequests],
        }
    }
}

/// The text is no role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected one of administrator, investigator, approver, auditor, operator, guest")]
pub struct NotARole;

impl FromStr for Role {
    type Err = NotARole;

    fn from_str(text: &str) -> Result<Self, NotARole> {
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or(NotARole)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An API token, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Its id.
    pub id: TokenId,
    /// On whose behalf.
    pub account_id: AccountId,
    /// What it is for.
    pub name: String,
    /// The privileges it is cut to; none means all of its account's.
    pub scopes: Vec<Privilege>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last used.
    pub last_used_at: Option<Timestamp>,
    /// When it runs out.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// What is wrong with a password that somebody chose (NIST SP 800-63B §5.1.1.2: length, no composition rules).
pub fn validate_password(pointer: &str, password: &str) -> Result<(), Invalid> {
    match password.chars().count() {
        0..12 => Err(Invalid::field(pointer, "A password has at least 12 characters; several words make a good one.")),
        12..=256 => Ok(()),
        _ => Err(Invalid::field(pointer, "A password has at most 256 characters.")),
    }
}
