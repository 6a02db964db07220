//! Uploads on the wire: tus 1.0.0 with creation, creation-with-upload, expiration, checksum and termination
//! (<https://tus.io/protocols/resumable-upload>). What a sender may do is decided in `app::upload`; here are headers and statuses.

mod headers;

use app::upload::checksum::ALGORITHMS;
use app::upload::{self, NewPart, NewUpload, Standing};
use app::{App, Error, Kind};
use axum::body::Body;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use domain::id::UploadId;
use domain::upload::{Purpose, UploadState};
use domain::{Caller, Timestamp};
use utoipa_axum::routes;

use super::Shared;
use super::document::Routes;
use super::extract::{Address, Path, Signed, bearer};
use super::problem::{Answer, Problem};
use headers::{EXTENSIONS, Malformed, Metadata, VERSION};

/// Where uploads are created.
const COLLECTION: &str = "/api/v1/uploads";

/// The lease that a connector holds now, with each call about an upload.
const LEASE: &str = "sightline-lease";

/// The protocol's own status for a checksum that does not match.
const CHECKSUM_MISMATCH: u16 = 460;

const RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
const OVERRIDE: HeaderName = HeaderName::from_static("x-http-method-override");
const OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const EXPIRES: HeaderName = HeaderName::from_static("upload-expires");

pub(super) fn routes() -> Routes {
    Routes::new()
        .routes(routes!(describe_uploads, create_upload))
        .routes(routes!(describe_upload, find_upload, append_upload, terminate_upload))
        .with(|routes| routes.layer(middleware::from_fn(speak)))
}

/// Lets `X-HTTP-Method-Override` name the method, for clients that cannot send PATCH or DELETE. Comes before routing and before the
/// check of the page's origin, which then looks at the method that counts.
pub(super) fn honour_override(mut request: Request) -> Request {
    if request.uri().path().starts_with(COLLECTION)
        && let Some(method) =
            request.headers().get(OVERRIDE).and_then(|value| Method::from_bytes(value.as_bytes()).ok())
    {
        *request.method_mut() = method;
    }
    request
}

/// Refuses other versions before anything is processed, and says the version in every answer.
async fn speak(request: Request, next: Next) -> Response {
    let version = request.headers().get(RESUMABLE).and_then(|v| v.to_str().ok()).map(str::trim);
    let mut response = if request.method() == Method::OPTIONS || version == Some(VERSION) {
        next.run(request).await
    } else {
        let problem = Problem::new(StatusCode::PRECONDITION_FAILED, "wrong_tus_version", "Send Tus-Resumable: 1.0.0.");
        ([("tus-version", VERSION)], problem).into_response()
    };
    let headers = response.headers_mut();
    headers.insert(RESUMABLE, HeaderValue::from_static(VERSION));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Whoever may upload: somebody signed in, a program with a token, a connector, the holder of a link.
struct Uploader(Caller);

impl FromRequestParts<Shared> for Uploader {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Problem> {
        // Secrets say what they are; the keys of connectors were issued before they did.
        let Ok(Address(address)) = Address::from_request_parts(parts, shared).await;
        if let Some(secret) = bearer(&parts.headers).filter(|secret| !secret.starts_with("slt_")) {
            if !secret.starts_with("frl_") {
                let instance = crate::http::connector::instance(&parts.headers);
                return Ok(Self(app::connector::resume(&shared.app, secret, instance).await?));
            }
            return Ok(Self(app::file_request::resume(&shared.app, secret, address).await?));
        }
        let Signed(caller) = Signed::from_request_parts(parts, shared).await?;
        Ok(Self(caller))
    }
}

impl From<Malformed> for Problem {
    fn from(malformed: Malformed) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "bad_header",
            format!("{}: expected {}.", malformed.header, malformed.expected),
        )
    }
}

/// tus has words of its own for some refusals.
fn problem(error: Error) -> Problem {
    match error.code {
        "checksum_mismatch" => {
            let status = StatusCode::from_u16(CHECKSUM_MISMATCH).unwrap_or(StatusCode::BAD_REQUEST);
            Problem::new(status, error.code, error.message)
        }
        "upload_cut" => Problem::new(StatusCode::BAD_REQUEST, error.code, error.message),
        "upload_idle" => Problem::new(StatusCode::REQUEST_TIMEOUT, error.code, error.message),
        "upload_taken_over" => Problem::new(StatusCode::LOCKED, error.code, error.message),
        "disk_full" => Problem::new(StatusCode::INSUFFICIENT_STORAGE, error.code, error.message),
        _ => error.into(),
    }
}

