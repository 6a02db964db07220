//! Signing in, accounts, groups and tokens, through the router, on both databases.

use crate::support::Site;
use domain::account::Role;
use serde_json::{Value, json};
use store::mail::Draft;
use store::on_both;
use store::testing::TestDatabase;

on_both!(a_person_signs_in_and_out, |database: TestDatabase| async move {
    let site = Site::new(database).await;
    site.test.account("ana", &site.test.host, &[(Role::Investigator, None)]).await;
    let wrong = site.post("/session", None, json!({"email": "ana@example.org", "password": "nonsense"})).await;
    assert_eq!((wrong.status, wrong.code()), (401, "wrong_credentials"));
    let ana = site.sign_in("ana").await;
    let me = site.get("/me", Some(&ana)).await;
    assert_eq!(me.json["account"]["email"], "ana@example.org");
    assert!(me.json["privileges"].as_array().unwrap().iter().any(|p| p["privilege"] == "submit_requests"));
    assert_eq!(site.call("DELETE", "/session", Some(&ana), None, &[]).await.status, 204);
    assert_eq!(site.get("/me", Some(&ana)).await.status, 401);
});

on_both!(sessions_end_when_idle_and_at_last, |database: TestDatabase| async move {
    let site = Site::new(database).await;
    site.test.account("ana", &site.test.host, &[]).await;
    let hour = std::time::Duration::from_secs(3600);
    let ana = site.sign_in("ana").await;
    site.test.advance(hour * 13);
    assert_eq!(site.get("/me", Some(&ana)).await.status, 401, "idle");
    let ana = site.sign_in("ana").await;
    for _ in 0..16 {
        assert_eq!(site.get("/me", Some(&ana)).await.status, 200);
        site.test.advance(hour * 10);
    }
    site.test.advance(hour * 9);
    assert_eq!(site.get("/me", Some(&ana)).await.status, 401, "a week");
});

on_both!(failures_throttle_account_and_address_together, |database: TestDatabase| async move {
    let site = Site::new(database).await;
    site.test.account("ana", &site.test.host, &[]).await;
    let attack = json!({"email": "ana@example.org", "password": "guess"});
    let from = [("x-forwarded-for", "203.0.113.9")];
    for _ in 0..5 {
        assert_eq!(site.call("POST", "/session", None, Some(&attack), &from).await.status, 401);
    }
    let throttled = site.call("POST", "/session", None, Some(&attack), &from).await;
    assert_eq!((throttled.status, throttled.code()), (429, "throttled"));
    assert!(throttled.headers.contains_key("retry-after"));
    // Ana herself, elsewhere, is not locked out.
    let right = json!({"email": "ana@example.org", "password": app::testing::PASSWORD});
    assert_eq!(
        site.call("POST", "/session", None, Some(&right), &[("x-forwarded-for", "198.51.100.7")]).await.status,
        200
    );
    site.test.advance(std::time::Duration::from_secs(5));
    assert_eq!(site.call("POST", "/session", None, Some(&right), &from).await.status, 200, "the wait is over");
});

on_both!(guesses_that_arrive_at_once_are_counted_one_by_one, |database: TestDatabase| async move {
    let site = Site::new(database).await;
    site.test.account("ana", &site.test.host, &[]).await;
    let attack = json!({"email": "ana@example.org", "password": "guess"});
    let from = [("x-forwarded-for", "203.0.113.9")];
    let guesses = (0..32).map(|_| site.call("POST", "/session", None, Some(&attack), &from));
    let answers = futures::future::join_all(guesses).await;
    let looked_at = answers.iter().filter(|answer| answer.status == 401).count();
    assert_eq!(looked_at, 5, "the others had to wait");
    assert!(answers.iter().all(|answer| matches!(answer.status, 401 | 429)));
});

