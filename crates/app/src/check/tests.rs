//! Whatever is changed behind the product's back is found, and named.

use std::time::Duration;

use proof::Sha256Digest;
use store::testing::TestDatabase;
use store::{Event, Sql, on_both};

use futures::StreamExt as _;

use super::*;
use crate::ledger::tests::{clean, happen, sequence};
use crate::testing::TestApp;

/// An installation with 300 events, one piece of evidence, and a checkpoint over all of it.
async fn installation(database: TestDatabase) -> (TestApp, String, String) {
    let test = crate::testing::app(database).await;
    test.database.tamper();
    happen(&test.app, 300).await;
    let (id, blob) = receive(&test, b"what the camera saw").await;
    sequence(&test.app).await;
    clean(&test.app).await;
    (test, id, blob)
}

async fn receive(test: &TestApp, bytes: &'static [u8]) -> (String, String) {
    let blob = test.app.blobs().put("evidence", bytes).await.unwrap();
    let sha256 = Sha256Digest::of(bytes).to_string();
    let mut tx = test.app.begin().await.unwrap();
    let id: domain::id::EvidenceId = tx.new_id();
    Sql::new(
        "INSERT INTO evidence (id, organization_id, name, size_bytes, sha256, blob, release_level, playable_state, created_at, version) VALUES (",
    )
    .args([id.as_str(), test.host.as_str(), "a.mp4"])
    .add(", ")
    .arg(bytes.len() as i64)
    .add(", ")
    .args([sha256.as_str(), blob.as_str(), "view", "waiting"])
    .add(", 0, 1)")
    .execute(&mut tx)
    .await
    .unwrap();
    tx.changed(&id);
    let event = Event::new("evidence.receive", None)
        .about("evidence", &id)
        .with("sha256", sha256)
        .with("size_bytes", bytes.len() as i64);
    tx.commit([event]).await.unwrap();
    (id.to_string(), blob)
}

async fn sql(app: &App, statement: &'static str) {
    let mut tx = app.begin().await.unwrap();
    let rows = Sql::new(statement).execute(&mut tx).await.unwrap();
    assert!(rows > 0 || statement.starts_with("CREATE"), "{statement}");
    tx.commit_housekeeping().await.unwrap();
}

async fn flip(app: &App, name: &str, at: usize) {
    let mut bytes = app.blobs().get(name).await.unwrap().to_vec();
    bytes[at] ^= 1;
    app.blobs().put_named(name, bytes).await.unwrap();
}

async fn found(app: &App, outside: &Outside) -> Vec<(String, String)> {
    let report = run(app, outside).await.unwrap();
    report.findings.into_iter().map(|finding| (finding.object, finding.problem)).collect()
}

/// Asserts that exactly one thing is found: its name, and a part of what is said of it, first or among more.
async fn one(app: &App, object: &str, problem: &str) {
    let found = found(app, &Outside::default()).await;
    assert!(
        found.iter().all(|(o, _)| o == object) && found.iter().any(|(_, p)| p.contains(problem)),
        "expected {object}: {problem}, found {found:#?}"
    );
}

async fn event_at(app: &App, place: u64) -> String {
    store::ledger::leaves(&mut app.read().await.unwrap(), place, place + 1).await.unwrap()[0].id.clone()
}

