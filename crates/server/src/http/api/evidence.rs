//! Evidence: facts, bytes, history.

use app::App;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use domain::case::Level;
use domain::evidence::{EvidenceAction, Look, MediaFacts, PlayableState};
use domain::id::{CaseId, EvidenceId, RequestItemId, VideoRequestId};
use domain::{Gap, Timestamp};
use serde::Serialize;
use serde_json::Value;
use utoipa_axum::routes;

use super::file_request::ReplyView;
use super::history::HistoryEntry;
use super::{List, Named, Paging};
use crate::http::bytes::{self, Shown};
use crate::http::document::Routes;
use crate::http::extract::{Path, Query, Signed, etag};
use crate::http::problem::{Answer, Problem};

pub(super) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(find_evidence))
        .routes(routes!(list_evidence_history))
        .routes(routes!(download_evidence))
        .routes(routes!(play_evidence))
        .routes(routes!(find_evidence_thumbnail))
}

/// From a place in the footage on, when it was recorded.
#[derive(Serialize, utoipa::ToSchema)]
struct ClockPointView {
    /// So long after the beginning.
    at_ms: i64,
    /// When the picture there was recorded; those after it, up to the next point, later by as much as they stand after it.
    from: Timestamp,
}

/// When the footage was recorded.
#[derive(Serialize, utoipa::ToSchema)]
struct RecordedView {
    from: Timestamp,
    to: Timestamp,
    gaps: Vec<Gap>,
    /// When what stands at each place of the footage was recorded: one point for most footage, its first picture's. Where recordings
    /// overlap the footage holds a time twice, and a point puts the clock back.
    clock: Vec<ClockPointView>,
    /// Recorder clock minus true time. Not written into the footage.
    clock_offset_ms: Option<i64>,
    /// So much later than said all of it may have been recorded: some recorders tell only in which second a recording begins.
    uncertainty_ms: Option<i64>,
}

/// The copy that browsers play.
#[derive(Serialize, utoipa::ToSchema)]
struct PlayableView {
    state: PlayableState,
    /// Why there is none.
    error: Option<String>,
    size_bytes: Option<i64>,
}

/// Where the ledger says that the file arrived.
#[derive(Serialize, utoipa::ToSchema)]
struct LedgerView {
    /// Null in the first second.
    leaf_index: Option<i64>,
}

/// A file, as the caller sees it.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct EvidenceView {
    id: EvidenceId,
    case_id: Option<CaseId>,
    request_id: Option<VideoRequestId>,
    item_id: Option<RequestItemId>,
    name: String,
    size_bytes: i64,
    /// Of the original.
    sha256: String,
    source: Option<Named>,
    created_at: Timestamp,
    /// What the holder said of the upload link by which it came, what the recorder's clock showed included.
    reply: Option<ReplyView>,
    /// When it was purged: it was refused, and its bytes are gone. Then there is nothing to play or to fetch (410).
    purged_at: Option<Timestamp>,
    /// Null until it was looked at, or when it holds nothing that can be read.
    media: Option<MediaFacts>,
    recorded: Option<RecordedView>,
    /// Of a file that no connector exported, such as one that came by an upload link: how far the registry says that the camera's clock
    /// is off. The times in its pictures are not corrected by it.
    source_clock_offset_ms: Option<i64>,
    /// How a connector made it.
    #[schema(value_type = Option<Object>)]
    manifest: Option<Value>,
    playable: PlayableView,
    thumbnail_url: Option<String>,
    play_url: Option<String>,
    /// Null when the caller may only view.
    original_url: Option<String>,
    /// What the caller may do with it.
    level: Level,
    ledger: LedgerView,
    allowed_actions: Vec<EvidenceAction>,
}

