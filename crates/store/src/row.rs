//! Reading columns. The four SQL types become the domain's types here and nowhere else.

use std::str::FromStr;

use domain::Timestamp;
use serde::de::DeserializeOwned;
use sqlx::Row as _;
use sqlx::any::AnyRow;

use crate::{Error, Result};

/// Columns by name, as the domain's types.
pub trait Columns {
    /// TEXT.
    fn text(&self, column: &'static str) -> Result<String>;
    /// TEXT or NULL.
    fn text_or_null(&self, column: &'static str) -> Result<Option<String>>;
    /// BIGINT.
    fn int(&self, column: &'static str) -> Result<i64>;
    /// BIGINT or NULL.
    fn int_or_null(&self, column: &'static str) -> Result<Option<i64>>;
    /// DOUBLE PRECISION or NULL.
    fn real_or_null(&self, column: &'static str) -> Result<Option<f64>>;
    /// Bytes or NULL.
    fn bytes_or_null(&self, column: &'static str) -> Result<Option<Vec<u8>>>;

    /// BIGINT that is 0 or 1.
    fn flag(&self, column: &'static str) -> Result<bool> {
        Ok(self.int(column)? != 0)
    }
    /// BIGINT microseconds.
    fn time(&self, column: &'static str) -> Result<Timestamp> {
        Ok(Timestamp::from_micros(self.int(column)?))
    }
    /// BIGINT microseconds or NULL.
    fn time_or_null(&self, column: &'static str) -> Result<Option<Timestamp>> {
        Ok(self.int_or_null(column)?.map(Timestamp::from_micros))
    }
    /// TEXT that parses: an id, a state.
    fn parsed<T: FromStr>(&self, column: &'static str) -> Result<T> {
        self.text(column)?.parse().map_err(|_| Error::Corrupt { column })
    }
    /// TEXT that parses, or NULL.
    fn parsed_or_null<T: FromStr>(&self, column: &'static str) -> Result<Option<T>> {
        self.text_or_null(column)?.map(|t| t.parse()).transpose().map_err(|_| Error::Corrupt { column })
    }
    /// TEXT that is JSON.
    fn json<T: DeserializeOwned>(&self, column: &'static str) -> Result<T> {
        serde_json::from_str(&self.text(column)?).map_err(|_| Error::Corrupt { column })
    }
    /// TEXT that is JSON, or NULL.
    fn json_or_null<T: DeserializeOwned>(&self, column: &'static str) -> Result<Option<T>> {
        let text = self.text_or_null(column)?;
        text.map(|t| serde_json::from_str(&t)).transpose().map_err(|_| Error::Corrupt { column })
    }
}

impl Columns for AnyRow {
    fn text(&self, column: &'static str) -> Result<String> {
        Ok(self.try_get(column)?)
    }
    fn text_or_null(&self, column: &'static str) -> Result<Option<String>> {
        Ok(self.try_get(column)?)
    }
    fn int(&self, column: &'static str) -> Result<i64> {
        Ok(self.try_get(column)?)
    }
    fn int_or_null(&self, column: &'static str) -> Result<Option<i64>> {
        Ok(self.try_get(column)?)
    }
    fn real_or_null(&self, column: &'static str) -> Result<Option<f64>> {
        Ok(self.try_get(column)?)
    }
    fn bytes_or_null(&self, column: &'static str) -> Result<Option<Vec<u8>>> {
        Ok(self.try_get(column)?)
    }
}
