//! When a file may come: the rules around uploads that are easily lost while one is under way, through the router, on both databases.

use std::time::Duration;

use crate::support::force::{DAY, Force, cookie, text};
use axum::body::{Body, Bytes};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::id::UploadId;
use domain::upload::Whole;
use futures::StreamExt as _;
use proof::Sha256Digest;
use serde_json::json;
use store::on_both;
use store::testing::TestDatabase;

on_both!(a_closed_case_takes_nothing_more_by_its_links, |database: TestDatabase| async move {
    let force = Force::new(database).await;
    let case = force.case(&force.ana).await;
    let made = force.site.post(&format!("/cases/{case}/file-requests"), Some(&force.ana), json!({ "name": "x" })).await;
    let link = format!("Bearer {}", text(&made.json["url"]).rsplit('/').next().unwrap());
    let holder = ("authorization", link.as_str());
    let path = force.half(holder, ("file_request", "self")).await;
    force.close(&case, &force.ana).await;
    let begun = force.send(holder, &path, 5, " world").await;
    assert_eq!((begun.status, begun.code()), (409, "case_closed"));
    let new = force.announce(holder, ("file_request", "self"), 5).await;
    assert_eq!((new.status, new.code()), (409, "case_closed"));
    assert_eq!(force.site.post(&format!("/cases/{case}/reopen"), Some(&force.ana), json!({})).await.status, 200);
    assert_eq!(force.send(holder, &path, 5, " world").await.status, 204);
    assert_eq!(force.site.get(&format!("/cases/{case}"), Some(&force.ana)).await.json["evidence_count"], 1);
});

on_both!(who_lost_access_cannot_finish_what_they_began, |database: TestDatabase| async move {
    let force = Force::new(database).await;
    let case = force.case(&force.ana).await;
    let share = async |level| force.let_in(&case, ("ana", &force.ana), "ben", level).await;
    share(Some("edit")).await;
    let path = force.half(cookie(&force.ben), ("case_id", &case)).await;
    share(Some("view")).await;
    assert_eq!(force.send(cookie(&force.ben), &path, 5, " world").await.status, 403);
    share(None).await;
    assert_eq!(force.send(cookie(&force.ben), &path, 5, " world").await.status, 404);
    share(Some("edit")).await;
    // It is taken away while the last part arrives.
    let (last, rest) = futures::channel::oneshot::channel::<Bytes>();
    let body = futures::stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b" wor"))])
        .chain(futures::stream::once(async move { Ok(rest.await.unwrap()) }));
    let upload: UploadId = path.rsplit('/').next().unwrap().parse().unwrap();
    let (sent, ()) = futures::join!(force.send(cookie(&force.ben), &path, 5, Body::from_stream(body)), async {
        while force.site.test.app.uploads().progress(&upload) != Some(9) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        share(None).await;
        last.send(Bytes::from_static(b"ld")).unwrap();
    });
    assert_eq!(sent.status, 404);
    assert_eq!(force.site.get(&format!("/cases/{case}"), Some(&force.ana)).await.json["evidence_count"], 0);
    // Asking where it stands does not record it either: it is over, and nothing of it stays.
    let asked = force.tus("HEAD", &path, &[cookie(&force.ben)], Body::empty()).await;
    assert_eq!(asked.status, 404);
    assert_eq!(force.tus("HEAD", &path, &[cookie(&force.ben)], Body::empty()).await.status, 410);
    assert_eq!(force.site.get(&format!("/cases/{case}"), Some(&force.ana)).await.json["evidence_count"], 0);
    assert!(force.kept().await.is_empty() && force.site.test.app.uploads().list().unwrap().is_empty());
});