on_both!(right_passwords_that_arrive_at_once_are_no_failures, |database: TestDatabase| async move {
    let site = Site::new(database).await;
    site.test.account("ana", &site.test.host, &[]).await;
    let right = json!({"email": "ana@example.org", "password": app::testing::PASSWORD});
    let from = [("x-forwarded-for", "203.0.113.9")];
    let answers = futures::future::join_all((0..12).map(|_| site.call("POST", "/session", None, Some(&right), &from)));
    let statuses: Vec<_> = answers.await.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, [200; 12]);
});

on_both!(whoever_is_known_at_an_address_is_not_slowed_down_by_others_there, |database: TestDatabase| async move {
    let site = Site::new(database).await;
    let office = [("x-forwarded-for", "203.0.113.9")];
    for name in ["ana", "ben"] {
        site.test.account(name, &site.test.host, &[]).await;
    }
    let of = |name: &str| json!({"email": format!("{name}@example.org"), "password": app::testing::PASSWORD});
    assert_eq!(site.call("POST", "/session", None, Some(&of("ana")), &office).await.status, 200);
    for invented in 0..101 {
        let guess = json!({"email": format!("nobody{invented}@example.org"), "password": "guess"});
        site.call("POST", "/session", None, Some(&guess), &office).await;
    }
    assert_eq!(site.call("POST", "/session", None, Some(&of("ben")), &office).await.status, 429, "new here");
    assert_eq!(site.call("POST", "/session", None, Some(&of("ana")), &office).await.status, 200, "known here");
    site.test.advance(std::time::Duration::from_secs(16 * 60));
    assert_eq!(site.call("POST", "/session", None, Some(&of("ben")), &office).await.status, 200);
});

on_both!(a_password_is_changed_in_a_session_and_not_guessed_there, |database: TestDatabase| async move {
    let site = Site::new(database).await;
    site.test.account("ana", &site.test.host, &[]).await;
    let ana = site.sign_in("ana").await;
    let token =
        site.post("/tokens", Some(&ana), json!({"name": "script"})).await.json["secret"].as_str().unwrap().to_owned();
    let bearer = format!("Bearer {token}");
    let right = json!({"current": app::testing::PASSWORD, "new": "a much longer one"});
    let by_token = site.call("POST", "/me/password", None, Some(&right), &[("authorization", &bearer)]).await;
    assert_eq!(by_token.status, 403, "{}", by_token.json);
    let wrong = json!({"current": "guess", "new": "a much longer one"});
    for _ in 0..5 {
        assert_eq!(site.post("/me/password", Some(&ana), wrong.clone()).await.status, 422);
    }
    assert_eq!(site.post("/me/password", Some(&ana), wrong).await.status, 429);
    site.test.advance(std::time::Duration::from_secs(60));
    assert_eq!(site.post("/me/password", Some(&ana), right).await.status, 204);
});

on_both!(an_installation_keeps_an_administrator, |database: TestDatabase| async move {
    let site = Site::new(database).await;
    // the one that the installation was made with is disabled by the test's own, who then is the last
    site.test.account("boss", &site.test.host, &[(Role::Administrator, None)]).await;
    let boss = site.sign_in("boss").await;
    let accounts = site.get("/accounts?limit=100", Some(&boss)).await.json["items"].as_array().unwrap().clone();
    let change = async |id: &str, body: serde_json::Value| {
        let version =
            site.get(&format!("/accounts/{id}"), Some(&boss)).await.headers["etag"].to_str().unwrap().to_owned();
        site.call("PATCH", &format!("/accounts/{id}"), Some(&boss), Some(&body), &[("if-match", &version)]).await
    };
    let mut own = String::new();
    for account in &accounts {
        let id = account["id"].as_str().unwrap();
        if account["email"] == "boss@example.org" {
            own = id.to_owned();
        } else {
            assert_eq!(change(id, json!({"disabled": true})).await.status, 200);
        }
    }
    let refused = change(&own, json!({"roles": [{"role": "auditor", "organization_id": null}]})).await;
    assert_eq!((refused.status, refused.code()), (409, "last_administrator"));
    let input = json!({"email": "second@example.org", "name": "Second", "organization_id": site.test.host, "roles": [{"role": "administrator", "organization_id": null}]});
    assert_eq!(site.post("/accounts", Some(&boss), input).await.status, 201);
    assert_eq!(change(&own, json!({"roles": [{"role": "auditor", "organization_id": null}]})).await.status, 200);
});

