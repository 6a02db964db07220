//! Transactions, events, jobs and mail, on both databases.
#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::BTreeMap;
use std::time::Duration;

use domain::Timestamp;
use serde_json::json;
use store::testing::TestDatabase;
use store::{Columns as _, Engine, Event, Sql, on_both};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(seconds * 1_000_000)
}

on_both!(an_event_is_written_with_its_commit, |test: TestDatabase| async move {
    let tx = test.db.begin(at(10)).await.unwrap();
    tx.commit([Event::new("thing.done", None).about("thing", "cam_1").with("size", 3).personally("name", "Ana")])
        .await
        .unwrap();
    let dropped = test.db.begin(at(11)).await.unwrap();
    drop(dropped);
    let mut tx = test.db.begin(at(12)).await.unwrap();
    let rows = Sql::new("SELECT kind, personal, commitment FROM events").fetch_all(&mut tx).await.unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].text("kind").unwrap(), "thing.done");
    assert_eq!(rows[0].text("commitment").unwrap().len(), 64);
    assert_eq!(store::event::sequenced(&mut tx).await.unwrap(), 0);
    store::ledger::number(&mut tx, 0, 10).await.unwrap();
    assert_eq!(store::event::sequenced(&mut tx).await.unwrap(), 1);
    assert_eq!(store::event::objects(&mut tx, 0..1).await.unwrap(), ["cam_1"]);
});

