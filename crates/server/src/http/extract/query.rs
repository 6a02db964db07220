//! The query string.

use axum::extract::FromRequestParts;
use axum::extract::rejection::QueryRejection;
use axum::http::request::Parts;
use domain::Invalid;
use serde::de::DeserializeOwned;

use crate::http::problem::Problem;

/// The query string. Its structs say `deny_unknown_fields`, so that a misspelt filter does not answer everything.
pub(crate) struct Query<T>(pub(crate) T);

type Raw<T> = axum::extract::Query<T>;

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        if let Ok(axum::extract::Query(pairs)) = Raw::<Vec<(String, String)>>::try_from_uri(&parts.uri) {
            refuse_controls(&pairs).map_err(app::Error::from)?;
        }
        let found: Result<_, QueryRejection> = <Raw<T> as FromRequestParts<S>>::from_request_parts(parts, state).await;
        found.map(|axum::extract::Query(query)| Self(query)).map_err(|rejection| {
            let wrong = super::wrong_field::<serde::de::value::Error>(&rejection, "The query is not as expected");
            app::Error::from(wrong).into()
        })
    }
}

/// Nothing that is looked for has them, and PostgreSQL takes no NUL.
fn refuse_controls(pairs: &[(String, String)]) -> Result<(), Invalid> {
    let mut invalid = Invalid::new();
    for (name, value) in pairs {
        if value.chars().any(char::is_control) {
            invalid.add(format!("/{}", super::token(name)), "This has control characters in it.");
        }
    }
    invalid.into_result()
}
