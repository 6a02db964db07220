//! Who is told, and what it says. A mail is a row of the transaction that causes it; its words stand in
//! `templates/mail/<message>/`.

use std::sync::LazyLock;

use domain::account::Account;
use domain::id::RequestItemId;
use domain::policy::Privilege;
use domain::video_request::VideoRequest;
use domain::{Gap, Timestamp, Window};
use minijinja::{Environment, Value, context};
use store::Tx;
use store::mail::Draft;
use store::request_item::Shown;

use crate::{App, Error, Result};

macro_rules! messages {
    ($($(#[$doc:meta])* $variant:ident = $folder:literal,)*) => {
        /// A message: a folder of templates.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Message { $($(#[$doc])* $variant,)* }

        impl Message {
            pub(crate) const fn folder(self) -> &'static str {
                match self { $(Self::$variant => $folder,)* }
            }
        }

        static TEMPLATES: LazyLock<Environment<'static>> = LazyLock::new(|| {
            let mut environment = Environment::new();
            environment.set_undefined_behavior(minijinja::UndefinedBehavior::SemiStrict);
            let mut add = |name: &'static str, text: &'static str| {
                environment.add_template(name, text).expect("a test renders every template");
            };
            add("layout.html", include_str!("../templates/mail/layout.html"));
            add("layout.txt", include_str!("../templates/mail/layout.txt"));
            $(
                add(concat!($folder, "/subject.txt"), include_str!(concat!("../templates/mail/", $folder, "/subject.txt")));
                add(concat!($folder, "/text.txt"), include_str!(concat!("../templates/mail/", $folder, "/text.txt")));
                add(concat!($folder, "/html.html"), include_str!(concat!("../templates/mail/", $folder, "/html.html")));
            )*
            environment
        });

        #[cfg(test)]
        const ALL: &[Message] = &[$(Message::$variant,)*];
    };
}

messages! {
    /// To the approvers: something is asked of you.
    Submitted = "request_submitted",
    /// To the requester: granted.
    Approved = "item_approved",
    /// To the requester: refused.
    Denied = "item_denied",
    /// To the requester: a question to answer.
    Question = "item_question",
    /// To the approvers: the answer.
    Answer = "item_answer",
    /// To the requester: the footage is in the case.
    Ready = "footage_ready",
    /// To the approvers: footage arrived, look at it.
    InReview = "footage_in_review",
    /// To the requester: there is no recording.
    Unavailable = "item_unavailable",
    /// To the requester and the approvers: tries are used up.
    Failed = "item_failed",
    /// To the requester: the deadline passed, or the link was abandoned.
    Expired = "item_expired",
    /// To the requester and the approvers: nobody sent anything by the upload link while it held.
    LinkRanOut = "link_ran_out",
    /// To whoever has the footage: where to upload it.
    FileRequest = "file_request",
}

/// What a message is about.
pub(crate) struct About<'a> {
    /// The request.
    pub(crate) request: &'a VideoRequest,
    /// The requester.
    pub(crate) requester: &'a Account,
    /// The items, all of them of one owner when it goes to an owner.
    pub(crate) items: &'a [&'a Shown],
    /// What was written with it.
    pub(crate) comment: Option<&'a str>,
    /// What is missing in what has arrived for them.
    pub(crate) missing: &'a [(RequestItemId, Gap)],
    /// The upload link, and until when it holds.
    pub(crate) link: Option<(&'a str, Timestamp)>,
}

/// Everybody who decides for the owner of these items, but not the requester.
pub(crate) async fn approvers(tx: &mut Tx, about: &About<'_>) -> Result<Vec<Account>> {
    let Some(first) = about.items.first() else { return Ok(Vec::new()) };
    let mut found = store::account::with_privilege(tx, Privilege::ApproveRequests, &first.item.organization_id).await?;
    found.retain(|account| account.id != about.requester.id);
    if found.is_empty() {
        // An owner without approvers of its own: the host's, who decide for all, have to know.
        let host =
            store::organization::host(tx).await?.ok_or_else(|| Error::internal("there is no host organization"))?;
        found = store::account::with_privilege(tx, Privilege::ApproveRequests, &host.id).await?;
        found.retain(|account| {
            let decides_for_all = account.privileges().contains(&(Privilege::ApproveRequests, None));
            decides_for_all && account.id != about.requester.id
        });
    }
    Ok(found)
}