on_both!(a_canceled_item_takes_no_file_by_hand, |database: TestDatabase| async move {
    let force = Force::new(database).await;
    let (_, item, _) = force.approved(&force.ana, false).await;
    let path = force.half(cookie(&force.pia), ("request_item", item.as_str())).await;
    force.act(&item, "cancel", &force.ana, json!({}), 200).await;
    let refused = force.send(cookie(&force.pia), &path, 5, " world").await;
    assert_eq!((refused.status, refused.code()), (409, "wrong_state"));
    // Neither does it where the server died after the last byte: the end is recorded later, or not.
    let app = &force.site.test.app;
    let id: UploadId = path.rsplit('/').next().unwrap().parse().unwrap();
    let whole = Whole { sha256: Sha256Digest::of(b"hello world"), blob: app.blobs().new_name("evidence") };
    app.blobs().put_named(&whole.blob, b"hello world".to_vec()).await.unwrap();
    let mut tx = app.begin().await.unwrap();
    store::upload::sealed(&mut tx, &id, &whole).await.unwrap();
    tx.commit_housekeeping().await.unwrap();
    for _ in 0..2 {
        app::upload::remove_abandoned(app).await.unwrap();
        assert!(store::evidence::of_item(&mut app.read().await.unwrap(), &item).await.unwrap().is_empty());
        assert!(force.kept().await.is_empty() && app.uploads().list().unwrap().is_empty());
    }
    force.check().await;
});

on_both!(nothing_is_granted_into_a_closed_case, |database: TestDatabase| async move {
    let force = Force::new(database).await;
    let case = force.case(&force.ana).await;
    let (request, item) = force.request(&force.ana, Some(&case)).await;
    let (running, exported) = force.request(&force.ana, Some(&case)).await;
    force.act(&exported, "approve", &force.pia, json!({}), 200).await;
    force.close(&case, &force.ana).await;
    for path in [format!("/request-items/{item}/approve"), format!("/video-requests/{request}/approve")] {
        let refused = force.site.post(&path, Some(&force.pia), json!({})).await;
        assert_eq!((refused.status, refused.code()), (409, "case_closed"), "{path}");
        assert!(text(&refused.json["detail"]).contains("reopen"), "{}", refused.json);
    }
    assert_eq!(force.item(&request, &force.pia).await["state"], "pending");
    // What was granted before the case was closed still arrives.
    force.arrive(&exported, b"footage").await;
    assert_eq!(force.item(&running, &force.ana).await["state"], "released");
    assert_eq!(force.site.post(&format!("/cases/{case}/reopen"), Some(&force.ana), json!({})).await.status, 200);
    force.act(&item, "approve", &force.pia, json!({}), 200).await;
});

on_both!(a_request_raises_nobodys_level_in_a_case, |database: TestDatabase| async move {
    let force = Force::new(database).await;
    let case = force.case(&force.ben).await;
    let share = async |level| force.let_in(&case, ("ben", &force.ben), "ana", level).await;
    let access = async || force.site.get(&format!("/cases/{case}/access"), Some(&force.ben)).await.json;
    // Who may not add to a case asks for no footage into it.
    let mut body = force.body(json!({ "from": "2026-11-22T10:00:00Z", "to": "2026-11-22T10:02:00Z" }));
    body["case_id"] = json!(case);
    for level in ["view", "download"] {
        share(Some(level)).await;
        let refused = force.site.post("/video-requests", Some(&force.ana), body.clone()).await;
        assert_eq!((refused.status, text(&refused.json["errors"][0]["pointer"])), (422, "/case_id".into()), "{level}");
    }
    // Who lost that since gets nothing there, and comes in by no approval.
    share(Some("edit")).await;
    let (request, item) = force.request(&force.ana, Some(&case)).await;
    for (level, sees) in [(Some("view"), 200), (None, 404)] {
        share(level).await;
        let before = access().await;
        for path in [format!("/request-items/{item}/approve"), format!("/video-requests/{request}/approve")] {
            let refused = force.site.post(&path, Some(&force.pia), json!({})).await;
            assert_eq!((refused.status, refused.code()), (409, "case_access_lost"), "{path}");
        }
        assert_eq!(access().await, before);
        assert_eq!(force.site.get(&format!("/cases/{case}"), Some(&force.ana)).await.status, sees);
    }
    assert_eq!(force.item(&request, &force.pia).await["state"], "pending");
    share(Some("edit")).await;
    force.act(&item, "approve", &force.pia, json!({}), 200).await;
});

