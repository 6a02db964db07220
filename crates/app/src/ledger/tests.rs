//! The ledger grows, survives crashes at every step, and proves what it holds.

use domain::Caller;
use domain::account::Role;
use proof::{Checkpoint, tree};
use store::testing::TestDatabase;
use store::{Event, on_both};

use super::*;
use crate::jobs::sequence_ledger::{self as sequence, LEASE};
use crate::testing::TestApp;

/// Commits events, some with a personal part.
pub(crate) async fn happen(app: &App, count: usize) {
    let mut tx = app.begin().await.unwrap();
    let mut events = Vec::new();
    for n in 0..count {
        let event = Event::new("camera.update", None).about("camera", format!("cam_{n}")).with("n", n as i64);
        events.push(if n % 2 == 0 { event.personally("name", format!("Person {n}")) } else { event });
    }
    store::setting::set(&mut tx, "test", "x").await.unwrap();
    tx.commit(events).await.unwrap();
}

pub(crate) async fn sequence(app: &App) -> Head {
    while sequence::run(app).await.unwrap() {}
    head(app).await.unwrap()
}

pub(crate) async fn clean(app: &App) {
    let report = crate::check::run(app, &crate::check::Outside::default()).await.unwrap();
    assert_eq!(report.findings, []);
}

async fn auditor(test: &TestApp) -> Caller {
    test.caller("auditor", &test.host, &[(Role::Auditor, None)]).await
}

on_both!(grows_and_proves_itself, |database: TestDatabase| async move {
    let test = crate::testing::app(database).await;
    let app = &test.app;
    let caller = auditor(&test).await;
    let mut older: Option<Checkpoint> = None;
    for count in [1, 3, 250, 300] {
        happen(app, count).await;
        let head = sequence(app).await;
        let signed = Checkpoint::open(&head.checkpoint, &verifier(app).await.unwrap()).unwrap();
        if let Some(older) = older {
            let plan = tree::plan_consistency(older.size, head.size).unwrap();
            let proof =
                read_tiles(app, &tile::needed(&plan, head.size)).await.unwrap().prove(&plan, head.size).unwrap();
            assert_eq!(older.is_followed_by(&signed, &proof), Ok(()));
        }
        older = Some(signed);
        clean(app).await;
    }
    assert!(!sequence::run(app).await.unwrap(), "nothing new, nothing done");

    let page = list(app, &caller, &Filter { kind: Some("camera.update".into()), ..Filter::default() }, None, Some(2))
        .await
        .unwrap();
    assert_eq!(page.items.len(), 2);
    let head = head(app).await.unwrap();
    for seen in page.items {
        let proof = prove(app, &caller, &seen.row.id.parse().unwrap()).await.unwrap();
        assert!(tree::verify_inclusion(
            proof.leaf_index,
            head.size,
            &tree::leaf_hash(proof.leaf.as_bytes()),
            &proof.hashes,
            &head.root
        ));
    }
    let next = list(app, &caller, &Filter::default(), page.next_cursor.as_deref(), None).await.unwrap();
    assert_eq!(next.items.len(), 50);

    // A tile that was outgrown is removed, and still served.
    assert!(stored(app, "tile/0/000.p/1".parse().unwrap()).await.unwrap().is_none());
    assert_eq!(tile(app, Some(&caller), "tile/0/000.p/1").await.unwrap().len(), 32);
    assert_eq!(tile(app, Some(&caller), "tile/0/000").await.unwrap().len(), 8192);
    for (path, unseen) in
        [("tile/0/x001/000", "beyond the tree"), ("tile/0/../x", "no path"), ("tile/5/000.p/1", "no such level")]
    {
        assert_eq!(tile(app, Some(&caller), path).await.unwrap_err().kind, crate::Kind::NotFound, "{unseen}");
    }
});

on_both!(a_crash_at_any_step_is_harmless, |database: TestDatabase| async move {
    let test = crate::testing::app(database).await;
    let app = &test.app;
    for step in 0..8 {
        happen(app, 100).await;
        let claim = sequence::claim(app).await.unwrap().unwrap();
        assert!(sequence::claim(app).await.unwrap().is_none(), "the lease keeps others out");
        if step % 4 > 0 {
            let extension = sequence::build(app, &claim).await.unwrap();
            let written = if step % 4 == 1 { 1 } else { extension.files.len() };
            sequence::write(app, &extension.files[..written]).await.unwrap();
            if step % 4 == 3 {
                // Slower than its lease, while another server does the work.
                test.advance(LEASE);
                happen(app, 1).await;
                let head = sequence(app).await;
                assert!(!sequence::publish(app, &claim, &extension.head).await.unwrap());
                assert_eq!(super::head(app).await.unwrap(), head);
            }
        }
        clean(app).await;
        test.advance(LEASE);
        // More happens before somebody goes on, so that the unfinished tiles get other widths.
        happen(app, step + 1).await;
        sequence(app).await;
        clean(app).await;
    }
});

on_both!(two_servers_take_turns, |database: TestDatabase| async move {
    let test = crate::testing::app(database).await;
    for _ in 0..10 {
        happen(&test.app, 20).await;
        let runs = (0..4).map(|_| sequence::run(&test.app));
        for run in futures::future::join_all(runs).await {
            run.unwrap();
        }
    }
    sequence(&test.app).await;
    clean(&test.app).await;
});

on_both!(erased_is_not_tampered, |database: TestDatabase| async move {
    let test = crate::testing::app(database).await;
    let app = &test.app;
    let admin = test.caller("boss", &test.host, &[(Role::Administrator, None), (Role::Auditor, None)]).await;
    happen(app, 3).await;
    sequence(app).await;
    let filter = Filter { object: Some("cam_0".into()), ..Filter::default() };
    let id: EventId = list(app, &admin, &filter, None, None).await.unwrap().items[0].row.id.parse().unwrap();
    let stranger = auditor(&test).await;
    assert_eq!(erase_personal(app, &stranger, &id).await.unwrap_err().kind, crate::Kind::Forbidden);
    erase_personal(app, &admin, &id).await.unwrap();
    assert_eq!(erase_personal(app, &admin, &id).await.unwrap_err().code, "nothing_personal");
    clean(app).await;
    sequence(app).await;
    let report = crate::check::run(app, &crate::check::Outside::default()).await.unwrap();
    assert_eq!((report.findings, report.erased), (Vec::new(), 1));
    let row = store::ledger::find(&mut app.read().await.unwrap(), &id).await.unwrap().unwrap();
    assert_eq!((row.personal, row.salt, row.erased_at), (None, None, Some(app.now())));
    // The proof of an erased event still holds.
    prove(app, &admin, &id).await.unwrap();
    assert_eq!(replay_tombstones(app).await.unwrap(), 0);
});

on_both!(an_event_without_a_leaf_is_not_committed, |database: TestDatabase| async move {
    let test = crate::testing::app(database).await;
    for value in [serde_json::json!(0.5), "x".repeat(70_000).into()] {
        let tx = test.app.begin().await.unwrap();
        assert!(tx.commit([Event::new("camera.update", None).with("value", value)]).await.is_err());
    }
    sequence(&test.app).await;
    clean(&test.app).await;
});
