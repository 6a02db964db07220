//! Pages of lists: limits and cursors.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::Invalid;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{Error, Result};

/// One page of a list.
#[derive(Debug)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// Where the next one begins; none when this is the last.
    pub next_cursor: Option<String>,
    /// How many there are in all, exact up to 10,000, where it was asked for.
    pub total: Option<i64>,
}

impl<T> Page<T> {
    /// Cuts one item more than the limit, as queries fetch it, into a page; the cursor is made of the last item that stays.
    pub fn cut<K: Serialize>(mut items: Vec<T>, limit: i64, key: impl Fn(&T) -> K) -> Self {
        let limit = usize::try_from(limit).unwrap_or(0);
        let more = items.len() > limit;
        items.truncate(limit);
        let next_cursor = items.last().filter(|_| more).map(|last| cursor(&key(last)));
        Self { items, next_cursor, total: None }
    }

    /// A list that fits on one page.
    pub fn whole(items: Vec<T>) -> Self {
        Self { items, next_cursor: None, total: None }
    }

    /// The same page of something else.
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(change).collect(), next_cursor: self.next_cursor, total: self.total }
    }
}

/// 50 unless said otherwise, at most 500.
pub fn limit(asked: Option<i64>) -> Result<i64> {
    match asked.unwrap_or(50) {
        limit @ 1..=500 => Ok(limit),
        _ => Err(Invalid::field("/limit", "Expected a number from 1 to 500.").into()),
    }
}

fn cursor(key: &impl Serialize) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(key).expect("keys are plain data"))
}

/// The key that a cursor was made of.
pub fn key<K: DeserializeOwned>(cursor: Option<&str>) -> Result<Option<K>> {
    let Some(cursor) = cursor else { return Ok(None) };
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok();
    let value = bytes.and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok()).filter(|value| !has_nul(value));
    let key = value.and_then(|value| serde_json::from_value(value).ok());
    key.map(Some)
        .ok_or_else(|| Error::from(Invalid::field("/cursor", "Expected the next_cursor of an earlier answer.")))
}

/// What this server never wrote, and PostgreSQL does not take.
fn has_nul(key: &Value) -> bool {
    match key {
        Value::String(text) => text.contains('\0'),
        Value::Array(parts) => parts.iter().any(has_nul),
        Value::Object(fields) => fields.values().any(has_nul),
        _ => false,
    }
}