on_both!(an_abandoned_link_ends_its_item, |database: TestDatabase| async move {
    let force = Force::with(database, |settings| settings.link_lifetime = Duration::from_secs(3600)).await;
    let purpose = ("file_request", "self");
    let holder = |token: &str| format!("Bearer {token}");
    let is_over = async |token: &str, path: &str, why: &str| {
        let link = holder(token);
        let link = ("authorization", link.as_str());
        // Its holder is told why, whatever they try.
        for refused in [
            force.site.get(&format!("/links/{token}"), None).await,
            force.send(link, path, 5, " world").await,
            force.announce(link, purpose, 5).await,
        ] {
            assert_eq!((refused.status, refused.code()), (410, why));
        }
    };
    let ended = json!({ "state": "expired", "code": "link_abandoned" });
    let stands = |item: &serde_json::Value| json!({ "state": item["state"], "code": item["reason"]["code"] });
    let (request, item, token) = force.approved(&force.ana, false).await;
    let path = force.half(("authorization", &holder(&token)), purpose).await;
    assert_eq!(force.item(&request, &force.ana).await["state"], "uploading");
    force.revoke(&request).await;
    assert_eq!(stands(&force.item(&request, &force.ana).await), ended);
    assert_eq!(force.mails("item_expired").await, 1, "{item}");
    is_over(&token, &path, "link_revoked").await;
    // Another link takes the place of the first: nothing is abandoned.
    let (request, item, token) = force.approved(&force.ana, false).await;
    force.half(("authorization", &holder(&token)), purpose).await;
    let made = force.act(&item, "file-request", &force.pia, json!({}), 201).await;
    assert_eq!(force.item(&request, &force.ana).await["state"], "uploading");
    let second = text(&made.json["url"]).rsplit('/').next().unwrap().to_owned();
    let second = holder(&second);
    assert_eq!(force.whole(("authorization", &second), purpose, "hello").await.status, 204);
    force.site.test.advance(Duration::from_secs(3600));
    force.site.test.run_jobs().await;
    assert_eq!(force.item(&request, &force.ana).await["state"], "released");
    // What was begun by it, or is added by hand meanwhile, is waited for, and no longer than it is kept.
    let (request, item, token) = force.approved(&force.ana, false).await;
    let path = force.half(("authorization", &holder(&token)), purpose).await;
    force.half(cookie(&force.pia), ("request_item", item.as_str())).await;
    force.site.test.advance(Duration::from_secs(3600));
    force.site.test.run_jobs().await;
    assert_eq!(force.item(&request, &force.ana).await["state"], "uploading");
    force.site.test.advance(3 * DAY);
    is_over(&token, &path, "link_expired").await;
    app::upload::remove_abandoned(&force.site.test.app).await.unwrap();
    let ana = force.site.sign_in("ana").await;
    assert_eq!(stands(&force.item(&request, &ana).await), ended);
    is_over(&token, &path, "link_expired").await;
});

on_both!(what_was_begun_by_a_link_is_sent_to_its_end, |database: TestDatabase| async move {
    let force = Force::with(database, |settings| settings.link_lifetime = Duration::from_secs(3600)).await;
    let purpose = ("file_request", "self");
    let runs_out = async || {
        force.site.test.advance(Duration::from_secs(3600));
        force.site.test.run_jobs().await;
    };
    let (request, _, token) = force.approved(&force.ana, false).await;
    let held = format!("Bearer {token}");
    let link = ("authorization", held.as_str());
    let path = force.half(link, purpose).await;
    runs_out().await;
    assert_eq!(force.item(&request, &force.ana).await["state"], "uploading");
    assert_eq!((force.mails("item_expired").await, force.mails("link_ran_out").await), (0, 0));
    // Nothing new is taken, no answer and no file; what was begun is shown and goes on.
    let opened = force.site.get(&format!("/links/{token}"), None).await;
    assert_eq!((opened.status, opened.json["files"].as_array().unwrap().len()), (200, 1));
    for refused in [
        force.announce(link, purpose, 5).await,
        force.site.post(&format!("/links/{token}/answer"), None, json!({ "answer": "have" })).await,
    ] {
        assert_eq!((refused.status, refused.code()), (410, "link_expired"));
    }
    assert_eq!(force.site.post(&format!("/links/{token}/finish"), None, json!({})).await.code(), "still_sending");
    assert_eq!(force.tus("HEAD", &path, &[link], Body::empty()).await.headers["upload-offset"], "5");
    assert_eq!(force.send(link, &path, 5, " world").await.status, 204);
    // Its sender, who did not hear that, may ask; and finds the receipt for an hour.
    assert_eq!(force.tus("HEAD", &path, &[link], Body::empty()).await.headers["upload-offset"], "11");
    assert_eq!(force.announce(link, purpose, 5).await.code(), "link_finished");
    force.site.test.run_jobs().await;
    assert_eq!(force.item(&request, &force.ana).await["state"], "released");
    assert!(force.site.get(&format!("/links/{token}"), None).await.json["finished_at"].is_string());
    let receipt = force.site.post(&format!("/links/{token}/finish"), None, json!({})).await;
    let hash = Sha256Digest::of(b"hello world").to_string();
    assert_eq!((receipt.status, &receipt.json["files"][0]["sha256"]), (200, &json!(hash)));
    force.site.test.advance(Duration::from_secs(3600));
    assert_eq!(force.site.get(&format!("/links/{token}"), None).await.code(), "link_expired");
    force.check().await;
});