/// A refusal of a request with a body. Where bytes of the body are still on their way the connection is of no more use.
fn refuse(error: Error) -> Response {
    let mut response = problem(error).into_response();
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

/// RFC 9110: `Sun, 06 Nov 1994 08:49:37 GMT`.
fn http_date(at: Timestamp) -> HeaderValue {
    let text = at.to_jiff().map(|at| at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string());
    text.and_then(|text| text.parse().ok()).unwrap_or(HeaderValue::from_static("Thu, 01 Jan 1970 00:00:00 GMT"))
}

/// Offset and moment of giving up.
fn standing(standing: &Standing) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(OFFSET, standing.offset.into());
    if standing.upload.state == UploadState::Open && standing.offset < standing.upload.length_bytes {
        headers.insert(EXPIRES, http_date(standing.upload.expires_at));
    }
    headers
}

/// What an upload is for, from its metadata: exactly one thing.
fn purpose(metadata: &Metadata, caller: &Caller) -> Result<Purpose, Problem> {
    let wrong = |expected: &str| {
        Problem::new(StatusCode::BAD_REQUEST, "bad_metadata", format!("Upload-Metadata: expected {expected}."))
    };
    let given: Vec<_> = ["case_id", "request_item", "file_request", "task_id"]
        .iter()
        .filter_map(|key| Some((*key, metadata.text(key)?)))
        .collect();
    let [(key, id)] = given.as_slice() else {
        return Err(wrong("exactly one of case_id, request_item, file_request, task_id"));
    };
    let no_id = || wrong(&format!("{key} to be an id"));
    Ok(match *key {
        "case_id" => Purpose::Case(id.parse().map_err(|_| no_id())?),
        "request_item" => Purpose::Item(id.parse().map_err(|_| no_id())?),
        "task_id" => {
            let lease = metadata
                .text("lease")
                .and_then(|lease| lease.parse().ok())
                .ok_or_else(|| wrong("lease, a number, beside task_id"))?;
            Purpose::Task { task: id.parse().map_err(|_| no_id())?, lease }
        }
        _ => match (&caller.means, *id) {
            (domain::caller::Means::Link(own), "self") => Purpose::Link(own.clone()),
            _ => Purpose::Link(id.parse().map_err(|_| no_id())?),
        },
    })
}

/// A part's headers.
fn part(headers: &HeaderMap, offset: u64) -> Result<NewPart, Problem> {
    Ok(NewPart {
        offset,
        announced: headers::content_length(headers),
        checksum: headers::upload_checksum(headers)?,
        lease: lease(headers),
    })
}

/// The lease that a connector says it holds.
fn lease(headers: &HeaderMap) -> Option<i64> {
    headers.get(LEASE).and_then(|v| v.to_str().ok()?.parse().ok())
}

fn needs_part(headers: &HeaderMap) -> Result<(), Problem> {
    if headers::is_part(headers) {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "wrong_content_type",
        "Expected Content-Type: application/offset+octet-stream.",
    ))
}

fn options(app: &App) -> Response {
    let headers = [
        ("tus-version", VERSION.to_owned()),
        ("tus-extension", EXTENSIONS.to_owned()),
        ("tus-checksum-algorithm", ALGORITHMS.to_owned()),
        ("tus-max-size", app.settings().largest_upload_bytes.to_string()),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}

/// What the server speaks.
#[utoipa::path(options, path = "/uploads", tag = "uploads", operation_id = "describe_uploads", responses((status = 204)))]
async fn describe_uploads(State(app): State<App>) -> Response {
    options(&app)
}

/// What the server speaks.
#[utoipa::path(options, path = "/uploads/{id}", tag = "uploads", operation_id = "describe_upload", params(("id" = UploadId, Path)), responses((status = 204)))]
async fn describe_upload(State(app): State<App>) -> Response {
    options(&app)
}

/// Announces an upload; the body may be its first part. `Upload-Metadata` says what it is for, in exactly one of `case_id`,
/// `request_item`, `file_request` and `task_id`. An approver adds as many files to a `request_item` as they like, at once or one after
/// the other, from its approval on: the first that has arrived releases the item, or brings it to review; what follows joins it. An
/// item that ended without footage takes none.
#[utoipa::path(post, path = "/uploads", tag = "uploads", operation_id = "create_upload",
    params(("Upload-Length" = u64, Header), ("Upload-Metadata" = String, Header)),
    request_body(content = [u8], content_type = "application/offset+octet-stream"),
    responses((status = 201), (status = "4XX", body = Problem)))]