/// Writes an event's rows without the commit that would come with them.
async fn insert_event(tx: &mut store::Tx, id: &str) {
    let sql = "INSERT INTO events (id, at, kind, objects, data) VALUES (";
    let row = Sql::new(sql).args([id]).add(", 1, 'thing.done', '{}', '{}') RETURNING seq").fetch_one(tx).await.unwrap();
    let seq = row.int("seq").unwrap();
    Sql::new("INSERT INTO event_objects (object_id, seq) VALUES (")
        .arg(id)
        .add(", ")
        .arg(seq)
        .add(")")
        .execute(tx)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_becomes_visible_late_is_not_passed_over() {
    let test = store::testing::database(Engine::Postgres).await;
    let (mut slow, mut fast) = (test.db.begin(at(1)).await.unwrap(), test.db.begin(at(1)).await.unwrap());
    insert_event(&mut slow, "evt_1").await;
    insert_event(&mut fast, "evt_2").await;
    let mut told = Vec::new();
    for tx in [fast, slow] {
        tx.commit_housekeeping().await.unwrap();
        let mut tx = test.db.begin(at(2)).await.unwrap();
        let before = store::event::sequenced(&mut tx).await.unwrap();
        store::ledger::number(&mut tx, 0, 10).await.unwrap();
        let now = store::event::sequenced(&mut tx).await.unwrap();
        told.extend(store::event::objects(&mut tx, before..now).await.unwrap());
        tx.commit_housekeeping().await.unwrap();
    }
    assert_eq!(told, ["evt_2", "evt_1"]);
}

on_both!(four_hundred_writers_lose_nothing, |test: TestDatabase| async move {
    let mut tx = test.db.begin(at(0)).await.unwrap();
    store::setting::set(&mut tx, "count", "0").await.unwrap();
    tx.commit_housekeeping().await.unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let db = test.db.clone();
        tasks.spawn(async move {
            for _ in 0..50 {
                let mut tx = db.begin(at(1)).await.unwrap();
                Sql::new(
                    "UPDATE installation SET value = CAST(CAST(value AS BIGINT) + 1 AS TEXT) WHERE name = 'count'",
                )
                .execute(&mut tx)
                .await
                .unwrap();
                tx.commit_housekeeping().await.unwrap();
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    let mut tx = test.db.read(at(2)).await.unwrap();
    assert_eq!(store::setting::get(&mut tx, "count").await.unwrap().unwrap(), "400");
});

on_both!(a_job_is_claimed_once_and_given_up_at_last, |test: TestDatabase| async move {
    let mut tx = test.db.begin(at(0)).await.unwrap();
    store::job::push(&mut tx, "test", &json!({"n": 1}), Some("one"), at(0)).await.unwrap();
    store::job::push(&mut tx, "test", &json!({"n": 2}), Some("one"), at(0)).await.unwrap();
    tx.commit_housekeeping().await.unwrap();
    let lease = Duration::from_secs(60);
    let mut tx = test.db.begin(at(1)).await.unwrap();
    let first = store::job::claim(&mut tx, lease).await.unwrap().unwrap();
    assert_eq!(first.payload, json!({"n": 1}));
    assert!(store::job::claim(&mut tx, lease).await.unwrap().is_none(), "leased");
    tx.commit_housekeeping().await.unwrap();
    // The first runner slept through its lease: a second one has the job, the first changes nothing.
    let mut tx = test.db.begin(at(62)).await.unwrap();
    let second = store::job::claim(&mut tx, lease).await.unwrap().unwrap();
    assert!(!store::job::done(&mut tx, &first).await.unwrap());
    store::job::failed(&mut tx, &second, "no", None).await.unwrap();
    assert_eq!(store::job::list(&mut tx, true, 10).await.unwrap()[0].last_error.as_deref(), Some("no"));
    assert!(store::job::revive(&mut tx, &second.id).await.unwrap());
    let third = store::job::claim(&mut tx, lease).await.unwrap().unwrap();
    assert!(store::job::done(&mut tx, &third).await.unwrap());
    tx.commit_housekeeping().await.unwrap();
});

/// The table, then each column with its kind of value.
async fn columns(test: &TestDatabase, engine: Engine) -> BTreeMap<String, Vec<(String, &'static str)>> {
    let mut tx = test.db.read(at(0)).await.unwrap();
    let rows = match engine {
        Engine::Sqlite => Sql::new(
            "SELECT m.name AS t, c.name AS c, c.type AS k FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' ORDER BY m.name, c.cid",
        ),
        Engine::Postgres => Sql::new(
            "SELECT CAST(table_name AS TEXT) AS t, CAST(column_name AS TEXT) AS c, CAST(data_type AS TEXT) AS k FROM information_schema.columns WHERE table_schema = 'public' ORDER BY table_name, ordinal_position",
        ),
    };
    let mut found: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for row in rows.fetch_all(&mut tx).await.unwrap() {
        let (table, kind) = (row.text("t").unwrap(), row.text("k").unwrap());
        if table.starts_with("sqlite_") || table.starts_with("_sqlx") {
            continue;
        }
        let kind = match kind.as_str() {
            "INTEGER" | "bigint" => "integer",
            "REAL" | "double precision" => "real",
            "TEXT" | "text" => "text",
            "BLOB" | "bytea" => "bytes",
            other => panic!("{table}: a type that sqlx's Any cannot carry: {other}"),
        };
        found.entry(table).or_default().push((row.text("c").unwrap(), kind));
    }
    found
}

#[tokio::test]
async fn both_migrations_give_the_same_columns() {
    let sqlite = columns(&store::testing::database(Engine::Sqlite).await, Engine::Sqlite).await;
    let postgres = columns(&store::testing::database(Engine::Postgres).await, Engine::Postgres).await;
    assert!(sqlite.len() > 25, "{}", sqlite.len());
    assert_eq!(sqlite, postgres);
}

#[tokio::test]
async fn the_bundled_sqlite_has_the_wal_reset_fix() {
    let test = store::testing::database(Engine::Sqlite).await;
    let mut tx = test.db.read(at(0)).await.unwrap();
    let version = Sql::new("SELECT sqlite_version() AS v").fetch_one(&mut tx).await.unwrap().text("v").unwrap();
    let numbers: Vec<u32> = version.split('.').map(|n| n.parse().unwrap()).collect();
    assert!(numbers >= vec![3, 51, 3], "{version}");
}

// The net below the checks of input: what PostgreSQL does not take is told as a fault of the input, not of the database.
on_both!(text_with_a_nul_is_no_fault_of_the_database, |test: TestDatabase| async move {
    let mut tx = test.db.begin(at(0)).await.unwrap();
    let set = store::setting::set(&mut tx, "nul", "a\0b").await;
    match test.db.engine() {
        Engine::Sqlite => set.unwrap(),
        Engine::Postgres => assert!(matches!(set, Err(store::Error::Unstorable)), "{set:?}"),
    }
});
