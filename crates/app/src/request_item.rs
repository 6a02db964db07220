//! What is done to request items, by people, links, connectors and the clock. [`Work`] is the shape of all of it: the items
//! are locked and checked, changed by pure commands, and what follows is queued in the same transaction.

use domain::account::Account;
use domain::file_request::For;
use domain::id::{RequestItemId, VideoRequestId};
use domain::policy;
use domain::request_item::{
    Action, Approval, Change, GrantedLevel, LinkAnswer, Reason, Refused, State, UnavailableCode, WrongState,
};
use domain::video_request::{self, MessageKind, VideoRequest};
use domain::{Caller, Invalid, Timestamp, Window};
use store::request_item::Shown;
use store::{Event, Tx};

use crate::file_request::{self, NewLink};
use crate::notify::{self, About, Message};
use crate::video_request::{View, by_owner, find};
use crate::{App, Error, Result, case, did};

/// On what terms something is approved.
#[derive(Debug, Clone, Default)]
pub struct Terms {
    /// Words for the requester.
    pub comment: Option<String>,
    /// A later start than was asked.
    pub from: Option<Timestamp>,
    /// An earlier end than was asked.
    pub to: Option<Timestamp>,
    /// The approver looks at what arrives first.
    pub review_before_release: bool,
    /// What the requester may do with it; `download` when nothing is said.
    pub level: Option<GrantedLevel>,
}

/// Approves an item and has its footage fetched.
pub async fn approve(app: &App, caller: &Caller, id: &RequestItemId, terms: Terms) -> Result<View> {
    Work::on_item(app, caller, id, Action::Approve).await?.approve(&terms).await
}

/// Refuses an item, before it is fetched or after looking at it.
pub async fn deny(app: &App, caller: &Caller, id: &RequestItemId, comment: Option<String>) -> Result<View> {
    Work::on_item(app, caller, id, Action::Deny).await?.deny(comment).await
}

/// Withdraws an item.
pub async fn cancel(app: &App, caller: &Caller, id: &RequestItemId, comment: Option<String>) -> Result<View> {
    Work::on_item(app, caller, id, Action::Cancel).await?.cancel(comment).await
}

/// Asks the requester something before deciding.
pub async fn ask(app: &App, caller: &Caller, id: &RequestItemId, body: &str) -> Result<View> {
    let mut work = Work::on_item(app, caller, id, Action::Ask).await?;
    let body = required("/body", body)?;
    work.change(|shown, _| Ok(shown.item.ask()?))?;
    work.say(MessageKind::Question, Some(&body)).await?;
    work.tell_requester(Message::Question, Some(&body)).await?;
    work.finish("request_item.ask", Some(&body)).await
}

/// Answers what the approver asked.
pub async fn answer(app: &App, caller: &Caller, id: &RequestItemId, body: &str) -> Result<View> {
    let mut work = Work::on_item(app, caller, id, Action::Answer).await?;
    let body = required("/body", body)?;
    work.change(|shown, _| Ok(shown.item.answer()?))?;
    work.say(MessageKind::Answer, Some(&body)).await?;
    work.tell_approvers(Message::Answer, Some(&body)).await?;
    work.finish("request_item.answer", Some(&body)).await
}

/// Tries a failed item again.
pub async fn retry(app: &App, caller: &Caller, id: &RequestItemId) -> Result<View> {
    let mut work = Work::on_item(app, caller, id, Action::Retry).await?;
    let deadline = work.tx.now().plus(app.settings().deadline);
    work.change(|shown, _| Ok(shown.item.retry(Some(deadline))?))?;
    let links = work.fulfil().await?;
    work.finish_with("request_item.retry", None, links).await
}

/// Lets the requester have what was looked at.
pub async fn release(app: &App, caller: &Caller, id: &RequestItemId) -> Result<View> {
    let mut work = Work::on_item(app, caller, id, Action::Release).await?;
    work.change(|shown, _| Ok(shown.item.release()?))?;
    work.after_end().await?;
    work.finish("request_item.release", None).await
}