on_both!(an_item_waits_for_all_that_was_begun_by_its_link, |database: TestDatabase| async move {
    let force = Force::with(database, |settings| settings.link_lifetime = Duration::from_secs(3600)).await;
    let purpose = ("file_request", "self");
    let files = async |request: &str| {
        let item = force.item(request, &force.pia).await;
        (text(&item["state"]), item["evidence"].as_array().unwrap().len())
    };
    // One file is whole when its time is over, one is not; whoever is to look at them looks at both.
    for (review, arrived) in [(false, "released"), (true, "in_review")] {
        for goes_on in [true, false] {
            let (request, _, token) = force.approved(&force.ana, review).await;
            let held = format!("Bearer {token}");
            let link = ("authorization", held.as_str());
            assert_eq!(force.whole(link, purpose, "hello").await.status, 204);
            let path = force.half(link, purpose).await;
            force.site.test.advance(Duration::from_secs(3600));
            force.site.test.run_jobs().await;
            assert_eq!(files(&request).await, ("uploading".into(), 1));
            if goes_on {
                assert_eq!(force.send(link, &path, 5, " world").await.status, 204);
            } else {
                force.revoke(&request).await;
            }
            force.site.test.run_jobs().await;
            assert_eq!(files(&request).await, (arrived.into(), if goes_on { 2 } else { 1 }));
        }
    }
    // What was added by hand waits for a half file of an open link no longer than that is kept.
    let (request, item, token) = force.approved(&force.ana, false).await;
    let held = format!("Bearer {token}");
    let path = force.half(("authorization", held.as_str()), purpose).await;
    assert_eq!(force.whole(cookie(&force.pia), ("request_item", item.as_str()), "hello").await.status, 204);
    force.site.test.run_jobs().await;
    assert_eq!(files(&request).await, ("uploading".into(), 1));
    let ended = force.tus("DELETE", &path, &[("authorization", held.as_str())], Body::empty()).await;
    assert_eq!(ended.status, 204);
    assert_eq!(files(&request).await, ("released".into(), 1));
    // Its holder, whoever made it, or whoever asked may end what goes on.
    for ends in ["remove", "revoke", "cancel"] {
        let (request, item, token) = force.approved(&force.ana, false).await;
        let held = format!("Bearer {token}");
        let link = ("authorization", held.as_str());
        let path = force.half(link, purpose).await;
        force.site.test.advance(Duration::from_secs(3600));
        force.site.test.run_jobs().await;
        match ends {
            "remove" => assert_eq!(force.tus("DELETE", &path, &[link], Body::empty()).await.status, 204),
            "revoke" => force.revoke(&request).await,
            _ => drop(force.act(&item, "cancel", &force.ana, json!({}), 200).await),
        }
        let state = if ends == "cancel" { "canceled" } else { "expired" };
        assert_eq!(force.item(&request, &force.ana).await["state"], state);
        assert_eq!(force.send(link, &path, 5, " world").await.code(), "link_expired", "{ends}");
        assert_eq!(force.site.get(&format!("/links/{token}"), None).await.code(), "link_expired", "{ends}");
    }
    force.check().await;
});

