//! Items of a request while something is done to them: locked, checked, changed by pure commands; what follows is queued in the
//! same transaction.

use domain::account::Account;
use domain::file_request::For;
use domain::id::{RequestItemId, VideoRequestId};
use domain::policy;
use domain::request_item::{Action, Approval, Change, GrantedLevel, Hold, Refused, RequestItem, State, WrongState};
use domain::video_request::{MessageKind, VideoRequest};
use domain::{Caller, Gap, Timestamp, Window};
use protocol::TaskPayload;
use store::connector_task::NewTask;
use store::request_item::{Connector, Shown};
use store::{Event, Tx};

use super::{Terms, optional, refused, wrong_state};
use crate::file_request::{self, NewLink};
use crate::idempotency::{self, Key};
use crate::notify::{self, About, Message};
use crate::video_request::{View, by_owner, find};
use crate::{App, Error, Result, case, did};

/// Items of one request, locked, while something is done to them.
pub(crate) struct Work<'a> {
    pub(super) app: &'a App,
    pub(super) caller: &'a Caller,
    pub(super) tx: Tx,
    pub(super) on: On,
}

/// What is worked on, apart from who does it.
pub(super) struct On {
    pub(super) request: VideoRequest,
    pub(super) requester: Account,
    pub(super) items: Vec<Shown>,
    pub(super) changes: Vec<Change>,
}

impl On {
    /// Locks a request and loads those of its items that are meant.
    pub(super) async fn load(tx: &mut Tx, id: &VideoRequestId, meant: impl Fn(&Shown) -> bool) -> Result<Self> {
        store::video_request::lock(tx, id).await?;
        let everything = store::video_request::everything();
        let gone = || Error::not_found("video request");
        let request = store::video_request::find(tx, &everything, id).await?.ok_or_else(gone)?.request;
        let requester = store::account::find(tx, &request.requester_id).await?.ok_or_else(gone)?;
        let mut items = store::request_item::of_request(tx, &everything, id).await?;
        items.retain(meant);
        Ok(Self { request, requester, items, changes: Vec::new() })
    }

    pub(super) fn change(
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
    pub(super) async fn save(&mut self, tx: &mut Tx) -> Result<()> {
        for (shown, change) in self.items.iter_mut().zip(&self.changes) {
            store::request_item::save(tx, &mut shown.item).await?;
            if shown.item.state.is_end() {
                store::request_item::cancel_tasks(tx, &shown.item.id).await?;
                if shown.item.state != State::Released {
                    store::request_item::revoke_links(tx, &shown.item.id).await?;
                }
            }
            if let (true, Some(connector)) = (change.frees_hold, &shown.connector) {
                store::request_item::cancel_hold_tasks(tx, &shown.item.id).await?;
                let (item_id, device_id) = (shown.item.id.clone(), connector.device_id.clone());
                ask_connector(tx, connector, &shown.item, TaskPayload::Free { item_id, device_id }).await?;
            }
        }
        store::video_request::refresh(tx, &self.request.id).await?;
        Ok(())
    }

    /// Writes how often a connector took items of which nothing else changed.
    pub(super) async fn save_attempts(&self, tx: &mut Tx) -> Result<()> {
        for shown in &self.items {
            store::request_item::save_attempts(tx, &shown.item.id, shown.item.attempts).await?;
        }
        Ok(())
    }

    pub(super) fn about<'b>(&'b self, items: &'b [&'b Shown], comment: Option<&'b str>) -> About<'b> {
        About { request: &self.request, requester: &self.requester, items, comment, missing: &[], link: None }
    }

    pub(super) async fn tell_requester(
        &self,
        app: &App,
        tx: &mut Tx,
        message: Message,
        comment: Option<&str>,
    ) -> Result<()> {
        let items: Vec<&Shown> = self.items.iter().collect();
        notify::tell_requester(app, tx, message, &self.about(&items, comment)).await
    }

    pub(super) async fn tell_approvers(
        &self,
        app: &App,
        tx: &mut Tx,
        message: Message,
        comment: Option<&str>,
    ) -> Result<()> {
        for items in by_owner(&self.items) {
            notify::tell_approvers(app, tx, message, &self.about(&items, comment)).await?;
        }
        Ok(())
    }