/// The owner says that there is nothing.
pub async fn unavailable(app: &App, caller: &Caller, id: &RequestItemId, comment: Option<String>) -> Result<View> {
    let mut work = Work::on_item(app, caller, id, Action::Unavailable).await?;
    let comment = optional(comment)?;
    let by = caller.account_id().cloned();
    work.change(|shown, now| {
        let detail = "The owner has no footage of this window.";
        Ok(shown.item.unavailable(UnavailableCode::NothingThere, detail, by.clone(), now)?)
    })?;
    work.say(MessageKind::Decision, comment.as_deref()).await?;
    work.after_end_with(comment.as_deref()).await?;
    work.finish("request_item.unavailable", comment.as_deref()).await
}

/// Whether the caller sees an item at all: for live updates.
pub async fn is_seen(app: &App, caller: &Caller, id: &str) -> Result<bool> {
    let Ok(id) = id.parse::<RequestItemId>() else { return Ok(false) };
    let sees = policy::sees_requests(caller);
    Ok(store::request_item::request_of(&mut app.read().await?, &sees, &id).await?.is_some())
}

fn wrong_state(wrong: WrongState) -> Error {
    let done = match wrong.action {
        Action::Approve => "approved",
        Action::Deny => "denied",
        Action::Ask => "asked about",
        Action::Answer => "answered",
        Action::Cancel => "canceled",
        Action::Retry => "retried",
        Action::Release => "released",
        _ => "changed in this way",
    };
    let state = wrong.state.as_str().replace('_', " ");
    Error::conflict(
        "wrong_state",
        format!("The item is {state} and cannot be {done} any more. Load it again to see what happened."),
    )
}

fn refused(refused: Refused) -> Error {
    match refused {
        Refused::WrongState(wrong) => wrong_state(wrong),
        Refused::OutsideWindow(window) => {
            let message = format!("The window must lie inside {} to {} and not be reversed.", window.from, window.to);
            Invalid::field("/from", message).into()
        }
    }
}

fn required(pointer: &str, text: &str) -> Result<String> {
    let mut invalid = Invalid::new();
    video_request::check_text(&mut invalid, pointer, text, video_request::LONG_TEXT);
    invalid.into_result()?;
    Ok(text.trim().to_owned())
}

fn optional(comment: Option<String>) -> Result<Option<String>> {
    match comment {
        Some(comment) if !comment.trim().is_empty() => required("/comment", &comment).map(Some),
        _ => Ok(None),
    }
}

/// Items of one request, locked, while something is done to them.
pub(crate) struct Work<'a> {
    app: &'a App,
    caller: &'a Caller,
    tx: Tx,
    on: On,
}

/// What is worked on, apart from who does it.
struct On {
    request: VideoRequest,
    requester: Account,
    items: Vec<Shown>,
    changes: Vec<Change>,
}

impl On {
    /// Locks a request and loads those of its items that are meant.
    async fn load(tx: &mut Tx, id: &VideoRequestId, meant: impl Fn(&Shown) -> bool) -> Result<Self> {
        store::video_request::lock(tx, id).await?;
        let everything = store::video_request::everything();
        let gone = || Error::not_found("video request");
        let request = store::video_request::find(tx, &everything, id).await?.ok_or_else(gone)?.request;
        let requester = store::account::find(tx, &request.requester_id).await?.ok_or_else(gone)?;
        let mut items = store::request_item::of_request(tx, &everything, id).await?;
        items.retain(meant);
        Ok(Self { request, requester, items, changes: Vec::new() })
    }

    fn change(
        &mut self,
        now: Timestamp,
        mut command: impl FnMut(&mut Shown, Timestamp) -> Result<Change, Refused>,
    ) -> Result<()> {
        for shown in &mut self.items {
            self.changes.push(command(shown, now).map_err(refused)?);
        }
        Ok(())
    }