on_both!(files, |database: TestDatabase| async move {
    let (test, id, blob) = installation(database).await;
    let app = &test.app;

    flip(app, &blob, 3).await;
    one(app, &id, "has the SHA-256").await;
    // The row is made to fit the spoiled bytes; the ledger still knows better.
    let spoiled = Sha256Digest::of(&app.blobs().get(&blob).await.unwrap()).to_string();
    let mut tx = app.begin().await.unwrap();
    Sql::new("UPDATE evidence SET sha256 = ").arg(spoiled).execute(&mut tx).await.unwrap();
    tx.commit_housekeeping().await.unwrap();
    one(app, &id, "not what the ledger recorded").await;
    flip(app, &blob, 3).await;
    let right = Sha256Digest::of(b"what the camera saw").to_string();
    let mut tx = app.begin().await.unwrap();
    Sql::new("UPDATE evidence SET sha256 = ").arg(right).execute(&mut tx).await.unwrap();
    tx.commit_housekeeping().await.unwrap();
    clean(app).await;

    let bytes = app.blobs().get(&blob).await.unwrap();
    app.blobs().put_named(&blob, bytes.slice(1..)).await.unwrap();
    one(app, &id, "is 18 bytes long").await;
    app.blobs().remove(&blob).await.unwrap();
    one(app, &id, "is missing").await;
    app.blobs().put_named(&blob, bytes).await.unwrap();
    clean(app).await;

    app.blobs().put_named("evidence/00/stray", &b"x"[..]).await.unwrap();
    one(app, "evidence/00/stray", "no row names this file").await;
    app.blobs().remove("evidence/00/stray").await.unwrap();

    // What a crash may leave: a picture beside the original that it was made from, and one of a camera.
    app.blobs().put_named(&blob.replace("evidence/", "playable/"), &b"x"[..]).await.unwrap();
    app.blobs().put_named("thumbnail/00/left", &b"x"[..]).await.unwrap();
    let report = run(app, &Outside::default()).await.unwrap();
    assert_eq!((report.findings.len(), report.leftovers), (0, vec!["thumbnail/00/left".to_owned()]));
    app.blobs().remove(&blob.replace("evidence/", "playable/")).await.unwrap();

    // File and row together are taken away.
    sql(app, "DELETE FROM evidence").await;
    app.blobs().remove(&blob).await.unwrap();
    one(app, &id, "its row is gone").await;
});

on_both!(a_file_that_arrives_while_we_look, |database: TestDatabase| async move {
    let (test, ..) = installation(database).await;
    let mut report = Report::default();
    // As if the ledger had been read before anything came.
    crate::check::files::evidence(&test.app, &mut report, &Recorded::default()).await.unwrap();
    assert_eq!(report.findings, []);
    sql(&test.app, "UPDATE evidence SET size_bytes = size_bytes + 1").await;
    crate::check::files::evidence(&test.app, &mut report, &Recorded::default()).await.unwrap();
    assert!(report.findings.iter().any(|finding| finding.problem.contains("not what the ledger recorded")));
});

on_both!(tiles, |database: TestDatabase| async move {
    let (test, ..) = installation(database).await;
    let app = &test.app;
    let size = crate::ledger::state(app).await.unwrap().0;
    let partial = size - 256;
    for (name, at, problem) in [
        ("ledger/tile/0/000".to_owned(), 32 * 7, "the hash of leaf 7"),
        (format!("ledger/tile/0/001.p/{partial}"), 0, "the hash of leaf 256"),
        ("ledger/tile/1/000.p/1".to_owned(), 31, "not what the leaves give"),
        ("ledger/tile/entries/000".to_owned(), 40, "leaf 0 is not the one that was hashed"),
        (format!("ledger/tile/entries/001.p/{partial}"), 40, "leaf 256 is not the one that was hashed"),
    ] {
        flip(app, &name, at).await;
        one(app, &name, problem).await;
        flip(app, &name, at).await;
        let bytes = app.blobs().get(&name).await.unwrap();
        app.blobs().remove(&name).await.unwrap();
        one(app, &name, "missing").await;
        app.blobs().put_named(&name, bytes).await.unwrap();
    }
    clean(app).await;
    // Nothing is built on a tree that is not the signed one.
    happen(app, 1).await;
    flip(app, "ledger/tile/1/000.p/1", 0).await;
    assert!(crate::jobs::sequence_ledger::run(app).await.is_err());
});

