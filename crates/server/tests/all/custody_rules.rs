//! Who gets at footage, when, and for how long: the rules of custody that are easily lost between two features, through the
//! router, on both databases.

use crate::support::footage;
use crate::support::force::{DAY, Force, cookie, text};
use domain::Caller;
use domain::request_item::Reason;
use proof::Sha256Digest;
use serde_json::{Value, json};
use store::on_both;
use store::testing::TestDatabase;

on_both!(who_asked_sees_nothing_before_its_release, |database: TestDatabase| async move {
    let force = Force::new(database).await;
    let (request, item, _) = force.approved(&force.ben, true).await;
    let id = force.arrive(&item, b"footage").await;
    let unseen = async || {
        for part in ["", "/original", "/play", "/thumbnail", "/history"] {
            let path = format!("/evidence/{id}{part}");
            assert_eq!(force.site.get(&path, Some(&force.ben)).await.status, 404, "{part}");
        }
        assert_eq!(force.item(&request, &force.ben).await["evidence"], json!([]));
        assert_eq!(force.site.get(&format!("/evidence/{id}/original"), Some(&force.pia)).await.status, 200);
        assert_eq!(force.item(&request, &force.pia).await["evidence"][0]["id"], json!(id));
    };
    assert_eq!(force.item(&request, &force.pia).await["state"], "in_review");
    unseen().await;
    force.act(&item, "deny", &force.pia, json!({}), 200).await;
    unseen().await;
    // Of others' requests he is an approver like any other.
    let (_, item, _) = force.approved(&force.ana, true).await;
    let id = force.arrive(&item, b"other footage").await;
    assert_eq!(force.site.get(&format!("/evidence/{id}"), Some(&force.ben)).await.status, 200);
});

on_both!(who_asked_adds_nothing_by_hand, |database: TestDatabase| async move {
    let force = Force::new(database).await;
    let (request, item, _) = force.approved(&force.ben, false).await;
    let purpose = ("request_item", item.as_str());
    let refused = force.announce(cookie(&force.ben), purpose, 5).await;
    assert_eq!((refused.status, refused.code()), (403, "forbidden"));
    force.act(&item, "file-request", &force.ben, json!({}), 403).await;
    assert_eq!(force.item(&request, &force.ben).await["state"], "approved");
    assert_eq!(force.whole(cookie(&force.pia), purpose, "hello").await.status, 204);
});

on_both!(unless_the_policy_says_so, |database: TestDatabase| async move {
    let force = Force::with(database, |settings| settings.requester_may_approve = true).await;
    let (request, item, _) = force.approved(&force.ben, true).await;
    assert_eq!(force.whole(cookie(&force.ben), ("request_item", item.as_str()), "hello").await.status, 204);
    force.site.test.run_jobs().await;
    let seen = force.item(&request, &force.ben).await;
    assert_eq!(seen["state"], "in_review");
    let id = text(&seen["evidence"][0]["id"]);
    assert_eq!(force.site.get(&format!("/evidence/{id}/original"), Some(&force.ben)).await.body, b"hello");
});

on_both!(what_was_refused_is_purged_after_a_week, |database: TestDatabase| async move {
    let mut force = Force::new(database).await;
    let (request, item, _) = force.approved(&force.ana, true).await;
    let id = force.arrive(&item, &footage()).await;
    let (_, kept, _) = force.approved(&force.ana, false).await;
    let released = force.arrive(&kept, b"released").await;
    let (late_request, late, _) = force.approved(&force.ana, true).await;
    let looked_at = force.arrive(&late, b"looked at").await;
    let before = force.site.get(&format!("/evidence/{id}"), Some(&force.pia)).await.json;
    assert_eq!((&before["purged_at"], before["play_url"].is_string()), (&Value::Null, true));
    force.act(&item, "deny", &force.pia, json!({}), 200).await;
    assert_eq!(force.kept().await.len(), 5, "{:?}", force.kept().await);
    force.days_later(6).await;
    assert_eq!(force.kept().await.len(), 5, "a week has not passed");
    force.act(&late, "release", &force.pia, json!({}), 200).await;
    force.days_later(1).await;

    let path = format!("/evidence/{id}");
    let purged = force.site.get(&path, Some(&force.pia)).await;
    assert_eq!(purged.status, 200, "{}", purged.json);
    assert!(purged.json["purged_at"].is_string(), "{}", purged.json);
    assert_eq!((&purged.json["sha256"], &purged.json["size_bytes"]), (&before["sha256"], &before["size_bytes"]));
    for url in ["original_url", "play_url", "thumbnail_url"] {
        assert_eq!(purged.json[url], Value::Null, "{url}");
    }
    assert_eq!(purged.json["allowed_actions"], json!([]));
    for part in ["/original", "/play", "/thumbnail"] {
        let gone = force.site.get(&format!("{path}{part}"), Some(&force.pia)).await;
        assert_eq!((gone.status, gone.code()), (410, "purged"), "{part}");
        assert_eq!(force.site.get(&format!("{path}{part}"), Some(&force.ana)).await.status, 404, "{part}");
    }
    assert_eq!(force.history(&id, &force.pia).await.last().unwrap(), "evidence.purge");
    let shown = force.item(&request, &force.pia).await["evidence"][0].clone();
    assert_eq!((&shown["purged_at"], &shown["sha256"]), (&purged.json["purged_at"], &before["sha256"]));
    assert_eq!(force.item(&request, &force.ana).await["evidence"], json!([]));
    assert_eq!(force.kept().await.len(), 2, "{:?}", force.kept().await);
    for released in [released, looked_at] {
        let path = format!("/evidence/{released}/original");
        assert_eq!(force.site.get(&path, Some(&force.ana)).await.status, 200);
    }
    assert_eq!(force.item(&late_request, &force.ana).await["state"], "released");
    force.check().await;
    // Nothing is purged twice.
    force.days_later(1).await;
    let purges = force.history(&id, &force.pia).await.into_iter().filter(|kind| kind == "evidence.purge").count();
    assert_eq!(purges, 1);
    force.check().await;
});

