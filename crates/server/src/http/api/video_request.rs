//! Video requests: submitted, listed, found, and decided about as a whole.

use app::App;
use app::idempotency::Key;
use app::video_request::{Head, ItemView, NewItem, NewRequest, Search, ThreadEntry, View, WaitingFor};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::id::{
    AccountId, CameraId, CaseId, EvidenceId, FileRequestId, MessageId, OrganizationId, RequestItemId, VideoRequestId,
};
use domain::position::Position;
use domain::request_item::{Action, GrantedLevel, Hold, Reason, State as ItemState};
use domain::video_request::{Incident, MessageKind, Status};
use domain::{Timestamp, Window};
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{List, Named};
use crate::http::Shared;
use crate::http::extract::{Json, Path, Query, Signed, etag};
use crate::http::problem::{Answer, Problem};

pub(super) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(list_video_requests, create_video_request))
        .routes(routes!(find_video_request))
        .routes(routes!(approve_video_request))
        .routes(routes!(deny_video_request))
        .routes(routes!(cancel_video_request))
        .routes(routes!(comment_on_video_request))
}

/// What happened, where and when.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct IncidentView {
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

impl From<IncidentView> for Incident {
    fn from(view: IncidentView) -> Self {
        Self { number: view.number, from: view.from, to: view.to, position: view.position, address: view.address }
    }
}

impl From<Incident> for IncidentView {
    fn from(incident: Incident) -> Self {
        let Incident { number, from, to, position, address } = incident;
        Self { number, from, to, position, address }
    }
}

/// What a requester sends.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
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
    incident: IncidentView,
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
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct RequestItemInput {
    /// None asks for the incident's place.
    #[serde(default)]
    source_id: Option<CameraId>,
    /// Which cameras of a vehicle.
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

/// Who asks.
#[derive(Serialize, utoipa::ToSchema)]
struct RequesterView {
    id: AccountId,
    name: String,
    organization: Named,
}

/// The head of a request, as lists show it.
#[derive(Serialize, utoipa::ToSchema)]
struct VideoRequestHead {
    id: VideoRequestId,
    /// The number that people use.
    number: String,
    name: String,
    /// Computed from the items that you see.
    status: Status,
    /// Whether anything can still change by itself.
    open: bool,
    requester: RequesterView,
    incident: IncidentView,
    category: Option<String>,
    needed_by: Option<Timestamp>,
    created_at: Timestamp,
    /// How many items you see.
    item_count: i64,
    /// When the first of its footage is overwritten.
    overwrite_at: Option<Timestamp>,
    /// Where what comes back goes; null for those who only own a source of it.
    case_id: Option<CaseId>,
}

impl From<Head> for VideoRequestHead {
    fn from(head: Head) -> Self {
        let request = head.request;
        Self {
            id: request.id,
            number: request.number,
            name: request.name,
            status: request.status,
            open: request.open,
            requester: RequesterView {
                id: request.requester_id,
                name: head.requester_name,
                organization: Named::new(request.organization_id, head.organization_name),
            },
            incident: request.incident.into(),
            category: request.category,
            needed_by: request.needed_by,
            created_at: request.created_at,
            item_count: head.item_count,
            overwrite_at: request.overwrite_at,
            case_id: request.case_id,
        }
    }
}

/// A request with the items that you see and its thread.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct VideoRequestView {
    #[serde(flatten)]
    head: VideoRequestHead,
    /// On what basis.
    reason: Option<String>,
    items: Vec<RequestItemView>,
    thread: Vec<MessageView>,
    version: i64,
    /// `approve`, `deny`, `cancel`, `comment`.
    allowed_actions: Vec<&'static str>,
}

/// A source, as an item names it.
#[derive(Serialize, utoipa::ToSchema)]
struct ItemSource {
    id: CameraId,
    name: String,
    /// `camera`.
    kind: &'static str,
    thumbnail_url: Option<String>,
}

/// How many bytes arrived.
#[derive(Serialize, utoipa::ToSchema)]
struct ProgressView {
    bytes_done: i64,
    bytes_total: Option<i64>,
}

