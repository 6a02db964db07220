//! Files as answers: ranges, ETags, and names that no header trips over (RFC 9110 §14, RFC 6266).

use std::ops::Range;

use app::App;
use app::evidence::Opened;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use domain::evidence::Bytes;

use super::problem::{Answer, Problem};

/// How a file is shown.
pub(crate) enum Shown {
    /// In the page, as this type.
    Inline(&'static str),
    /// Kept by the browser as a file; never run or shown, whatever it holds.
    Attachment,
}

/// What of a file is asked for.
#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    Whole,
    Part(Range<u64>),
    Unsatisfiable,
}

/// Reads `Range`. Several ranges, other units and nonsense are answered with the whole, as RFC 9110 §14.2 allows.
fn wanted(range: Option<&str>, size: u64) -> Wanted {
    let Some(spec) = range.and_then(|range| range.trim().strip_prefix("bytes=")) else { return Wanted::Whole };
    let Some((first, last)) = spec.split_once('-') else { return Wanted::Whole };
    let number = |text: &str| {
        (!text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse::<u64>().unwrap_or(u64::MAX))
    };
    match (first.trim(), last.trim()) {
        ("", suffix) => match number(suffix) {
            Some(0) => Wanted::Unsatisfiable,
            Some(_) if size == 0 => Wanted::Unsatisfiable,
            Some(length) => Wanted::Part(size.saturating_sub(length)..size),
            None => Wanted::Whole,
        },
        (first, last) => match (number(first), last.is_empty(), number(last)) {
            (Some(first), _, _) if first >= size => Wanted::Unsatisfiable,
            (Some(first), true, _) => Wanted::Part(first..size),
            (Some(first), false, Some(last)) if last >= first => Wanted::Part(first..last.saturating_add(1).min(size)),
            _ => Wanted::Whole,
        },
    }
}

/// What a request wants of a file. A part of other bytes than the client has is of no use to it: then it gets the whole.
fn asked(request: &HeaderMap, file: &Bytes) -> Wanted {
    let text = |name| request.get(name).and_then(|value| value.to_str().ok());
    let same = text(header::IF_RANGE).is_none_or(|tag| tag == etag(file));
    wanted(text(header::RANGE).filter(|_| same), u64::try_from(file.size_bytes).unwrap_or(0))
}

/// Whether a request is answered with the beginning of a file, and does not go on with what was begun before.
pub(crate) fn begins(request: &HeaderMap, file: &Bytes) -> bool {
    match asked(request, file) {
        Wanted::Whole => true,
        Wanted::Part(range) => range.start == 0,
        Wanted::Unsatisfiable => false,
    }
}

fn etag(file: &Bytes) -> String {
    format!("\"{}\"", file.sha256)
}

/// A name for `Content-Disposition`: plain ASCII for old readers, RFC 8187 for all others.
fn attachment(name: &str) -> String {
    let plain: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ' ') { c } else { '_' })
        .collect();
    let mut exact = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_') {
            exact.push(char::from(byte));
        } else {
            exact.push_str(&format!("%{byte:02X}"));
        }
    }
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{exact}")
}

/// Answers a file that was opened, or the part that is asked for.
pub(crate) async fn answer(app: &App, opened: &Opened, shown: &Shown, request: &HeaderMap) -> Answer<Response> {
    let size = u64::try_from(opened.bytes.size_bytes).unwrap_or(0);
    let etag = etag(&opened.bytes);
    let text = |name| request.get(name).and_then(|value| value.to_str().ok());
    if text(header::IF_NONE_MATCH)
        .is_some_and(|tags| tags.split(',').any(|tag| tag.trim() == etag || tag.trim() == "*"))
    {
        return Ok(finished(StatusCode::NOT_MODIFIED, Body::empty(), &etag, shown, opened).into_response());
    }
    let range = match asked(request, &opened.bytes) {
        Wanted::Unsatisfiable => {
            let mut refused = Problem::new(
                StatusCode::RANGE_NOT_SATISFIABLE,
                "range_not_satisfiable",
                format!("The file has {size} bytes."),
            )
            .into_response();
            set(&mut refused, header::CONTENT_RANGE, &format!("bytes */{size}"));
            return Ok(refused);
        }
        Wanted::Whole => None,
        Wanted::Part(range) => Some(range),
    };
    let length = range.as_ref().map_or(size, |range| range.end - range.start);
    let status = if range.is_some() { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK };
    let content_range = range.as_ref().map(|range| format!("bytes {}-{}/{size}", range.start, range.end - 1));
    let body =
        if length == 0 { Body::empty() } else { Body::from_stream(app::evidence::stream(app, opened, range).await?) };
    let mut response = finished(status, body, &etag, shown, opened);
    set(&mut response, header::CONTENT_LENGTH, &length.to_string());
    if let Some(content_range) = content_range {
        set(&mut response, header::CONTENT_RANGE, &content_range);
    }
    Ok(response)
}

fn finished(status: StatusCode, body: Body, etag: &str, shown: &Shown, opened: &Opened) -> Response {
    let mut response = (status, body).into_response();
    set(&mut response, header::ETAG, etag);
    set(&mut response, header::ACCEPT_RANGES, "bytes");
    // Kept by nobody between here and the browser, and asked for again each time, so that every look is known.
    set(&mut response, header::CACHE_CONTROL, "private, no-cache");
    match shown {
        Shown::Inline(kind) => {
            set(&mut response, header::CONTENT_TYPE, kind);
            set(&mut response, header::CONTENT_DISPOSITION, "inline");
        }
        Shown::Attachment => {
            set(&mut response, header::CONTENT_TYPE, "application/octet-stream");
            set(&mut response, header::CONTENT_DISPOSITION, &attachment(&opened.name));
            // Opened by itself it could do nothing.
            set(&mut response, header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox");
        }
    }
    response
}

fn set(response: &mut Response, name: header::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_as_players_send_them() {
        for (range, expected) in [
            (None, Wanted::Whole),
            (Some("bytes=0-"), Wanted::Part(0..100)),
            (Some("bytes=0-0"), Wanted::Part(0..1)),
            (Some("bytes=10-19"), Wanted::Part(10..20)),
            (Some("bytes=90-999"), Wanted::Part(90..100)),
            (Some("bytes=-10"), Wanted::Part(90..100)),
            (Some("bytes=-999"), Wanted::Part(0..100)),
            (Some("bytes=100-"), Wanted::Unsatisfiable),
            (Some("bytes=99999999999999999999999-"), Wanted::Unsatisfiable),
            (Some("bytes=-0"), Wanted::Unsatisfiable),
            (Some("bytes=5-2"), Wanted::Whole),
            (Some("bytes=0-1,5-6"), Wanted::Whole),
            (Some("bytes=a-b"), Wanted::Whole),
            (Some("lines=1-2"), Wanted::Whole),
            (Some("bytes=-"), Wanted::Whole),
        ] {
            assert_eq!(wanted(range, 100), expected, "{range:?}");
        }
        assert_eq!(wanted(Some("bytes=0-"), 0), Wanted::Unsatisfiable);
    }

    #[test]
    fn names_cannot_break_out_of_the_header() {
        assert_eq!(
            attachment("a \"b\"\r\nX: y.mp4"),
            "attachment; filename=\"a _b___X_ y.mp4\"; filename*=UTF-8''a%20%22b%22%0D%0AX%3A%20y.mp4"
        );
        assert_eq!(attachment("Zürich.mp4"), "attachment; filename=\"Z_rich.mp4\"; filename*=UTF-8''Z%C3%BCrich.mp4");
    }
}
