//! Holds through the router, on both databases: footage that is kept at the owner's side while nobody has decided.

use std::time::Duration;

use crate::connectors::Wire;
use crate::support::force::{Force, text};
use domain::account::Role;
use domain::id::RequestItemId;
use serde_json::{Value, json};
use store::on_both;
use store::testing::TestDatabase;

const FROM: &str = "2026-11-22T10:00:00.000Z";
const TO: &str = "2026-11-22T10:02:00.000Z";

/// A force whose camera stands beside a connector.
struct Depot<'a> {
    force: &'a Force,
    wire: Wire<'a>,
    source: String,
}

impl<'a> Depot<'a> {
    async fn new(force: &'a Force) -> Self {
        let wire = Wire::new(&force.site, &force.site.test.host, "Depot").await;
        assert_eq!(
            wire.publish(1, None, json!([{"device_id": "1", "name": "Gate", "retention_hours": 168}])).await.status,
            200
        );
        let sources = force.site.get("/sources", Some(&force.ana)).await.json;
        Self { source: text(&sources["items"][0]["id"]), force, wire }
    }

    async fn ask(&self) -> (String, RequestItemId) {
        self.force.site.test.advance(Duration::from_millis(1));
        let body = self.force.body(json!({"source_id": self.source, "from": FROM, "to": TO}));
        let made = self.force.site.post("/video-requests", Some(&self.force.ana), body).await;
        assert_eq!(made.status, 201, "{}", made.json);
        (text(&made.json["id"]), text(&made.json["items"][0]["id"]).parse().unwrap())
    }

    /// The next task, of this kind.
    async fn task(&self, kind: &str) -> Value {
        let leased = self.wire.lease().await;
        assert_eq!((leased.status, leased.json["kind"].as_str()), (200, Some(kind)), "{}", leased.json);
        leased.json
    }

    /// A request whose footage is held.
    async fn held(&self) -> (String, RequestItemId) {
        let (request, item) = self.ask().await;
        self.force.act(&item, "hold", &self.force.pia, json!({}), 200).await;
        let task = self.task("hold").await;
        let result = json!({"result": {"kind": "held", "until": task["until"]}});
        assert_eq!(self.wire.about(&task, "complete", result).await.status, 204);
        assert_eq!(self.hold_of(&request).await, "held");
        (request, item)
    }

    async fn hold_of(&self, request: &str) -> String {
        text(&self.force.item(request, &self.force.pia).await["hold"])
    }

    async fn freed(&self, item: &RequestItemId) {
        let task = self.task("free").await;
        assert_eq!(task["item_id"], item.as_str());
        assert_eq!(self.wire.about(&task, "complete", json!({"result": {"kind": "freed"}})).await.status, 204);
        assert_eq!(self.wire.lease().await.status, 204, "that was all");
    }
}

on_both!(where_the_owner_wants_it_footage_is_held_from_the_submission_on, |database: TestDatabase| async move {
    let force = Force::new(database).await;
    let depot = Depot::new(&force).await;
    let site = &force.site;
    site.test.account("otto", &site.test.host, &[(Role::Operator, Some(&site.test.host))]).await;
    let otto = site.sign_in("otto").await;
    let path = format!("/organizations/{}", site.test.host);
    let before = site.get(&path, Some(&otto)).await.json;
    assert_eq!((&before["holds_on_submission"], &before["allowed_actions"]), (&json!(false), &json!(["set_holds"])));
    let on = json!({"holds_on_submission": true});
    let version = before["version"].to_string();
    let change = async |who, body: &Value| {
        site.call("PATCH", &path, Some(who), Some(body), &[("if-match", &format!("\"{version}\""))]).await
    };
    assert_eq!(change(&force.ana, &on).await.status, 403);
    assert_eq!(change(&otto, &json!({"holds_on_submission": true, "name": "Mine"})).await.status, 403);
    let set = change(&otto, &on).await;
    assert_eq!((set.status, &set.json["holds_on_submission"]), (200, &json!(true)), "{}", set.json);

    let (request, item) = depot.ask().await;
    assert_eq!(depot.hold_of(&request).await, "asked");
    let task = depot.task("hold").await;
    assert_eq!((&task["item_id"], &task["device_id"]), (&json!(item.as_str()), &json!("1")));
    assert_eq!((&task["from"], &task["to"]), (&json!(FROM), &json!(TO)));
    let until = task["until"].clone();
    let result = json!({"result": {"kind": "held", "until": until}});
    assert_eq!(depot.wire.about(&task, "complete", result).await.status, 204);
    let seen = force.item(&request, &force.ana).await;
    assert_eq!((&seen["hold"], &seen["held_until"], &seen["state"]), (&json!("held"), &until, &json!("pending")));

    // a denial frees it
    force.act(&item, "deny", &force.pia, json!({}), 200).await;
    let seen = force.item(&request, &force.ana).await;
    assert_eq!((&seen["hold"], &seen["held_until"]), (&json!("freed"), &Value::Null));
    depot.freed(&item).await;
    force.check().await;
});

