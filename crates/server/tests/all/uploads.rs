//! tus 1.0.0 through the router, on both databases: each MUST of the protocol's text, then what is ours.
//!
//! | the protocol says | test |
//! | --- | --- |
//! | `Tus-Resumable` in every answer; another version: 412, `Tus-Version`, not processed | [`versions`] |
//! | `OPTIONS`: `Tus-Version`, and ignores `Tus-Resumable`; `Tus-Extension`, `Tus-Max-Size`, `Tus-Checksum-Algorithm` with sha1 | [`options`] |
//! | `X-HTTP-Method-Override` is the method | [`method_override`] |
//! | creation: 201, `Location`, `Upload-Expires`; a length that is a non-negative integer; 413 above `Tus-Max-Size` | [`creation`] |
//! | a length of 0 is complete at once | [`empty`] |
//! | `Upload-Metadata`: unique keys, Base64 values; `HEAD` gives it back | [`metadata`] |
//! | `HEAD`: `Upload-Offset`, `Upload-Length`, `Cache-Control: no-store`; of nothing: 404 without an offset | [`head`] |
//! | `PATCH`: 204 with the new offset and `Upload-Expires`; 415; 409 for another offset, nothing changed; 404 | [`patch`] |
//! | creation with upload: `Upload-Offset` after the accepted bytes | [`creation_with_upload`] |
//! | checksum: 460 and 400 discard the part; 204 | [`checksums`] |
//! | termination: 204, then 404 or 410 | [`termination`] |
//! | expiration: what has run out is 404 or 410 | [`expiration`] |

use std::time::Duration;

use crate::support::{Reply, Site, arranged};
use axum::body::{Body, Bytes};
use axum::http::Request;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::account::Role;
use futures::StreamExt as _;
use store::testing::TestDatabase;
use store::{Sql, Tx, on_both};

const PART: &str = "application/offset+octet-stream";
const LINK: &str = "frl_neighbour";

/// A site with a file request whose link is [`LINK`].
async fn site(database: TestDatabase) -> Site {
    let site = Site::with(database, |settings| settings.largest_upload_bytes = 1_000_000).await;
    site.test.account("ana", &site.test.host, &[(Role::Investigator, None)]).await;
    link(&site, "frq_01h455vb4pex5vsknk084sn02q", LINK).await;
    site
}

async fn commit(tx: Tx) {
    tx.commit_housekeeping().await.unwrap();
}

/// A case of its own and a file request for it.
async fn link(site: &Site, id: &str, token: &str) {
    let mut tx = site.test.app.begin().await.unwrap();
    let account = store::account::find_by_email(&mut tx, "ana@example.org").await.unwrap().unwrap();
    let now = tx.now();
    let case: domain::id::CaseId = tx.new_id();
    Sql::new("INSERT INTO cases (id, number, name, created_by, search_text, created_at, version) VALUES (")
        .args([case.as_str(), token, "Theft", account.id.as_str(), ""])
        .add(", ")
        .args([now.as_micros(), 1])
        .add(")")
        .execute(&mut tx)
        .await
        .unwrap();
    Sql::new("INSERT INTO file_requests (id, case_id, name, token_hash, expires_at, created_at, version) VALUES (")
        .args([id, case.as_str(), "Your doorbell", &app::secret::hash(token)])
        .add(", ")
        .args([now.plus(Duration::from_secs(7 * 86_400)).as_micros(), now.as_micros(), 1])
        .add(")")
        .execute(&mut tx)
        .await
        .unwrap();
    arranged(tx, &[case.as_str(), id]).await;
}

fn pairs(pairs: &[(&str, &str)]) -> String {
    pairs.iter().map(|(key, value)| format!("{key} {}", STANDARD.encode(value))).collect::<Vec<_>>().join(",")
}

fn for_link() -> String {
    pairs(&[("filename", "clip.mp4"), ("filetype", "video/mp4"), ("file_request", "self")])
}

