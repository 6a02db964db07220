//! File requests: upload links for whoever has footage and no account. Opening one changes nothing; its holder answers with the same
//! verbs as an approver, sends files, and says when that was all.

use std::net::IpAddr;

use domain::case::Level;
use domain::evidence::Evidence;
use domain::file_request::{Answer, Dead, FileRequest, For, check};
use domain::id::{CaseId, FileRequestId, RequestItemId};
use domain::request_item::{Action, LinkAnswer, RequestItem, WrongState};
use domain::{Caller, Invalid, Timestamp, Window, policy};
use serde_json::json;
pub use store::file_request::{Asked, OfCase, Reply, Sent};
use store::{Event, Tx};

use crate::idempotency::{self, Key};
use crate::secret::{self, Secret};
use crate::{App, Error, Kind, Result, did, jobs, throttle};

impl From<Dead> for Error {
    fn from(dead: Dead) -> Self {
        let code = match dead {
            Dead::Revoked => "link_revoked",
            Dead::Expired => "link_expired",
            Dead::Finished => return Self::conflict("link_finished", dead.to_string()),
        };
        Self::new(Kind::Gone, code, dead.to_string())
    }
}

/// A new link: its secret is shown this once.
#[derive(Debug, Clone)]
pub struct Made {
    /// The link.
    pub link: FileRequest,
    /// Its address, token included.
    pub url: String,
}

/// What a link asks for.
#[derive(Debug, Clone, Default)]
pub struct NewLink {
    /// What is asked, in a line.
    pub name: String,
    /// More words.
    pub description: Option<String>,
    /// Until when it holds; two weeks unless configured or said otherwise.
    pub expires_at: Option<Timestamp>,
}

/// Makes a link in a transaction that does more, such as an approval. `created_by` is the account of a person, if one made it.
pub(crate) async fn insert(
    app: &App,
    tx: &mut Tx,
    caller: &Caller,
    id: FileRequestId,
    purpose: For,
    new: NewLink,
) -> Result<(Made, Event)> {
    let expires_at = new.expires_at.unwrap_or_else(|| tx.now().plus(app.settings().link_lifetime));
    check(&new.name, new.description.as_deref(), expires_at, tx.now())?;
    let secret = Secret::new(app, "frl");
    let link = FileRequest {
        id,
        purpose,
        name: new.name.trim().to_owned(),
        description: new.description.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()),
        answer: None,
        part: None,
        comment: None,
        created_by: caller.account_id().map(ToString::to_string),
        expires_at,
        revoked_at: None,
        finished_at: None,
        created_at: tx.now(),
        version: 1,
    };
    store::file_request::insert(tx, &link, &secret.hash()).await?;
    jobs::settle_file_request::push(tx, &link).await?;
    let event = event(caller, "file_request.create", &link)
        .with("expires_at", link.expires_at.to_string())
        .personally("name", link.name.as_str());
    Ok((Made { url: format!("{}/f/{}", app.settings().public_url, secret.reveal()), link }, event))
}

fn event(caller: &Caller, what: &'static str, link: &FileRequest) -> Event {
    let event = did(caller, what).about("file_request", &link.id);
    match &link.purpose {
        For::Item(item) => event.about("request_item", item),
        For::Case(case) => event.about("case", case),
    }
}

/// Makes a link by which anybody can add files to a case.
pub async fn create_for_case(
    app: &App,
    caller: &Caller,
    case: &CaseId,
    new: NewLink,
    key: Option<&Key>,
) -> Result<Made> {
    let mut tx = app.begin().await?;
    crate::case::require_may_add(&mut tx, caller, case).await?;
    let id = tx.new_id();
    idempotency::refuse_again(&mut tx, caller, "file_request.create", key, &id).await?;
    let (made, event) = insert(app, &mut tx, caller, id, For::Case(case.clone()), new).await?;
    tx.commit([event]).await?;
    Ok(made)
}

/// The links of a case, newest first: for those who may make and revoke them.
pub async fn of_case(app: &App, caller: &Caller, case: &CaseId) -> Result<Vec<OfCase>> {
    let mut tx = app.read().await?;
    crate::case::with_level(&mut tx, caller, case, Level::Edit).await?;
    Ok(store::file_request::of_case(&mut tx, case).await?)
}