async fn wait(done: impl AsyncFn() -> bool) {
    for _ in 0..400 {
        if done().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("waited in vain");
}

on_both!(files_that_are_given_up_together_keep_no_item_waiting, |database: TestDatabase| async move {
    let force = Force::with(database, |settings| settings.link_lifetime = Duration::from_secs(3600)).await;
    let purpose = ("file_request", "self");
    let (request, _, token) = force.approved(&force.ana, false).await;
    let held = format!("Bearer {token}");
    let link = ("authorization", held.as_str());
    assert_eq!(force.whole(link, purpose, "hello").await.status, 204);
    for _ in 0..2 {
        force.half(link, purpose).await;
    }
    force.site.test.advance(3 * DAY);
    force.site.test.run_jobs().await;
    app::upload::remove_abandoned(&force.site.test.app).await.unwrap();
    let ana = force.site.sign_in("ana").await;
    assert_eq!(force.item(&request, &ana).await["state"], "released");
});

on_both!(a_link_in_the_place_of_one_that_brought_something_is_waited_for, |database: TestDatabase| async move {
    let force = Force::with(database, |settings| settings.link_lifetime = 4 * DAY).await;
    let purpose = ("file_request", "self");
    let (request, item, token) = force.approved(&force.ana, false).await;
    let held = format!("Bearer {token}");
    let link = ("authorization", held.as_str());
    assert_eq!(force.whole(link, purpose, "hello").await.status, 204);
    force.half(link, purpose).await;
    let made = force.act(&item, "file-request", &force.pia, json!({}), 201).await;
    force.site.test.run_jobs().await;
    // What was half sent by the first is given up; whoever has the second has not said yet that this was all.
    force.site.test.advance(3 * DAY);
    app::upload::remove_abandoned(&force.site.test.app).await.unwrap();
    let ana = force.site.sign_in("ana").await;
    assert_eq!(force.item(&request, &ana).await["state"], "uploading");
    assert_eq!(force.site.get(&format!("/links/{token}"), None).await.code(), "link_revoked");
    let second = text(&made.json["url"]).rsplit('/').next().unwrap().to_owned();
    let held = format!("Bearer {second}");
    assert_eq!(force.whole(("authorization", held.as_str()), purpose, "world").await.status, 204);
    assert_eq!(force.site.post(&format!("/links/{second}/finish"), None, json!({})).await.status, 200);
    force.site.test.run_jobs().await;
    let released = force.item(&request, &ana).await;
    assert_eq!((&released["state"], released["evidence"].as_array().unwrap().len()), (&json!("released"), 2));
});

on_both!(nothing_is_begun_while_a_link_is_finished, |database: TestDatabase| async move {
    let force = Force::new(database).await;
    let purpose = ("file_request", "self");
    for _ in 0..8 {
        let (_, _, token) = force.approved(&force.ana, false).await;
        let held = format!("Bearer {token}");
        let link = ("authorization", held.as_str());
        assert_eq!(force.whole(link, purpose, "hello").await.status, 204);
        let finish = format!("/links/{token}/finish");
        let begin = || force.announce(link, purpose, 5);
        let (one, two, finished, three) =
            futures::join!(begin(), begin(), force.site.post(&finish, None, json!({})), begin());
        let is_begun = [one, two, three].iter().any(|made| made.status == 201);
        assert_eq!(finished.status, if is_begun { 409 } else { 200 }, "{}", finished.json);
    }
});

on_both!(a_part_ends_when_its_link_is_revoked, |database: TestDatabase| async move {
    let force = Force::new(database).await;
    let (request, _, token) = force.approved(&force.ana, false).await;
    let held = format!("Bearer {token}");
    let link = ("authorization", held.as_str());
    let path = force.half(link, ("file_request", "self")).await;
    let upload: UploadId = path.rsplit('/').next().unwrap().parse().unwrap();
    let app = &force.site.test.app;
    let body =
        futures::stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b" wor"))]).chain(futures::stream::pending());
    let (sent, ()) = futures::join!(force.send(link, &path, 5, Body::from_stream(body)), async {
        wait(async || app.uploads().progress(&upload) == Some(9)).await;
        force.revoke(&request).await;
    });
    assert_eq!(sent.code(), "link_revoked", "{}", sent.json);
});

on_both!(what_came_whole_is_not_lost_at_the_deadline, |database: TestDatabase| async move {
    let force = Force::with(database, |settings| settings.deadline = Duration::from_secs(3600)).await;
    let (request, _, token) = force.approved(&force.ana, false).await;
    let held = format!("Bearer {token}");
    let link = ("authorization", held.as_str());
    assert_eq!(force.whole(link, ("file_request", "self"), "hello").await.status, 204);
    force.half(link, ("file_request", "self")).await;
    app::jobs::schedule(&force.site.test.app).await.unwrap();
    force.site.test.run_jobs().await;
    force.site.test.advance(Duration::from_secs(3600));
    force.site.test.run_jobs().await;
    let item = force.item(&request, &force.ana).await;
    assert_eq!((&item["state"], item["evidence"].as_array().unwrap().len()), (&json!("released"), 1));
    assert_eq!(force.mails("item_expired").await, 0);
    assert_eq!(force.site.get(&format!("/links/{token}"), None).await.code(), "link_revoked");
});