/// A request of the link's holder. `Tus-Resumable` and the link come along unless they are given, empty for none.
async fn ask(site: &Site, method: &str, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Reply {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in [("tus-resumable", "1.0.0"), ("authorization", "Bearer frl_neighbour")] {
        if !headers.iter().any(|(given, _)| *given == name) {
            request = request.header(name, value);
        }
    }
    for (name, value) in headers.iter().filter(|(_, value)| !value.is_empty()) {
        request = request.header(*name, *value);
    }
    site.send(request.body(body.into()).unwrap()).await
}

async fn create(site: &Site, length: usize) -> String {
    let made = ask(
        site,
        "POST",
        "/api/v1/uploads",
        &[("upload-length", &length.to_string()), ("upload-metadata", &for_link())],
        Body::empty(),
    )
    .await;
    assert_eq!(made.status, 201, "{}", made.json);
    header(&made, "location").to_owned()
}

async fn send(site: &Site, path: &str, offset: usize, bytes: &'static [u8], more: &[(&str, &str)]) -> Reply {
    let offset = offset.to_string();
    let mut headers = vec![("upload-offset", offset.as_str()), ("content-type", PART)];
    headers.retain(|(name, _)| !more.iter().any(|(given, _)| given == name));
    headers.extend(more);
    ask(site, "PATCH", path, &headers, bytes).await
}

async fn offset(site: &Site, path: &str) -> String {
    let found = ask(site, "HEAD", path, &[], Body::empty()).await;
    assert_eq!(found.status, 200);
    header(&found, "upload-offset").to_owned()
}

fn header<'r>(reply: &'r Reply, name: &str) -> &'r str {
    reply.headers.get(name).map_or("", |value| value.to_str().unwrap())
}

/// The rows of evidence: name, size, hash.
async fn evidence(site: &Site) -> Vec<(String, i64, String)> {
    use store::Columns as _;
    let mut tx = site.test.app.read().await.unwrap();
    let rows =
        Sql::new("SELECT name, size_bytes, sha256 FROM evidence ORDER BY created_at").fetch_all(&mut tx).await.unwrap();
    rows.iter()
        .map(|row| (row.text("name").unwrap(), row.int("size_bytes").unwrap(), row.text("sha256").unwrap()))
        .collect()
}

on_both!(versions, |database: TestDatabase| async move {
    let site = site(database).await;
    let path = create(&site, 5).await;
    for version in ["0.2.2", "2.0.0", ""] {
        let refused = send(&site, &path, 0, b"hello", &[("tus-resumable", version)]).await;
        assert_eq!((refused.status, header(&refused, "tus-version")), (412, "1.0.0"));
        assert_eq!(header(&refused, "content-type"), "application/problem+json");
    }
    assert_eq!(offset(&site, &path).await, "0");
    for answer in [
        ask(&site, "OPTIONS", &path, &[("tus-resumable", "")], Body::empty()).await,
        ask(&site, "HEAD", &path, &[], Body::empty()).await,
        ask(&site, "HEAD", "/api/v1/uploads/upl_01h455vb4pex5vsknk084sn02q", &[], Body::empty()).await,
        ask(&site, "HEAD", "/api/v1/uploads/nonsense", &[], Body::empty()).await,
        ask(&site, "HEAD", &path, &[("authorization", "Bearer nobody")], Body::empty()).await,
        send(&site, &path, 3, b"x", &[]).await,
        send(&site, &path, 0, b"hello", &[("content-type", "text/plain")]).await,
        send(&site, &path, 0, b"hello", &[]).await,
    ] {
        assert_eq!(header(&answer, "tus-resumable"), "1.0.0", "{answer:?}");
    }
});

on_both!(options, |database: TestDatabase| async move {
    let site = site(database).await;
    for version in ["", "0.0.1", "1.0.0"] {
        // Nobody is asked who they are.
        let told = ask(
            &site,
            "OPTIONS",
            "/api/v1/uploads",
            &[("tus-resumable", version), ("authorization", "")],
            Body::empty(),
        )
        .await;
        assert_eq!(told.status, 204);
        assert_eq!(header(&told, "tus-version"), "1.0.0");
        assert_eq!(header(&told, "tus-extension"), "creation,creation-with-upload,expiration,checksum,termination");
        assert_eq!(header(&told, "tus-checksum-algorithm"), "sha1,sha256");
        assert_eq!(header(&told, "tus-max-size"), "1000000");
    }
});

