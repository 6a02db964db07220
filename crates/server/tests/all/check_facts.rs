//! `check` holds every row against what the ledger sealed of it: whatever is changed, taken away or put in by hand is named.

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

/// Whoever holds the database does something to it.
async fn sql(force: &Force, statement: &str) {
    let mut tx = force.site.test.app.begin().await.unwrap();
    let rows = Sql::new(statement.to_owned().leak()).execute(&mut tx).await.unwrap();
    let defines = ["CREATE", "DROP", "ALTER"].iter().any(|verb| statement.starts_with(verb));
    assert!(rows > 0 || defines, "{statement}");
    tx.commit_housekeeping().await.unwrap();
}

/// Does it, asserts that `check` names exactly this object, and takes it back.
async fn told(force: &Force, change: &str, back: &str, object: &str) {
    sql(force, change).await;
    let found = found(force).await;
    assert!(!found.is_empty() && found.iter().all(|(o, _)| o == object), "{change}: {found:#?}");
    sql(force, back).await;
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

    for (change, back) in [
        ("state = 'denied'", "state = 'released'"),
        ("granted_from = granted_from - 60000000", "granted_from = granted_from + 60000000"),
        ("from_at = from_at + 1", "from_at = from_at - 1"),
        ("to_at = to_at + 1", "to_at = to_at - 1"),
        ("level = 'view'", "level = 'download'"),
        ("review_before_release = 1", "review_before_release = 0"),
        ("reason_detail = 'none'", "reason_detail = NULL"),
        ("ended_at = ended_at - 1", "ended_at = ended_at + 1"),
        ("ordinal = ordinal + 7", "ordinal = ordinal - 7"),
        ("source_id = 'cam_1'", "source_id = NULL"),
    ] {
        told(&force, &format!("UPDATE request_items SET {change}"), &format!("UPDATE request_items SET {back}"), &item)
            .await;
    }
    for (change, back) in [
        ("name = name || 'x'", "name = SUBSTR(name, 1, LENGTH(name) - 1)"),
        ("release_level = 'view'", "release_level = 'download'"),
        ("media = REPLACE(media, '{', ' {')", "media = REPLACE(media, ' {', '{')"),
        ("recorded_from = 1, recorded_to = 2, gaps = '[]'", "recorded_from = NULL, recorded_to = NULL, gaps = NULL"),
        ("manifest = '{}'", "manifest = NULL"),
        ("source_id = 'cam_1'", "source_id = NULL"),
        (
            "received_by = NULL, clock_offset_ms = 5",
            "received_by = (SELECT MAX(owner) FROM uploads), clock_offset_ms = NULL",
        ),
        ("created_at = created_at - 1", "created_at = created_at + 1"),
    ] {
        told(&force, &format!("UPDATE evidence SET {change}"), &format!("UPDATE evidence SET {back}"), &id).await;
    }
    for (change, back) in [
        ("reason = 'A hunch.'", "reason = NULL"),
        ("incident_from = incident_from + 1", "incident_from = incident_from - 1"),
        ("status = 'pending', open = 1", "status = 'completed', open = 0"),
        ("case_id = NULL", "case_id = (SELECT MAX(id) FROM cases)"),
    ] {
        let set = |set: &str| format!("UPDATE video_requests SET {set}");
        told(&force, &set(change), &set(back), &request).await;
    }
    told(&force, "UPDATE case_access SET level = level - 1", "UPDATE case_access SET level = level + 1", &case).await;
    told(
        &force,
        "UPDATE cases SET name = name || 'x'",
        "UPDATE cases SET name = SUBSTR(name, 1, LENGTH(name) - 1)",
        &case,
    )
    .await;
    assert_eq!(found(&force).await, []);
});

