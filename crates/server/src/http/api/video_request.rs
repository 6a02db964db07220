//! Video requests: submitted, listed, found, and decided about as a whole.

mod view;

use app::App;
use app::request_item::Terms;
use app::video_request::{NewItem, NewRequest, Search, View};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::Timestamp;
use domain::id::{CameraId, CaseId, OrganizationId, RequestItemId, VideoRequestId};
use domain::position::Position;
use domain::request_item::GrantedLevel;
use domain::video_request::{Incident, Status};
use serde::Deserialize;
use utoipa_axum::routes;

use super::List;
use crate::http::document::Routes;
use crate::http::extract::{Creating, Path, Query, Signed, etag};
use crate::http::problem::{Answer, Problem};
use view::VideoRequestHead;
pub(super) use view::VideoRequestView;

pub(super) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(list_video_requests, create_video_request))
        .routes(routes!(find_video_request))
        .routes(routes!(approve_video_request))
        .routes(routes!(deny_video_request))
        .routes(routes!(cancel_video_request))
        .routes(routes!(comment_on_video_request))
}

/// What happened, where and when.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct IncidentInput {
    /// The agency's own number for it.
    #[serde(default)]
    number: Option<String>,
    from: Timestamp,
    /// Not before `from`; the same for an instant.
    to: Timestamp,
    #[serde(default)]
    position: Option<Position>,
    #[serde(default)]
    address: Option<String>,
}

impl From<IncidentInput> for Incident {
    fn from(input: IncidentInput) -> Self {
        let IncidentInput { number, from, to, position, address } = input;
        Self { number, from, to, position, address }
    }
}

/// What a requester sends.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct VideoRequestInput {
    /// What it is about, at most 200 characters.
    name: String,
    /// A kind of incident.
    #[serde(default)]
    category: Option<String>,
    /// On what basis, for the owners to read.
    #[serde(default)]
    reason: Option<String>,
    incident: IncidentInput,
    /// When it is wanted.
    #[serde(default)]
    needed_by: Option<Timestamp>,
    /// The case that what comes back goes into; a new one when none is named.
    #[serde(default)]
    case_id: Option<CaseId>,
    /// At least one.
    items: Vec<RequestItemInput>,
}

/// One source and window.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct RequestItemInput {
    /// None asks for the incident's place.
    #[serde(default)]
    source_id: Option<CameraId>,
    /// Which cameras of a vehicle; null for a source that is one camera, and for a place.
    #[serde(default)]
    channels: Option<Vec<String>>,
    from: Timestamp,
    /// At most the longest window after `from`; at most 15 minutes ahead of now.
    to: Timestamp,
}

impl From<VideoRequestInput> for NewRequest {
    fn from(input: VideoRequestInput) -> Self {
        let item = |item: RequestItemInput| {
            let RequestItemInput { source_id, channels, from, to } = item;
            NewItem { source_id, channels, from, to }
        };
        Self {
            name: input.name,
            category: input.category,
            reason: input.reason,
            incident: input.incident.into(),
            needed_by: input.needed_by,
            case_id: input.case_id,
            items: input.items.into_iter().map(item).collect(),
        }
    }
}

/// A request with its `ETag`.
pub(super) fn answer(view: View) -> Response {
    let version = view.head.request.version;
    (etag(version), axum::Json(VideoRequestView::from(view))).into_response()
}

/// Submits a video request. With an `Idempotency-Key`, sent again, it answers what it created the first time.
#[utoipa::path(post, path = "/video-requests", tag = "requests", operation_id = "create_video_request", request_body = VideoRequestInput,
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes sending it again harmless, for a day.")),
    responses((status = 201, body = VideoRequestView), (status = "4XX", body = Problem)))]
async fn create_video_request(
    State(app): State<App>,
    Signed(caller): Signed,
    Creating { input, key }: Creating<VideoRequestInput>,
) -> Answer<Response> {
    let view = app::video_request::submit(&app, &caller, input.into(), key.as_ref()).await?;
    Ok((StatusCode::CREATED, answer(view)).into_response())
}