on_both!(method_override, |database: TestDatabase| async move {
    let site = site(database).await;
    let path = create(&site, 5).await;
    let headers = [("x-http-method-override", "PATCH"), ("upload-offset", "0"), ("content-type", PART)];
    assert_eq!(ask(&site, "POST", &path, &headers, "hel").await.status, 204);
    assert_eq!(offset(&site, &path).await, "3");
    assert_eq!(ask(&site, "POST", &path, &[("x-http-method-override", "DELETE")], Body::empty()).await.status, 204);
    assert_eq!(ask(&site, "HEAD", &path, &[], Body::empty()).await.status, 410);
});

on_both!(creation, |database: TestDatabase| async move {
    let site = site(database).await;
    let post = async |headers: &[(&str, &str)]| ask(&site, "POST", "/api/v1/uploads", headers, Body::empty()).await;
    let metadata = for_link();
    let with = ("upload-metadata", metadata.as_str());
    let made = post(&[("upload-length", "1000000"), with]).await;
    assert_eq!(made.status, 201, "{}", made.json);
    assert!(header(&made, "location").starts_with("/api/v1/uploads/upl_"));
    // The clock of tests stands at noon; three days are the default.
    assert_eq!(header(&made, "upload-expires"), "Wed, 25 Nov 2026 12:00:00 GMT");
    for bad in ["-1", "five", "1.5", "99999999999999999999"] {
        assert_eq!(post(&[("upload-length", bad), with]).await.code(), "bad_header", "{bad}");
    }
    assert_eq!(post(&[with]).await.status, 400);
    assert_eq!(post(&[with, ("upload-defer-length", "1")]).await.status, 400);
    let large = post(&[("upload-length", "1000001"), with]).await;
    assert_eq!((large.status, large.code()), (413, "too_large"));
    let stranger = post(&[("upload-length", "5"), with, ("authorization", "Bearer somebody")]).await;
    assert_eq!(stranger.status, 401);
});

on_both!(empty, |database: TestDatabase| async move {
    let site = site(database).await;
    let path = create(&site, 0).await;
    let found = ask(&site, "HEAD", &path, &[], Body::empty()).await;
    assert_eq!((found.status, header(&found, "upload-offset"), header(&found, "upload-length")), (200, "0", "0"));
    let nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(evidence(&site).await, [("clip.mp4".to_owned(), 0, nothing.to_owned())]);
});

on_both!(metadata, |database: TestDatabase| async move {
    let site = site(database).await;
    let post = async |metadata: &str| {
        ask(&site, "POST", "/api/v1/uploads", &[("upload-length", "5"), ("upload-metadata", metadata)], Body::empty())
            .await
    };
    let told = format!("{},is_confidential", for_link());
    let made = post(&told).await;
    let found = ask(&site, "HEAD", header(&made, "location"), &[], Body::empty()).await;
    assert_eq!(header(&found, "upload-metadata"), told);
    for bad in ["filename !", "a YQ==,a YQ==", ",", "filename YQ=="] {
        assert_eq!(post(bad).await.status, 400, "{bad}");
    }
    let two = pairs(&[("file_request", "self"), ("case_id", "cas_01h455vb4pex5vsknk084sn02q")]);
    assert_eq!(post(&two).await.code(), "bad_metadata");
    // Another's link, and what links are not for.
    for other in [("file_request", "frq_01h455vb4pex5vsknk084sn02r"), ("case_id", "cas_01h455vb4pex5vsknk084sn02q")] {
        assert_eq!(post(&pairs(&[other])).await.status, 403);
    }
});

on_both!(head, |database: TestDatabase| async move {
    let site = site(database).await;
    let path = create(&site, 5).await;
    for (end, bytes) in [("0", &b""[..]), ("5", b"hello"), ("5", b"")] {
        if !bytes.is_empty() {
            assert_eq!(send(&site, &path, 0, bytes, &[]).await.status, 204);
        }
        let found = ask(&site, "HEAD", &path, &[], Body::empty()).await;
        assert_eq!((header(&found, "upload-offset"), header(&found, "upload-length")), (end, "5"));
        assert_eq!(header(&found, "cache-control"), "no-store");
    }
    let nothing = ask(&site, "HEAD", "/api/v1/uploads/upl_01h455vb4pex5vsknk084sn02q", &[], Body::empty()).await;
    assert_eq!((nothing.status, header(&nothing, "upload-offset")), (404, ""));
    // Somebody else's does not exist.
    link(&site, "frq_01h455vb4pex5vsknk084sn02z", "frl_other").await;
    let other = ask(&site, "HEAD", &path, &[("authorization", "Bearer frl_other")], Body::empty()).await;
    assert_eq!((other.status, header(&other, "upload-offset")), (404, ""));
});