/// Makes a link for the footage of an item, in the place of those it has.
pub async fn create_for_item(
    app: &App,
    caller: &Caller,
    item: &RequestItemId,
    expires_at: Option<Timestamp>,
    key: Option<&Key>,
) -> Result<Made> {
    let mut tx = app.begin().await?;
    let item = for_link(app, &mut tx, caller, item).await?;
    let id = tx.new_id();
    idempotency::refuse_again(&mut tx, caller, "file_request.create", key, &id).await?;
    if domain::request_item::targets(item.state, Action::FileRequest).is_empty() {
        let refused = WrongState { action: Action::FileRequest, state: item.state };
        return Err(Error::conflict("wrong_state", format!("The state does not allow this: {refused}.")));
    }
    let name = store::file_request::title_of_item(&mut tx, &item.id).await?;
    store::request_item::revoke_links(&mut tx, &item.id).await?;
    let new = NewLink { name, description: None, expires_at };
    let (made, event) = insert(app, &mut tx, caller, id, For::Item(item.id), new).await?;
    tx.commit([event.about("video_request", &item.request_id)]).await?;
    Ok(made)
}

/// An item for which the caller may make and revoke links, held until the end of the transaction.
async fn for_link(app: &App, tx: &mut Tx, caller: &Caller, id: &RequestItemId) -> Result<RequestItem> {
    let unseen = || Error::not_found("request item");
    let request = store::request_item::request_of(tx, &policy::sees_requests(caller), id).await?.ok_or_else(unseen)?;
    store::video_request::lock(tx, &request).await?;
    let item = store::request_item::find(tx, id).await?.ok_or_else(unseen)?;
    let requester = store::request_item::requester_of(tx, &request).await?;
    policy::request_item(caller, Action::FileRequest, &item, &requester, app.settings().requester_may_approve)?;
    Ok(item)
}

/// Revokes a link. What was sent by it stays.
pub async fn revoke(app: &App, caller: &Caller, id: &FileRequestId) -> Result<()> {
    let mut tx = app.begin().await?;
    let unseen = || Error::not_found("file request");
    // The same order as everywhere: the request first, then its link.
    match store::file_request::find(&mut tx, id).await?.ok_or_else(unseen)?.purpose {
        For::Case(case) => drop(crate::case::with_level(&mut tx, caller, &case, Level::Edit).await?),
        For::Item(item) => drop(for_link(app, &mut tx, caller, &item).await?),
    }
    store::file_request::lock(&mut tx, id).await?;
    let mut link = store::file_request::find(&mut tx, id).await?.ok_or_else(unseen)?;
    if link.revoked_at.is_some() || link.finished_at.is_some() {
        return Err(Error::conflict("wrong_state", "This link no longer holds."));
    }
    link.revoked_at = Some(tx.now());
    store::file_request::save(&mut tx, &mut link).await?;
    let mut events = vec![event(caller, "file_request.revoke", &link)];
    events.extend(settle(app, &mut tx, &link).await?);
    Ok(tx.commit(events).await?)
}

/// What the holder of a link sees.
#[derive(Debug, Clone)]
pub struct Opened {
    /// The link.
    pub link: FileRequest,
    /// Who asks for what.
    pub asked: Asked,
    /// What was sent so far.
    pub sent: Vec<Sent>,
}

/// The link of a token, whether or not it still holds. Wrong tokens of an address are slowed down; a right one never is, whatever
/// others do from the same address: it cannot be guessed.
async fn by_token(app: &App, token: &str, address: Option<IpAddr>) -> Result<FileRequest> {
    if let Some(link) = store::file_request::find_by_hash(&mut app.read().await?, &secret::hash(token)).await? {
        return Ok(link);
    }
    throttle::wrong_link(app, address).await?;
    Err(Error::new(Kind::NotFound, "link_unknown", "There is no such link. Check that the address is complete."))
}

/// Who the holder of a link is, for uploads: the link must hold and not be finished, or something is still on its way by it. Of what came
/// last its sender may ask whether it has arrived.
pub async fn resume(app: &App, token: &str, address: Option<IpAddr>) -> Result<Caller> {
    let link = by_token(app, token, address).await?;
    match link.require_unfinished(app.now()) {
        Err(Dead::Finished) if link.has_finished_late() => {}
        held => unless_sending(app, &link, held).await?,
    }
    Ok(Caller::link(link.id))
}

/// Opens a link. Changes nothing.
pub async fn open(app: &App, token: &str, address: Option<IpAddr>) -> Result<Opened> {
    let link = by_token(app, token, address).await?;
    unless_sending(app, &link, link.require_open(app.now())).await?;
    shown(&mut app.read().await?, link).await
}

/// A link whose time is over holds for what is still on its way by it, and for nothing else.
async fn unless_sending(app: &App, link: &FileRequest, held: Result<(), Dead>) -> Result<()> {
    let dead = match held {
        Ok(()) => return Ok(()),
        Err(dead) => dead,
    };
    let may_go_on = dead == Dead::Expired && link.revoked_at.is_none();
    if may_go_on && store::file_request::is_sending(&mut app.read().await?, &link.id).await? {
        return Ok(());
    }
    Err(dead.into())
}

