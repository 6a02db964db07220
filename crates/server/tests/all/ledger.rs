//! The ledger through the router, on both databases: who reads it, and that what it answers can be verified.

use crate::support::Site;
use app::jobs::sequence_ledger;
use domain::account::Role;
use proof::{Checkpoint, Sha256Digest, tree};
use store::on_both;
use store::testing::TestDatabase;

const PATHS: [&str; 4] = [
    "/ledger/checkpoint",
    "/ledger/events",
    "/ledger/tile/0/000.p/1",
    "/ledger/proof?event=evt_01h455vb4pex5vsknk084sn02q",
];

on_both!(an_auditor_reads_and_verifies, |database: TestDatabase| async move {
    let site = Site::new(database).await;
    site.test.account("ada", &site.test.host, &[(Role::Auditor, None)]).await;
    let ada = site.sign_in("ada").await;
    sequence_ledger::run(&site.test.app).await.unwrap();

    let events = site.get("/ledger/events?limit=2", Some(&ada)).await;
    assert_eq!(events.status, 200, "{}", events.json);
    let event = &events.json["items"][0];
    assert!(event["leaf_index"].is_i64() && event["kind"].is_string(), "{event}");
    let cursor = events.json["next_cursor"].as_str().unwrap();
    let next = site.get(&format!("/ledger/events?limit=2&cursor={cursor}"), Some(&ada)).await;
    assert_ne!(next.json["items"][0]["id"], event["id"]);
    let account = event["objects"]["account"].as_str().unwrap();
    let about = site.get(&format!("/ledger/events?object={account}"), Some(&ada)).await;
    assert!(about.json["items"].as_array().unwrap().iter().all(|e| e["objects"].to_string().contains(account)));

    let id = event["id"].as_str().unwrap();
    let proof = site.get(&format!("/ledger/proof?event={id}"), Some(&ada)).await.json;
    let verifier = proof["vkey"].as_str().unwrap().parse().unwrap();
    let checkpoint = Checkpoint::open(proof["checkpoint"].as_str().unwrap(), &verifier).unwrap();
    let hashes: Vec<Sha256Digest> = serde_json::from_value(proof["hashes"].clone()).unwrap();
    let leaf = tree::leaf_hash(proof["leaf"].as_str().unwrap().as_bytes());
    let index = proof["leaf_index"].as_u64().unwrap();
    assert!(tree::verify_inclusion(index, checkpoint.size, &leaf, &hashes, &checkpoint.root));

    let note = site.get("/ledger/checkpoint", Some(&ada)).await;
    assert_eq!(note.headers["content-type"], "text/plain; charset=utf-8");
    assert_eq!(Checkpoint::open(std::str::from_utf8(&note.body).unwrap(), &verifier).unwrap(), checkpoint);
    let tile = site.get(&format!("/ledger/tile/0/000.p/{}", checkpoint.size), Some(&ada)).await;
    assert_eq!((tile.status, tile.body.len() as u64), (200, 32 * checkpoint.size));
    let bundle = site.get("/ledger/tile/entries/000.p/1", Some(&ada)).await;
    assert_eq!(bundle.status, 200);
    for path in ["0/001", "0/000", "9/000", "0/..%2f..%2fledger-key", "entries/x"] {
        assert_eq!(site.get(&format!("/ledger/tile/{path}"), Some(&ada)).await.status, 404, "{path}");
    }
    assert_eq!(site.get("/ledger/events?cursor=nonsense", Some(&ada)).await.status, 422);
    assert_eq!(site.get("/ledger/events?limit=0", Some(&ada)).await.status, 422);
    assert_eq!(site.get("/ledger/proof?event=evt_01h455vb4pex5vsknk084sn02q", Some(&ada)).await.status, 404);
});

on_both!(others_do_not, |database: TestDatabase| async move {
    let site = Site::new(database).await;
    site.test.account("ivo", &site.test.host, &[(Role::Investigator, None)]).await;
    let elsewhere = site.test.organization("Transit").await;
    site.test.account("tom", &elsewhere, &[(Role::Auditor, Some(&elsewhere))]).await;
    sequence_ledger::run(&site.test.app).await.unwrap();
    let (ivo, tom) = (site.sign_in("ivo").await, site.sign_in("tom").await);
    for path in PATHS {
        assert_eq!(site.get(path, None).await.status, 401, "{path}");
        assert_eq!(site.get(path, Some(&ivo)).await.status, 403, "{path}");
        assert_eq!(site.get(path, Some(&tom)).await.status, 403, "{path}: an auditor of one organization");
    }
});

on_both!(checkpoint_and_tiles_are_public_where_configured, |database: TestDatabase| async move {
    let site = Site::with(database, |settings| settings.ledger_public = true).await;
    sequence_ledger::run(&site.test.app).await.unwrap();
    assert_eq!(site.get("/ledger/checkpoint", None).await.status, 200);
    assert_eq!(site.get("/ledger/tile/0/000.p/1", None).await.status, 200);
    assert_eq!(site.get("/ledger/events", None).await.status, 401);
});