on_both!(nobody_keeps_a_link_that_ran_out_alive, |database: TestDatabase| async move {
    let force = Force::with(database, |settings| settings.link_lifetime = Duration::from_secs(3600)).await;
    let purpose = ("file_request", "self");
    let (_, _, token) = force.approved(&force.ana, false).await;
    let held = format!("Bearer {token}");
    let link = ("authorization", held.as_str());
    let (empty, slow) = (force.half(link, purpose).await, force.half(link, purpose).await);
    force.site.test.advance(2 * DAY);
    // Nothing keeps nothing; and what moves is kept no longer than what was begun at the link's end.
    assert_eq!(force.send(link, &empty, 5, "").await.status, 204);
    assert_eq!(force.send(link, &slow, 5, " ").await.status, 204);
    force.site.test.advance(DAY);
    assert_eq!(force.send(link, &empty, 5, " world").await.code(), "upload_gone");
    assert_eq!(force.send(link, &slow, 6, "w").await.status, 204);
    force.site.test.advance(Duration::from_secs(3600));
    assert_eq!(force.send(link, &slow, 7, "o").await.code(), "link_expired");
    assert_eq!(force.site.get(&format!("/links/{token}"), None).await.code(), "link_expired");
});

on_both!(an_upload_is_kept_while_one_long_part_arrives, |database: TestDatabase| async move {
    let force = Force::new(database).await;
    let case = force.case(&force.ana).await;
    let path = force.half(cookie(&force.ana), ("case_id", &case)).await;
    let upload: UploadId = path.rsplit('/').next().unwrap().parse().unwrap();
    let (last, rest) = futures::channel::oneshot::channel::<Bytes>();
    let body = futures::stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b" wor"))])
        .chain(futures::stream::once(async move { Ok(rest.await.unwrap()) }));
    let app = &force.site.test.app;
    let (sent, ()) = futures::join!(force.send(cookie(&force.ana), &path, 5, Body::from_stream(body)), async {
        let arrives = async || app.uploads().progress(&upload) == Some(9);
        wait(arrives).await;
        force.site.test.advance(2 * DAY);
        let is_kept = async || {
            let row = store::upload::find_any(&mut app.read().await.unwrap(), &upload).await.unwrap().unwrap();
            row.expires_at > app.now().plus(2 * DAY)
        };
        wait(is_kept).await;
        force.site.test.advance(2 * DAY);
        app::upload::remove_abandoned(app).await.unwrap();
        last.send(Bytes::from_static(b"ld")).unwrap();
    });
    assert_eq!(sent.status, 204, "{}", sent.json);
    let ana = force.site.sign_in("ana").await;
    assert_eq!(force.site.get(&format!("/cases/{case}"), Some(&ana)).await.json["evidence_count"], 1);
});

on_both!(what_had_arrived_stays_though_its_link_was_revoked, |database: TestDatabase| async move {
    let force = Force::new(database).await;
    let (request, _, token) = force.approved(&force.ana, false).await;
    let held = format!("Bearer {token}");
    let path = force.half(("authorization", held.as_str()), ("file_request", "self")).await;
    // The server died after the last byte, and came back after the link was revoked.
    let app = &force.site.test.app;
    let id: UploadId = path.rsplit('/').next().unwrap().parse().unwrap();
    let whole = Whole { sha256: Sha256Digest::of(b"hello world"), blob: app.blobs().new_name("evidence") };
    std::fs::write(app.uploads().hold(&id).await.unwrap().path(), b"hello world").unwrap();
    let mut tx = app.begin().await.unwrap();
    store::upload::sealed(&mut tx, &id, &whole).await.unwrap();
    tx.commit_housekeeping().await.unwrap();
    force.revoke(&request).await;
    assert_eq!(force.item(&request, &force.ana).await["state"], "uploading");
    app::upload::remove_abandoned(app).await.unwrap();
    force.site.test.run_jobs().await;
    assert_eq!(force.item(&request, &force.ana).await["state"], "released");
    force.check().await;
});