    /// Writes the items and what follows from them: holds are let go, ended items leave nothing waiting.
    async fn save(&mut self, tx: &mut Tx) -> Result<()> {
        for (shown, change) in self.items.iter_mut().zip(&self.changes) {
            store::request_item::save(tx, &mut shown.item).await?;
            if shown.item.state.is_end() {
                store::request_item::cancel_tasks(tx, &shown.item.id).await?;
                if shown.item.state != State::Released {
                    store::request_item::revoke_links(tx, &shown.item.id).await?;
                }
            }
            if let (true, Some(connector)) = (change.frees_hold, &shown.connector) {
                let payload =
                    serde_json::json!({"kind": "free", "item_id": shown.item.id, "device_id": connector.device_id});
                store::request_item::push_task(tx, &connector.id, &shown.item, "free", &payload).await?;
            }
        }
        store::video_request::refresh(tx, &self.request.id).await?;
        Ok(())
    }

    fn about<'b>(&'b self, items: &'b [&'b Shown], comment: Option<&'b str>) -> About<'b> {
        About { request: &self.request, requester: &self.requester, items, comment, link: None }
    }

    async fn tell_requester(&self, app: &App, tx: &mut Tx, message: Message, comment: Option<&str>) -> Result<()> {
        let items: Vec<&Shown> = self.items.iter().collect();
        notify::tell_requester(app, tx, message, &self.about(&items, comment)).await
    }

    async fn tell_approvers(&self, app: &App, tx: &mut Tx, message: Message, comment: Option<&str>) -> Result<()> {
        for items in by_owner(&self.items) {
            notify::tell_approvers(app, tx, message, &self.about(&items, comment)).await?;
        }
        Ok(())
    }

    /// What follows from where the items arrived: the requester's rights to the evidence, and who is told.
    async fn after(&self, app: &App, tx: &mut Tx, comment: Option<&str>) -> Result<()> {
        let Some(state) = self.items.first().map(|shown| shown.item.state) else { return Ok(()) };
        match state {
            State::Released => {
                for shown in &self.items {
                    store::request_item::release_evidence(tx, &shown.item, self.request.case_id.as_ref()).await?;
                }
                self.tell_requester(app, tx, Message::Ready, comment).await
            }
            State::InReview => self.tell_approvers(app, tx, Message::InReview, comment).await,
            State::Unavailable => self.tell_requester(app, tx, Message::Unavailable, comment).await,
            State::Denied => self.tell_requester(app, tx, Message::Denied, comment).await,
            State::Expired => self.tell_requester(app, tx, Message::Expired, comment).await,
            State::Failed => {
                self.tell_requester(app, tx, Message::Failed, comment).await?;
                self.tell_approvers(app, tx, Message::Failed, comment).await
            }
            _ => Ok(()),
        }
    }

    /// One event for each item.
    fn events(&self, kind: &'static str, caller: &Caller, comment: Option<&str>) -> Vec<Event> {
        let event = |(shown, change): (&Shown, &Change)| {
            let item = &shown.item;
            let mut event = did(caller, kind).about("request_item", &item.id).about("video_request", &item.request_id);
            event = event.with("from_state", change.from.as_str()).with("state", change.to.as_str());
            if let (State::Released, Some(case)) = (change.to, &self.request.case_id) {
                event = event.about("case", case);
            }
            if let Some(granted) = item.granted {
                event = event.with("granted_from", granted.from.to_string()).with("granted_to", granted.to.to_string());
            }
            if let Some(reason) = &item.reason {
                event = event.with("reason", reason.code.as_str()).personally("detail", reason.detail.as_str());
            }
            match comment {
                Some(comment) => event.personally("comment", comment),
                None => event,
            }
        };
        self.items.iter().zip(&self.changes).map(event).collect()
    }

    /// Has a connector fetch the footage, or somebody with a link upload it.
    async fn fulfil(&mut self, app: &App, tx: &mut Tx, caller: &Caller) -> Result<Vec<Event>> {
        let mut events = Vec::new();
        for shown in &self.items {
            let window = shown.item.window();
            if let Some(connector) = &shown.connector {
                let payload = serde_json::json!({
                    "kind": "export", "item_id": shown.item.id, "device_id": connector.device_id, "from": window.from, "to": window.to,
                });
                store::request_item::push_task(tx, &connector.id, &shown.item, "export", &payload).await?;
                continue;
            }
            let name = shown.source_name.as_deref().unwrap_or(&self.request.name).to_owned();
            let new = NewLink { name, ..NewLink::default() };
            let (made, event) = file_request::insert(app, tx, caller, For::Item(shown.item.id.clone()), new).await?;
            events.push(event.about("video_request", &self.request.id));
            let items = [shown];
            let about = About { link: Some((&made.url, made.link.expires_at)), ..self.about(&items, None) };
            notify::tell_approvers(app, tx, Message::FileRequest, &about).await?;
        }
        Ok(events)
    }

    /// The linked case, or a new one that the requester manages; the requester can read either.
    async fn ensure_case(&mut self, app: &App, tx: &mut Tx, caller: &Caller) -> Result<Vec<Event>> {
        let (case, events) = case::for_approval(app, tx, caller, &self.request).await?;
        if self.request.case_id.is_none() {
            store::video_request::set_case(tx, &self.request.id, &case).await?;
            self.request.case_id = Some(case);
        }
        Ok(events)
    }
}

