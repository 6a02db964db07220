//! The API under `/api/v1`: one file per noun, a handler is about a dozen lines.

mod account;
mod camera;
mod case;
mod case_access;
mod connector;
mod csv;
mod evidence;
mod file_request;
mod group;
mod history;
mod job;
mod ledger;
mod live;
mod mail;
mod organization;
mod request_item;
mod session;
mod source;
mod streets;
mod token;
mod video_request;

use domain::id::OrganizationId;
use serde::{Deserialize, Serialize};

use super::document::Routes;

/// All routes of the API.
pub(super) fn routes() -> Routes {
    Routes::new()
        .merge(session::routes())
        .merge(account::routes())
        .merge(organization::routes())
        .merge(group::routes())
        .merge(token::routes())
        .merge(source::routes())
        .merge(camera::routes())
        .merge(connector::routes())
        .merge(mail::routes())
        .merge(job::routes())
        .merge(ledger::routes())
        .merge(live::routes())
        .merge(streets::routes())
        .merge(video_request::routes())
        .merge(request_item::routes())
        .merge(case::routes())
        .merge(case_access::routes())
        .merge(evidence::routes())
        .merge(file_request::routes())
}

/// One page of a list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct List<T> {
    /// What is on it.
    pub(crate) items: Vec<T>,
    /// Send it as `cursor` for the next page; null on the last.
    pub(crate) next_cursor: Option<String>,
    /// How many there are in all, exact up to 10,000; only with `count=true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) total: Option<i64>,
}

impl<T> List<T> {
    /// From a page, each item as its view.
    pub(crate) fn of<U>(page: app::page::Page<U>, view: impl FnMut(U) -> T) -> Self {
        let page = page.map(view);
        Self { items: page.items, next_cursor: page.next_cursor, total: page.total }
    }
}

/// Something's id and name.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub(crate) struct Named {
    /// Its id.
    pub(crate) id: String,
    /// Its name.
    pub(crate) name: String,
}

impl Named {
    pub(crate) fn new(id: impl ToString, name: impl Into<String>) -> Self {
        Self { id: id.to_string(), name: name.into() }
    }
}

/// What every list takes.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Paging {
    /// At most so many, 50 unless said, at most 500.
    pub(crate) limit: Option<i64>,
    /// The `next_cursor` of an earlier answer.
    pub(crate) cursor: Option<String>,
}

/// A role held for one organization, or for all.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub(crate) struct RoleGrant {
    /// The role.
    pub(crate) role: domain::account::Role,
    /// For which organization; null: for all. Has to be said, so that nobody gets a role for all by an oversight.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(required)]
    pub(crate) organization_id: Option<OrganizationId>,
}