impl From<app::evidence::Seen> for EvidenceView {
    fn from(seen: app::evidence::Seen) -> Self {
        let allowed_actions = app::evidence::allowed_actions(&seen);
        let clock = app::evidence::clock(&seen.evidence);
        let uncertainty_ms = app::evidence::uncertainty_ms(&seen.evidence);
        let (evidence, level) = (seen.evidence, seen.level);
        let here = evidence.purged_at.is_none();
        let url = |there: bool, part: &str| (here && there).then(|| format!("/api/v1/evidence/{}/{part}", evidence.id));
        Self {
            thumbnail_url: url(evidence.thumbnail.is_some(), "thumbnail"),
            play_url: url(evidence.playable.is_some(), "play"),
            original_url: url(level >= Level::Download, "original"),
            source: evidence.source_id.as_ref().zip(seen.source_name).map(|(id, name)| Named::new(id, name)),
            playable: PlayableView {
                state: evidence.playable_state,
                error: evidence.playable_error,
                size_bytes: evidence.playable.as_ref().map(|playable| playable.size_bytes),
            },
            recorded: evidence.recorded.map(|recorded| RecordedView {
                from: recorded.window.from,
                to: recorded.window.to,
                gaps: recorded.gaps,
                clock: clock.iter().map(|at| ClockPointView { at_ms: at.at_us / 1_000, from: at.from }).collect(),
                clock_offset_ms: recorded.clock_offset_ms,
                uncertainty_ms,
            }),
            source_clock_offset_ms: seen.source_clock_offset_ms.filter(|_| evidence.manifest.is_none()),
            id: evidence.id,
            case_id: evidence.case_id,
            request_id: evidence.request_id,
            item_id: evidence.item_id,
            name: evidence.name,
            size_bytes: evidence.original.size_bytes,
            sha256: evidence.original.sha256,
            created_at: evidence.created_at,
            reply: seen.reply.map(ReplyView::from),
            purged_at: evidence.purged_at,
            media: evidence.media,
            manifest: evidence.manifest,
            level,
            ledger: LedgerView { leaf_index: seen.leaf_index },
            allowed_actions,
        }
    }
}

/// One file.
#[utoipa::path(get, path = "/evidence/{id}", tag = "evidence", operation_id = "find_evidence", params(("id" = EvidenceId, Path)),
    responses((status = 200, body = EvidenceView), (status = "4XX", body = Problem)))]
async fn find_evidence(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<EvidenceId>,
) -> Answer<impl IntoResponse> {
    let seen = app::evidence::find(&app, &caller, &id).await?;
    Ok((etag(seen.evidence.version), axum::Json(EvidenceView::from(seen))))
}

/// What happened to a file, newest first.
#[utoipa::path(get, path = "/evidence/{id}/history", tag = "evidence", operation_id = "list_evidence_history",
    params(("id" = EvidenceId, Path), Paging), responses((status = 200, body = List<HistoryEntry>), (status = "4XX", body = Problem)))]
async fn list_evidence_history(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<EvidenceId>,
    Query(paging): Query<Paging>,
) -> Answer<axum::Json<List<HistoryEntry>>> {
    let page = app::evidence::history(&app, &caller, &id, paging.limit, paging.cursor.as_deref()).await?;
    Ok(axum::Json(List::of(page, HistoryEntry::from)))
}

/// The original as it came; whole or in ranges. Needs the level `download`, and is logged each time that it is fetched from its
/// beginning; ranges that go on with it within five minutes belong to the same look.
#[utoipa::path(get, path = "/evidence/{id}/original", tag = "evidence", operation_id = "download_evidence", params(("id" = EvidenceId, Path)),
    responses((status = 200, content_type = "application/octet-stream", body = Vec<u8>), (status = 206, content_type = "application/octet-stream", body = Vec<u8>),
        (status = 304), (status = "4XX", body = Problem)))]
async fn download_evidence(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<EvidenceId>,
    headers: HeaderMap,
) -> Answer<Response> {
    let opened = app::evidence::open(&app, &caller, &id, Look::Original, |file| bytes::begins(&headers, file)).await?;
    bytes::answer(&app, &opened, &Shown::Attachment, &headers).await
}

/// The copy that browsers play; whole or in ranges. The look is logged: once for all ranges that a player asks for within five minutes.
#[utoipa::path(get, path = "/evidence/{id}/play", tag = "evidence", operation_id = "play_evidence", params(("id" = EvidenceId, Path)),
    responses((status = 200, content_type = "video/mp4", body = Vec<u8>), (status = 206, content_type = "video/mp4", body = Vec<u8>),
        (status = 304), (status = "4XX", body = Problem)))]
async fn play_evidence(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<EvidenceId>,
    headers: HeaderMap,
) -> Answer<Response> {
    let opened = app::evidence::open(&app, &caller, &id, Look::Play, |_| false).await?;
    bytes::answer(&app, &opened, &Shown::Inline("video/mp4"), &headers).await
}

/// A picture of the footage. The look is logged once an hour.
#[utoipa::path(get, path = "/evidence/{id}/thumbnail", tag = "evidence", operation_id = "find_evidence_thumbnail", params(("id" = EvidenceId, Path)),
    responses((status = 200, content_type = "image/jpeg", body = Vec<u8>), (status = 304), (status = "4XX", body = Problem)))]
async fn find_evidence_thumbnail(
    State(app): State<App>,
    Signed(caller): Signed,
    Path(id): Path<EvidenceId>,
    headers: HeaderMap,
) -> Answer<Response> {
    let opened = app::evidence::open(&app, &caller, &id, Look::Thumbnail, |_| false).await?;
    bytes::answer(&app, &opened, &Shown::Inline("image/jpeg"), &headers).await
}