/// What to list.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct VideoRequestQuery {
    /// Your own only.
    #[serde(default)]
    mine: bool,
    /// One or more statuses, separated by commas.
    status: Option<String>,
    /// Where something can still change by itself, or where nothing can.
    open: Option<bool>,
    /// Where you have something to decide or to review.
    #[serde(default)]
    reviewable: bool,
    /// Words that must all occur: in number, name, category, reason, incident, requester, sources.
    q: Option<String>,
    /// Submitted at or after.
    from: Option<Timestamp>,
    /// Submitted before.
    to: Option<Timestamp>,
    /// With an item for a source of this owner.
    organization_id: Option<OrganizationId>,
    /// With an item for this source.
    source_id: Option<CameraId>,
    /// For this case.
    case_id: Option<CaseId>,
    /// `created_at`, `needed_by` or `overwrite_at`, with `-` before it for the greatest first; `-created_at` unless said.
    sort: Option<String>,
    /// At most so many, 50 unless said, at most 500.
    limit: Option<i64>,
    /// The `next_cursor` of an earlier answer.
    cursor: Option<String>,
    /// Also count them, up to 10,000.
    #[serde(default)]
    count: bool,
}

impl VideoRequestQuery {
    fn search(self) -> Answer<Search> {
        let parse = |status: &str| {
            let message = "Expected statuses such as pending,processing.";
            status.trim().parse::<Status>().map_err(|_| app::Error::from(domain::Invalid::field("/status", message)))
        };
        let statuses =
            self.status.as_deref().filter(|text| !text.is_empty()).map(|text| text.split(',').map(parse).collect());
        Ok(Search {
            mine: self.mine,
            statuses: statuses.transpose()?.unwrap_or_default(),
            open: self.open,
            reviewable: self.reviewable,
            q: self.q,
            from: self.from,
            to: self.to,
            organization_id: self.organization_id,
            source_id: self.source_id,
            case_id: self.case_id,
            sort: self.sort,
            limit: self.limit,
            cursor: self.cursor,
            count: self.count,
        })
    }
}

/// The requests that you see. With `Accept: text/csv` the same rows as CSV.
#[utoipa::path(get, path = "/video-requests", tag = "requests", operation_id = "list_video_requests", params(VideoRequestQuery),
    responses((status = 200, content((List<VideoRequestHead> = "application/json"), (String = "text/csv"))), (status = "4XX", body = Problem)))]
async fn list_video_requests(
    State(app): State<App>,
    Signed(caller): Signed,
    headers: HeaderMap,
    Query(query): Query<VideoRequestQuery>,
) -> Answer<Response> {
    let page = app::video_request::list(&app, &caller, query.search()?).await?;
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("");
    if accept.split(',').any(|kind| kind.trim().split(';').next() == Some("text/csv")) {
        let next = page.next_cursor.clone();
        let text = super::csv::text(CSV_HEAD, page.items.into_iter().map(VideoRequestHead::from).map(csv_row));
        return Ok(super::csv::answer("video-requests.csv", text, next.as_deref()));
    }
    Ok(axum::Json(List::of(page, VideoRequestHead::from)).into_response())
}

const CSV_HEAD: &[&str] = &[
    "id",
    "number",
    "name",
    "status",
    "open",
    "requester",
    "requester_organization",
    "incident_number",
    "incident_from",
    "incident_to",
    "lat",
    "lon",
    "address",
    "category",
    "needed_by",
    "created_at",
    "item_count",
    "overwrite_at",
    "case_id",
];

fn csv_row(head: VideoRequestHead) -> Vec<String> {
    let time = |time: Option<Timestamp>| time.map(|time| time.to_string()).unwrap_or_default();
    let incident = head.incident;
    vec![
        head.id.to_string(),
        head.number,
        head.name,
        head.status.to_string(),
        head.open.to_string(),
        head.requester.name,
        head.requester.organization.name,
        incident.number.unwrap_or_default(),
        incident.from.to_string(),
        incident.to.to_string(),
        incident.position.map(|p| p.lat.to_string()).unwrap_or_default(),
        incident.position.map(|p| p.lon.to_string()).unwrap_or_default(),
        incident.address.unwrap_or_default(),
        head.category.unwrap_or_default(),
        time(head.needed_by),
        head.created_at.to_string(),
        head.item_count.to_string(),
        time(head.overwrite_at),
        head.case_id.map(|id| id.to_string()).unwrap_or_default(),
    ]
}

/// One request, with the items that you see.
#[utoipa::path(get, path = "/video-requests/{id}", tag = "requests", operation_id = "find_video_request", params(("id" = VideoRequestId, Path)),
    responses((status = 200, body = VideoRequestView), (status = "4XX", body = Problem)))]