    /// What follows from where the items arrived: the requester's rights to the evidence, and who is told.
    pub(super) async fn after(&self, app: &App, tx: &mut Tx, comment: Option<&str>) -> Result<()> {
        let Some(state) = self.items.first().map(|shown| shown.item.state) else { return Ok(()) };
        match state {
            State::Released => {
                for shown in &self.items {
                    store::request_item::release_evidence(tx, &shown.item, self.request.case_id.as_ref()).await?;
                }
                let missing = self.missing(tx).await?;
                let items: Vec<&Shown> = self.items.iter().collect();
                let about = About { missing: &missing, ..self.about(&items, comment) };
                notify::tell_requester(app, tx, Message::Ready, &about).await
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

    /// What is missing in what has arrived: as the recorder told, or whoever sent it.
    async fn missing(&self, tx: &mut Tx) -> Result<Vec<(RequestItemId, Gap)>> {
        let arrived = store::request_item::arrived(tx, &self.request.id).await?;
        let mut missing: Vec<_> = arrived
            .into_iter()
            .flat_map(|file| file.gaps.into_iter().map(move |gap| (file.item_id.clone(), gap)))
            .collect();
        for link in store::request_item::links(tx, &self.request.id).await? {
            let Some(shown) = self.items.iter().find(|shown| shown.item.id == link.item_id) else { continue };
            missing.extend(shown.item.lacks(link.part()).into_iter().map(|gap| (link.item_id.clone(), gap)));
        }
        Ok(missing)
    }

    /// One event for each item.
    pub(super) fn events(&self, kind: &'static str, caller: &Caller, comment: Option<&str>) -> Vec<Event> {
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
            if let Some(level) = item.level {
                event = event.with("level", level.as_str()).with("review_before_release", item.review_before_release);
            }
            if item.hold != Hold::None {
                event = event.with("hold", item.hold.as_str());
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

    /// Has connectors keep the footage of those items for which it was asked.
    pub(super) async fn have_held(&self, app: &App, tx: &mut Tx) -> Result<()> {
        for shown in &self.items {
            have_held(app, tx, shown).await?;
        }
        Ok(())
    }

    /// Has a connector fetch the footage, or somebody with a link upload it.
    pub(super) async fn fulfil(&mut self, app: &App, tx: &mut Tx, caller: &Caller) -> Result<Vec<Event>> {
        let mut events = Vec::new();
        for shown in &self.items {
            if let Some(connector) = &shown.connector {
                let Window { from, to } = shown.item.window();
                let (item_id, device_id) = (shown.item.id.clone(), connector.device_id.clone());
                ask_connector(tx, connector, &shown.item, TaskPayload::Export { item_id, device_id, from, to }).await?;
                continue;
            }
            let name = shown.source_name.as_deref().unwrap_or(&self.request.name).to_owned();
            let new = NewLink { name, ..NewLink::default() };
            let (id, purpose) = (tx.new_id(), For::Item(shown.item.id.clone()));
            let (made, event) = file_request::insert(app, tx, caller, id, purpose, new).await?;
            events.push(event.about("video_request", &self.request.id));
            let items = [shown];
            let about = About { link: Some((&made.url, made.link.expires_at)), ..self.about(&items, None) };
            notify::tell_approvers(app, tx, Message::FileRequest, &about).await?;
        }
        Ok(events)
    }

    /// The linked case, or a new one that the requester manages; the requester can read either.
    pub(super) async fn ensure_case(&mut self, app: &App, tx: &mut Tx, caller: &Caller) -> Result<Vec<Event>> {
        let (case, events) = case::for_approval(app, tx, caller, &self.request).await?;
        if self.request.case_id.is_none() {
            store::video_request::set_case(tx, &self.request.id, &case).await?;
            self.request.case_id = Some(case);
        }
        Ok(events)
    }
}

/// Has the connector of an item's source keep its footage: until some time after the last moment at which it could be decided.
pub(crate) async fn have_held(app: &App, tx: &mut Tx, shown: &Shown) -> Result<()> {
    let Some(connector) = &shown.connector else { return Ok(()) };
    store::request_item::cancel_hold_tasks(tx, &shown.item.id).await?;
    let Window { from, to } = shown.item.window();
    let (item_id, device_id) = (shown.item.id.clone(), connector.device_id.clone());
    let until = Some(shown.item.deadline_at.unwrap_or(tx.now()).plus(app.settings().deadline));
    ask_connector(tx, connector, &shown.item, TaskPayload::Hold { item_id, device_id, from, to, until }).await
}

/// Queues work about an item for the connector of its source.
async fn ask_connector(tx: &mut Tx, connector: &Connector, item: &RequestItem, payload: TaskPayload) -> Result<()> {
    let task = NewTask {
        connector_id: &connector.id,
        kind: payload.kind().parse().map_err(Error::internal)?,
        item_id: Some(&item.id),
        camera_id: item.source_id.as_ref(),
        payload: &serde_json::to_value(&payload).map_err(Error::internal)?,
    };
    store::connector_task::push(tx, &task).await?;
    Ok(())
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

    /// The same, unless an earlier POST with this key did it; else it is noted that this one does. Asked before the state is looked at, which
    /// the earlier one has changed.
    pub(super) async fn once(
        app: &'a App,
        caller: &'a Caller,
        id: &RequestItemId,
        action: Action,
        key: Option<&Key>,
    ) -> Result<Option<Self>> {
        let mut work = Self::on_item(app, caller, id, action).await?;
        let operation = match action {
            Action::Approve => "request_item.approve",
            Action::Deny => "request_item.deny",
            Action::Ask => "request_item.ask",
            Action::Answer => "request_item.answer",
            Action::Unavailable => "request_item.unavailable",
            _ => "request_item.cancel",
        };
        let done = idempotency::once(&mut work.tx, caller, operation, key, &work.on.request.id).await?;
        Ok(done.is_none().then_some(work))
    }

    /// Begins to do something to the named items of a request, or to none; where none is named, to all for which the caller may do it,
    /// and that are in a state for it. None where an earlier POST with this key did it.
    pub(crate) async fn on_request(
        app: &'a App,
        caller: &'a Caller,
        id: &VideoRequestId,
        action: Action,
        named: &[RequestItemId],
        key: Option<&Key>,
    ) -> Result<Option<Self>> {
        let mut tx = app.begin().await?;
        let sees = policy::sees_requests(caller);
        if !store::video_request::is_seen(&mut tx, &sees, id.as_str()).await? {
            return Err(Error::not_found("video request"));
        }
        let operation = match action {
            Action::Approve => "video_request.approve",
            Action::Deny => "video_request.deny",
            _ => "video_request.cancel",
        };
        if idempotency::once(&mut tx, caller, operation, key, id).await?.is_some() {
            return Ok(None);
        }
        for item in named {
            if store::request_item::request_of(&mut tx, &sees, item).await?.as_ref() != Some(id) {
                return Err(Error::not_found("request item"));
            }
        }
        let all = named.is_empty();
        let mut on = On::load(&mut tx, id, |shown| all || named.contains(&shown.item.id)).await?;
        let (requester, same) = (on.request.requester_id.clone(), app.settings().requester_may_approve);
        let mut verdict = Ok(());
        on.items.retain(|shown| match policy::request_item(caller, action, &shown.item, &requester, same) {
            Ok(()) => true,
            Err(forbidden) => {
                verdict = Err(forbidden);
                false
            }
        });
        if !all {
            verdict.clone()?;
        }
        let Some(first) = on.items.first() else {
            return Err(verdict.err().map_or_else(|| Error::not_found("request item"), Error::from));
        };
        let nothing_left = wrong_state(WrongState { action, state: first.item.state });
        // Denying everything that is undecided does not touch what already arrived for review.
        let fits = |state| match action {
            Action::Approve | Action::Deny if all => state == State::Pending,
            _ => !domain::request_item::targets(state, action).is_empty(),
        };
        if let (false, Some(unfit)) = (all, on.items.iter().find(|shown| !fits(shown.item.state))) {
            return Err(wrong_state(WrongState { action, state: unfit.item.state }));
        }
        on.items.retain(|shown| fits(shown.item.state));
        if on.items.is_empty() { Err(nothing_left) } else { Ok(Some(Self { app, caller, tx, on })) }
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

    pub(super) fn change(
        &mut self,
        command: impl FnMut(&mut Shown, Timestamp) -> Result<Change, Refused>,
    ) -> Result<()> {
        self.on.change(self.tx.now(), command)
    }

    /// Puts words into the thread: about the item, or about the whole when there are several.
    pub(super) async fn say(&mut self, kind: MessageKind, body: Option<&str>) -> Result<()> {
        let Some(body) = body else { return Ok(()) };
        let item = match self.on.items.as_slice() {
            [one] => Some(&one.item.id),
            _ => None,
        };
        store::message::insert(&mut self.tx, &self.on.request.id, item, kind, self.caller.account_id(), body).await?;
        Ok(())
    }

    pub(super) async fn tell_requester(&mut self, message: Message, comment: Option<&str>) -> Result<()> {
        self.on.tell_requester(self.app, &mut self.tx, message, comment).await
    }

    pub(super) async fn tell_approvers(&mut self, message: Message, comment: Option<&str>) -> Result<()> {
        self.on.tell_approvers(self.app, &mut self.tx, message, comment).await
    }

    pub(super) async fn fulfil(&mut self) -> Result<Vec<Event>> {
        self.on.fulfil(self.app, &mut self.tx, self.caller).await
    }

    pub(super) async fn after_end(&mut self) -> Result<()> {
        self.after_end_with(None).await
    }

    pub(super) async fn after_end_with(&mut self, comment: Option<&str>) -> Result<()> {
        self.on.after(self.app, &mut self.tx, comment).await
    }

    pub(super) async fn finish(self, kind: &'static str, comment: Option<&str>) -> Result<View> {
        self.finish_with(kind, comment, Vec::new()).await
    }

    pub(super) async fn finish_with(
        mut self,
        kind: &'static str,
        comment: Option<&str>,
        also: Vec<Event>,
    ) -> Result<View> {
        self.on.save(&mut self.tx).await?;
        let events = self.on.events(kind, self.caller, comment);
        self.tx.commit(also.into_iter().chain(events)).await?;
        self.app.wakers().connector_tasks.notify_waiters();
        find(self.app, self.caller, &self.on.request.id).await
    }
}
