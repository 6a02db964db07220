//! Who may do what, and who sees what. No permission is decided anywhere else.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Caller;
use crate::account::{Account, Grant};
use crate::caller::Means;
use crate::case::Level;
use crate::id::{AccountId, GroupId, OrganizationId};
use crate::request_item::{self, Action, RequestItem};

/// Seen, but not theirs to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Forbidden(pub &'static str);

/// The answer of a policy.
pub type Allowed = Result<(), Forbidden>;

fn allowed_if(condition: bool, otherwise: &'static str) -> Allowed {
    if condition { Ok(()) } else { Err(Forbidden(otherwise)) }
}

macro_rules! privileges {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// Something that a role allows, for one organization or for all.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum Privilege { $($(#[$doc])* $name,)* }

        impl Privilege {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// As written in the API and in the database.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }

        impl FromStr for Privilege {
            type Err = Forbidden;

            fn from_str(text: &str) -> Result<Self, Forbidden> {
                match text { $($text => Ok(Self::$name),)* _ => Err(Forbidden("not a privilege")) }
            }
        }
    };
}

privileges! {
    /// Search published sources.
    ViewRegistry = "view_registry",
    /// Enter, change, hide and remove sources.
    ManageRegistry = "manage_registry",
    /// See participants.
    ViewParticipants = "view_participants",
    /// Enrol and change participants.
    ManageParticipants = "manage_participants",
    /// Delete participants.
    DeleteParticipants = "delete_participants",
    /// Ask for footage.
    SubmitRequests = "submit_requests",
    /// Invite officers of other agencies.
    InviteRequesters = "invite_requesters",
    /// Decide on requests for an owner's sources.
    ApproveRequests = "approve_requests",
    /// See the requests of everybody.
    ViewAllRequests = "view_all_requests",
    /// Build request and enrolment forms.
    ManageForms = "manage_forms",
    /// Make cases.
    CreateCases = "create_cases",
    /// Open the cases whose access lists name one. Every account holds it, whatever its roles: it is there so that a token can lack it.
    OpenCases = "open_cases",
    /// Add and revoke connectors.
    ManageConnectors = "manage_connectors",
    /// Add, change and disable accounts.
    ManageAccounts = "manage_accounts",
    /// Settings, mail, jobs.
    ManageSettings = "manage_settings",
    /// Read the ledger.
    ViewAudit = "view_audit",
    /// See numbers over all requests.
    ViewDashboard = "view_dashboard",
}

impl fmt::Display for Privilege {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether a privilege is held for at least one organization: for lists, which are then cut to those organizations.
pub fn holds(caller: &Caller, privilege: Privilege) -> Allowed {
    allowed_if(caller.may_somewhere(privilege), "Your roles do not allow this.")
}

/// Whether a privilege is held for all organizations: for what belongs to the whole installation.
pub fn holds_everywhere(caller: &Caller, privilege: Privilege) -> Allowed {
    allowed_if(caller.may_everywhere(privilege), "Only somebody who holds this role for all organizations may do this.")
}

/// Entering and changing organizations.
pub fn manage_organizations(caller: &Caller) -> Allowed {
    holds_everywhere(caller, Privilege::ManageAccounts)
}

/// Whether an account's existence may be known: by itself, by those who manage accounts of its organization.
pub fn sees_account(caller: &Caller, account: &Account) -> bool {
    caller.account_id() == Some(&account.id) || caller.may(Privilege::ManageAccounts, &account.organization_id)
}

/// Whether somebody with these roles manages the accounts of all organizations.
pub fn manages_all_accounts(grants: &[Grant]) -> bool {
    grants
        .iter()
        .any(|grant| grant.organization_id.is_none() && grant.role.privileges().contains(&Privilege::ManageAccounts))
}

/// A person changes their password, in a browser: what a token may do ends with the token.
pub fn change_password(caller: &Caller) -> Allowed {
    allowed_if(matches!(caller.means, Means::Session), "A password is changed by whoever has signed in with it.")
}

/// Making or changing an account of an organization so that it holds these roles. Nobody hands out, or takes away, a role for an
/// organization where they do not manage accounts.
pub fn manage_account(caller: &Caller, organization: &OrganizationId, grants: &[Grant]) -> Allowed {
    allowed_if(
        caller.may(Privilege::ManageAccounts, organization),
        "Only somebody who manages this organization's accounts may do this.",
    )?;
    let within = |grant: &Grant| match &grant.organization_id {
        Some(of) => caller.may(Privilege::ManageAccounts, of),
        None => caller.may_everywhere(Privilege::ManageAccounts),
    };
    allowed_if(grants.iter().all(within), "You may only give roles for organizations whose accounts you manage.")
}

/// Which groups somebody sees. Queries put it into their `WHERE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeesGroups {
    /// All of these organizations; `None`: of all.
    pub of: Option<Vec<OrganizationId>>,
    /// And these.
    pub own: Vec<GroupId>,
}

