//! The outbox. A mail is written in the transaction that causes it and sent afterwards.

use std::time::Duration;

use domain::Timestamp;
use domain::id::MailId;
use domain::mail::MailState;
use domain::text;
use sqlx::any::AnyRow;

use crate::{Columns as _, Engine, Result, Sql, Tx};

/// A mail to be queued.
#[derive(Debug, Clone)]
pub struct Draft {
    /// Which message: the folder of its templates.
    pub template: &'static str,
    /// The id of what it is about.
    pub object_id: Option<String>,
    /// The account that it goes to, if it goes to one.
    pub account_id: Option<String>,
    /// The address.
    pub recipient: String,
    /// Subject, one line.
    pub subject: String,
    /// The plain text.
    pub text: String,
    /// The same as HTML.
    pub html: String,
}

/// A mail of the outbox.
#[derive(Debug, Clone)]
pub struct Mail {
    /// Its id, also the local part of its Message-ID.
    pub id: MailId,
    /// Which message it is.
    pub template: String,
    /// The id of what it is about.
    pub object_id: Option<String>,
    /// The address.
    pub recipient: String,
    /// Subject.
    pub subject: String,
    /// The plain text.
    pub text: String,
    /// The same as HTML.
    pub html: String,
    /// Where it stands.
    pub state: MailState,
    /// How often it was tried.
    pub attempts: i64,
    /// Why it last failed.
    pub last_error: Option<String>,
    /// When it was queued.
    pub created_at: Timestamp,
    /// When a mail server took it.
    pub sent_at: Option<Timestamp>,
}

const COLUMNS: &str = "id, template, object_id, recipient, subject, body_text, body_html, state, attempts, last_error, created_at, sent_at";

fn mail(row: &AnyRow) -> Result<Mail> {
    Ok(Mail {
        id: row.parsed("id")?,
        template: row.text("template")?,
        object_id: row.text_or_null("object_id")?,
        recipient: row.text("recipient")?,
        subject: row.text("subject")?,
        text: row.text("body_text")?,
        html: row.text("body_html")?,
        state: row.parsed("state")?,
        attempts: row.int("attempts")?,
        last_error: row.text_or_null("last_error")?,
        created_at: row.time("created_at")?,
        sent_at: row.time_or_null("sent_at")?,
    })
}

/// Queues a mail. Where nothing delivers mail (`kept`), it is kept for the administrator to read.
pub async fn push(tx: &mut Tx, draft: &Draft, kept: bool) -> Result<MailId> {
    let id: MailId = tx.new_id();
    let now = tx.now().as_micros();
    let search_text = text::fold(&format!("{} {}", draft.recipient, draft.subject));
    let state = if kept { MailState::Kept } else { MailState::Waiting };
    Sql::new(
        "INSERT INTO mails (id, template, recipient, subject, search_text, body_text, body_html, state, object_id, account_id, run_at, lease_until, attempts, created_at) VALUES (",
    )
    .args([id.as_str(), draft.template, &draft.recipient, &draft.subject, &search_text, &draft.text, &draft.html])
    .add(", ")
    .arg(state.as_str())
    .add(", ")
    .args([draft.object_id.as_deref(), draft.account_id.as_deref()])
    .add(", ")
    .args([now, 0, 0, now])
    .add(")")
    .execute(tx)
    .await?;
    Ok(id)
}

/// Claims the mail that has been due longest.
pub async fn claim(tx: &mut Tx, lease: Duration) -> Result<Option<Mail>> {
    let now = tx.now();
    let mut sql = Sql::new("UPDATE mails SET attempts = attempts + 1, lease_until = ")
        .arg(now.plus(lease).as_micros())
        .add(" WHERE id = (SELECT id FROM mails WHERE state = 'waiting' AND run_at <= ")
        .arg(now.as_micros())
        .add(" AND lease_until <= ")
        .arg(now.as_micros())
        .add(" ORDER BY run_at LIMIT 1");
    if tx.engine() == Engine::Postgres {
        sql.push(" FOR UPDATE SKIP LOCKED");
    }
    sql.push(") RETURNING ").push(COLUMNS);
    sql.fetch_optional(tx).await?.as_ref().map(mail).transpose()
}

/// A mail server took it.
pub async fn sent(tx: &mut Tx, claimed: &Mail) -> Result<()> {
    Sql::new("UPDATE mails SET state = 'sent', lease_until = 0, last_error = NULL, sent_at = ")
        .arg(tx.now().as_micros())
        .add(" WHERE id = ")
        .arg(claimed.id.as_str())
        .add(" AND attempts = ")
        .arg(claimed.attempts)
        .execute(tx)
        .await?;
    Ok(())
}

/// It could not be sent: it is tried again, or given up.
pub async fn failed(tx: &mut Tx, claimed: &Mail, error: &str, again_at: Option<Timestamp>) -> Result<()> {
    Sql::new("UPDATE mails SET lease_until = 0, last_error = ")
        .arg(error)
        .add(", state = ")
        .arg(if again_at.is_some() { "waiting" } else { "dead" })
        .add(", run_at = ")
        .arg(again_at.unwrap_or(tx.now()).as_micros())
        .add(" WHERE id = ")
        .arg(claimed.id.as_str())
        .add(" AND attempts = ")
        .arg(claimed.attempts)
        .execute(tx)
        .await?;
    Ok(())
}

/// One mail.
pub async fn find(tx: &mut Tx, id: &MailId) -> Result<Option<Mail>> {
    let sql = Sql::new("SELECT ").add(COLUMNS).add(" FROM mails WHERE id = ").arg(id.as_str());
    sql.fetch_optional(tx).await?.as_ref().map(mail).transpose()
}

/// Which mails to list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// In this state only.
    pub state: Option<MailState>,
    /// Words that must all occur in recipient or subject.
    pub q: Option<String>,
    /// Those older than this one.
    pub after: Option<MailId>,
    /// At most so many.
    pub limit: i64,
}

/// Mails, newest first.
pub async fn list(tx: &mut Tx, filter: &Filter) -> Result<Vec<Mail>> {
    let mut sql = Sql::new("SELECT ").add(COLUMNS).add(" FROM mails WHERE 1 = 1");
    for word in text::words(filter.q.as_deref().unwrap_or("")) {
        sql = sql.add(" AND search_text LIKE ").arg(text::like(&word)).add(" ESCAPE '!'");
    }
    if let Some(state) = filter.state {
        sql = sql.add(" AND state = ").arg(state.as_str());
    }
    if let Some(after) = &filter.after {
        sql = sql.add(" AND id < ").arg(after.as_str());
    }
    let rows = sql.add(" ORDER BY id DESC LIMIT ").arg(filter.limit).fetch_all(tx).await?;
    rows.iter().map(mail).collect()
}

/// Gives a dead or kept mail a new try. False where there is none such.
pub async fn revive(tx: &mut Tx, id: &MailId) -> Result<bool> {
    let sql = Sql::new("UPDATE mails SET state = 'waiting', attempts = 0, lease_until = 0, run_at = ")
        .arg(tx.now().as_micros())
        .add(" WHERE state IN ('dead', 'kept') AND id = ")
        .arg(id.as_str());
    Ok(sql.execute(tx).await? > 0)
}