on_both!(patch, |database: TestDatabase| async move {
    let site = site(database).await;
    let path = create(&site, 11).await;
    let first = send(&site, &path, 0, b"hello", &[]).await;
    assert_eq!((first.status, header(&first, "upload-offset")), (204, "5"));
    assert_eq!(header(&first, "upload-expires"), "Wed, 25 Nov 2026 12:00:00 GMT");
    for wrong in [0, 4, 6, 11] {
        let refused = send(&site, &path, wrong, b" world", &[]).await;
        assert_eq!((refused.status, refused.code()), (409, "wrong_offset"));
    }
    for wrong in ["-5", "five", " "] {
        let refused = send(&site, &path, 0, b" world", &[("upload-offset", wrong)]).await;
        assert_eq!((refused.status, refused.code()), (400, "bad_header"), "{wrong:?}");
    }
    let refused = send(&site, &path, 5, b" world", &[("content-type", "application/octet-stream")]).await;
    assert_eq!((refused.status, refused.code()), (415, "wrong_content_type"));
    assert_eq!(offset(&site, &path).await, "5");
    let longer = send(&site, &path, 5, b" world and more", &[("content-length", "15")]).await;
    assert_eq!((longer.status, longer.code()), (413, "longer_than_announced"));
    let unannounced = send(&site, &path, 5, b" world and more", &[]).await;
    assert_eq!((unannounced.status, unannounced.code()), (413, "longer_than_announced"));
    assert_eq!(offset(&site, &path).await, "5");
    let last = send(&site, &path, 5, b" world", &[]).await;
    assert_eq!((last.status, header(&last, "upload-offset")), (204, "11"));
    let sha256 = proof::Sha256Digest::of(b"hello world").to_string();
    assert_eq!(evidence(&site).await, [("clip.mp4".to_owned(), 11, sha256)]);
    // A last part that is sent again, because its answer was lost, finds everything there and adds nothing.
    assert_eq!(send(&site, &path, 5, b" world", &[]).await.status, 409);
    let nothing = send(&site, &path, 11, b"", &[("content-length", "0")]).await;
    assert_eq!((nothing.status, header(&nothing, "upload-offset")), (204, "11"));
    assert_eq!(offset(&site, &path).await, "11");
    assert_eq!(evidence(&site).await.len(), 1);
    assert!(site.test.app.uploads().list().unwrap().is_empty(), "nothing stays behind");
    let nowhere = send(&site, "/api/v1/uploads/upl_01h455vb4pex5vsknk084sn02q", 0, b"x", &[]).await;
    assert_eq!(nowhere.status, 404);
});

on_both!(creation_with_upload, |database: TestDatabase| async move {
    let site = site(database).await;
    let metadata = for_link();
    let post = async |length: &str, kind: &str, body: &'static str| {
        let length_of_body = body.len().to_string();
        let headers = [
            ("upload-length", length),
            ("upload-metadata", metadata.as_str()),
            ("content-type", kind),
            ("content-length", &length_of_body),
        ];
        ask(&site, "POST", "/api/v1/uploads", &headers, body).await
    };
    let made = post("11", PART, "hello").await;
    assert_eq!((made.status, header(&made, "upload-offset")), (201, "5"));
    assert_eq!(send(&site, header(&made, "location"), 5, b" world", &[]).await.status, 204);
    let whole = post("5", PART, "hello").await;
    assert_eq!((whole.status, header(&whole, "upload-offset")), (201, "5"));
    assert_eq!(evidence(&site).await.len(), 2);
    assert_eq!(post("5", "text/plain", "hello").await.status, 415);
    assert_eq!(post("4", PART, "hello").await.status, 413);
});

