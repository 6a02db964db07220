//! `check` holds rows against what the ledger says of them: states, what was granted, who may see a case, what was made of a file.

use crate::support::footage;
use crate::support::force::{Force, text};
use app::check::Outside;
use domain::account::Role;
use serde_json::json;
use store::testing::TestDatabase;
use store::{Sql, on_both};

async fn found(force: &Force) -> Vec<(String, String)> {
    let app = &force.site.test.app;
    while app::jobs::sequence_ledger::run(app).await.unwrap() {}
    let report = app::check::run(app, &Outside::default()).await.unwrap();
    report.findings.into_iter().map(|finding| (finding.object, finding.problem)).collect()
}

async fn sql(force: &Force, statement: &'static str) {
    let mut tx = force.site.test.app.begin().await.unwrap();
    assert!(Sql::new(statement).execute(&mut tx).await.unwrap() > 0, "{statement}");
    tx.commit_housekeeping().await.unwrap();
}

on_both!(what_rows_say_otherwise_is_found, |database: TestDatabase| async move {
    let force = Force::new(database).await;
    let (request, item, _) = force.approved(&force.ana, false).await;
    let id = force.arrive(&item, &footage()).await.to_string();
    let item = item.to_string();
    force.site.test.run_jobs().await;
    assert_eq!(force.item(&request, &force.ana).await["state"], "released");
    let evidence = force.site.get(&format!("/evidence/{id}"), Some(&force.ana)).await.json;
    let case = text(&evidence["case_id"]);
    assert_eq!(found(&force).await, []);

    let mine = "UPDATE evidence SET playable_sha256 = 'ab' WHERE playable_sha256 IS NOT NULL";
    for (change, undo, object, problem) in [
        (
            "UPDATE request_items SET state = 'denied' WHERE state = 'released'",
            "UPDATE request_items SET state = 'released' WHERE state = 'denied'",
            &item,
            "its state",
        ),
        (
            "UPDATE request_items SET granted_from = granted_from - 60000000 WHERE granted_from IS NOT NULL",
            "UPDATE request_items SET granted_from = granted_from + 60000000 WHERE granted_from IS NOT NULL",
            &item,
            "what was granted",
        ),
        (
            "UPDATE case_access SET level = level - 1",
            "UPDATE case_access SET level = level + 1",
            &case,
            "who may see it",
        ),
        (mine, "", &id, "the hash of its playable"),
    ] {
        sql(&force, change).await;
        let found = found(&force).await;
        assert!(
            found.iter().all(|(o, _)| o == object) && found.iter().any(|(_, p)| p.contains(problem)),
            "{change}: {found:#?}"
        );
        if !undo.is_empty() {
            sql(&force, undo).await;
        }
    }
});

on_both!(a_person_is_erased_and_nothing_else_is_lost, |database: TestDatabase| async move {
    let force = Force::with(database, |settings| settings.request_numbers = "{LASTNAME}-{###}".into()).await;
    let (request, ..) = force.approved(&force.ana, false).await;
    force.site.test.account("boss", &force.site.test.host, &[(Role::Administrator, None)]).await;
    let boss = force.site.sign_in("boss").await;
    let event = store::history::of(&mut force.site.test.app.read().await.unwrap(), &request, None, 100).await.unwrap();
    let submitted = event.iter().find(|entry| entry.kind == "video_request.submit").unwrap().id.clone();
    let erase = format!("/ledger/events/{submitted}/erase");
    let row = async || {
        store::ledger::find(&mut force.site.test.app.read().await.unwrap(), &submitted.parse().unwrap())
            .await
            .unwrap()
            .unwrap()
    };
    assert!(!row().await.data.to_lowercase().contains("example"), "no name in the leaf: {}", row().await.data);
    assert_eq!(force.site.post(&erase, Some(&force.pia), json!({})).await.status, 403);
    assert_eq!(force.site.post(&erase, Some(&boss), json!({})).await.status, 204);
    assert_eq!(force.site.post(&erase, Some(&boss), json!({})).await.code(), "nothing_personal");
    assert_eq!(row().await.personal, None);
    assert_eq!(found(&force).await, []);
});