async fn create_upload(State(app): State<App>, Uploader(caller): Uploader, request: Request) -> Answer<Response> {
    let headers = request.headers();
    let length_bytes = headers::upload_length(headers)?;
    let metadata = Metadata::read(headers)?;
    let body = headers::is_part(headers);
    if !body
        && (headers::content_length(headers).is_some_and(|n| n > 0) || headers.contains_key(header::TRANSFER_ENCODING))
    {
        needs_part(headers)?;
    }
    let first = part(headers, 0)?;
    if first.announced.is_some_and(|announced| announced > length_bytes) {
        return Ok(refuse(Error::new(
            Kind::TooLarge,
            "longer_than_announced",
            "The body is longer than Upload-Length.",
        )));
    }
    let new = NewUpload {
        purpose: purpose(&metadata, &caller)?,
        file_name: metadata.text("filename").map(str::to_owned),
        file_type: metadata.text("filetype").map(str::to_owned),
        metadata: metadata.raw,
        length_bytes,
    };
    let mut stands = upload::create(&app, &caller, new).await.map_err(problem)?;
    let location = format!("{COLLECTION}/{}", stands.upload.id);
    if body && length_bytes > 0 {
        let id = stands.upload.id.clone();
        match upload::append(&app, &caller, &id, first, request.into_body().into_data_stream()).await {
            Ok(appended) => stands = appended,
            Err(error) => {
                // The upload exists: its sender goes on there, from where it ends now.
                let mut refused = refuse(error);
                if let Ok(location) = location.parse() {
                    refused.headers_mut().insert(header::LOCATION, location);
                }
                return Ok(refused);
            }
        }
    }
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], standing(&stands)).into_response())
}

/// Where an upload stands.
#[utoipa::path(head, path = "/uploads/{id}", tag = "uploads", operation_id = "find_upload", params(("id" = UploadId, Path)),
    responses((status = 200), (status = "4XX", body = Problem)))]
async fn find_upload(
    State(app): State<App>,
    Uploader(caller): Uploader,
    Path(id): Path<UploadId>,
    headers: HeaderMap,
) -> Answer<Response> {
    let found = upload::find(&app, &caller, &id, lease(&headers)).await.map_err(problem)?;
    let mut headers = standing(&found);
    headers.insert("upload-length", found.upload.length_bytes.into());
    if let Ok(metadata) = found.upload.metadata.parse::<HeaderValue>()
        && !metadata.is_empty()
    {
        headers.insert("upload-metadata", metadata);
    }
    Ok((StatusCode::OK, headers).into_response())
}

/// Sends a part.
#[utoipa::path(patch, path = "/uploads/{id}", tag = "uploads", operation_id = "append_upload",
    params(("id" = UploadId, Path), ("Upload-Offset" = u64, Header), ("Upload-Checksum" = Option<String>, Header)),
    request_body(content = [u8], content_type = "application/offset+octet-stream"),
    responses((status = 204), (status = "4XX", body = Problem)))]
async fn append_upload(
    State(app): State<App>,
    Uploader(caller): Uploader,
    Path(id): Path<UploadId>,
    request: Request,
) -> Answer<Response> {
    needs_part(request.headers())?;
    let offset = headers::upload_offset(request.headers())?;
    let part = part(request.headers(), offset)?;
    let body: Body = request.into_body();
    Ok(match upload::append(&app, &caller, &id, part, body.into_data_stream()).await {
        Ok(stands) => (StatusCode::NO_CONTENT, standing(&stands)).into_response(),
        Err(error) => refuse(error),
    })
}

/// Ends an upload. Evidence that it has become stays.
#[utoipa::path(delete, path = "/uploads/{id}", tag = "uploads", operation_id = "terminate_upload", params(("id" = UploadId, Path)),
    responses((status = 204), (status = "4XX", body = Problem)))]
async fn terminate_upload(
    State(app): State<App>,
    Uploader(caller): Uploader,
    Path(id): Path<UploadId>,
    headers: HeaderMap,
) -> Answer<StatusCode> {
    upload::terminate(&app, &caller, &id, lease(&headers)).await.map_err(problem)?;
    Ok(StatusCode::NO_CONTENT)
}