/// Groups are seen by those who manage accounts of their organization, and by their members.
pub fn sees_groups(caller: &Caller) -> SeesGroups {
    SeesGroups { of: caller.organizations_with(Privilege::ManageAccounts), own: caller.groups.clone() }
}

/// Groups are made and changed by those who manage accounts of their organization.
pub fn manage_group(caller: &Caller, organization: &OrganizationId) -> Allowed {
    allowed_if(
        caller.may(Privilege::ManageAccounts, organization),
        "Only somebody who manages this organization's accounts may do this.",
    )
}

/// Which sources somebody sees. Queries put it into their `WHERE`. `None` means of all organizations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeesSources {
    /// The published ones of these.
    pub published_of: Option<Vec<OrganizationId>>,
    /// All of these, published or not.
    pub all_of: Option<Vec<OrganizationId>>,
}

/// Sources are seen by those who may search the registry, hidden ones by those who manage it.
pub fn sees_sources(caller: &Caller) -> SeesSources {
    match &caller.means {
        Means::Server => SeesSources { published_of: None, all_of: None },
        Means::Connector(_) => SeesSources {
            published_of: Some(Vec::new()),
            all_of: Some(caller.organization_id.iter().cloned().collect()),
        },
        _ => SeesSources {
            published_of: caller.organizations_with(Privilege::ViewRegistry),
            all_of: caller.organizations_with(Privilege::ManageRegistry),
        },
    }
}

/// Cameras are entered, changed, hidden and removed by those who manage their owner's registry.
pub fn manage_camera(caller: &Caller, organization: &OrganizationId) -> Allowed {
    allowed_if(
        caller.may(Privilege::ManageRegistry, organization),
        "Only somebody who manages this organization's registry may do this.",
    )
}

/// Tokens are made in a browser by the person themselves: a token makes no tokens.
pub fn manage_own_tokens(caller: &Caller) -> Allowed {
    allowed_if(caller.means == Means::Session, "Tokens are made and revoked by a person who is signed in.")
}

/// Deciding about an owner's footage. `may_be_same` is the policy on a requester who decides for themself.
fn decide(caller: &Caller, owner: &OrganizationId, requester: &AccountId, may_be_same: bool) -> Allowed {
    let decides = caller.may(Privilege::ApproveRequests, owner);
    allowed_if(decides, "Only an approver of the organization that owns the source may do this.")?;
    let other = may_be_same || caller.account_id() != Some(requester);
    allowed_if(other, "You asked for this yourself; somebody else has to decide.")
}

/// Adding an item's footage by hand: for the owner, by those who decide about the item. What they add is released to the requester, so
/// the requester does not add it.
pub fn add_file_to_item(caller: &Caller, owner: &OrganizationId, requester: &AccountId, may_be_same: bool) -> Allowed {
    decide(caller, owner, requester, may_be_same)
}

/// Which video requests and items somebody sees. Queries put it into their `WHERE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeesRequests {
    /// Everything, everywhere.
    pub all: bool,
    /// Whole requests of this requester.
    pub requester: Option<AccountId>,
    /// Whole requests that these organizations asked.
    pub asked_by: Vec<OrganizationId>,
    /// The heads of requests for sources of these organizations, with the items for those sources and no others.
    pub owned_by: Vec<OrganizationId>,
    /// Of the cases of whole requests, those that may be opened: to anybody else a case is a door that says 404.
    pub cases: SeesCases,
}

impl SeesRequests {
    /// Whether the whole of a request is seen, with every item.
    pub fn whole(&self, requester: &AccountId, organization: &OrganizationId) -> bool {
        self.all || self.requester.as_ref() == Some(requester) || self.asked_by.contains(organization)
    }
}

/// What somebody sees of video requests: their own; as an approver the items for the sources they decide about; as an auditor
/// what the organization asked and what it was asked.
pub fn sees_requests(caller: &Caller) -> SeesRequests {
    let audited = caller.organizations_with(Privilege::ViewAllRequests);
    let decides = caller.organizations_with(Privilege::ApproveRequests);
    let own = caller.means == Means::Session || caller.may_somewhere(Privilege::SubmitRequests);
    let asked_by = audited.clone().unwrap_or_default();
    let mut owned_by = [asked_by.clone(), decides.clone().unwrap_or_default()].concat();
    owned_by.sort_unstable();
    owned_by.dedup();
    SeesRequests {
        all: caller.means == Means::Server || audited.is_none() || decides.is_none(),
        requester: caller.account_id().filter(|_| own).cloned(),
        asked_by,
        owned_by,
        cases: sees_cases(caller),
    }
}

/// Asking for footage of an organization's source.
pub fn submit_request(caller: &Caller) -> Allowed {
    allowed_if(caller.account.is_some(), "Only a person, or a program in a person's name, asks for footage.")?;
    holds(caller, Privilege::SubmitRequests)
}