on_both!(rows, |database: TestDatabase| async move {
    let (test, ..) = installation(database).await;
    let app = &test.app;
    sql(app, "CREATE TABLE kept AS SELECT * FROM events").await;
    let (ninth, tenth) = (event_at(app, 9).await, event_at(app, 10).await);
    let personal = if store::ledger::leaves(&mut app.read().await.unwrap(), 9, 10).await.unwrap()[0].personal.is_some()
    {
        &ninth
    } else {
        &tenth
    };
    for (statement, object, problem) in [
        ("UPDATE events SET data = '{\"n\":-1}' WHERE leaf_index = 9", &ninth, "(data)"),
        ("UPDATE events SET data = '{\"n\":' WHERE leaf_index = 9", &ninth, "cannot be read"),
        ("UPDATE events SET objects = '{}' WHERE leaf_index = 9", &ninth, "(objects)"),
        ("UPDATE events SET kind = 'camera.updatf' WHERE leaf_index = 9", &ninth, "(kind)"),
        ("UPDATE events SET actor = 'acc_x' WHERE leaf_index = 9", &ninth, "(actor)"),
        ("UPDATE events SET at = at + 1 WHERE leaf_index = 9", &ninth, "(at)"),
        ("UPDATE events SET id = 'evt_other' WHERE leaf_index = 9", &ninth, "(id)"),
        (
            "UPDATE events SET commitment = NULL, personal = NULL, salt = NULL WHERE leaf_index IN (9, 10) AND personal IS NOT NULL",
            personal,
            "(commitment)",
        ),
        (
            "UPDATE events SET personal = '{\"name\":\"Somebody else\"}' WHERE leaf_index IN (9, 10) AND personal IS NOT NULL",
            personal,
            "personal part",
        ),
        (
            "UPDATE events SET personal = '{' WHERE leaf_index IN (9, 10) AND personal IS NOT NULL",
            personal,
            "cannot be read",
        ),
        (
            "UPDATE events SET salt = NULL WHERE leaf_index IN (9, 10) AND personal IS NOT NULL",
            personal,
            "personal part",
        ),
        (
            "UPDATE events SET personal = NULL, salt = NULL WHERE leaf_index IN (9, 10) AND personal IS NOT NULL",
            personal,
            "no event says that it was erased",
        ),
        ("UPDATE events SET erased_at = 7 WHERE leaf_index = 9", &ninth, "says that its personal part was erased"),
        ("UPDATE events SET leaf_index = NULL WHERE leaf_index = 9", &ninth, "gone"),
        ("UPDATE events SET leaf_index = -9 WHERE leaf_index = 9", &ninth, "gone"),
    ] {
        sql(app, statement).await;
        one(app, object, problem).await;
        sql(
            app,
            "UPDATE events SET id = kept.id, data = kept.data, objects = kept.objects, kind = kept.kind, actor = kept.actor, at = kept.at, \
             commitment = kept.commitment, personal = kept.personal, salt = kept.salt, leaf_index = kept.leaf_index, erased_at = kept.erased_at FROM kept WHERE kept.seq = events.seq",
        )
        .await;
    }
    clean(app).await;
});

on_both!(histories, |database: TestDatabase| async move {
    let (test, id, _) = installation(database).await;
    let app = &test.app;
    let event = store::history::of(&mut app.read().await.unwrap(), &id, None, 1).await.unwrap()[0].id.clone();
    sql(app, "CREATE TABLE kept AS SELECT * FROM event_objects").await;
    let mut tx = app.begin().await.unwrap();
    Sql::new("DELETE FROM event_objects WHERE object_id = ").arg(id.as_str()).execute(&mut tx).await.unwrap();
    tx.commit_housekeeping().await.unwrap();
    one(app, &event.to_string(), "histories").await;
    sql(app, "DELETE FROM event_objects").await;
    assert!(found(app, &Outside::default()).await.len() > 100, "each is named");
    sql(app, "INSERT INTO event_objects SELECT * FROM kept").await;
    clean(app).await;
});