on_both!(checksums, |database: TestDatabase| async move {
    let site = site(database).await;
    let path = create(&site, 11).await;
    let (right, wrong) = ("sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=", "sha1 AAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    let refused = send(&site, &path, 0, b"hello world", &[("upload-checksum", wrong)]).await;
    assert_eq!((refused.status, refused.code()), (460, "checksum_mismatch"));
    for unknown in [
        "md5 XrY7u+Ae7tCTyyK7j1rNww==",
        "SHA1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=",
        "sha1",
        "sha256 Kq5sNclPz7QV2+lfQIuc6R7oRu0=",
    ] {
        let refused = send(&site, &path, 0, b"hello world", &[("upload-checksum", unknown)]).await;
        assert_eq!((refused.status, refused.code()), (400, "bad_header"), "{unknown}");
    }
    assert_eq!(offset(&site, &path).await, "0");
    assert_eq!(send(&site, &path, 0, b"hello world", &[("upload-checksum", right)]).await.status, 204);
    let path = create(&site, 11).await;
    let sha256 = format!("sha256 {}", STANDARD.encode(proof::Sha256Digest::of(b"world").0));
    assert_eq!(send(&site, &path, 0, b"hello ", &[]).await.status, 204);
    assert_eq!(send(&site, &path, 6, b"World", &[("upload-checksum", &sha256)]).await.status, 460);
    assert_eq!(send(&site, &path, 6, b"world", &[("upload-checksum", &sha256)]).await.status, 204);
    assert_eq!(evidence(&site).await.len(), 2);
});

on_both!(termination, |database: TestDatabase| async move {
    let site = site(database).await;
    let path = create(&site, 11).await;
    send(&site, &path, 0, b"hello", &[]).await;
    link(&site, "frq_01h455vb4pex5vsknk084sn02z", "frl_other").await;
    let other = ask(&site, "DELETE", &path, &[("authorization", "Bearer frl_other")], Body::empty()).await;
    assert_eq!(other.status, 404);
    assert_eq!(ask(&site, "DELETE", &path, &[], Body::empty()).await.status, 204);
    assert_eq!(ask(&site, "HEAD", &path, &[], Body::empty()).await.status, 410);
    assert_eq!(send(&site, &path, 5, b" world", &[]).await.status, 410);
    assert_eq!(ask(&site, "DELETE", &path, &[], Body::empty()).await.status, 410);
    assert!(site.test.app.uploads().list().unwrap().is_empty());
    // What has become evidence stays.
    let path = create(&site, 5).await;
    send(&site, &path, 0, b"hello", &[]).await;
    assert_eq!(ask(&site, "DELETE", &path, &[], Body::empty()).await.status, 204);
    assert_eq!(ask(&site, "HEAD", &path, &[], Body::empty()).await.status, 410);
    assert_eq!(evidence(&site).await.len(), 1);
});

on_both!(expiration, |database: TestDatabase| async move {
    let site = site(database).await;
    let day = Duration::from_secs(86_400);
    let (left, moving) = (create(&site, 11).await, create(&site, 11).await);
    send(&site, &left, 0, b"hello", &[]).await;
    site.test.advance(2 * day);
    // What moves is kept three more days.
    let moved = send(&site, &moving, 0, b"hello", &[]).await;
    assert_eq!(header(&moved, "upload-expires"), "Fri, 27 Nov 2026 12:00:00 GMT");
    site.test.advance(2 * day);
    assert_eq!(ask(&site, "HEAD", &left, &[], Body::empty()).await.status, 410);
    assert_eq!(offset(&site, &moving).await, "5");
    app::upload::remove_abandoned(&site.test.app).await.unwrap();
    assert_eq!(site.test.app.uploads().list().unwrap().len(), 1);
    assert_eq!(ask(&site, "HEAD", &left, &[], Body::empty()).await.status, 410);
    assert_eq!(send(&site, &moving, 5, b" world", &[]).await.status, 204);
});

on_both!(a_link_that_ended_takes_nothing_more, |database: TestDatabase| async move {
    let site = site(database).await;
    let path = create(&site, 11).await;
    let end = async |column: &'static str| {
        let mut tx = site.test.app.begin().await.unwrap();
        Sql::new("UPDATE file_requests SET revoked_at = NULL, finished_at = NULL").execute(&mut tx).await.unwrap();
        Sql::new("UPDATE file_requests SET ").add(column).add(" = 1").execute(&mut tx).await.unwrap();
        arranged(tx, &["frq_01h455vb4pex5vsknk084sn02q"]).await;
    };
    for (column, status, code) in [
        ("revoked_at", 410, "link_revoked"),
        ("finished_at", 409, "link_finished"),
        ("expires_at", 410, "link_expired"),
    ] {
        end(column).await;
        let refused = send(&site, &path, 0, b"hello", &[]).await;
        assert_eq!((refused.status, refused.code()), (status, code));
        let metadata = for_link();
        let refused = ask(
            &site,
            "POST",
            "/api/v1/uploads",
            &[("upload-length", "5"), ("upload-metadata", &metadata)],
            Body::empty(),
        )
        .await;
        assert_eq!((refused.status, refused.code()), (status, code));
    }
});