/// What an item waits for.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
enum WaitingForView {
    /// The owner's decision.
    Decision,
    /// The requester's answer.
    Answer,
    /// The connector, which is there.
    Connector,
    /// The connector, which has not been heard of since `waiting_since`.
    ConnectorOffline,
    /// The window is still being recorded.
    Recording,
    /// Somebody with the upload link.
    Link,
}

/// One file that arrived for an item.
#[derive(Serialize, utoipa::ToSchema)]
struct ArrivedView {
    id: EvidenceId,
    name: String,
    size_bytes: i64,
    /// Of the original, hexadecimal.
    sha256: String,
    /// `waiting`, `ready` or `failed`.
    playable: String,
}

/// The upload link of an item. The link itself is shown and sent once only.
#[derive(Serialize, utoipa::ToSchema)]
struct ItemLink {
    id: FileRequestId,
    expires_at: Timestamp,
    revoked_at: Option<Timestamp>,
    finished_at: Option<Timestamp>,
}

/// One source and window of a request.
#[derive(Serialize, utoipa::ToSchema)]
struct RequestItemView {
    id: RequestItemId,
    /// Null asks for the place.
    source: Option<ItemSource>,
    /// The owner.
    organization: Named,
    channels: Option<Vec<String>>,
    from: Timestamp,
    to: Timestamp,
    granted: Option<Window>,
    state: ItemState,
    /// Why it is unavailable or failed.
    reason: Option<Reason>,
    waiting_for: Option<WaitingForView>,
    /// Since when the connector is away.
    waiting_since: Option<Timestamp>,
    hold: Hold,
    progress: Option<ProgressView>,
    /// When the recorder writes over it.
    overwrite_at: Option<Timestamp>,
    /// When it expires if nothing arrives.
    deadline_at: Option<Timestamp>,
    review_before_release: bool,
    level: Option<GrantedLevel>,
    decided_by: Option<Named>,
    decided_at: Option<Timestamp>,
    evidence: Vec<ArrivedView>,
    file_request: Option<ItemLink>,
    allowed_actions: Vec<Action>,
}

impl From<ItemView> for RequestItemView {
    fn from(view: ItemView) -> Self {
        let (shown, item) = (view.shown.clone(), view.shown.item);
        let (waiting_for, waiting_since) = match view.waiting_for {
            None => (None, None),
            Some(WaitingFor::Decision) => (Some(WaitingForView::Decision), None),
            Some(WaitingFor::Answer) => (Some(WaitingForView::Answer), None),
            Some(WaitingFor::Connector) => (Some(WaitingForView::Connector), None),
            Some(WaitingFor::ConnectorOffline(since)) => (Some(WaitingForView::ConnectorOffline), since),
            Some(WaitingFor::Recording) => (Some(WaitingForView::Recording), None),
            Some(WaitingFor::Link) => (Some(WaitingForView::Link), None),
        };
        let source = item.source_id.map(|id| ItemSource {
            thumbnail_url: shown.has_thumbnail.then(|| format!("/api/v1/cameras/{id}/thumbnail")),
            name: shown.source_name.unwrap_or_else(|| "Removed source".to_owned()),
            kind: "camera",
            id,
        });
        let moving = matches!(item.state, ItemState::Exporting | ItemState::Uploading);
        let arrived = |file: app::video_request::Arrived| ArrivedView {
            id: file.id,
            name: file.name,
            size_bytes: file.size_bytes,
            sha256: file.sha256,
            playable: file.playable_state,
        };
        let link = |link: app::video_request::Link| ItemLink {
            id: link.id,
            expires_at: link.expires_at,
            revoked_at: link.revoked_at,
            finished_at: link.finished_at,
        };
        Self {
            id: item.id,
            source,
            organization: Named::new(item.organization_id, shown.organization_name),
            channels: item.channels,
            from: item.asked.from,
            to: item.asked.to,
            granted: item.granted,
            state: item.state,
            reason: item.reason,
            waiting_for,
            waiting_since,
            hold: item.hold,
            progress: moving.then_some(ProgressView { bytes_done: item.bytes_done, bytes_total: item.bytes_total }),
            overwrite_at: item.overwrite_at,
            deadline_at: item.deadline_at.filter(|_| item.state.is_open()),
            review_before_release: item.review_before_release,
            level: item.level,
            decided_by: item.decided_by.map(|id| Named::new(id, shown.decided_by_name.unwrap_or_default())),
            decided_at: item.decided_at,
            evidence: view.evidence.into_iter().map(arrived).collect(),
            file_request: view.link.map(link),
            allowed_actions: view.allowed_actions,
        }
    }
}