on_both!(what_is_taken_away_or_put_in_is_found, |database: TestDatabase| async move {
    let force = Force::new(database).await;
    force.site.test.database.tamper();
    let (request, _) = force.request(&force.ana, None).await;
    let comment = json!({"body": "The plate was seen twice."});
    assert_eq!(
        force.site.post(&format!("/video-requests/{request}/comments"), Some(&force.ana), comment).await.status,
        200
    );
    assert_eq!(found(&force).await, []);

    sql(&force, "CREATE TABLE kept_messages AS SELECT * FROM messages").await;
    sql(&force, "DELETE FROM messages").await;
    let gone = found(&force).await;
    assert!(
        matches!(gone.as_slice(), [(id, problem)] if id.starts_with("msg_") && problem.starts_with("its row is gone; the last that the ledger has of it is video_request.comment")),
        "{gone:#?}"
    );
    sql(&force, "INSERT INTO messages SELECT * FROM kept_messages").await;
    assert_eq!(found(&force).await, []);

    // A person is made an administrator, a case and a comment are invented.
    sql(&force, "INSERT INTO account_roles (account_id, role, organization_id) SELECT id, 'administrator', '' FROM accounts WHERE user_name = 'ana'").await;
    let named = found(&force).await;
    assert!(matches!(named.as_slice(), [(id, _)] if id.starts_with("acc_")), "{named:#?}");
    sql(&force, "DELETE FROM account_roles WHERE role = 'administrator' AND account_id IN (SELECT id FROM accounts WHERE user_name = 'ana')").await;
    sql(&force, "INSERT INTO messages SELECT 'msg_01kb0000000000000000000000', request_id, item_id, kind, author_id, body, created_at FROM messages").await;
    let invented = [("msg_01kb0000000000000000000000".to_owned(), "no event in the ledger made this row".to_owned())];
    assert_eq!(found(&force).await, invented);
    sql(&force, "DELETE FROM messages WHERE id = 'msg_01kb0000000000000000000000'").await;

    // Whoever also forges the seal is found by the event that it belonged to.
    sql(&force, "UPDATE seals SET seal = REPLACE(seal, '0', '1') WHERE object_id IN (SELECT id FROM messages)").await;
    let forged = found(&force).await;
    assert!(
        forged
            .iter()
            .any(|(id, problem)| id.starts_with("evt_") && problem.contains("the seals of what changed with it")),
        "{forged:#?}"
    );
});

/// Somebody who minds no foreign keys, as other programs that open the database need not.
async fn mind_no_keys(force: &Force, table: &str) {
    sql(force, &format!("CREATE TABLE free_{table} AS SELECT * FROM {table}")).await;
    sql(force, &format!("DROP TABLE {table}")).await;
    sql(force, &format!("ALTER TABLE free_{table} RENAME TO {table}")).await;
}

on_both!(what_is_told_by_no_event_is_found, |database: TestDatabase| async move {
    let force = Force::new(database).await;
    force.site.test.database.tamper();
    let (request, item) = force.request(&force.ana, None).await;
    let item = item.to_string();
    assert_eq!(found(&force).await, []);
    for table in ["seals", "event_objects"] {
        mind_no_keys(&force, table).await;
    }
    assert_eq!(found(&force).await, []);

    // A seal that fits, under a number that no event has; and a history of what never happened.
    sql(&force, "INSERT INTO seals SELECT object_id, seq + 1000, seal, salt FROM seals WHERE object_id LIKE 'itm%'")
        .await;
    let forged = "a seal or a history tells of it, and there is no event that could have".to_owned();
    assert_eq!(found(&force).await, [(item.clone(), forged.clone())]);
    sql(&force, "DELETE FROM seals WHERE seq > 1000").await;
    let message = "msg_01kb0000000000000000000000";
    sql(&force, &format!("INSERT INTO messages VALUES ('{message}', '{request}', NULL, 'comment', NULL, 'Yes.', 1)"))
        .await;
    sql(&force, &format!("INSERT INTO event_objects VALUES ('{message}', 100000)")).await;
    assert!(found(&force).await.contains(&(message.to_owned(), forged)));
    sql(&force, "DELETE FROM messages").await;
    sql(&force, "DELETE FROM event_objects WHERE seq = 100000").await;
    assert_eq!(found(&force).await, []);

    // A row under the id of another table's row.
    let copy = "INSERT INTO groups SELECT id, organization_id, 'Intruders', created_at, version FROM accounts WHERE user_name = 'ana'";
    sql(&force, copy).await;
    assert!(matches!(found(&force).await.as_slice(), [(id, _)] if id.starts_with("acc_")));
    sql(&force, "DELETE FROM groups").await;

    // An event in a place that the ledger did not give it: nothing is built beside it either.
    for place in ["1000000000", "-1"] {
        let event = format!(
            "INSERT INTO events (id, at, kind, objects, data, leaf_index) VALUES ('evt_forged', 1, 'case.create', '{{}}', '{{}}', {place})"
        );
        sql(&force, &event).await;
        let app = &force.site.test.app;
        let report = app::check::run(app, &Outside::default()).await.unwrap();
        let found: Vec<_> = report.findings.iter().map(|finding| finding.object.as_str()).collect();
        assert!(found.contains(&"evt_forged"), "{place}: {:#?}", report.findings);
        force.request(&force.ana, None).await;
        let builds = app::jobs::sequence_ledger::run(app).await;
        assert_eq!(builds.is_err(), place != "-1", "{builds:?}");
        sql(&force, "DELETE FROM events WHERE id = 'evt_forged'").await;
        force.site.test.advance(std::time::Duration::from_secs(60));
    }
    assert_eq!(found(&force).await, []);
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