async fn shown(tx: &mut Tx, link: FileRequest) -> Result<Opened> {
    let asked = store::file_request::asked(tx, &link).await?;
    let sent = store::file_request::sent(tx, &link.id).await?;
    Ok(Opened { link, asked, sent })
}

/// The link as it is now, held until the end of the transaction.
async fn locked(app: &App, token: &str, address: Option<IpAddr>) -> Result<(Tx, FileRequest)> {
    let id = by_token(app, token, address).await?.id;
    let mut tx = app.begin().await?;
    if let Some(For::Item(item)) = store::file_request::find(&mut tx, &id).await?.map(|link| link.purpose) {
        crate::request_item::lock(&mut tx, &item).await?;
    }
    store::file_request::lock(&mut tx, &id).await?;
    let link = store::file_request::find(&mut tx, &id).await?.ok_or_else(|| Error::internal("the link vanished"))?;
    Ok((tx, link))
}

/// What the holder of a link says.
#[derive(Debug, Clone)]
pub struct Said {
    /// The answer.
    pub answer: Answer,
    /// Of a part: which.
    pub part: Option<Window>,
    /// In their words.
    pub comment: Option<String>,
}

/// Answers a link. "No" and "nothing there" end it.
pub async fn answer(app: &App, token: &str, address: Option<IpAddr>, said: Said) -> Result<Opened> {
    let mut invalid = Invalid::new();
    invalid.limit_text("/comment", said.comment.as_deref(), domain::file_request::WORDS);
    if said.answer == Answer::Part && said.part.is_none() {
        invalid.add("/from", "Say which part you have.");
    }
    invalid.into_result()?;
    let (mut tx, mut link) = locked(app, token, address).await?;
    link.require_unfinished(tx.now())?;
    let caller = Caller::link(link.id.clone());
    let ends = matches!(said.answer, Answer::Nothing | Answer::No);
    if ends {
        require_nothing_sent(&mut tx, &link).await?;
    }
    let words = said.comment.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let mut events = Vec::new();
    if let For::Item(item) = &link.purpose {
        let answer = match (said.answer, said.part) {
            (Answer::Part, Some(part)) => LinkAnswer::Part(part),
            (Answer::Have | Answer::Part, _) => LinkAnswer::Have,
            (Answer::Nothing, _) => LinkAnswer::Nothing,
            (Answer::No, _) => LinkAnswer::No,
        };
        events.extend(crate::request_item::link_answered(app, &mut tx, &caller, item, answer, words.as_deref()).await?);
    }
    // An item that ended by the answer has had its links revoked; this one shows its holder what they said instead.
    link = store::file_request::find(&mut tx, &link.id).await?.ok_or_else(|| Error::internal("the link vanished"))?;
    link.revoked_at = None;
    link.answer = Some(said.answer);
    link.part = said.part.filter(|_| said.answer == Answer::Part);
    link.comment = words;
    link.finished_at = ends.then(|| tx.now());
    store::file_request::save(&mut tx, &mut link).await?;
    let mut answered = event(&caller, "file_request.answer", &link).with("answer", said.answer.as_str());
    if let Some(part) = link.part {
        answered = answered.with("part_from", part.from.to_string()).with("part_to", part.to.to_string());
    }
    if let Some(comment) = &link.comment {
        answered = answered.personally("comment", comment.as_str());
    }
    events.push(answered);
    let opened = shown(&mut tx, link).await?;
    tx.commit(events).await?;
    Ok(opened)
}

/// Whoever sent something has something; what has arrived is not taken back.
async fn require_nothing_sent(tx: &mut Tx, link: &FileRequest) -> Result<()> {
    let sent = store::file_request::sent(tx, &link.id).await?;
    if sent.is_empty() {
        return Ok(());
    }
    let has_arrived = sent.iter().any(|file| file.evidence_id.is_some());
    Err(Error::conflict(
        "files_sent",
        match has_arrived {
            true => "What you sent has arrived, and cannot be taken back. Write what is wrong with it, then finish.",
            false => "A file of yours is on its way. Remove it first.",
        },
    ))
}

/// What arrived by a link, and when its holder finished.
#[derive(Debug, Clone)]
pub struct Receipt {
    /// The files that arrived whole, with their hashes.
    pub files: Vec<Sent>,
    /// When it was finished.
    pub received_at: Timestamp,
}