on_both!(an_approver_asks_to_hold_and_lets_go, |database: TestDatabase| async move {
    let force = Force::new(database).await;
    let depot = Depot::new(&force).await;
    let (request, item) = depot.ask().await;
    assert_eq!(depot.wire.lease().await.status, 204, "without the policy nothing is held");
    force.act(&item, "hold", &force.ana, json!({}), 403).await;
    force.act(&item, "free", &force.pia, json!({}), 409).await;
    let seen = force.act(&item, "hold", &force.pia, json!({}), 200).await.json;
    assert_eq!(seen["items"][0]["hold"], "asked");
    assert_eq!(seen["items"][0]["allowed_actions"], json!(["approve", "deny", "ask", "unavailable", "free"]));
    assert_eq!(force.act(&item, "hold", &force.pia, json!({}), 409).await.code(), "wrong_state");
    // let go before the connector has begun: it need not begin
    force.act(&item, "free", &force.pia, json!({}), 200).await;
    depot.freed(&item).await;
    // and asked again
    force.act(&item, "hold", &force.pia, json!({}), 200).await;
    let task = depot.task("hold").await;
    let cannot = json!({"code": "unsupported", "detail": "Nothing here can keep footage."});
    assert_eq!(depot.wire.about(&task, "fail", cannot).await.status, 204);
    assert_eq!(depot.hold_of(&request).await, "unsupported");
    assert_eq!(force.item(&request, &force.ana).await["state"], "pending", "the request goes on");
    // what is not kept by a connector cannot be held
    let (_, place) = force.request(&force.ana, None).await;
    assert_eq!(force.act(&place, "hold", &force.pia, json!({}), 409).await.code(), "no_connector");
    force.check().await;
});

on_both!(what_is_held_does_not_die_first, |database: TestDatabase| async move {
    let force = Force::new(database).await;
    let depot = Depot::new(&force).await;
    let (first, item) = depot.held().await;
    let (second, _) = depot.ask().await;
    // who sees what is asked of one owner alone
    let site = &force.site;
    site.test.account("tess", &site.test.host, &[(Role::Approver, Some(&site.test.host))]).await;
    for who in [&force.ana, &force.pia, &site.sign_in("tess").await] {
        let listed = force.site.get("/video-requests?sort=overwrite_at", Some(who)).await.json;
        let ids: Vec<String> = listed["items"].as_array().unwrap().iter().map(|head| text(&head["id"])).collect();
        assert_eq!(ids, [second.clone(), first.clone()], "the one that is not held is on top");
        assert_eq!(listed["items"][1]["overwrite_at"], Value::Null);
    }
    force.act(&item, "free", &force.pia, json!({}), 200).await;
    let listed = force.site.get("/video-requests?sort=overwrite_at", Some(&force.pia)).await.json;
    assert_eq!(listed["items"][0]["overwrite_at"], listed["items"][1]["overwrite_at"]);
    assert_ne!(listed["items"][0]["overwrite_at"], Value::Null);
    force.check().await;
});

on_both!(a_hold_ends_with_its_item_or_its_term, |database: TestDatabase| async move {
    let mut force = Force::new(database).await;
    {
        let depot = Depot::new(&force).await;
        // canceled, and freed by hand
        let (_, item) = depot.held().await;
        force.act(&item, "cancel", &force.ana, json!({}), 200).await;
        depot.freed(&item).await;
        let (_, item) = depot.held().await;
        force.act(&item, "free", &force.pia, json!({}), 200).await;
        depot.freed(&item).await;
        // approved: kept until the footage is here
        let (request, item) = depot.held().await;
        force.act(&item, "approve", &force.pia, json!({}), 200).await;
        assert_eq!(depot.hold_of(&request).await, "held");
        depot.task("export").await;
        force.arrive(&item, b"footage").await;
        assert_eq!(depot.hold_of(&request).await, "freed");
        depot.freed(&item).await;
    }
    let depot = Depot::new(&force).await;
    let (request, item) = depot.held().await;
    let until: jiff::Timestamp = text(&force.item(&request, &force.pia).await["held_until"]).parse().unwrap();
    let deadline: jiff::Timestamp = text(&force.item(&request, &force.pia).await["deadline_at"]).parse().unwrap();
    assert!(until > deadline, "somebody may approve at the last moment");
    // approved, and the connector is away until the hold's own term is over
    force.act(&item, "approve", &force.pia, json!({}), 200).await;
    let away = until.duration_since(force.site.test.app.now().to_jiff().unwrap());
    let days = u32::try_from(away.as_hours() / 24 + 1).unwrap();
    drop(depot);
    force.days_later(days).await;
    assert_eq!(force.item(&request, &force.pia).await["hold"], "freed");
    force.check().await;
});

on_both!(what_is_deleted_beside_the_recorder_is_lost, |database: TestDatabase| async move {
    let force = Force::new(database).await;
    let depot = Depot::new(&force).await;
    let (request, item) = depot.held().await;
    let lease =
        async |held: Value| depot.wire.call("POST", "/tasks/lease", json!({"wait_seconds": 0, "held": held})).await;
    assert_eq!(lease(json!([])).await.status, 204);
    assert_eq!(depot.hold_of(&request).await, "held", "it was confirmed a moment ago");
    force.site.test.advance(Duration::from_secs(121));
    assert_eq!(lease(json!([item])).await.status, 204);
    assert_eq!(depot.wire.lease().await.status, 204, "an old connector does not say");
    assert_eq!(depot.hold_of(&request).await, "held");
    assert_eq!(lease(json!([])).await.status, 204);
    assert_eq!(depot.hold_of(&request).await, "lost");
    force.check().await;
});