on_both!(a_token_without_any_privilege_is_refused, |database: TestDatabase| async move {
    let site = Site::new(database).await;
    site.test.account("ana", &site.test.host, &[]).await;
    let ana = site.sign_in("ana").await;
    let empty = site.post("/tokens", Some(&ana), json!({"name": "script", "scopes": []})).await;
    assert_eq!((empty.status, empty.json["errors"][0]["pointer"].as_str()), (422, Some("/scopes")));
});

on_both!(a_one_time_password_must_be_changed, |database: TestDatabase| async move {
    let site = Site::new(database).await;
    site.test.account("boss", &site.test.host, &[(Role::Administrator, None)]).await;
    let boss = site.sign_in("boss").await;
    let input = json!({"email": "New@Example.org", "name": "New Person", "organization_id": site.test.host, "roles": [{"role": "auditor", "organization_id": null}]});
    let made = site.post("/accounts", Some(&boss), input).await;
    assert_eq!(made.status, 201, "{}", made.json);
    let once = made.json["one_time_password"].as_str().unwrap().to_owned();
    let new = site.sign_in_with("new@example.org", &once).await;
    assert_eq!(site.get("/organizations", Some(&new)).await.code(), "password_change_required");
    let short = site.post("/me/password", Some(&new), json!({"current": once, "new": "short"})).await;
    assert_eq!((short.status, short.json["errors"][0]["pointer"].as_str()), (422, Some("/new")));
    let changed = site.post("/me/password", Some(&new), json!({"current": once, "new": "a much longer one"})).await;
    assert_eq!(changed.status, 204);
    assert_eq!(site.get("/organizations", Some(&new)).await.status, 200);
});

on_both!(a_change_needs_the_version_that_it_changes, |database: TestDatabase| async move {
    let site = Site::new(database).await;
    let ana = site.test.account("ana", &site.test.host, &[]).await;
    site.test.account("boss", &site.test.host, &[(Role::Administrator, None)]).await;
    let boss = site.sign_in("boss").await;
    let path = format!("/accounts/{}", ana.id);
    let patch = json!({"name": "Ana B."});
    assert_eq!(site.call("PATCH", &path, Some(&boss), Some(&patch), &[]).await.status, 428);
    assert_eq!(site.call("PATCH", &path, Some(&boss), Some(&patch), &[("if-match", "\"9\"")]).await.status, 412);
    let changed = site.call("PATCH", &path, Some(&boss), Some(&patch), &[("if-match", "\"1\"")]).await;
    assert_eq!((changed.status, changed.json["name"].as_str()), (200, Some("Ana B.")));
    let own = format!("/accounts/{}", site.get("/me", Some(&boss)).await.json["account"]["id"].as_str().unwrap());
    let disable = json!({"disabled": true});
    assert_eq!(
        site.call("PATCH", &own, Some(&boss), Some(&disable), &[("if-match", "\"1\"")]).await.code(),
        "own_account"
    );
});

