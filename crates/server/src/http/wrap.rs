//! What wraps every route: request ids, the log, limits, headers, and the check of the page's origin.

use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::csrf::CsrfLayer;
use tower_http::set_header::SetResponseHeaderLayer;

use super::Shared;
use super::problem::{Problem, REQUEST_ID};

/// Bodies other than uploads.
const LARGEST_BODY_BYTES: usize = 1 << 20;

/// The page loads nothing from elsewhere and runs no script but its own. Styles are set by its components at run time.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; \
     media-src 'self' blob:; font-src 'self'; connect-src 'self'; worker-src 'self' blob:; frame-src 'self' data: blob:; manifest-src 'self'; \
     base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

pub(super) fn wrap(routes: Router<Shared>) -> Router<Shared> {
    let header = |name, value| SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value));
    routes
        .layer(DefaultBodyLimit::max(LARGEST_BODY_BYTES))
        .layer(CatchPanicLayer::custom(|_| {
            Problem::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "internal",
                "Something failed on the server; nothing was changed. Report the request id if it stays.",
            )
            .into_response()
        }))
        .layer(CsrfLayer::new().with_rejection_response(|_| foreign_origin()))
        .layer(header(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY))
        .layer(header(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(header(header::REFERRER_POLICY, "no-referrer"))
        .layer(header(header::X_FRAME_OPTIONS, "DENY"))
        .layer(header(header::HeaderName::from_static("cross-origin-opener-policy"), "same-origin"))
        .layer(header(
            header::HeaderName::from_static("permissions-policy"),
            "camera=(), microphone=(), geolocation=(self)",
        ))
        .layer(middleware::from_fn(name_and_log))
}

/// Gives each request an id and one line in the log. The line names the route, not the address: addresses may hold link tokens.
async fn name_and_log(request: Request, next: Next) -> Response {
    let mut random = [0u8; 12];
    (app::Database::system_entropy())(&mut random);
    let id: String = random.iter().map(|b| format!("{b:02x}")).collect();
    let route =
        request.extensions().get::<MatchedPath>().map_or_else(|| "(page)".to_owned(), |path| path.as_str().to_owned());
    let (method, begun) = (request.method().clone(), Instant::now());
    let mut response = REQUEST_ID.scope(id.clone(), next.run(request)).await;
    let elapsed = begun.elapsed();
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert("x-request-id", value);
    }
    super::metrics::count(response.status());
    let status = response.status().as_u16();
    if elapsed > Duration::from_secs(1) || status >= 500 {
        tracing::info!(request_id = id, %method, route, status, elapsed_ms = elapsed.as_millis() as u64, "request");
    } else {
        tracing::debug!(request_id = id, %method, route, status, elapsed_ms = elapsed.as_millis() as u64, "request");
    }
    response
}

/// A page of another site asked the browser to act here.
fn foreign_origin() -> Response {
    Problem::new(
        StatusCode::FORBIDDEN,
        "foreign_origin",
        "This was asked by a page of another site; nothing was changed.",
    )
    .into_response()
}
