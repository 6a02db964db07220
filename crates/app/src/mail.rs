//! Mail: written into the outbox in the transaction that causes it, sent by a worker afterwards. Without SMTP
//! settings it is kept, and an administrator reads it in the page.

use std::time::Duration;

use domain::Caller;
use domain::id::MailId;
use domain::mail::MailState;
use domain::policy::{self, Privilege};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use store::mail::{Filter, Mail};

use crate::page::Page;
use crate::settings::{Smtp, SmtpSecurity};
use crate::{App, Error, Result, did, jobs};

/// How long one sending may take in all. The transport's own limit is for each step of the talk, so it bounds no sum.
const SENDING: Duration = Duration::from_secs(30);
/// When a mail whose sender was killed is begun anew: longer than [`SENDING`], so that no living sender is overtaken.
const LEASE: Duration = Duration::from_secs(40);
const TRIES: i64 = 12;

/// Sends one mail that is due. False when there was none.
pub async fn send_one(app: &App) -> Result<bool> {
    let Some(smtp) = &app.settings().smtp else { return Ok(false) };
    let mut tx = app.begin().await?;
    let Some(mail) = store::mail::claim(&mut tx, LEASE).await? else { return Ok(false) };
    tx.commit_housekeeping().await?;
    let outcome = match message(smtp, &mail) {
        Ok(message) => deliver(smtp, message).await,
        Err(error) => Err((error.to_string(), false)),
    };
    let mut tx = app.begin().await?;
    match outcome {
        Ok(()) => store::mail::sent(&mut tx, &mail).await?,
        Err((error, may_pass)) => {
            tracing::warn!(mail = %mail.id, error, "mail was not taken");
            let again =
                (may_pass && mail.attempts < TRIES).then(|| jobs::again_at(tx.now(), mail.attempts + 4, tx.random()));
            store::mail::failed(&mut tx, &mail, &error, again).await?;
        }
    }
    tx.commit_housekeeping().await?;
    Ok(true)
}

/// Hands a mail to the server. A failure says whether it may pass by itself.
async fn deliver(smtp: &Smtp, message: Message) -> std::result::Result<(), (String, bool)> {
    let transport = transport(smtp).map_err(|error| (error.for_administrators(), true))?;
    let sending = async {
        let Err(error) = transport.send(message).await else { return Ok(()) };
        // A server that also refuses us without a mail has nothing against this one: a wrong password must not kill the outbox.
        let about_this_mail = error.is_permanent() && transport.test_connection().await.unwrap_or(false);
        Err((error.to_string(), !about_this_mail))
    };
    let slow = || (format!("the mail server took longer than {} s", SENDING.as_secs()), true);
    tokio::time::timeout(SENDING, sending).await.unwrap_or_else(|_| Err(slow()))
}

/// Refuses a sender's address that no mail could bear.
pub fn check_sender(from: &str) -> std::result::Result<(), String> {
    from.parse::<Mailbox>().map(drop).map_err(|error| error.to_string())
}

/// The Message-ID is the mail's own id, so that a copy sent after a crash is recognised as the same mail (RFC 5322 §3.6.4).
fn message(smtp: &Smtp, mail: &Mail) -> std::result::Result<Message, Box<dyn std::error::Error + Send + Sync>> {
    let from: Mailbox = smtp.from.parse()?;
    let domain = from.email.domain().to_owned();
    let message = Message::builder()
        .from(from)
        .to(mail.recipient.parse()?)
        .subject(&mail.subject)
        .message_id(Some(format!("<{}@{domain}>", mail.id)));
    Ok(message.multipart(MultiPart::alternative_plain_html(mail.text.clone(), mail.html.clone()))?)
}

fn transport(smtp: &Smtp) -> Result<AsyncSmtpTransport<Tokio1Executor>> {
    let tls = || TlsParameters::new(smtp.host.clone()).map_err(Error::internal);
    let tls = match smtp.security {
        SmtpSecurity::None => Tls::None,
        SmtpSecurity::StartTls => Tls::Required(tls()?),
        SmtpSecurity::Tls => Tls::Wrapper(tls()?),
    };
    let builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&smtp.host)
        .port(smtp.port)
        .tls(tls)
        .timeout(Some(SENDING));
    Ok(match (&smtp.username, &smtp.password) {
        (Some(user), Some(password)) => builder.credentials(Credentials::new(user.clone(), password.clone())).build(),
        _ => builder.build(),
    })
}

/// The outbox, newest first.
pub async fn list(
    app: &App,
    caller: &Caller,
    state: Option<MailState>,
    q: Option<String>,
    limit: Option<i64>,
    cursor: Option<&str>,
) -> Result<Page<Mail>> {
    policy::holds_everywhere(caller, Privilege::ManageSettings)?;
    let limit = crate::page::limit(limit)?;
    let filter = Filter { state, q, after: crate::page::key(cursor)?, limit: limit + 1 };
    let mut tx = app.read().await?;
    let found = store::mail::list(&mut tx, &filter).await?;
    Ok(Page::cut(found, limit, |mail| mail.id.clone()))
}

/// One mail, to be read.
pub async fn find(app: &App, caller: &Caller, id: &MailId) -> Result<Mail> {
    policy::holds_everywhere(caller, Privilege::ManageSettings)?;
    let mut tx = app.read().await?;
    store::mail::find(&mut tx, id).await?.ok_or_else(|| Error::not_found("mail"))
}

/// Tries a mail again that was kept or given up.
pub async fn retry(app: &App, caller: &Caller, id: &MailId) -> Result<()> {
    policy::holds_everywhere(caller, Privilege::ManageSettings)?;
    if app.settings().smtp.is_none() {
        return Err(Error::conflict("no_mail_server", "No mail server is configured: set smtp.host first."));
    }
    let mut tx = app.begin().await?;
    store::mail::find(&mut tx, id).await?.ok_or_else(|| Error::not_found("mail"))?;
    if !store::mail::revive(&mut tx, id).await? {
        return Err(Error::conflict("wrong_state", "Only a mail that was kept or given up can be tried again."));
    }
    tx.commit([did(caller, "mail.retry").about("mail", id)]).await?;
    Ok(())
}
