//! Who asks: a person, a token, a connector, the holder of a link, or the server itself.

use crate::account::Account;
use crate::id::{AccountId, ConnectorId, FileRequestId, GroupId, OrganizationId, TokenId};
use crate::policy::Privilege;

/// By what right somebody asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Means {
    /// A person in a browser.
    Session,
    /// A program with a token, which may hold less than its account.
    Token(TokenId),
    /// A connector with its key.
    Connector(ConnectorId),
    /// Somebody with an upload link.
    Link(FileRequestId),
    /// The server: jobs, deadlines, the command line.
    Server,
}

/// Who asks, and what they hold.
#[derive(Debug, Clone)]
pub struct Caller {
    /// By what right.
    pub means: Means,
    /// The account, where there is one.
    pub account: Option<Account>,
    /// The groups of the account.
    pub groups: Vec<GroupId>,
    /// What they may do, each for one organization or for all (`None`).
    pub privileges: Vec<(Privilege, Option<OrganizationId>)>,
    /// The connector's organization, where it is one.
    pub organization_id: Option<OrganizationId>,
}

impl Caller {
    /// A signed-in person with everything that their roles give.
    pub fn session(account: Account, groups: Vec<GroupId>) -> Self {
        let privileges = account.privileges();
        Self {
            means: Means::Session,
            organization_id: Some(account.organization_id.clone()),
            account: Some(account),
            groups,
            privileges,
        }
    }

    /// A program: what the account holds, cut to the token's scopes where it has any.
    pub fn token(id: TokenId, scopes: &[Privilege], account: Account, groups: Vec<GroupId>) -> Self {
        let mut caller = Self { means: Means::Token(id), ..Self::session(account, groups) };
        if !scopes.is_empty() {
            caller.privileges.retain(|(privilege, _)| scopes.contains(privilege));
        }
        caller
    }

    /// A connector of an organization.
    pub fn connector(id: ConnectorId, organization: OrganizationId) -> Self {
        Self {
            means: Means::Connector(id),
            account: None,
            groups: Vec::new(),
            privileges: Vec::new(),
            organization_id: Some(organization),
        }
    }

    /// The holder of a link.
    pub fn link(id: FileRequestId) -> Self {
        Self {
            means: Means::Link(id),
            account: None,
            groups: Vec::new(),
            privileges: Vec::new(),
            organization_id: None,
        }
    }

    /// The server itself.
    pub fn server() -> Self {
        Self { means: Means::Server, account: None, groups: Vec::new(), privileges: Vec::new(), organization_id: None }
    }

    /// The account's id, where there is one.
    pub fn account_id(&self) -> Option<&AccountId> {
        self.account.as_ref().map(|account| &account.id)
    }

    /// Whether a privilege is held for this organization.
    pub fn may(&self, privilege: Privilege, organization: &OrganizationId) -> bool {
        self.privileges.iter().any(|(held, of)| *held == privilege && of.as_ref().is_none_or(|o| o == organization))
    }

    /// Whether a privilege is held for any organization at all.
    pub fn may_somewhere(&self, privilege: Privilege) -> bool {
        self.privileges.iter().any(|(held, _)| *held == privilege)
    }

    /// Whether a privilege is held for all organizations.
    pub fn may_everywhere(&self, privilege: Privilege) -> bool {
        self.privileges.iter().any(|(held, of)| *held == privilege && of.is_none())
    }

    /// The organizations for which a privilege is held; `None` means all of them. For `WHERE` clauses.
    pub fn organizations_with(&self, privilege: Privilege) -> Option<Vec<OrganizationId>> {
        if self.may_everywhere(privilege) {
            return None;
        }
        let mut held: Vec<_> =
            self.privileges.iter().filter(|(p, _)| *p == privilege).filter_map(|(_, of)| of.clone()).collect();
        held.sort_unstable();
        held.dedup();
        Some(held)
    }

    /// The principals that access lists may name: the account and its groups.
    pub fn principals(&self) -> Vec<&str> {
        let account = self.account.iter().map(|account| account.id.as_str());
        account.chain(self.groups.iter().map(GroupId::as_str)).collect()
    }

    /// What the ledger says acted: the id of the account, token, connector or link; nothing for the server itself.
    pub fn actor(&self) -> Option<String> {
        match &self.means {
            Means::Session => self.account_id().map(ToString::to_string),
            Means::Token(id) => Some(id.to_string()),
            Means::Connector(id) => Some(id.to_string()),
            Means::Link(id) => Some(id.to_string()),
            Means::Server => None,
        }
    }
}