impl<'a> Work<'a> {
    /// Begins to do something to one item that the caller sees.
    pub(crate) async fn on_item(app: &'a App, caller: &'a Caller, id: &RequestItemId, action: Action) -> Result<Self> {
        let mut tx = app.begin().await?;
        let sees = policy::sees_requests(caller);
        let request = store::request_item::request_of(&mut tx, &sees, id).await?;
        let request = request.ok_or_else(|| Error::not_found("request item"))?;
        let on = On::load(&mut tx, &request, |shown| &shown.item.id == id).await?;
        for shown in &on.items {
            let same = app.settings().requester_may_approve;
            policy::request_item(caller, action, &shown.item, &on.request.requester_id, same)?;
        }
        Ok(Self { app, caller, tx, on })
    }

    /// Begins to do something to all items of a request for which the caller may do it, and that are in a state for it.
    pub(crate) async fn on_request(
        app: &'a App,
        caller: &'a Caller,
        id: &VideoRequestId,
        action: Action,
    ) -> Result<Self> {
        let mut tx = app.begin().await?;
        let sees = policy::sees_requests(caller);
        if !store::video_request::is_seen(&mut tx, &sees, id.as_str()).await? {
            return Err(Error::not_found("video request"));
        }
        let mut on = On::load(&mut tx, id, |_| true).await?;
        let (requester, same) = (on.request.requester_id.clone(), app.settings().requester_may_approve);
        let mut verdict = Ok(());
        on.items.retain(|shown| match policy::request_item(caller, action, &shown.item, &requester, same) {
            Ok(()) => true,
            Err(forbidden) => {
                verdict = Err(forbidden);
                false
            }
        });
        let Some(first) = on.items.first() else {
            return Err(verdict.err().map_or_else(|| Error::not_found("request item"), Error::from));
        };
        let nothing_left = wrong_state(WrongState { action, state: first.item.state });
        // Denying everything that is undecided does not touch what already arrived for review.
        let fits = |state| match action {
            Action::Approve | Action::Deny => state == State::Pending,
            _ => !domain::request_item::targets(state, action).is_empty(),
        };
        on.items.retain(|shown| fits(shown.item.state));
        if on.items.is_empty() { Err(nothing_left) } else { Ok(Self { app, caller, tx, on }) }
    }