async fn find_video_request(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<VideoRequestId>,
) -> Answer<Response> {
    Ok(answer(app::video_request::find(&app, &caller, &id).await?))
}

/// Words that go with a decision.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CommentInput {
    #[serde(default)]
    pub(super) comment: Option<String>,
}

/// On what terms items are approved as they were asked.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct ApprovalOfItemsInput {
    /// Those to approve, all or none of them; left out or empty, all pending ones that you decide about.
    #[serde(default)]
    item_ids: Vec<RequestItemId>,
    #[serde(default)]
    comment: Option<String>,
    /// You look at what arrives before the requester gets it.
    #[serde(default)]
    review_before_release: bool,
    /// What the requester may do with it; `download` unless said.
    #[serde(default)]
    level: Option<GrantedLevel>,
}

/// Which items are denied, and why.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct DenialOfItemsInput {
    /// Those to deny, all or none of them; left out or empty, all pending ones that you decide about.
    #[serde(default)]
    item_ids: Vec<RequestItemId>,
    #[serde(default)]
    comment: Option<String>,
}

/// Approves, as they were asked, all pending items that you decide about, or those that you name. One mail tells of all of them.
#[utoipa::path(post, path = "/video-requests/{id}/approve", tag = "requests", operation_id = "approve_video_request", params(("Idempotency-Key" = Option<String>, Header, description = "Makes sending it again harmless, for a day."), ("id" = VideoRequestId, Path)),
    request_body = ApprovalOfItemsInput, responses((status = 200, body = VideoRequestView), (status = "4XX", body = Problem)))]
async fn approve_video_request(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<VideoRequestId>,
    Creating { input, key }: Creating<ApprovalOfItemsInput>,
) -> Answer<Response> {
    let ApprovalOfItemsInput { item_ids, comment, review_before_release, level } = input;
    let terms = Terms { comment, review_before_release, level, ..Terms::default() };
    Ok(answer(app::video_request::approve(&app, &caller, &id, &item_ids, terms, key.as_ref()).await?))
}

/// Denies all pending items that you decide about, or those that you name. One mail tells of all of them.
#[utoipa::path(post, path = "/video-requests/{id}/deny", tag = "requests", operation_id = "deny_video_request", params(("Idempotency-Key" = Option<String>, Header, description = "Makes sending it again harmless, for a day."), ("id" = VideoRequestId, Path)),
    request_body = DenialOfItemsInput, responses((status = 200, body = VideoRequestView), (status = "4XX", body = Problem)))]
async fn deny_video_request(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<VideoRequestId>,
    Creating { input, key }: Creating<DenialOfItemsInput>,
) -> Answer<Response> {
    Ok(answer(app::video_request::deny(&app, &caller, &id, &input.item_ids, input.comment, key.as_ref()).await?))
}

/// Withdraws everything of your request that can still be withdrawn.
#[utoipa::path(post, path = "/video-requests/{id}/cancel", tag = "requests", operation_id = "cancel_video_request", params(("Idempotency-Key" = Option<String>, Header, description = "Makes sending it again harmless, for a day."), ("id" = VideoRequestId, Path)),
    request_body = CommentInput, responses((status = 200, body = VideoRequestView), (status = "4XX", body = Problem)))]
async fn cancel_video_request(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<VideoRequestId>,
    Creating { input, key }: Creating<CommentInput>,
) -> Answer<Response> {
    Ok(answer(app::video_request::cancel(&app, &caller, &id, input.comment, key.as_ref()).await?))
}

/// Words.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BodyInput {
    /// At most 10,000 characters.
    pub(super) body: String,
}

/// Writes into the thread of a request.
#[utoipa::path(post, path = "/video-requests/{id}/comments", tag = "requests", operation_id = "comment_on_video_request", params(("Idempotency-Key" = Option<String>, Header, description = "Makes sending it again harmless, for a day."), ("id" = VideoRequestId, Path)),
    request_body = BodyInput, responses((status = 200, body = VideoRequestView), (status = "4XX", body = Problem)))]
async fn comment_on_video_request(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<VideoRequestId>,
    Creating { input, key }: Creating<BodyInput>,
) -> Answer<Response> {
    Ok(answer(app::video_request::comment(&app, &caller, &id, &input.body, key.as_ref()).await?))
}
