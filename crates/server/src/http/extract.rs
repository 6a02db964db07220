//! What handlers take: the caller, and parts of the request whose faults become problem documents.

mod body;
mod query;

use std::error::Error as StdError;
use std::net::{IpAddr, SocketAddr};

use app::{App, Error, Kind};
use axum::extract::rejection::PathRejection;
use axum::extract::{ConnectInfo, FromRequestParts, OptionalFromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use domain::{Caller, Invalid};
use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;

use super::Shared;
use super::problem::Problem;

pub(crate) use body::{Body, Creating, Json};
pub(crate) use query::Query;

/// The name of the session's cookie. The prefix makes browsers bind it to this host, over HTTPS or loopback.
pub(crate) const SESSION_COOKIE: &str = "__Host-sightline";

/// Parts of the path. What is not an id of the noun names nothing: 404. Nor does what no database holds.
pub(crate) struct Path<T>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let found: Result<_, PathRejection> =
            <axum::extract::Path<T> as FromRequestParts<S>>::from_request_parts(parts, state).await;
        let nothing = || Problem::new(StatusCode::NOT_FOUND, "not_found", "There is nothing at this address.");
        if parts.uri.path().contains("%00") {
            return Err(nothing());
        }
        found.map(|axum::extract::Path(path)| Self(path)).map_err(|_| nothing())
    }
}

/// The version in `If-Match: "7"`, which every request needs that changes or replaces what somebody has read.
pub(crate) struct IfMatch(pub(crate) i64);

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        // `*` is "whatever version there is": what somebody else wrote meanwhile would be lost.
        let Some(value) = parts.headers.get(header::IF_MATCH).filter(|value| *value != "*") else {
            return Err(Problem::new(
                StatusCode::PRECONDITION_REQUIRED,
                "if_match_missing",
                "Send If-Match with the ETag of the version that you changed.",
            ));
        };
        let version = value.to_str().ok().and_then(|v| v.trim().strip_prefix('"')?.strip_suffix('"')?.parse().ok());
        version.map(Self).ok_or_else(|| {
            Problem::new(StatusCode::PRECONDITION_FAILED, "stale", "If-Match is not an ETag that this server gave out.")
        })
    }
}

/// The `ETag` of a version.
pub(crate) fn etag(version: i64) -> [(header::HeaderName, String); 1] {
    [(header::ETAG, format!("\"{version}\""))]
}

/// The client's address, for throttling. Behind a proxy the last one that the proxy added.
pub(crate) struct Address(pub(crate) Option<IpAddr>);

impl FromRequestParts<Shared> for Address {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Self::Rejection> {
        let forwarded = || {
            parts
                .headers
                .get_all("x-forwarded-for")
                .iter()
                .next_back()?
                .to_str()
                .ok()?
                .rsplit(',')
                .next()?
                .trim()
                .parse()
                .ok()
        };
        let direct = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        Ok(Self(if shared.behind_proxy { forwarded().or(direct) } else { direct }))
    }
}

/// The session's secret from the cookie.
pub(crate) fn session_cookie(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    cookies
        .flat_map(|line| line.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(SESSION_COOKIE)?.strip_prefix('='))
}

/// The secret after `Authorization: Bearer`.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, secret) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| secret.trim())
}

/// What a request shows to say whose it is.
pub(crate) enum Credential {
    /// A token's secret.
    Token(String),
    /// A session's.
    Session(String),
}

impl Credential {
    fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        match (bearer(headers), session_cookie(headers)) {
            (Some(secret), _) => Ok(Self::Token(secret.to_owned())),
            (None, Some(secret)) => Ok(Self::Session(secret.to_owned())),
            (None, None) => {
                Err(Error::new(Kind::Unauthenticated, "unauthenticated", "Sign in first, or send a token.").into())
            }
        }
    }

    async fn resume(&self, app: &App) -> app::Result<Caller> {
        match self {
            Self::Token(secret) => app::token::resume(app, secret).await,
            Self::Session(secret) => app::session::resume(app, secret).await,
        }
    }

    /// Whose it is by now, for answers that go on and on; counts as no use of it.
    pub(crate) async fn holder(&self, app: &App) -> Result<Caller, Problem> {
        require_own_password(match self {
            Self::Token(secret) => app::token::holder(app, secret).await?,
            Self::Session(secret) => app::session::holder(app, secret).await?,
        })
    }
}

impl FromRequestParts<Shared> for Credential {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Shared) -> Result<Self, Problem> {
        Self::of(&parts.headers)
    }
}

/// A person or a program with an account, who may still have to choose a password.
pub(crate) struct Known(pub(crate) Caller);

impl FromRequestParts<Shared> for Known {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Problem> {
        Ok(Self(Credential::of(&parts.headers)?.resume(&shared.app).await?))
    }
}

/// A person or a program with an account: what almost every handler takes.
pub(crate) struct Signed(pub(crate) Caller);

impl FromRequestParts<Shared> for Signed {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Problem> {
        let Known(caller) = <Known as FromRequestParts<Shared>>::from_request_parts(parts, shared).await?;
        require_own_password(caller).map(Self)
    }
}

fn require_own_password(caller: Caller) -> Result<Caller, Problem> {
    if caller.account.as_ref().is_some_and(|account| account.must_change_password) {
        let message = "Choose a password of your own first.";
        return Err(Problem::new(StatusCode::FORBIDDEN, "password_change_required", message));
    }
    Ok(caller)
}

impl OptionalFromRequestParts<Shared> for Known {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Option<Self>, Problem> {
        Ok(<Self as FromRequestParts<Shared>>::from_request_parts(parts, shared).await.ok())
    }
}

impl OptionalFromRequestParts<Shared> for Signed {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Option<Self>, Problem> {
        Ok(<Self as FromRequestParts<Shared>>::from_request_parts(parts, shared).await.ok())
    }
}

/// serde's own words: which field, and what was expected.
fn inner(error: &dyn StdError) -> String {
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}

/// What serde could not read, under the pointer of the field.
fn wrong_field<E: StdError + 'static>(error: &(dyn StdError + 'static), what: &str) -> Invalid {
    let Some(tracked) = tracked::<E>(error) else {
        return Invalid::field("", format!("{what}: {}.", inner(error)));
    };
    let pointer: String = tracked.path().iter().map(segment).collect();
    let words = tracked.inner().to_string();
    // A field that is missing is not in the path yet.
    if let Some(name) = words.strip_prefix("missing field `").and_then(|rest| rest.split('`').next()) {
        return Invalid::field(format!("{pointer}/{}", token(name)), format!("{what}: \"{name}\" is missing."));
    }
    if let (Some(Segment::Map { key }), Some(found)) =
        (tracked.path().iter().next_back(), words.strip_prefix("invalid type: "))
    {
        return Invalid::field(pointer, format!("{what}: \"{key}\" is {found}."));
    }
    // Its words begin with the path.
    Invalid::field(pointer, format!("{what}: {tracked}."))
}

/// The error that knows the field, among the sources of one.
fn tracked<'a, E: StdError + 'static>(
    error: &'a (dyn StdError + 'static),
) -> Option<&'a serde_path_to_error::Error<E>> {
    match error.downcast_ref() {
        Some(tracked) => Some(tracked),
        None => tracked(error.source()?),
    }
}

fn segment(segment: &Segment) -> String {
    match segment {
        Segment::Seq { index } => format!("/{index}"),
        Segment::Map { key } => format!("/{}", token(key)),
        Segment::Enum { .. } | Segment::Unknown => String::new(),
    }
}

/// A name as a part of a JSON pointer.
fn token(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