/// Doing something to a request item that is seen. `may_be_same` is the policy on a requester who decides for themself.
pub fn request_item(
    caller: &Caller,
    action: Action,
    item: &RequestItem,
    requester: &AccountId,
    may_be_same: bool,
) -> Allowed {
    let asked = caller.account_id() == Some(requester) && caller.may_somewhere(Privilege::SubmitRequests);
    let decide = || decide(caller, &item.organization_id, requester, may_be_same);
    match action {
        Action::Approve
        | Action::Deny
        | Action::Ask
        | Action::Unavailable
        | Action::Release
        | Action::FileRequest
        | Action::Hold
        | Action::Free => decide(),
        Action::Answer | Action::Cancel => allowed_if(asked, "Only the requester may do this."),
        Action::Retry => {
            if asked {
                Ok(())
            } else {
                decide()
            }
        }
        _ => allowed_if(false, "This is not done by hand."),
    }
}

/// What somebody may do to an item as it stands now.
pub fn request_item_actions(
    caller: &Caller,
    item: &RequestItem,
    requester: &AccountId,
    may_be_same: bool,
) -> Vec<Action> {
    request_item::allowed(item.state)
        .filter(|action| item.hold_allows(*action))
        .filter(|action| request_item(caller, *action, item, requester, may_be_same).is_ok())
        .collect()
}

/// Writing into the thread of a request that is seen: its requester, and those who decide about one of its items.
pub fn comment_on_request(caller: &Caller, requester: &AccountId, owners: &[OrganizationId]) -> Allowed {
    let takes_part = caller.account_id() == Some(requester)
        || owners.iter().any(|owner| caller.may(Privilege::ApproveRequests, owner));
    allowed_if(takes_part && caller.account.is_some(), "Only the requester and the owners' approvers write here.")
}

/// Which cases somebody sees: those whose access list names them or a group of theirs. Queries put it into their `WHERE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeesCases {
    /// Everything: the server itself.
    pub all: bool,
    /// The account and its groups.
    pub principals: Vec<String>,
}

/// What somebody sees of cases. No role opens a case: only its access list does, and a token only where its scopes say so.
pub fn sees_cases(caller: &Caller) -> SeesCases {
    let opens = caller.may_somewhere(Privilege::OpenCases);
    let principals = caller.principals().into_iter().filter(|_| opens);
    SeesCases { all: caller.means == Means::Server, principals: principals.map(str::to_owned).collect() }
}

/// Which files somebody sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeesEvidence {
    /// What was released, in these cases.
    pub cases: SeesCases,
    /// What has arrived but is not released, of these organizations (`None`: of all).
    pub unreleased_of: Option<Vec<OrganizationId>>,
    /// But not where this account asked for it.
    pub unless_asked_by: Option<AccountId>,
}

/// What somebody sees of evidence: before its release the owner's approvers alone, afterwards the readers of the case alone. An
/// approver who asked for it themself waits like any other requester, unless the policy lets them decide.
pub fn sees_evidence(caller: &Caller, may_be_same: bool) -> SeesEvidence {
    SeesEvidence {
        cases: sees_cases(caller),
        unreleased_of: caller.organizations_with(Privilege::ApproveRequests),
        unless_asked_by: caller.account_id().filter(|_| !may_be_same).cloned(),
    }
}

/// The same for the files that stand with an item of a request.
pub fn sees_unreleased(caller: &Caller, owner: &OrganizationId, requester: &AccountId, may_be_same: bool) -> bool {
    decide(caller, owner, requester, may_be_same).is_ok()
}

/// Making cases.
pub fn create_case(caller: &Caller) -> Allowed {
    allowed_if(caller.account.is_some(), "Only a person, or a program in a person's name, makes cases.")?;
    holds(caller, Privilege::CreateCases)
}

/// Doing what needs a level in a case that is seen.
pub fn in_case(held: Level, needed: Level) -> Allowed {
    allowed_if(
        held >= needed,
        match needed {
            Level::View => "You may not see this.",
            Level::Download => "You may watch this file, not download it.",
            Level::Edit => "You may not change this case.",
            Level::Manage => "Only somebody who manages this case may do this.",
        },
    )
}

/// Whether it may be known which connector serves an organization's sources. That one does, and is there, everybody may know who
/// sees a source: it says whether footage comes by itself.
pub fn sees_connector(caller: &Caller, organization: &OrganizationId) -> bool {
    caller.may(Privilege::ManageConnectors, organization)
}

/// Whether the sources of an organization hold on submission: for those who manage its connectors.
pub fn set_holds(caller: &Caller, organization: &OrganizationId) -> Allowed {
    let may = caller.may(Privilege::ManageConnectors, organization) || manage_organizations(caller).is_ok();
    allowed_if(may, "Only those who manage the organization's connectors set this.")
}

/// Connectors are made, seen and revoked by those who manage connectors of their organization.
pub fn manage_connector(caller: &Caller, organization: &OrganizationId) -> Allowed {
    allowed_if(
        caller.may(Privilege::ManageConnectors, organization),
        "Only somebody who manages this organization's connectors may do this.",
    )
}
