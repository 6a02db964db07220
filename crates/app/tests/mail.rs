//! Mail against a small SMTP server: sent once, kept through failures, the same Message-ID on a second try.
#![allow(clippy::unwrap_used, missing_docs)]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use app::settings::{Smtp, SmtpSecurity};
use app::testing::TestApp;
use domain::mail::MailState;
use store::mail::{Draft, Filter};
use store::on_both;
use store::testing::TestDatabase;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// The answer of a server that never answers.
const SILENCE: &str = "";

/// What a mail server was given, and what it answers to the bytes of a mail.
#[derive(Clone)]
struct Server {
    port: u16,
    taken: Arc<Mutex<Vec<String>>>,
    answer: Arc<Mutex<&'static str>>,
    /// What it answers to a user name and password; none: it does not ask for them.
    authentication: Arc<Mutex<Option<&'static str>>>,
}

impl Server {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self {
            port: listener.local_addr().unwrap().port(),
            taken: Arc::default(),
            answer: Arc::new(Mutex::new("250 OK")),
            authentication: Arc::default(),
        };
        let served = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(served.clone().talk(stream));
            }
        });
        server
    }

    /// RFC 5321, as much as a sender needs.
    async fn talk(self, stream: TcpStream) -> Option<()> {
        let (read, mut write) = stream.into_split();
        let mut lines = BufReader::new(read).lines();
        write.write_all(b"220 test\r\n").await.ok()?;
        while let Some(line) = lines.next_line().await.ok()? {
            let answer = match line.split(' ').next().unwrap_or("").to_uppercase().as_str() {
                "EHLO" if self.authentication.lock().unwrap().is_some() => "250-test\r\n250 AUTH PLAIN".to_owned(),
                "AUTH" => self.authentication.lock().unwrap().unwrap_or("503 no").to_owned(),
                "EHLO" | "MAIL" | "RCPT" | "RSET" | "NOOP" => "250 OK".to_owned(),
                "QUIT" => "221 bye".to_owned(),
                "DATA" => {
                    write.write_all(b"354 go\r\n").await.ok()?;
                    let mut mail = String::new();
                    while let Some(line) = lines.next_line().await.ok()?.filter(|l| l != ".") {
                        mail.push_str(&line);
                        mail.push('\n');
                    }
                    self.taken.lock().unwrap().push(mail);
                    let answer = *self.answer.lock().unwrap();
                    if answer == SILENCE {
                        std::future::pending::<()>().await;
                    }
                    answer.to_owned()
                }
                _ => "500 what".to_owned(),
            };
            write.write_all(format!("{answer}\r\n").as_bytes()).await.ok()?;
        }
        Some(())
    }

    /// Of each mail that it was given.
    fn message_ids(&self) -> Vec<String> {
        let taken = self.taken.lock().unwrap();
        let id = |mail: &String| mail.lines().find(|line| line.starts_with("Message-ID:")).unwrap().to_owned();
        taken.iter().map(id).collect()
    }

    fn smtp(&self) -> Smtp {
        Smtp {
            host: "127.0.0.1".into(),
            port: self.port,
            security: SmtpSecurity::None,
            username: None,
            password: None,
            from: "Sightline <sightline@example.org>".into(),
        }
    }
}

async fn with_one_mail(database: TestDatabase, smtp: Option<Smtp>) -> TestApp {
    let test = app::testing::app_with(database, |settings| settings.smtp = smtp).await;
    let draft = Draft {
        template: "test",
        object_id: None,
        account_id: None,
        recipient: "ana@example.org".into(),
        subject: "Übergabe".into(),
        text: "Hello\n.\nthere".into(),
        html: "<p>Hello</p>".into(),
    };
    let mut tx = test.app.begin().await.unwrap();
    store::mail::push(&mut tx, &draft, test.app.settings().smtp.is_none()).await.unwrap();
    tx.commit_housekeeping().await.unwrap();
    test
}

async fn state(test: &TestApp) -> MailState {
    let mut tx = test.app.read().await.unwrap();
    store::mail::list(&mut tx, &Filter { limit: 10, ..Filter::default() }).await.unwrap()[0].state
}