    pub(crate) async fn approve(mut self, terms: &Terms) -> Result<View> {
        let comment = optional(terms.comment.clone())?;
        let by = self.caller.account.clone().ok_or_else(|| Error::internal("the policy let nobody decide"))?;
        let deadline = self.tx.now().plus(self.app.settings().deadline);
        self.change(|shown, now| {
            let asked = shown.item.asked;
            let approval = Approval {
                by: by.id.clone(),
                window: Some(Window { from: terms.from.unwrap_or(asked.from), to: terms.to.unwrap_or(asked.to) }),
                review_before_release: terms.review_before_release,
                level: terms.level.unwrap_or(GrantedLevel::Download),
            };
            let change = shown.item.approve(approval, now)?;
            shown.item.deadline_at = Some(deadline);
            Ok(change)
        })?;
        let mut made = self.on.ensure_case(self.app, &mut self.tx, self.caller).await?;
        self.say(MessageKind::Decision, comment.as_deref()).await?;
        self.tell_requester(Message::Approved, comment.as_deref()).await?;
        made.extend(self.on.fulfil(self.app, &mut self.tx, self.caller).await?);
        self.finish_with("request_item.approve", comment.as_deref(), made).await
    }

    pub(crate) async fn deny(mut self, comment: Option<String>) -> Result<View> {
        let comment = optional(comment)?;
        let by = self.caller.account_id().cloned().ok_or_else(|| Error::internal("the policy let nobody decide"))?;
        self.change(|shown, now| Ok(shown.item.deny(by.clone(), now)?))?;
        self.say(MessageKind::Decision, comment.as_deref()).await?;
        self.after_end_with(comment.as_deref()).await?;
        self.finish("request_item.deny", comment.as_deref()).await
    }

    pub(crate) async fn cancel(mut self, comment: Option<String>) -> Result<View> {
        let comment = optional(comment)?;
        self.change(|shown, _| Ok(shown.item.cancel()?))?;
        self.say(MessageKind::Decision, comment.as_deref()).await?;
        self.finish("request_item.cancel", comment.as_deref()).await
    }

    fn change(&mut self, command: impl FnMut(&mut Shown, Timestamp) -> Result<Change, Refused>) -> Result<()> {
        self.on.change(self.tx.now(), command)
    }

    /// Puts words into the thread: about the item, or about the whole when there are several.
    async fn say(&mut self, kind: MessageKind, body: Option<&str>) -> Result<()> {
        let Some(body) = body else { return Ok(()) };
        let item = match self.on.items.as_slice() {
            [one] => Some(&one.item.id),
            _ => None,
        };
        store::message::insert(&mut self.tx, &self.on.request.id, item, kind, self.caller.account_id(), body).await?;
        Ok(())
    }

    async fn tell_requester(&mut self, message: Message, comment: Option<&str>) -> Result<()> {
        self.on.tell_requester(self.app, &mut self.tx, message, comment).await
    }

    async fn tell_approvers(&mut self, message: Message, comment: Option<&str>) -> Result<()> {
        self.on.tell_approvers(self.app, &mut self.tx, message, comment).await
    }

    async fn fulfil(&mut self) -> Result<Vec<Event>> {
        self.on.fulfil(self.app, &mut self.tx, self.caller).await
    }

    async fn after_end(&mut self) -> Result<()> {
        self.after_end_with(None).await
    }

    async fn after_end_with(&mut self, comment: Option<&str>) -> Result<()> {
        self.on.after(self.app, &mut self.tx, comment).await
    }

    async fn finish(self, kind: &'static str, comment: Option<&str>) -> Result<View> {
        self.finish_with(kind, comment, Vec::new()).await
    }

    async fn finish_with(mut self, kind: &'static str, comment: Option<&str>, also: Vec<Event>) -> Result<View> {
        self.on.save(&mut self.tx).await?;
        let events = self.on.events(kind, self.caller, comment);
        self.tx.commit(also.into_iter().chain(events)).await?;
        self.app.wakers().connector_tasks.notify_waiters();
        find(self.app, self.caller, &self.on.request.id).await
    }
}

// What connectors, links, uploads and the clock do. They run in the caller's transaction and answer the events for its commit.
// Each fails with a conflict, code `wrong_state`, when the item has moved on: then nothing may be changed.

