//! The web page, embedded in the binary: the office's at any path, the guests' under `/f/`.

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::Response;
use memory_serve::CacheControl;

/// Where the build puts the files whose names hold a hash of what they say.
const HASHED: &str = "/assets/";

/// Any path that is no file is the office's page: it routes by itself.
pub(super) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    memory_serve::load!()
        .html_cache_control(CacheControl::NoCache)
        .cache_control(CacheControl::NoCache)
        .index_file(Some("/staff.html"))
        .fallback(Some("/staff.html"))
        .fallback_status(StatusCode::OK)
        .add_alias("/f/", "/guest.html")
        .add_alias("/f/{*link}", "/guest.html")
        .into_router()
        .layer(middleware::from_fn(keep_hashed))
}

/// What has a hash in its name never changes and is kept; the rest is asked for again each time, and mostly answered 304.
async fn keep_hashed(request: Request, next: Next) -> Response {
    let hashed = request.uri().path().starts_with(HASHED);
    let mut response = next.run(request).await;
    if !hashed {
        return response;
    }
    let is_page =
        response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    if response.status() == StatusCode::NOT_MODIFIED {
        // What was said with the file itself goes on.
        response.headers_mut().remove(header::CACHE_CONTROL);
    } else if response.status().is_success() && !is_page {
        let forever = HeaderValue::from_static("public, max-age=31536000, immutable");
        response.headers_mut().insert(header::CACHE_CONTROL, forever);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use axum::routing::get;
    use tower::ServiceExt as _;

    async fn ask(router: Router, path: &str) -> Response {
        router.oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap()
    }

    fn said(response: &Response) -> &str {
        response.headers()[header::CACHE_CONTROL].to_str().unwrap()
    }

    #[tokio::test]
    async fn a_link_opens_the_guests_page_and_any_other_path_the_offices() {
        let say = async |path| {
            let answer = ask(routes(), path).await;
            assert_eq!(answer.status(), StatusCode::OK, "{path}");
            axum::body::to_bytes(answer.into_body(), 1 << 20).await.unwrap()
        };
        let (office, guests) = (say("/staff.html").await, say("/guest.html").await);
        assert_ne!(office, guests);
        for (path, page) in
            [("/", &office), ("/cases/x", &office), ("/f/", &guests), ("/f/frl_x", &guests), ("/f/a/b", &guests)]
        {
            assert!(say(path).await == *page, "{path}");
        }
    }

    #[tokio::test]
    async fn what_has_no_hash_in_its_name_is_asked_for_again() {
        // A path under the hashed ones that is no file is the page too, and must not stick.
        for path in ["/", "/cases", "/staff.html", "/f/token", "/assets/gone-0a1b2c3d.js"] {
            let answer = ask(routes(), path).await;
            assert_eq!((answer.status(), said(&answer)), (StatusCode::OK, "no-cache"), "{path}");
            assert!(answer.headers().contains_key(header::ETAG), "{path}");
        }
    }

    #[tokio::test]
    async fn what_has_a_hash_in_its_name_is_kept() {
        let file = |kind: &'static str| {
            get(move || async move { [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-cache")] })
        };
        let files = Router::new()
            .route("/assets/staff-0a1b2c3d.js", file("text/javascript"))
            .route("/assets/moved-0a1b2c3d.js", file("text/html; charset=utf-8"))
            .route("/theme.js", file("text/javascript"))
            .layer(middleware::from_fn(keep_hashed));
        let forever = "public, max-age=31536000, immutable";
        assert_eq!(said(&ask(files.clone(), "/assets/staff-0a1b2c3d.js").await), forever);
        assert_eq!(said(&ask(files.clone(), "/assets/moved-0a1b2c3d.js").await), "no-cache");
        assert_eq!(said(&ask(files, "/theme.js").await), "no-cache");
    }
}