on_both!(what_nobody_waits_for_is_purged_too, |database: TestDatabase| async move {
    let mut force = Force::with(database, |settings| settings.refused_lifetime = DAY).await;
    let (_, canceled, token) = force.approved(&force.ana, false).await;
    let link = format!("Bearer {token}");
    let sent = force.whole(("authorization", &link), ("file_request", "self"), "hello").await;
    assert_eq!(sent.status, 204, "{}", sent.json);
    force.site.test.run_jobs().await;
    force.act(&canceled, "cancel", &force.ana, json!({}), 200).await;
    // A failed item may be tried again; what had come by then goes all the same, and is no part of what comes next.
    let (request, failed, token) = force.approved(&force.ana, false).await;
    let link = format!("Bearer {token}");
    assert_eq!(force.whole(("authorization", &link), ("file_request", "self"), "part").await.status, 204);
    force.site.test.run_jobs().await;
    let app = &force.site.test.app;
    let mut tx = app.begin().await.unwrap();
    let reason = Reason { code: "export_failed".into(), detail: "The recorder burned.".into() };
    let failed_events =
        app::request_item::export_failed(app, &mut tx, &Caller::server(), &failed, reason).await.unwrap();
    tx.commit(failed_events).await.unwrap();
    assert_eq!(force.kept().await.len(), 2);
    force.days_later(1).await;
    assert_eq!(force.kept().await.len(), 0, "{:?}", force.kept().await);
    force.act(&failed, "retry", &force.ana, json!({}), 200).await;
    let id = force.arrive(&failed, b"the whole").await;
    let item = force.item(&request, &force.ana).await;
    assert_eq!(item["state"], "released");
    assert_eq!((item["evidence"].as_array().unwrap().len(), &item["evidence"][0]["id"]), (1, &json!(id)));
    assert_eq!(force.item(&request, &force.pia).await["evidence"].as_array().unwrap().len(), 2);
    force.check().await;
});

on_both!(what_was_purged_does_not_come_back_unnoticed, |database: TestDatabase| async move {
    let mut force = Force::new(database).await;
    let (_, item, _) = force.approved(&force.ana, true).await;
    let id = force.arrive(&item, b"footage").await;
    let blob = force.kept().await.pop().unwrap();
    force.act(&item, "deny", &force.pia, json!({}), 200).await;
    force.days_later(8).await;
    force.check().await;
    // Somebody restores an old copy of the files: what was purged must not come back unnoticed.
    force.site.test.app.blobs().put_named(&blob, b"footage".to_vec()).await.unwrap();
    let report = app::check::run(&force.site.test.app, &app::check::Outside::default()).await.unwrap();
    let found: Vec<_> = report.findings.iter().map(|finding| finding.object.clone()).collect();
    assert_eq!(found, [id.to_string()]);
});

on_both!(each_download_is_in_the_ledger, |database: TestDatabase| async move {
    let force = Force::new(database).await;
    let (_, item, _) = force.approved(&force.ana, false).await;
    let id = force.arrive(&item, b"forty-two bytes of something that was seen").await;
    let path = format!("/evidence/{id}/original");
    let tag = format!("\"{}\"", Sha256Digest::of(b"forty-two bytes of something that was seen"));
    let mut expected = 0;
    for (headers, logged) in [
        (vec![], 1),
        (vec![], 1),
        (vec![("range", "bytes=0-")], 1),
        (vec![("range", "bytes=0-9")], 1),
        (vec![("range", "bytes=10-19")], 0),
        (vec![("range", "bytes=-5")], 0),
        (vec![("range", "bytes=-999")], 1),
        (vec![("range", "bytes=20-"), ("if-range", tag.as_str())], 0),
        // Each of these is answered with the whole.
        (vec![("range", "bytes=20-"), ("if-range", "\"other\"")], 1),
        (vec![("range", "bytes=20-25,0-19")], 1),
        (vec![("range", "nonsense")], 1),
    ] {
        let reply = force.site.call("GET", &path, Some(&force.ana), None, &headers).await;
        assert!(matches!(reply.status, 200 | 206), "{headers:?}: {}", reply.status);
        expected += logged;
        let downloads = force.history(&id, &force.ana).await.into_iter().filter(|kind| kind == "evidence.download");
        assert_eq!(downloads.count(), expected, "{headers:?}");
    }
});