on_both!(a_new_request_takes_over_from_one_that_hangs, |database: TestDatabase| async move {
    let site = site(database).await;
    let path = create(&site, 11).await;
    let hanging = futures::stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b"hello"))])
        .chain(futures::stream::pending());
    let first = {
        let (router, path) = (site.router.clone(), path.clone());
        let request = Request::builder()
            .method("PATCH")
            .uri(path)
            .header("tus-resumable", "1.0.0")
            .header("authorization", "Bearer frl_neighbour")
            .header("content-type", PART)
            .header("upload-offset", "0")
            .body(Body::from_stream(hanging))
            .unwrap();
        tokio::spawn(async move { tower::ServiceExt::oneshot(router, request).await.unwrap().status().as_u16() })
    };
    let id = path.rsplit('/').next().unwrap().parse().unwrap();
    while site.test.app.uploads().progress(&id) != Some(5) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(offset(&site, &path).await, "5");
    assert_eq!(first.await.unwrap(), 423);
    assert_eq!(send(&site, &path, 5, b" world", &[]).await.status, 204);
});

on_both!(a_server_that_died_before_recording_the_end_goes_on, |database: TestDatabase| async move {
    let site = site(database).await;
    let path = create(&site, 5).await;
    let id: domain::id::UploadId = path.rsplit('/').next().unwrap().parse().unwrap();
    // Every byte is on the disk, and the file has or has not been moved to where it is kept; then the server dies.
    let whole = domain::upload::Whole {
        sha256: proof::Sha256Digest::of(b"hello"),
        blob: site.test.app.blobs().new_name("evidence"),
    };
    let staged = site.test.app.data().join("uploads");
    std::fs::create_dir_all(&staged).unwrap();
    std::fs::write(staged.join(id.as_str()), b"hello").unwrap();
    let mut tx = site.test.app.begin().await.unwrap();
    store::upload::sealed(&mut tx, &id, &whole).await.unwrap();
    commit(tx).await;
    site.test.app.blobs().adopt(&staged.join(id.as_str()), &whole.blob).await.unwrap();
    for _ in 0..2 {
        app::upload::remove_abandoned(&site.test.app).await.unwrap();
        assert_eq!(offset(&site, &path).await, "5");
        assert_eq!(evidence(&site).await, [("clip.mp4".to_owned(), 5, whole.sha256.to_string())]);
    }
    assert_eq!(site.test.app.blobs().get(&whole.blob).await.unwrap(), "hello");
});