async fn machine(
    app: &App,
    tx: &mut Tx,
    caller: &Caller,
    id: &RequestItemId,
    kind: &'static str,
    command: impl FnMut(&mut Shown, Timestamp) -> Result<Change, Refused>,
) -> Result<Vec<Event>> {
    let request = store::request_item::request_of(tx, &store::video_request::everything(), id).await?;
    let request = request.ok_or_else(|| Error::not_found("request item"))?;
    let mut on = On::load(tx, &request, |shown| &shown.item.id == id).await?;
    on.change(tx.now(), command)?;
    let moved = on.changes.iter().any(|change| change.moved());
    // Whoever has the footage may grant it by their link: then too there is a case for it.
    let granted = on.changes.iter().any(|change| change.from == State::Pending && change.to == State::Approved);
    let mut events = if granted { on.ensure_case(app, tx, caller).await? } else { Vec::new() };
    if moved {
        on.after(app, tx, None).await?;
    }
    on.save(tx).await?;
    if moved {
        events.extend(on.events(kind, caller, None));
    }
    Ok(events)
}

/// A connector leased the export, for the first time or again.
pub async fn export_leased(app: &App, tx: &mut Tx, caller: &Caller, id: &RequestItemId) -> Result<Vec<Event>> {
    machine(app, tx, caller, id, "request_item.export", |shown, _| Ok(shown.item.lease()?)).await
}

/// The connector's lease ran out; the export waits for the next one.
pub async fn lease_lost(app: &App, tx: &mut Tx, id: &RequestItemId) -> Result<Vec<Event>> {
    machine(app, tx, &Caller::server(), id, "request_item.lose_lease", |shown, _| Ok(shown.item.lease_lost()?)).await
}

/// An upload for the item was begun.
pub async fn upload_started(app: &App, tx: &mut Tx, caller: &Caller, id: &RequestItemId) -> Result<Vec<Event>> {
    machine(app, tx, caller, id, "request_item.upload", |shown, _| Ok(shown.item.upload_started()?)).await
}

/// The last file of the item is evidence now, in this transaction: it is released, or waits for review.
pub async fn evidence_arrived(app: &App, tx: &mut Tx, caller: &Caller, id: &RequestItemId) -> Result<Vec<Event>> {
    machine(app, tx, caller, id, "request_item.arrive", |shown, _| {
        if matches!(shown.item.state, State::Approved | State::Exporting) {
            let _ = shown.item.upload_started()?;
        }
        Ok(shown.item.arrived()?)
    })
    .await
}

/// The connector found that there is no recording.
pub async fn export_unavailable(
    app: &App,
    tx: &mut Tx,
    caller: &Caller,
    id: &RequestItemId,
    code: UnavailableCode,
    detail: &str,
) -> Result<Vec<Event>> {
    machine(app, tx, caller, id, "request_item.unavailable", |shown, now| {
        Ok(shown.item.unavailable(code, detail, None, now)?)
    })
    .await
}

/// The export's tries are used up.
pub async fn export_failed(
    app: &App,
    tx: &mut Tx,
    caller: &Caller,
    id: &RequestItemId,
    reason: Reason,
) -> Result<Vec<Event>> {
    machine(app, tx, caller, id, "request_item.fail", |shown, _| Ok(shown.item.fail(reason.clone())?)).await
}

/// The holder of the item's upload link answered.
pub async fn link_answered(
    app: &App,
    tx: &mut Tx,
    caller: &Caller,
    id: &RequestItemId,
    answer: LinkAnswer,
) -> Result<Vec<Event>> {
    machine(app, tx, caller, id, "request_item.answer_link", |shown, now| shown.item.link_answer(answer, now)).await
}

/// Ends one item whose deadline has passed. False when there is none.
pub(crate) async fn expire_one(app: &App) -> Result<bool> {
    let mut tx = app.begin().await?;
    let Some(id) = store::request_item::due(&mut tx, 1).await?.pop() else { return Ok(false) };
    let events =
        machine(app, &mut tx, &Caller::server(), &id, "request_item.expire", |shown, _| Ok(shown.item.expire()?))
            .await?;
    tx.commit(events).await?;
    Ok(true)
}
