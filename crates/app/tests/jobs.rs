//! Jobs that fail in every way: each is tried again, given up at last, and never takes the runner with it.
#![allow(clippy::unwrap_used, missing_docs)]

use std::time::Duration;

use app::testing::TestApp;
use domain::account::Role;
use serde_json::json;
use store::on_both;
use store::testing::TestDatabase;

async fn with_a_job(database: TestDatabase, kind: &'static str) -> TestApp {
    let test = app::testing::app(database).await;
    let mut tx = test.app.begin().await.unwrap();
    app::jobs::push(&mut tx, kind, &json!({"evidence_id": "no such id"}), None).await.unwrap();
    tx.commit_housekeeping().await.unwrap();
    test
}

async fn dead(test: &TestApp) -> Vec<store::job::Job> {
    let boss = test.caller("boss", &test.host, &[(Role::Administrator, None)]).await;
    app::jobs::list(&test.app, &boss, true).await.unwrap()
}

on_both!(a_job_that_fails_is_given_up_with_a_reason, |database: TestDatabase| async move {
    let test = with_a_job(database, "no_such_job").await;
    for _ in 0..app::jobs::TRIES {
        assert!(app::jobs::run_one(&test.app).await.unwrap());
        test.advance(Duration::from_secs(3_600));
    }
    let dead = dead(&test).await;
    assert_eq!(dead.len(), 1);
    assert_eq!(dead[0].last_error.as_deref(), Some("no such job: no_such_job"));
});

on_both!(a_job_that_panics_leaves_its_runner_alive, |database: TestDatabase| async move {
    let test = with_a_job(database, app::jobs::PANICS).await;
    for _ in 0..app::jobs::TRIES {
        assert!(app::jobs::run_one(&test.app).await.unwrap());
        test.advance(Duration::from_secs(3_600));
    }
    assert_eq!(dead(&test).await[0].last_error.as_deref(), Some("a panic: as the test wants it"));
});

on_both!(a_job_that_ends_the_server_is_given_up_too, |database: TestDatabase| async move {
    let test = with_a_job(database, "no_such_job").await;
    for _ in 0..app::jobs::TRIES {
        // claimed by a server that was killed: nobody says how it ended
        let mut tx = test.app.begin().await.unwrap();
        assert!(store::job::claim(&mut tx, Duration::from_secs(30)).await.unwrap().is_some());
        tx.commit_housekeeping().await.unwrap();
        test.advance(Duration::from_secs(60));
    }
    assert!(app::jobs::run_one(&test.app).await.unwrap());
    let dead = dead(&test).await;
    assert_eq!(dead.len(), 1);
    assert!(dead[0].last_error.as_deref().unwrap().contains("the server ended each time"), "{dead:?}");
});