on_both!(a_connector_uploads_while_it_holds_the_lease, |database: TestDatabase| async move {
    let site = site(database).await;
    let mut tx = site.test.app.begin().await.unwrap();
    let (connector, task): (domain::id::ConnectorId, domain::id::TaskId) = (tx.new_id(), tx.new_id());
    let until = tx.now().plus(Duration::from_secs(60)).as_micros();
    Sql::new(
        "INSERT INTO connectors (id, organization_id, name, key_hash, source_sequence, created_at, version) VALUES (",
    )
    .args([connector.as_str(), site.test.host.as_str(), "Depot", &app::secret::hash("key")])
    .add(", 0, 0, 1)")
    .execute(&mut tx)
    .await
    .unwrap();
    Sql::new("INSERT INTO connector_tasks (id, connector_id, kind, payload, state, lease, lease_until, run_at, attempts, created_at) VALUES (")
        .args([task.as_str(), connector.as_str(), "export", "{}", "leased"])
        .add(", ")
        .args([3, until, 0, 1, 0])
        .add(")")
        .execute(&mut tx)
        .await
        .unwrap();
    arranged(tx, &[connector.as_str()]).await;
    let metadata = |lease: &str| pairs(&[("filename", "export.mp4"), ("task_id", task.as_str()), ("lease", lease)]);
    let key = ("authorization", "Bearer key");
    let post = async |lease: &str| {
        ask(
            &site,
            "POST",
            "/api/v1/uploads",
            &[("upload-length", "11"), ("upload-metadata", &metadata(lease)), key],
            Body::empty(),
        )
        .await
    };
    let late = post("2").await;
    assert_eq!((late.status, late.code()), (409, "lease_lost"));
    let made = post("3").await;
    assert_eq!(made.status, 201, "{}", made.json);
    let path = header(&made, "location").to_owned();
    assert_eq!(send(&site, &path, 0, b"hello", &[key]).await.status, 204);
    // The lease goes to a new instance of the same connector, which goes on where the old one was.
    let mut tx = site.test.app.begin().await.unwrap();
    Sql::new("UPDATE connector_tasks SET lease = 4").execute(&mut tx).await.unwrap();
    commit(tx).await;
    assert_eq!(send(&site, &path, 5, b" world", &[key]).await.code(), "lease_lost");
    // The old one may not even ask, for that would stop the new one; nor end what is not its own any more.
    for (method, lease, status) in [("HEAD", "3", 409), ("DELETE", "3", 409), ("HEAD", "4", 200)] {
        let asked = ask(&site, method, &path, &[key, ("sightline-lease", lease)], Body::empty()).await;
        assert_eq!(asked.status, status, "{method} under {lease}");
    }
    assert_eq!(send(&site, &path, 5, b" wo", &[key, ("sightline-lease", "4")]).await.status, 204);
    site.test.advance(Duration::from_secs(61));
    assert_eq!(send(&site, &path, 8, b"rld", &[key, ("sightline-lease", "4")]).await.code(), "lease_lost");
    let mut tx = site.test.app.begin().await.unwrap();
    Sql::new("UPDATE connector_tasks SET lease_until = ").arg(i64::MAX).execute(&mut tx).await.unwrap();
    commit(tx).await;
    assert_eq!(send(&site, &path, 8, b"rld", &[key, ("sightline-lease", "4")]).await.status, 204);
    // It becomes evidence when the task is completed. If that never happens it goes.
    assert_eq!(evidence(&site).await.len(), 0);
    let kept = async || {
        use store::Columns as _;
        let mut tx = site.test.app.read().await.unwrap();
        let blob = Sql::new("SELECT blob FROM uploads").fetch_one(&mut tx).await.unwrap().text("blob").unwrap();
        site.test.app.blobs().size(&blob).await.unwrap()
    };
    app::upload::remove_abandoned(&site.test.app).await.unwrap();
    assert_eq!(kept().await, Some(11));
    site.test.advance(Duration::from_secs(4 * 86_400));
    app::upload::remove_abandoned(&site.test.app).await.unwrap();
    assert_eq!(kept().await, None);
});

on_both!(staff_add_to_cases_that_they_may_edit, |database: TestDatabase| async move {
    let site = site(database).await;
    let bob = site.test.account("bob", &site.test.host, &[(Role::Investigator, None)]).await;
    let bob_signed_in = site.sign_in("bob").await;
    use store::Columns as _;
    let mut tx = site.test.app.read().await.unwrap();
    let case = Sql::new("SELECT id FROM cases").fetch_one(&mut tx).await.unwrap().text("id").unwrap();
    drop(tx);
    let metadata = pairs(&[("filename", "notes.mp4"), ("case_id", &case)]);
    let post = async || {
        let headers = [
            ("upload-length", "5"),
            ("upload-metadata", metadata.as_str()),
            ("content-type", PART),
            ("authorization", ""),
            ("cookie", &bob_signed_in),
        ];
        ask(&site, "POST", "/api/v1/uploads", &headers, "hello").await
    };
    let level = async |level: i64| {
        let mut tx = site.test.app.begin().await.unwrap();
        Sql::new("DELETE FROM case_access").execute(&mut tx).await.unwrap();
        Sql::new("INSERT INTO case_access (case_id, principal_id, level) VALUES (")
            .args([case.as_str(), bob.id.as_str()])
            .add(", ")
            .arg(level)
            .add(")")
            .execute(&mut tx)
            .await
            .unwrap();
        arranged(tx, &[case.as_str()]).await;
    };
    assert_eq!(post().await.status, 404, "what is not seen does not exist");
    level(2).await;
    assert_eq!(post().await.status, 403);
    level(3).await;
    let made = post().await;
    assert_eq!((made.status, header(&made, "upload-offset")), (201, "5"), "{}", made.json);
    assert_eq!(evidence(&site).await.len(), 1);
});
