//! The outbox, for administrators.

use app::App;
use axum::extract::State;
use axum::http::StatusCode;
use domain::Timestamp;
use domain::id::MailId;
use domain::mail::MailState;
use serde::{Deserialize, Serialize};
use utoipa_axum::routes;

use super::List;
use crate::http::document::Routes;
use crate::http::extract::{Path, Query, Signed};
use crate::http::problem::{Answer, Problem};

pub(super) fn routes() -> Routes {
    Routes::new().routes(routes!(list_mails)).routes(routes!(find_mail)).routes(routes!(retry_mail))
}

/// A mail of the outbox.
#[derive(Serialize, utoipa::ToSchema)]
struct MailHead {
    id: MailId,
    to: String,
    subject: String,
    state: MailState,
    attempts: i64,
    last_error: Option<String>,
    created_at: Timestamp,
    sent_at: Option<Timestamp>,
}

/// A mail with its words.
#[derive(Serialize, utoipa::ToSchema)]
struct MailView {
    head: MailHead,
    text: String,
    html: String,
}

impl MailHead {
    fn of(mail: &app::Mail) -> Self {
        Self {
            id: mail.id.clone(),
            to: mail.recipient.clone(),
            subject: mail.subject.clone(),
            state: mail.state,
            attempts: mail.attempts,
            last_error: mail.last_error.clone(),
            created_at: mail.created_at,
            sent_at: mail.sent_at,
        }
    }
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct MailQuery {
    /// In this state only.
    state: Option<MailState>,
    /// Words that must all occur in recipient or subject.
    q: Option<String>,
    /// At most so many.
    limit: Option<i64>,
    /// The `next_cursor` of an earlier answer.
    cursor: Option<String>,
}

/// Mails, newest first.
#[utoipa::path(get, path = "/mails", tag = "operations", operation_id = "list_mails", params(MailQuery),
    responses((status = 200, body = List<MailHead>), (status = "4XX", body = Problem)))]
async fn list_mails(
    State(app): State<App>,
    Signed(caller): Signed,
    Query(query): Query<MailQuery>,
) -> Answer<axum::Json<List<MailHead>>> {
    let page = app::mail::list(&app, &caller, query.state, query.q, query.limit, query.cursor.as_deref()).await?;
    Ok(axum::Json(List::of(page, |mail| MailHead::of(&mail))))
}

/// One mail, to be read.
#[utoipa::path(get, path = "/mails/{id}", tag = "operations", operation_id = "find_mail", params(("id" = MailId, Path)),
    responses((status = 200, body = MailView), (status = "4XX", body = Problem)))]
async fn find_mail(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<MailId>,
) -> Answer<axum::Json<MailView>> {
    let mail = app::mail::find(&app, &caller, &id).await?;
    Ok(axum::Json(MailView { head: MailHead::of(&mail), text: mail.text, html: mail.html }))
}

/// Tries a mail again that was kept or given up.
#[utoipa::path(post, path = "/mails/{id}/retry", tag = "operations", operation_id = "retry_mail", params(("id" = MailId, Path)),
    responses((status = 204), (status = "4XX", body = Problem)))]
async fn retry_mail(State(app): State<App>, Signed(caller): Signed, Path(id): Path<MailId>) -> Answer<StatusCode> {
    app::mail::retry(&app, &caller, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