on_both!(nobody_gives_roles_beyond_their_own, |database: TestDatabase| async move {
    let site = Site::new(database).await;
    let mall = site.test.organization("Mall").await;
    site.test.account("mall-boss", &mall, &[(Role::Administrator, Some(&mall))]).await;
    let boss = site.sign_in("mall-boss").await;
    let with = |roles: serde_json::Value| json!({"email": "x@example.org", "name": "X", "organization_id": mall, "roles": roles});
    let all =
        site.post("/accounts", Some(&boss), with(json!([{"role": "administrator", "organization_id": null}]))).await;
    assert_eq!((all.status, all.code()), (403, "forbidden"));
    let own = site.post("/accounts", Some(&boss), with(json!([{"role": "approver", "organization_id": mall}]))).await;
    assert_eq!(own.status, 201, "{}", own.json);
    // Accounts elsewhere do not exist for them.
    let ana = site.test.account("ana", &site.test.host, &[]).await;
    assert_eq!(site.get(&format!("/accounts/{}", ana.id), Some(&boss)).await.status, 404);
    let listed = site.get("/accounts", Some(&boss)).await;
    assert!(listed.json["items"].as_array().unwrap().iter().all(|a| a["organization"]["id"] == json!(mall)));
});

on_both!(a_role_for_all_is_said_and_not_left_out, |database: TestDatabase| async move {
    let site = Site::new(database).await;
    site.test.account("boss", &site.test.host, &[(Role::Administrator, None)]).await;
    let boss = site.sign_in("boss").await;
    let with =
        |role| json!({"email": "x@example.org", "name": "X", "organization_id": site.test.host, "roles": [role]});
    let left_out = site.post("/accounts", Some(&boss), with(json!({"role": "approver"}))).await;
    assert_eq!((left_out.status, left_out.code()), (422, "invalid"));
    let said = site.post("/accounts", Some(&boss), with(json!({"role": "approver", "organization_id": null}))).await;
    assert_eq!(said.status, 201, "{}", said.json);
});

on_both!(mail_is_found_by_recipient_and_subject, |database: TestDatabase| async move {
    let site = Site::new(database).await;
    site.test.account("boss", &site.test.host, &[(Role::Administrator, None)]).await;
    for (recipient, subject) in [
        ("ana@example.org", "VR-2026-001: footage ready: Théft"),
        ("ben@example.org", "VR-2026-002: denied: 100% of it"),
    ] {
        let draft = Draft {
            template: "test",
            object_id: None,
            account_id: None,
            recipient: recipient.into(),
            subject: subject.into(),
            text: "a secret word".into(),
            html: "<p>a secret word</p>".into(),
        };
        let mut tx = site.test.app.begin().await.unwrap();
        store::mail::push(&mut tx, &draft, true).await.unwrap();
        tx.commit_housekeeping().await.unwrap();
        site.test.advance(std::time::Duration::from_secs(1));
    }
    let boss = site.sign_in("boss").await;
    for (query, found) in [
        ("q=ANA", vec!["ana@example.org"]),
        ("q=theft+001", vec!["ana@example.org"]),
        ("q=ben+ready", vec![]),
        ("q=100%25", vec!["ben@example.org"]),
        ("q=secret", vec![]),
        ("q=vr-2026&limit=1", vec!["ben@example.org"]),
        ("q=vr-2026&state=kept", vec!["ben@example.org", "ana@example.org"]),
        ("q=vr-2026&state=sent", vec![]),
    ] {
        let listed = site.get(&format!("/mails?{query}"), Some(&boss)).await;
        let to: Vec<&str> =
            listed.json["items"].as_array().unwrap().iter().map(|mail| mail["to"].as_str().unwrap()).collect();
        assert_eq!(to, found, "{query}");
    }
    assert_eq!(site.get("/mails?state=lost", Some(&boss)).await.status, 422);
});