on_both!(a_mail_is_sent_once, |database: TestDatabase| async move {
    let server = Server::start().await;
    let test = with_one_mail(database, Some(server.smtp())).await;
    assert!(app::mail::send_one(&test.app).await.unwrap());
    assert!(!app::mail::send_one(&test.app).await.unwrap());
    assert_eq!(state(&test).await, MailState::Sent);
    let taken = server.taken.lock().unwrap();
    assert_eq!(taken.len(), 1);
    assert!(taken[0].contains("To: ana@example.org"), "{}", taken[0]);
    assert!(taken[0].contains("multipart/alternative"));
});

on_both!(a_refused_mail_is_tried_again_with_the_same_message_id, |database: TestDatabase| async move {
    let server = Server::start().await;
    let test = with_one_mail(database, Some(server.smtp())).await;
    *server.answer.lock().unwrap() = "451 later";
    app::mail::send_one(&test.app).await.unwrap();
    assert_eq!(state(&test).await, MailState::Waiting);
    assert!(!app::mail::send_one(&test.app).await.unwrap(), "not before its time");
    *server.answer.lock().unwrap() = "250 OK";
    test.advance(Duration::from_secs(60));
    app::mail::send_one(&test.app).await.unwrap();
    assert_eq!(state(&test).await, MailState::Sent);
    let ids = server.message_ids();
    assert_eq!(ids.len(), 2);
    assert_eq!(ids[0], ids[1]);
});

on_both!(a_mail_whose_sender_died_is_sent_within_a_minute, |database: TestDatabase| async move {
    let server = Server::start().await;
    let test = with_one_mail(database, Some(server.smtp())).await;
    *server.answer.lock().unwrap() = SILENCE;
    let sender = tokio::spawn({
        let app = test.app.clone();
        async move { app::mail::send_one(&app).await }
    });
    while server.message_ids().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    sender.abort();
    *server.answer.lock().unwrap() = "250 OK";
    assert!(!app::mail::send_one(&test.app).await.unwrap(), "it may still be with its sender");
    test.advance(Duration::from_secs(45));
    assert!(app::mail::send_one(&test.app).await.unwrap());
    assert_eq!(state(&test).await, MailState::Sent);
    let ids = server.message_ids();
    assert_eq!(ids.len(), 2);
    assert_eq!(ids[0], ids[1], "whoever got it twice knows");
});

on_both!(a_hopeless_mail_is_given_up_and_can_be_revived, |database: TestDatabase| async move {
    let server = Server::start().await;
    let test = with_one_mail(database, Some(server.smtp())).await;
    *server.answer.lock().unwrap() = "550 never";
    app::mail::send_one(&test.app).await.unwrap();
    assert_eq!(state(&test).await, MailState::Dead);
    let admin = test.caller("boss", &test.host.clone(), &[(domain::account::Role::Administrator, None)]).await;
    let id =
        app::mail::list(&test.app, &admin, Some(MailState::Dead), None, None, None).await.unwrap().items[0].id.clone();
    app::mail::retry(&test.app, &admin, &id).await.unwrap();
    *server.answer.lock().unwrap() = "250 OK";
    app::mail::send_one(&test.app).await.unwrap();
    assert_eq!(state(&test).await, MailState::Sent);
});

on_both!(a_wrong_password_of_ours_kills_no_mail, |database: TestDatabase| async move {
    let server = Server::start().await;
    *server.authentication.lock().unwrap() = Some("535 wrong");
    let smtp = Smtp { username: Some("us".into()), password: Some("old".into()), ..server.smtp() };
    let test = with_one_mail(database, Some(smtp)).await;
    for _ in 0..4 {
        assert!(app::mail::send_one(&test.app).await.unwrap());
        assert_eq!(state(&test).await, MailState::Waiting, "the mail is not to blame");
        test.advance(Duration::from_secs(3_600));
    }
    *server.authentication.lock().unwrap() = Some("235 welcome");
    app::mail::send_one(&test.app).await.unwrap();
    assert_eq!(state(&test).await, MailState::Sent);
});

#[test]
fn a_sender_that_is_no_address_is_refused() {
    assert!(app::mail::check_sender("Sightline <sightline@agency.example>").is_ok());
    assert!(app::mail::check_sender("not an address at all").is_err());
}

on_both!(without_a_mail_server_mail_is_kept, |database: TestDatabase| async move {
    let test = with_one_mail(database, None).await;
    assert!(!app::mail::send_one(&test.app).await.unwrap());
    assert_eq!(state(&test).await, MailState::Kept);
});
