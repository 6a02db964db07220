//! Requests and their items as the API shows them.

use app::video_request::{Head, ItemView, ThreadEntry, View};
use domain::evidence::PlayableState;
use domain::id::{AccountId, CameraId, CaseId, EvidenceId, FileRequestId, MessageId, RequestItemId, VideoRequestId};
use domain::request_item::{Action, GrantedLevel, Hold, Reason, State as ItemState};
use domain::video_request::{Incident, MessageKind, RequestAction, Status};
use domain::{Gap, Position, Timestamp, WaitingFor, Window};
use serde::Serialize;

use super::super::Named;
use super::super::file_request::ReplyView;
use super::super::source::SourceKind;

/// Who asks.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct RequesterView {
    pub(super) id: AccountId,
    pub(super) name: String,
    pub(super) organization: Named,
}

/// What happened, where and when.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct IncidentView {
    /// The agency's own number for it.
    pub(super) number: Option<String>,
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
    pub(super) position: Option<Position>,
    pub(super) address: Option<String>,
}

impl From<Incident> for IncidentView {
    fn from(incident: Incident) -> Self {
        let Incident { number, from, to, position, address } = incident;
        Self { number, from, to, position, address }
    }
}

/// The head of a request, as lists show it.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct VideoRequestHead {
    pub(super) id: VideoRequestId,
    /// The number that people use.
    pub(super) number: String,
    pub(super) name: String,
    /// Computed from the items that you see.
    pub(super) status: Status,
    /// Whether anything can still change by itself.
    pub(super) open: bool,
    pub(super) requester: RequesterView,
    pub(super) incident: IncidentView,
    pub(super) category: Option<String>,
    pub(super) needed_by: Option<Timestamp>,
    pub(super) created_at: Timestamp,
    /// How many items you see.
    pub(super) item_count: i64,
    /// When the first of its footage is overwritten, of what is still open and not held.
    pub(super) overwrite_at: Option<Timestamp>,
    /// Where what comes back goes; null for those who may not open it.
    pub(super) case_id: Option<CaseId>,
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
pub(in super::super) struct VideoRequestView {
    #[serde(flatten)]
    head: VideoRequestHead,
    /// On what basis.
    reason: Option<String>,
    items: Vec<RequestItemView>,
    thread: Vec<MessageView>,
    version: i64,
    allowed_actions: Vec<RequestAction>,
}

/// A source, as an item names it.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct ItemSource {
    id: CameraId,
    name: String,
    kind: SourceKind,
    thumbnail_url: Option<String>,
}

/// How many bytes arrived, of all files that come for it together.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct ProgressView {
    bytes_done: i64,
    bytes_total: Option<i64>,
}

/// One file that arrived for an item.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct ArrivedView {
    id: EvidenceId,
    name: String,
    size_bytes: i64,
    /// Parts of the window that it does not hold, as far as the recorder told.
    gaps: Vec<Gap>,
    /// Of the original, hexadecimal.
    sha256: String,
    /// Whether there is a copy that browsers play.
    playable: PlayableState,
    /// When it was purged: it was refused, and its bytes are gone.
    purged_at: Option<Timestamp>,
}

/// The upload link of an item. The link itself is shown and sent once only.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct ItemLink {
    id: FileRequestId,
    expires_at: Timestamp,
    revoked_at: Option<Timestamp>,
    finished_at: Option<Timestamp>,
    /// What its holder said, or that of the link which it replaced.
    reply: Option<ReplyView>,
    /// What its holder reads out on the telephone to be sure that both speak of the same link.
    code: String,
}

/// One source and window of a request.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct RequestItemView {
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
    /// Why it is unavailable or failed, or expired before its deadline.
    reason: Option<Reason>,
    waiting_for: Option<WaitingFor>,
    /// Since when the connector is away.
    waiting_since: Option<Timestamp>,
    /// Why the video system, or a key, is waited for by the export or by the hold that was asked, as its connector says.
    waiting_because: Option<String>,
    hold: Hold,
    /// Until when the owner's side keeps it.
    held_until: Option<Timestamp>,
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
    /// What of the granted minutes the holder of the upload link does not have, by their word.
    missing: Vec<Gap>,
    file_request: Option<ItemLink>,
    allowed_actions: Vec<Action>,
}

impl From<ItemView> for RequestItemView {
    fn from(view: ItemView) -> Self {
        let (shown, item) = (view.shown.clone(), view.shown.item);
        let missing = item.lacks(view.link.as_ref().and_then(app::video_request::Link::part));
        let source = item.source_id.map(|id| ItemSource {
            thumbnail_url: shown.has_thumbnail.then(|| format!("/api/v1/cameras/{id}/thumbnail")),
            name: shown.source_name.unwrap_or_else(|| "Removed source".to_owned()),
            kind: SourceKind::Camera,
            id,
        });
        let moving = matches!(item.state, ItemState::Exporting | ItemState::Uploading);
        let arrived = |file: app::video_request::Arrived| ArrivedView {
            id: file.id,
            name: file.name,
            size_bytes: file.size_bytes,
            gaps: file.gaps,
            sha256: file.sha256,
            playable: file.playable_state,
            purged_at: file.purged_at,
        };
        let link = |link: app::video_request::Link| ItemLink {
            code: domain::file_request::code(&link.id),
            id: link.id,
            expires_at: link.expires_at,
            revoked_at: link.revoked_at,
            finished_at: link.finished_at,
            reply: link.reply.map(ReplyView::from),
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
            waiting_because: shown.waits_because.filter(|_| {
                let told = matches!(view.waiting_for, Some(WaitingFor::System | WaitingFor::Key));
                told || item.hold == Hold::Asked
            }),
            waiting_for: view.waiting_for,
            waiting_since: view.waiting_since,
            hold: item.hold,
            held_until: item.held_until,
            progress: moving.then_some(ProgressView { bytes_done: item.bytes_done, bytes_total: item.bytes_total }),
            overwrite_at: item.overwrite_at,
            deadline_at: item.deadline_at.filter(|_| item.state.is_open()),
            review_before_release: item.review_before_release,
            level: item.level,
            decided_by: item.decided_by.map(|id| Named::new(id, shown.decided_by_name.unwrap_or_default())),
            decided_at: item.decided_at,
            evidence: view.evidence.into_iter().map(arrived).collect(),
            missing,
            file_request: view.link.map(link),
            allowed_actions: view.allowed_actions,
        }
    }
}

/// An entry of the thread.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct MessageView {
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