on_both!(a_token_is_shown_once_and_cut_to_its_scopes, |database: TestDatabase| async move {
    let site = Site::new(database).await;
    site.test.account("boss", &site.test.host, &[(Role::Administrator, None)]).await;
    let boss = site.sign_in("boss").await;
    let made = site.post("/tokens", Some(&boss), json!({"name": "script", "scopes": ["view_registry"]})).await;
    assert_eq!(made.status, 201, "{}", made.json);
    let bearer = format!("Bearer {}", made.json["secret"].as_str().unwrap());
    let by_token = [("authorization", bearer.as_str())];
    assert_eq!(site.call("GET", "/me", None, None, &by_token).await.status, 200);
    assert_eq!(site.call("GET", "/accounts", None, None, &by_token).await.status, 403);
    assert_eq!(
        site.call("POST", "/tokens", None, Some(&json!({"name": "more"})), &by_token).await.status,
        403,
        "a token makes no tokens"
    );
    let listed = site.get("/tokens", Some(&boss)).await;
    assert!(listed.json["items"][0].get("secret").is_none());
    let path = format!("/tokens/{}", made.json["token"]["id"].as_str().unwrap());
    assert_eq!(site.call("DELETE", &path, Some(&boss), None, &[]).await.status, 204);
    assert_eq!(site.call("GET", "/me", None, None, &by_token).await.code(), "wrong_token");
    assert_eq!(
        site.call("GET", "/me", None, None, &[("authorization", "Bearer slt_of_another_server")]).await.status,
        401
    );
});

on_both!(pages_of_other_sites_are_refused, |database: TestDatabase| async move {
    let site = Site::new(database).await;
    site.test.account("ana", &site.test.host, &[]).await;
    let ana = site.sign_in("ana").await;
    let refused = site
        .call("POST", "/tokens", Some(&ana), Some(&json!({"name": "x"})), &[("sec-fetch-site", "cross-site")])
        .await;
    assert_eq!((refused.status, refused.code()), (403, "foreign_origin"));
});

on_both!(answers_are_held_against_the_api_document, |database: TestDatabase| async move {
    let site = Site::new(database).await;
    site.test.account("ana", &site.test.host, &[(Role::Investigator, None)]).await;
    let ana = site.sign_in("ana").await;
    for (at, wrong) in [
        ("/account/name", None),
        ("/account/last_seen_at", None),
        ("/account/name", Some(json!(7))),
        ("/account/id", Some(json!("org_1"))),
        ("/account/created_at", Some(json!("yesterday"))),
        ("/account/nickname", Some(json!("an"))),
        ("/account/roles/0/role", Some(json!("king"))),
        ("/account/organization", Some(Value::Null)),
    ] {
        let mut reply = site.get("/me", Some(&ana)).await;
        let (of, field) = at.rsplit_once('/').unwrap();
        let fields = reply.json.pointer_mut(of).unwrap().as_object_mut().unwrap();
        match &wrong {
            Some(value) => fields.insert(field.to_owned(), value.clone()),
            None => fields.remove(field),
        };
        let faults = crate::support::document::faults("GET", "/api/v1/me", &reply);
        assert_eq!(faults.len(), 1, "{at} {wrong:?}: {faults:?}");
    }
    let mut reply = site.get("/me", Some(&ana)).await;
    reply.status = 201;
    assert_eq!(crate::support::document::faults("GET", "/api/v1/me", &reply), ["no status 201"]);
});

on_both!(bad_bodies_are_problems, |database: TestDatabase| async move {
    let site = Site::new(database).await;
    let big = json!({"email": "x".repeat(2 << 20), "password": ""});
    assert_eq!(site.post("/session", None, big).await.status, 413);
    let extra = site.post("/session", None, json!({"email": "a", "password": "b", "admin": true})).await;
    assert_eq!((extra.status, extra.code()), (422, "invalid"));
    assert_eq!(site.get("/no-such-thing", None).await.code(), "no_such_route");
    assert_eq!(site.call("PUT", "/session", None, Some(&json!({})), &[]).await.code(), "method_not_allowed");
    let gone = site.get("/me", None).await;
    assert_eq!((gone.status, gone.headers["content-type"].to_str().unwrap()), (401, "application/problem+json"));
    assert_eq!(gone.json["request_id"].as_str().unwrap(), gone.headers["x-request-id"].to_str().unwrap());
});