/// Tells the owner's approvers.
pub(crate) async fn tell_approvers(app: &App, tx: &mut Tx, message: Message, about: &About<'_>) -> Result<()> {
    for approver in approvers(tx, about).await? {
        tell(app, tx, message, &approver, about).await?;
    }
    Ok(())
}

/// Tells the requester.
pub(crate) async fn tell_requester(app: &App, tx: &mut Tx, message: Message, about: &About<'_>) -> Result<()> {
    if about.requester.disabled_at.is_some() {
        return Ok(());
    }
    tell(app, tx, message, about.requester, about).await
}

async fn tell(app: &App, tx: &mut Tx, message: Message, to: &Account, about: &About<'_>) -> Result<()> {
    let host = store::organization::host(tx).await?.ok_or_else(|| Error::internal("there is no host organization"))?;
    let zone = jiff::tz::TimeZone::get(&host.time_zone).map_err(Error::internal)?;
    let values = values(app, &host.name, &zone, to, about);
    let draft = Draft {
        template: message.folder(),
        object_id: Some(about.request.id.to_string()),
        account_id: Some(to.id.to_string()),
        recipient: to.email.clone(),
        subject: one_line(&render(message, "subject.txt", &values)?),
        text: render(message, "text.txt", &values)?,
        html: render(message, "html.html", &values)?,
    };
    store::mail::push(tx, &draft, app.settings().smtp.is_none()).await?;
    Ok(())
}

fn values(app: &App, installation: &str, zone: &jiff::tz::TimeZone, to: &Account, about: &About<'_>) -> Value {
    let request = about.request;
    let item = |shown: &&Shown| {
        let item = &shown.item;
        let gaps = about.missing.iter().filter(|(of, _)| *of == item.id).map(|(_, gap)| gap);
        let missing = domain::gap::by_reason(gaps).into_iter().map(|(reason, windows)| {
            context! {
                windows => windows.into_iter().map(|missing| window(missing, zone)).collect::<Vec<_>>(),
                reason => reason.map(|reason| at_home(reason, zone)),
            }
        });
        context! {
            source => shown.source_name.as_deref().unwrap_or("Any source at the place"),
            organization => shown.organization_name,
            asked => window(item.asked, zone),
            granted => item.granted.map(|granted| window(granted, zone)),
            narrowed => item.granted.is_some_and(|granted| granted != item.asked),
            reason => item.reason.as_ref().map(|reason| at_home(&reason.sentences(), zone)),
            missing => missing.collect::<Vec<_>>(),
            by_link => shown.connector.is_none(),
            deadline => item.deadline_at.map(|deadline| instant(deadline, zone)),
        }
    };
    context! {
        installation => installation,
        name => to.name,
        url => format!("{}/requests/{}", app.settings().public_url, request.id),
        number => request.number,
        request => request.name,
        category => request.category,
        reason => request.reason,
        incident_number => request.incident.number,
        address => request.incident.address,
        requester => about.requester.name,
        requester_organization => about.requester.organization_name,
        needed_by => request.needed_by.map(|time| instant(time, zone)),
        items => about.items.iter().map(item).collect::<Vec<_>>(),
        comment => about.comment,
        link => about.link.map(|(link, _)| link),
        link_expires_at => about.link.map(|(_, until)| instant(until, zone)),
    }
}

fn render(message: Message, part: &str, values: &Value) -> Result<String> {
    let template = TEMPLATES.get_template(&format!("{}/{part}", message.folder())).map_err(Error::internal)?;
    template.render(values).map_err(Error::internal)
}

/// Subjects are headers: no line breaks.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn instant(time: Timestamp, zone: &jiff::tz::TimeZone) -> String {
    match time.to_jiff() {
        Some(instant) => instant.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S %Z").to_string(),
        None => time.to_string(),
    }
}