on_both!(what_has_arrived_stays_in_the_receipt, |database: TestDatabase| async move {
    let force = Force::with(database, |settings| settings.link_lifetime = Duration::from_secs(3600)).await;
    let (request, _, token) = force.approved(&force.ana, false).await;
    let held = format!("Bearer {token}");
    let link = ("authorization", held.as_str());
    let made = force.announce(link, ("file_request", "self"), 5).await;
    let path = made.headers["location"].to_str().unwrap().to_owned();
    assert_eq!(force.send(link, &path, 0, "hello").await.status, 204);
    assert_eq!(force.tus("DELETE", &path, &[link], Body::empty()).await.status, 204);
    // Whoever finishes a moment after its end has a receipt all the same.
    force.site.test.advance(Duration::from_secs(3601));
    let receipt = force.site.post(&format!("/links/{token}/finish"), None, json!({})).await;
    assert_eq!((receipt.status, receipt.json["files"].as_array().unwrap().len()), (200, 1));
    force.site.test.run_jobs().await;
    assert_eq!(force.item(&request, &force.ana).await["state"], "released");
    force.site.test.advance(Duration::from_secs(3600));
    let late = force.site.post(&format!("/links/{token}/finish"), None, json!({})).await;
    assert_eq!(late.code(), "link_expired");
});

on_both!(a_link_that_nobody_answers_is_told_when_it_runs_out, |database: TestDatabase| async move {
    let force = Force::with(database, |settings| settings.link_lifetime = Duration::from_secs(3600)).await;
    let (request, item, token) = force.approved(&force.ana, false).await;
    let waits = async || {
        let item = force.item(&request, &force.ana).await;
        (text(&item["state"]), text(&item["waiting_for"]))
    };
    assert_eq!(waits().await, ("approved".into(), "link".into()));
    let answer = json!({ "answer": "have", "comment": "Tonight, when the shop is closed." });
    assert_eq!(force.site.post(&format!("/links/{token}/answer"), None, answer).await.status, 200);
    force.site.test.advance(Duration::from_secs(3600));
    force.site.test.run_jobs().await;
    assert_eq!(waits().await, ("approved".into(), "new_link".into()), "it waits for its owner, not for a dead link");
    assert_eq!(force.mails("link_ran_out").await, 3, "its requester and whoever may approve");
    let mut tx = force.site.test.app.read().await.unwrap();
    let filter = store::mail::Filter { limit: 100, ..Default::default() };
    let mails = store::mail::list(&mut tx, &filter).await.unwrap();
    drop(tx);
    let mail = mails.into_iter().find(|mail| mail.template == "link_ran_out").unwrap();
    assert!(mail.text.contains("From the upload link: Tonight, when the shop is closed."), "{}", mail.text);
    assert_eq!(force.site.get(&format!("/links/{token}"), None).await.code(), "link_expired");
    // A new one goes on where the first ended. One that is revoked is told by whoever revoked it.
    let made = force.act(&item, "file-request", &force.pia, json!({}), 201).await;
    assert_eq!(waits().await.1, "link");
    let path = format!("/file-requests/{}", text(&made.json["id"]));
    assert_eq!(force.site.call("DELETE", &path, Some(&force.pia), None, &[]).await.status, 204);
    assert_eq!(waits().await.1, "new_link");
    force.site.test.advance(Duration::from_secs(3600));
    force.site.test.run_jobs().await;
    assert_eq!(force.mails("link_ran_out").await, 3);
    let made = force.act(&item, "file-request", &force.pia, json!({}), 201).await;
    let holder = format!("Bearer {}", text(&made.json["url"]).rsplit('/').next().unwrap());
    let holder = ("authorization", holder.as_str());
    assert_eq!(force.whole(holder, ("file_request", "self"), "hello").await.status, 204);
    // A link by which something came is taken for all that comes, without a word.
    force.site.test.advance(Duration::from_secs(3600));
    force.site.test.run_jobs().await;
    assert_eq!(
        (force.item(&request, &force.ana).await["state"].clone(), force.mails("link_ran_out").await),
        (json!("released"), 3)
    );
});

