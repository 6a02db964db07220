//! Upload links, as staff make and revoke them.

use app::App;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use domain::file_request::Answer as LinkAnswer;
use domain::id::{FileRequestId, RequestItemId};
use domain::{Timestamp, Window};
use serde::{Deserialize, Serialize};
use utoipa_axum::routes;

use crate::http::document::Routes;
use crate::http::extract::{Creating, Path, Signed};
use crate::http::problem::{Answer, Problem};

pub(super) fn routes() -> Routes {
    Routes::new().routes(routes!(create_item_file_request)).routes(routes!(revoke_file_request))
}

/// A new link. Its address is shown this once.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct NewLinkView {
    id: FileRequestId,
    url: String,
    /// The address as a QR code, an SVG document.
    qr_svg: String,
    expires_at: Timestamp,
    /// What its holder reads out on the telephone to be sure that both speak of the same link.
    code: String,
}

impl NewLinkView {
    pub(super) fn of(made: app::file_request::Made) -> Answer<Self> {
        let code = qrcode::QrCode::with_error_correction_level(made.url.as_bytes(), qrcode::EcLevel::M)
            .map_err(|error| Problem::from(app::Error::internal(error)))?;
        let qr_svg = code.render::<qrcode::render::svg::Color<'_>>().min_dimensions(200, 200).quiet_zone(true).build();
        Ok(Self { code: made.link.code(), id: made.link.id, url: made.url, qr_svg, expires_at: made.link.expires_at })
    }
}

/// What the holder of a link said.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct ReplyView {
    pub(super) answer: LinkAnswer,
    /// Of a part: which, within what was granted.
    pub(super) part: Option<Window>,
    /// In their words, and what the recorder's clock showed.
    pub(super) comment: Option<String>,
}

impl From<app::file_request::Reply> for ReplyView {
    fn from(reply: app::file_request::Reply) -> Self {
        Self { answer: reply.answer, part: reply.part, comment: reply.comment }
    }
}

/// Until when a link holds.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct ItemLinkInput {
    expires_at: Option<Timestamp>,
}

/// Makes a link by which the item's footage can be sent, in the place of those it has.
#[utoipa::path(post, path = "/request-items/{id}/file-request", tag = "requests", operation_id = "create_item_file_request",
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes sending it again harmless, for a day."), ("id" = RequestItemId, Path)), request_body = ItemLinkInput, responses((status = 201, body = NewLinkView), (status = "4XX", body = Problem)))]
async fn create_item_file_request(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<RequestItemId>,
    Creating { input, key }: Creating<ItemLinkInput>,
) -> Answer<impl IntoResponse> {
    let made = app::file_request::create_for_item(&app, &caller, &id, input.expires_at, key.as_ref()).await?;
    Ok((StatusCode::CREATED, axum::Json(NewLinkView::of(made)?)))
}

/// Revokes a link. What was sent by it stays.
#[utoipa::path(delete, path = "/file-requests/{id}", tag = "requests", operation_id = "revoke_file_request", params(("id" = FileRequestId, Path)),
    responses((status = 204), (status = "4XX", body = Problem)))]
async fn revoke_file_request(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<FileRequestId>,
) -> Answer<StatusCode> {
    app::file_request::revoke(&app, &caller, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