/// An entry of the thread.
#[derive(Serialize, utoipa::ToSchema)]
struct MessageView {
    id: MessageId,
    kind: MessageKind,
    /// About which item, if about one.
    item_id: Option<RequestItemId>,
    author: Option<Named>,
    body: String,
    created_at: Timestamp,
}

impl From<ThreadEntry> for MessageView {
    fn from(entry: ThreadEntry) -> Self {
        let ThreadEntry { id, kind, item_id, author, body, created_at } = entry;
        Self { id, kind, item_id, author: author.map(|(id, name)| Named::new(id, name)), body, created_at }
    }
}

impl From<View> for VideoRequestView {
    fn from(view: View) -> Self {
        Self {
            reason: view.head.request.reason.clone(),
            version: view.head.request.version,
            head: view.head.into(),
            items: view.items.into_iter().map(RequestItemView::from).collect(),
            thread: view.thread.into_iter().map(MessageView::from).collect(),
            allowed_actions: view.allowed_actions,
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
    headers: HeaderMap,
    Json(input): Json<VideoRequestInput>,
) -> Answer<Response> {
    let key = key(&headers, &input)?;
    let view = app::video_request::submit(&app, &caller, input.into(), key.as_ref()).await?;
    Ok((StatusCode::CREATED, answer(view)).into_response())
}

/// The `Idempotency-Key` of a POST, bound to what was sent with it.
pub(super) fn key(headers: &HeaderMap, input: &impl Serialize) -> Answer<Option<Key>> {
    let Some(name) = headers.get("idempotency-key") else { return Ok(None) };
    let body = serde_json::to_vec(input).expect("what was read can be written");
    Ok(Some(Key::new(name.to_str().unwrap_or(""), &body)?))
}

/// What to list.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
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

/// Approves, as they were asked, all pending items that you decide about.
#[utoipa::path(post, path = "/video-requests/{id}/approve", tag = "requests", operation_id = "approve_video_request", params(("id" = VideoRequestId, Path)),
    request_body = CommentInput, responses((status = 200, body = VideoRequestView), (status = "4XX", body = Problem)))]
async fn approve_video_request(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<VideoRequestId>,
    Json(input): Json<CommentInput>,
) -> Answer<Response> {
    Ok(answer(app::video_request::approve(&app, &caller, &id, input.comment).await?))
}

/// Denies all pending items that you decide about.
#[utoipa::path(post, path = "/video-requests/{id}/deny", tag = "requests", operation_id = "deny_video_request", params(("id" = VideoRequestId, Path)),
    request_body = CommentInput, responses((status = 200, body = VideoRequestView), (status = "4XX", body = Problem)))]
async fn deny_video_request(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<VideoRequestId>,
    Json(input): Json<CommentInput>,
) -> Answer<Response> {
    Ok(answer(app::video_request::deny(&app, &caller, &id, input.comment).await?))
}

/// Withdraws everything of your request that can still be withdrawn.
#[utoipa::path(post, path = "/video-requests/{id}/cancel", tag = "requests", operation_id = "cancel_video_request", params(("id" = VideoRequestId, Path)),
    request_body = CommentInput, responses((status = 200, body = VideoRequestView), (status = "4XX", body = Problem)))]
async fn cancel_video_request(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<VideoRequestId>,
    Json(input): Json<CommentInput>,
) -> Answer<Response> {
    Ok(answer(app::video_request::cancel(&app, &caller, &id, input.comment).await?))
}

/// Words.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BodyInput {
    /// At most 10,000 characters.
    pub(super) body: String,
}

/// Writes into the thread of a request.
#[utoipa::path(post, path = "/video-requests/{id}/comments", tag = "requests", operation_id = "comment_on_video_request", params(("id" = VideoRequestId, Path)),
    request_body = BodyInput, responses((status = 200, body = VideoRequestView), (status = "4XX", body = Problem)))]
async fn comment_on_video_request(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<VideoRequestId>,
    Json(input): Json<BodyInput>,
) -> Answer<Response> {
    Ok(answer(app::video_request::comment(&app, &caller, &id, &input.body).await?))
}