/// Says that all is sent. Answers what arrived; said again, the same. Whoever says so somewhat late has finished too: nothing is added by that.
pub async fn finish(app: &App, token: &str, address: Option<IpAddr>) -> Result<Receipt> {
    let (mut tx, mut link) = locked(app, token, address).await?;
    let mut files = store::file_request::sent(&mut tx, &link.id).await?;
    let is_late = tx.now() < link.expires_at.plus(domain::file_request::RECEIPT) && !files.is_empty();
    match link.require_open(tx.now()) {
        Err(Dead::Expired) if is_late && link.revoked_at.is_none() => {}
        held => held?,
    }
    if let Some(received_at) = link.finished_at {
        files.retain(|file| file.evidence_id.is_some());
        return Ok(Receipt { files, received_at });
    }
    if files.iter().any(|file| file.evidence_id.is_none()) {
        return Err(Error::conflict("still_sending", "A file is still on its way. Wait for it, or remove it."));
    }
    if files.is_empty() {
        return Err(Error::conflict("no_files", "Nothing was sent yet. Add a file, or say that you have none."));
    }
    let caller = Caller::link(link.id.clone());
    let mut events = vec![finished(&mut tx, &caller, &mut link, &files).await?];
    events.extend(settle(app, &mut tx, &link).await?);
    let received_at = tx.now();
    tx.commit(events).await?;
    Ok(Receipt { files, received_at })
}

/// These files are all.
async fn finished(tx: &mut Tx, caller: &Caller, link: &mut FileRequest, files: &[Sent]) -> Result<Event> {
    link.finished_at = Some(tx.now());
    store::file_request::save(tx, link).await?;
    let hashes: Vec<_> =
        files.iter().map(|file| json!({ "sha256": file.sha256, "size_bytes": file.size_bytes })).collect();
    Ok(event(caller, "file_request.finish", link).with("files", hashes))
}

/// An upload by a link has arrived or ended: its item may have waited for no more than that. Where the link's time is over, and this was the
/// last, its holder finds the receipt. The item's request and the link are locked.
pub(crate) async fn upload_ended(app: &App, tx: &mut Tx, id: &FileRequestId) -> Result<Vec<Event>> {
    let Some(mut link) = store::file_request::find(tx, id).await? else { return Ok(Vec::new()) };
    let mut events = Vec::from_iter(finished_by_time(tx, &mut link).await?);
    events.extend(settle(app, tx, &link).await?);
    Ok(events)
}

/// Finishes a link whose time is over where something came by it, and nothing more is on its way.
async fn finished_by_time(tx: &mut Tx, link: &mut FileRequest) -> Result<Option<Event>> {
    let has_run_out = link.revoked_at.is_none() && link.require_unfinished(tx.now()) == Err(Dead::Expired);
    if !has_run_out || store::file_request::is_sending(tx, &link.id).await? {
        return Ok(None);
    }
    let mut files = store::file_request::sent(tx, &link.id).await?;
    files.retain(|file| file.evidence_id.is_some());
    if files.is_empty() { Ok(None) } else { finished(tx, &Caller::server(), link, &files).await.map(Some) }
}

/// No more files come by this link: its item goes on if everything that came was looked at, and ends if nothing came whole. Otherwise
/// the job that looks at the last file moves it on. The item's request is locked.
pub(crate) async fn settle(app: &App, tx: &mut Tx, link: &FileRequest) -> Result<Vec<Event>> {
    match &link.purpose {
        For::Item(item) => crate::evidence::item_settled(app, tx, item).await,
        For::Case(_) => Ok(Vec::new()),
    }
}

/// Its time is over before its holder said that all is sent. Where nobody answered for an item, that is told: somebody has to make
/// another link, or say that there is nothing. The item's request is locked.
pub(crate) async fn run_out(app: &App, tx: &mut Tx, link: &mut FileRequest) -> Result<Vec<Event>> {
    let mut events = Vec::from_iter(finished_by_time(tx, link).await?);
    events.extend(settle(app, tx, link).await?);
    if link.revoked_at.is_some() {
        return Ok(events);
    }
    if let For::Item(item) = &link.purpose {
        crate::request_item::link_ran_out(app, tx, item, link.comment.as_deref()).await?;
    }
    events.push(event(&Caller::server(), "file_request.expire", link));
    Ok(events)
}

/// Where the files of a link go.
pub fn destination(link: &FileRequest) -> crate::evidence::Destination {
    match &link.purpose {
        For::Item(item) => crate::evidence::Destination::Item(item.clone()),
        For::Case(case) => crate::evidence::Destination::Case(case.clone()),
    }
}

/// Whether a file came by a link.
pub fn came_by(evidence: &Evidence, link: &FileRequest) -> bool {
    evidence.received_by.as_deref() == Some(link.id.as_str())
}
