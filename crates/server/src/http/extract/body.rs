//! Bodies: JSON, and bytes as they are.

use std::error::Error as StdError;

use app::idempotency::Key;
use axum::extract::rejection::{BytesRejection, JsonRejection};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use bytes::Bytes;
use domain::Invalid;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::http::problem::Problem;

/// A body of bytes, as far as the route takes so many.
pub(crate) struct Body(pub(crate) Bytes);

impl<S: Send + Sync> FromRequest<S> for Body {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        Bytes::from_request(request, state).await.map(Self).map_err(|rejection| unread(&rejection))
    }
}

fn unread(rejection: &BytesRejection) -> Problem {
    match rejection.status() {
        status @ StatusCode::PAYLOAD_TOO_LARGE => {
            Problem::new(status, "too_large", "The body is larger than is accepted here.")
        }
        _ => Problem::new(StatusCode::BAD_REQUEST, "unreadable_body", "The body could not be read."),
    }
}

/// A JSON body.
pub(crate) struct Json<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        parse(&json_bytes(request, state).await?).map(Self)
    }
}

/// A JSON body that asks for something new, and the `Idempotency-Key` that makes sending it again harmless.
pub(crate) struct Creating<T> {
    pub(crate) input: T,
    pub(crate) key: Option<Key>,
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Creating<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let name = request.headers().get("idempotency-key").cloned();
        let path = request.uri().path().to_owned();
        let bytes = json_bytes(request, state).await?;
        let input = parse(&bytes)?;
        let Some(name) = name else { return Ok(Self { input, key: None }) };
        let mut body: Value = parse(&bytes)?;
        // The hash of what was asked is kept for a day, and a password would be guessed from it.
        if let Some(fields) = body.as_object_mut() {
            fields.remove("password");
        }
        let key = Key::new(name.to_str().unwrap_or(""), &path, &body.to_string())?;
        Ok(Self { input, key: Some(key) })
    }
}

async fn json_bytes<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    if !is_json(request.headers()) {
        let message = "Expected Content-Type: application/json.";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_json", message));
    }
    Body::from_request(request, state).await.map(|Body(bytes)| bytes)
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let kind = kind.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    kind == "application/json" || kind.starts_with("application/") && kind.ends_with("+json")
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    // A NUL is only ever escaped in JSON. PostgreSQL holds none, whichever the field: nothing beyond this has to think of it.
    if bytes.windows(6).any(|escaped| escaped.eq_ignore_ascii_case(b"\\u0000"))
        && let Ok(body) = serde_json::from_slice::<Value>(bytes)
    {
        let mut invalid = Invalid::new();
        find_nul(&mut invalid, String::new(), &body);
        invalid.into_result().map_err(app::Error::from)?;
    }
    axum::Json::<T>::from_bytes(bytes).map(|axum::Json(body)| body).map_err(|rejection| {
        let unlike = matches!(rejection, JsonRejection::JsonSyntaxError(_)).then(|| unlike::<T>(bytes)).flatten();
        unlike.unwrap_or_else(|| problem(&rejection))
    })
}

/// Where a field has one of some names, serde takes whatever is no text (null, a number) for text that is not JSON. What is JSON all the
/// same is read from its values, which tells the field and what was expected.
fn unlike<T: DeserializeOwned>(bytes: &[u8]) -> Option<Problem> {
    let body: Value = serde_json::from_slice(bytes).ok()?;
    let error = serde_path_to_error::deserialize::<_, T>(body).err()?;
    Some(wrong_form(&error))
}

fn wrong_form(error: &(dyn StdError + 'static)) -> Problem {
    app::Error::from(super::wrong_field::<serde_json::Error>(error, "The body does not have the expected form")).into()
}

fn find_nul(invalid: &mut Invalid, pointer: String, value: &Value) {
    match value {
        Value::String(text) if text.contains('\0') => invalid.add(pointer, "This has control characters in it."),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(i, item)| find_nul(invalid, format!("{pointer}/{i}"), item));
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                if name.contains('\0') {
                    invalid.add(pointer.as_str(), "The name of a field has control characters in it.");
                }
                find_nul(invalid, format!("{pointer}/{}", super::token(name)), value);
            }
        }
        _ => {}
    }
}

fn problem(rejection: &JsonRejection) -> Problem {
    match rejection {
        JsonRejection::JsonDataError(error) => wrong_form(error),
        JsonRejection::JsonSyntaxError(error) => {
            let words = super::inner(error);
            Problem::new(StatusCode::BAD_REQUEST, "not_json", format!("The body is not JSON: {words}."))
        }
        _ => Problem::new(StatusCode::BAD_REQUEST, "unreadable_body", "The body could not be read."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_means_nul_is_nul() {
        assert!(parse::<Value>(br#"{"path": "C:\\u0000"}"#).is_ok(), "a backslash and digits");
        assert!(parse::<Value>(br#"{"a": ["\u0000"]}"#).is_err());
        assert!(parse::<Value>(br#"{"\u0000": 1}"#).is_err());
    }
}