/// A sentence whose times, written in UTC, are told in a time zone.
fn at_home(sentence: &str, zone: &jiff::tz::TimeZone) -> String {
    let word = |word: &str| match word.trim_end_matches(['.', ',']).parse::<Timestamp>() {
        Ok(time) => format!("{}{}", instant(time, zone), &word[word.trim_end_matches(['.', ',']).len()..]),
        Err(_) => word.to_owned(),
    };
    sentence.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

fn window(window: Window, zone: &jiff::tz::TimeZone) -> String {
    format!("{} to {}", instant(window.from, zone), instant(window.to, zone))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_renders_and_escapes() {
        let item = context! {
            source => "<b>5th & Main</b>", organization => "Metro", asked => "21:05 to 21:07", granted => "21:05 to 21:06", narrowed => true,
            reason => "overwritten", missing => vec![context! { windows => vec!["21:05 to 21:06"], reason => "a.mp4 is <i>damaged</i>" }], by_link => true,
        };
        let values = context! {
            installation => "Harbor City", name => "Ana", url => "https://example.org/requests/req_1", number => "VR-1", request => "Theft\r\nBcc: x",
            category => "Theft", reason => "A bag was taken.", incident_number => "I-1", address => "5th & Main", requester => "Ben",
            requester_organization => "Police", needed_by => "tomorrow", items => vec![item.clone(), item], comment => "line 1\nline 2 <i>",
            link => "https://example.org/f/x", link_expires_at => "next week",
        };
        for message in ALL {
            let subject = one_line(&render(*message, "subject.txt", &values).unwrap());
            assert!(!subject.is_empty() && !subject.contains(['\r', '\n']), "{message:?}: {subject}");
            assert!(subject.contains("VR-1"), "{message:?}: {subject}");
            let text = render(*message, "text.txt", &values).unwrap();
            let html = render(*message, "html.html", &values).unwrap();
            assert!(text.contains("<b>5th & Main</b>"), "{message:?}: text is not escaped");
            assert!(!html.contains("<b>5th") && html.contains("&lt;b&gt;5th"), "{message:?}: HTML is escaped");
            assert!(!html.contains("<i>"), "{message:?}");
            assert!(text.contains("https://example.org/"), "{message:?} says where to go");
        }
    }

    #[test]
    fn a_text_has_no_two_empty_lines_in_a_row() {
        let said = |text: &'static str, is_said: bool| is_said.then_some(text);
        for (more, count) in [(true, 2), (true, 1), (false, 2), (false, 1)] {
            let item = context! {
                source => "Gate", organization => "Metro", asked => "21:05 to 21:07", granted => "21:05 to 21:06", narrowed => more, by_link => more,
                reason => said("The recorder has a gap there.", more),
                missing => vec![context! { windows => vec!["21:05 to 21:06"], reason => said("It was off.", more) }],
            };
            let values = context! {
                installation => "Harbor City", name => "Ana", url => "https://example.org/requests/req_1", number => "VR-1", request => "Theft",
                category => said("Theft", more), reason => said("A bag was taken.", more), incident_number => said("I-1", more),
                address => said("5th & Main", more), requester => "Ben", requester_organization => "Police",
                needed_by => said("tomorrow", more), items => vec![item; count], comment => said("One word more.", more),
                link => "https://example.org/f/x", link_expires_at => "next week",
            };
            for message in ALL {
                let text = render(*message, "text.txt", &values).unwrap();
                assert!(!text.contains("\n\n\n"), "{message:?}:\n{text}");
                assert!(text.lines().all(|line| line == line.trim_end()), "{message:?}:\n{text}");
                let end = if more { "\n\nOne word more.\n\n" } else { "\n\n" };
                assert!(text.contains(&format!("{end}Request VR-1")), "{message:?}:\n{text}");
            }
        }
    }

    #[test]
    fn an_approval_says_how_the_footage_comes() {
        let says = |links: &[bool]| {
            let item = |by_link: &bool| {
                context! {
                    source => "Gate", organization => "Metro", asked => "21:05 to 21:07", narrowed => false, by_link => *by_link,
                    reason => Option::<String>::None, missing => Vec::<String>::new(),
                }
            };
            let values = context! {
                installation => "Harbor City", name => "Ana", url => "https://example.org/requests/req_1", number => "VR-1",
                request => "Theft", items => links.iter().map(item).collect::<Vec<_>>(), comment => Option::<String>::None,
            };
            render(Message::Approved, "text.txt", &values).unwrap()
        };
        assert!(says(&[false, false]).contains("The footage is fetched now;"));
        assert!(says(&[true]).contains("Its owner sends it by an upload link;"));
        assert!(
            says(&[false, true])
                .contains("Some of it is fetched now, and some is sent by its owner through an upload link;")
        );
    }
}