on_both!(several_files_are_added_by_hand, |database: TestDatabase| async move {
    let force = Force::new(database).await;
    let (request, item, _) = force.approved(&force.ana, true).await;
    let purpose = ("request_item", item.as_str());
    for (n, bytes) in ["one", "two"].into_iter().enumerate() {
        let sent = force.whole(cookie(&force.pia), purpose, bytes).await;
        assert_eq!(sent.status, 204, "{}", sent.json);
        force.site.test.run_jobs().await;
        assert_eq!(force.item(&request, &force.ana).await["state"], "in_review");
        assert_eq!(force.item(&request, &force.pia).await["evidence"].as_array().unwrap().len(), n + 1);
    }
    force.act(&item, "release", &force.pia, json!({}), 200).await;
    assert_eq!(force.whole(cookie(&force.pia), purpose, "three").await.status, 204);
    force.site.test.run_jobs().await;
    let released = force.item(&request, &force.ana).await;
    assert_eq!((&released["state"], released["evidence"].as_array().unwrap().len()), (&json!("released"), 3));
    // Into a closed case nothing is added, nor to what ended without footage.
    let case = text(&force.site.get(&format!("/video-requests/{request}"), Some(&force.ana)).await.json["case_id"]);
    force.close(&case, &force.ana).await;
    assert_eq!(force.whole(cookie(&force.pia), purpose, "four").await.code(), "case_closed");
    let (_, denied) = force.request(&force.ana, None).await;
    force.act(&denied, "deny", &force.pia, json!({}), 200).await;
    let refused = force.whole(cookie(&force.pia), ("request_item", denied.as_str()), "five").await;
    assert_eq!((refused.status, refused.code()), (409, "wrong_state"));
});

on_both!(files_that_come_together_are_told_together, |database: TestDatabase| async move {
    let force = Force::new(database).await;
    let (request, _, token) = force.approved(&force.ana, false).await;
    let link = format!("Bearer {token}");
    let (who, purpose) = (("authorization", link.as_str()), ("file_request", "self"));
    let progress = async || force.item(&request, &force.ana).await["progress"].clone();
    let first = force.half(who, purpose).await;
    assert_eq!(force.announce(who, purpose, 20).await.status, 201);
    assert_eq!(
        progress().await,
        json!({ "bytes_done": 5, "bytes_total": 31 }),
        "what had come of the first one counts"
    );
    assert_eq!(force.send(who, &first, 5, " world").await.status, 204);
    assert_eq!(progress().await, json!({ "bytes_done": 11, "bytes_total": 31 }), "as soon as it is whole");
    let third = force.announce(who, purpose, 9).await;
    assert_eq!(progress().await, json!({ "bytes_done": 11, "bytes_total": 40 }), "and what is whole");
    let given_up = third.headers["location"].to_str().unwrap();
    assert_eq!(force.tus("DELETE", given_up, &[who], Body::empty()).await.status, 204);
    assert_eq!(force.announce(who, purpose, 1).await.status, 201);
    assert_eq!(progress().await, json!({ "bytes_done": 11, "bytes_total": 32 }), "not what was taken back");
});

on_both!(a_name_is_kept_as_it_was_given, |database: TestDatabase| async move {
    let force = Force::new(database).await;
    let case = force.case(&force.ana).await;
    for (told, kept) in [
        (r"gate 1\2.mp4", "gate 1_2.mp4"),
        ("gate/clip.mp4", "gate_clip.mp4"),
        (r"C:\export\clip.mp4", "clip.mp4"),
        ("камера 10:00.mp4", "камера 10:00.mp4"),
    ] {
        force.site.test.advance(Duration::from_millis(1));
        let metadata = format!("filename {},case_id {}", STANDARD.encode(told), STANDARD.encode(&case));
        let headers = [cookie(&force.ana), ("upload-length", "5"), ("upload-metadata", metadata.as_str())];
        let made = force.tus("POST", "/api/v1/uploads", &headers, Body::empty()).await;
        assert_eq!(made.status, 201, "{}", made.json);
        let sent = force.send(cookie(&force.ana), made.headers["location"].to_str().unwrap(), 0, "bytes").await;
        assert_eq!(sent.status, 204, "{}", sent.json);
        force.site.test.run_jobs().await;
        let files = force.site.get(&format!("/cases/{case}/evidence"), Some(&force.ana)).await.json;
        let names: Vec<_> = files["items"].as_array().unwrap().iter().map(|file| text(&file["name"])).collect();
        assert!(names.iter().any(|name| name == kept), "{told}: {names:?}");
    }
});