on_both!(a_tree_that_was_cut_short_or_rewritten_and_signed_anew, |database: TestDatabase| async move {
    let (test, ..) = installation(database).await;
    let app = &test.app;
    let vkey = Some(crate::ledger::verifier(app).await.unwrap().to_string());
    let checkpoint = sequence(app).await.checkpoint;
    let outside = Outside { checkpoint: Some(checkpoint), vkey };
    assert_eq!(found(app, &outside).await, []);
    happen(app, 300).await;
    sequence(app).await;
    assert_eq!(found(app, &outside).await, [], "a longer tree with the same past");

    // Somebody with the key and the database takes away an event, and all that follow.
    for statement in [
        "DELETE FROM event_objects WHERE seq IN (SELECT seq FROM events WHERE leaf_index >= 100 AND kind = 'camera.update')",
        "DELETE FROM events WHERE leaf_index >= 100 AND kind = 'camera.update'",
        "UPDATE events SET leaf_index = NULL",
        "DELETE FROM ledger",
    ] {
        sql(app, statement).await;
    }
    // While tiles of the old tree are here, no other is begun, and check says so without any help from outside.
    let old = found(app, &Outside::default()).await;
    assert!(!old.is_empty() && old.iter().all(|(_, p)| p.contains("cut short or begun anew")), "{old:?}");
    assert!(crate::jobs::sequence_ledger::run(app).await.is_err());
    let tiles: Vec<_> = app.blobs().list("ledger/").map(|tile| tile.unwrap().0).collect().await;
    for tile in tiles {
        app.blobs().remove(&tile).await.unwrap();
    }
    test.advance(Duration::from_secs(1));
    sequence(app).await;
    clean(app).await;
    let cut = found(app, &outside).await;
    assert!(matches!(cut.as_slice(), [(o, p)] if o == "ledger" && p.contains("cut short")), "{cut:?}");

    // And fills it up again with others.
    happen(app, 400).await;
    sequence(app).await;
    clean(app).await;
    let rewritten = found(app, &outside).await;
    assert!(matches!(rewritten.as_slice(), [(o, p)] if o == "ledger" && p.contains("signed anew")), "{rewritten:?}");

    // With another key, the key that was kept elsewhere tells.
    let stranger = proof::note::Signer::from_seed("sightline-x", &[9; 32]).unwrap().verifier().to_string();
    let other = found(app, &Outside { checkpoint: None, vkey: Some(stranger) }).await;
    assert!(
        matches!(other.as_slice(), [(o, p)] if o == "ledger" && p.contains("not signed by the expected key")),
        "{other:?}"
    );
});

on_both!(what_was_erased_and_is_there_again, |database: TestDatabase| async move {
    let (test, ..) = installation(database).await;
    let app = &test.app;
    sql(app, "CREATE TABLE kept AS SELECT * FROM events").await;
    let row = store::ledger::outside(&mut app.read().await.unwrap(), 0, 0, 400)
        .await
        .unwrap()
        .into_iter()
        .find(|row| row.personal.is_some())
        .unwrap();
    let mut tx = app.begin().await.unwrap();
    let tombstone = store::ledger::erase(&mut tx, &row.id.parse().unwrap(), None).await.unwrap().unwrap();
    tx.commit([tombstone]).await.unwrap();
    sequence(app).await;
    clean(app).await;
    sql(app, "UPDATE events SET personal = kept.personal, salt = kept.salt FROM kept WHERE kept.seq = events.seq")
        .await;
    one(app, &row.id, "is there again").await;
    assert_eq!(crate::ledger::replay_tombstones(app).await.unwrap(), 1);
    clean(app).await;
});

on_both!(a_ledger_without_its_row_is_no_empty_ledger, |database: TestDatabase| async move {
    let (test, ..) = installation(database).await;
    sql(&test.app, "DELETE FROM ledger").await;
    let report = run(&test.app, &Outside::default()).await.unwrap();
    let problem = &report.findings.iter().find(|finding| finding.object == "ledger").unwrap().problem;
    assert!(problem.starts_with("its row is gone, and 30"), "{problem}");
});
