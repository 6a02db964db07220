//! What connectors, links, uploads and the clock do. It runs in the caller's transaction and answers the events for its commit.
//! Each fails with a conflict, code `wrong_state`, when the item has moved on: then nothing may be changed. No events: nothing
//! changed but how often a connector took it.

use domain::id::RequestItemId;
use domain::request_item::{Action, Change, Hold, LinkAnswer, Reason, Refused, RequestItem, State, UnavailableCode};
use domain::{Caller, Timestamp};
use protocol::Phase;
use store::request_item::Shown;
use store::{Event, Tx};

use super::work::On;
use crate::notify::Message;
use crate::{App, Error, Result};

async fn machine(
    app: &App,
    tx: &mut Tx,
    caller: &Caller,
    id: &RequestItemId,
    kind: &'static str,
    command: impl FnMut(&mut Shown, Timestamp) -> Result<Change, Refused>,
) -> Result<Vec<Event>> {
    machine_saying(app, tx, caller, id, kind, None, command).await
}

/// With words for whoever is told.
async fn machine_saying(
    app: &App,
    tx: &mut Tx,
    caller: &Caller,
    id: &RequestItemId,
    kind: &'static str,
    words: Option<&str>,
    command: impl FnMut(&mut Shown, Timestamp) -> Result<Change, Refused>,
) -> Result<Vec<Event>> {
    let request = store::request_item::request_of(tx, &store::video_request::everything(), id).await?;
    let request = request.ok_or_else(|| Error::not_found("request item"))?;
    let mut on = On::load(tx, &request, |shown| &shown.item.id == id).await?;
    let before: Vec<RequestItem> = on.items.iter().map(|shown| shown.item.clone()).collect();
    on.change(tx.now(), command)?;
    let is_as_before = |(shown, before): (&Shown, RequestItem)| {
        let attempts = shown.item.attempts;
        RequestItem { attempts, ..before } == shown.item
    };
    if on.items.iter().zip(before).all(is_as_before) {
        on.save_attempts(tx).await?;
        return Ok(Vec::new());
    }
    // Whoever has the footage may grant it by their link: then too there is a case for it.
    let granted = on.changes.iter().any(|change| change.from == State::Pending && change.to == State::Approved);
    let mut events = if granted { on.ensure_case(app, tx, caller).await? } else { Vec::new() };
    if on.changes.iter().any(|change| change.moved()) {
        on.after(app, tx, words).await?;
    }
    on.save(tx).await?;
    events.extend(on.events(kind, caller, None));
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

/// The link by which a file was coming has ended, and nothing else is coming.
pub async fn abandoned(app: &App, tx: &mut Tx, id: &RequestItemId) -> Result<Vec<Event>> {
    machine(app, tx, &Caller::server(), id, "request_item.expire", |shown, _| Ok(shown.item.abandoned()?)).await
}

/// Tells that nobody sent anything by an item's upload link while it held, where the item still waits for that, and what its holder said.
pub(crate) async fn link_ran_out(app: &App, tx: &mut Tx, id: &RequestItemId, words: Option<&str>) -> Result<()> {
    let request = store::request_item::request_of(tx, &store::video_request::everything(), id).await?;
    let request = request.ok_or_else(|| Error::not_found("request item"))?;
    let on = On::load(tx, &request, |shown| &shown.item.id == id).await?;
    if on.items.iter().any(|shown| shown.item.state != State::Approved) {
        return Ok(());
    }
    let words = words.map(from_the_link);
    on.tell_requester(app, tx, Message::LinkRanOut, words.as_deref()).await?;
    on.tell_approvers(app, tx, Message::LinkRanOut, words.as_deref()).await
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

/// The connector found that there is no recording. Where a part had arrived before, the export has failed instead: something was there.
pub async fn export_unavailable(
    app: &App,
    tx: &mut Tx,
    caller: &Caller,
    id: &RequestItemId,
    code: UnavailableCode,
    detail: &str,
) -> Result<Vec<Event>> {
    machine(app, tx, caller, id, "request_item.unavailable", |shown, now| {
        if shown.item.state == State::Uploading {
            return Ok(shown.item.fail(Reason { code: code.to_string(), detail: detail.to_owned() })?);
        }
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

/// The holder of the item's upload link answered, and may have said more; the mail that tells of it has that too.
pub async fn link_answered(
    app: &App,
    tx: &mut Tx,
    caller: &Caller,
    id: &RequestItemId,
    answer: LinkAnswer,
    words: Option<&str>,
) -> Result<Vec<Event>> {
    let words = words.map(from_the_link);
    let command = |shown: &mut Shown, now| shown.item.link_answer(answer, now);
    machine_saying(app, tx, caller, id, "request_item.answer_link", words.as_deref(), command).await
}

fn from_the_link(words: &str) -> String {
    format!("From the upload link: {words}")
}

/// The owner's side says what became of a hold, and until when it keeps it. What is no longer asked is not changed.
pub async fn hold_answered(
    app: &App,
    tx: &mut Tx,
    caller: &Caller,
    id: &RequestItemId,
    hold: Hold,
    until: Option<Timestamp>,
) -> Result<Vec<Event>> {
    machine(app, tx, caller, id, "request_item.hold_answered", |shown, _| {
        shown.item.hold_answered(hold, until);
        let state = shown.item.state;
        Ok(Change { action: Action::Hold, from: state, to: state, frees_hold: false })
    })
    .await
}

/// Notes one hold whose own term is over. False when there is none.
pub(crate) async fn hold_run_out(app: &App) -> Result<bool> {
    let mut tx = app.begin().await?;
    let Some(id) = store::request_item::hold_run_out(&mut tx).await? else { return Ok(false) };
    let events = machine(app, &mut tx, &Caller::server(), &id, "request_item.hold_run_out", |shown, now| {
        shown.item.hold_run_out(now);
        let state = shown.item.state;
        Ok(Change { action: Action::Free, from: state, to: state, frees_hold: false })
    })
    .await?;
    crate::connector_task::finish(tx, events).await?;
    Ok(true)
}

/// Ends one item whose deadline has passed. False when there is none.
pub(crate) async fn expire_one(app: &App) -> Result<bool> {
    let mut tx = app.begin().await?;
    let Some(id) = store::request_item::due(&mut tx, 1).await?.pop() else { return Ok(false) };
    // What somebody sent whole is not lost with what they still send.
    super::lock(&mut tx, &id).await?;
    store::request_item::revoke_links(&mut tx, &id).await?;
    let arrived = crate::evidence::item_arrived(app, &mut tx, &id).await?;
    if !arrived.is_empty() {
        tx.commit(arrived).await?;
        return Ok(true);
    }
    let events = machine(app, &mut tx, &Caller::server(), &id, "request_item.expire", |shown, _| {
        if shown.item.state == State::Exporting {
            let _ = shown.item.lease_lost()?; // its connector only waits: nothing of it would come in time
            let waits_for_key = shown.phase.as_deref().map(Phase::named) == Some(Phase::WaitingForKey);
            let code = if waits_for_key { "key_missing" } else { "system_away" };
            shown.item.reason = shown.waits_because.take().map(|detail| Reason { code: code.into(), detail });
        }
        Ok(shown.item.expire()?)
    })
    .await?;
    tx.commit(events).await?;
    Ok(true)
}
