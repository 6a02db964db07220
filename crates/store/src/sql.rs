//! Statements built from fixed text and bound values. This is the only file that tells sqlx a built
//! text is safe: every piece of it is `&'static str` or a placeholder that is numbered here.

use sqlx::any::{Any, AnyArguments, AnyRow};
use sqlx::{Arguments as _, AssertSqlSafe, Encode, Type};

use crate::{Result, Tx};

/// A number with a fraction, or NULL.
///
/// sqlx 0.9 announces `None::<f64>` to PostgreSQL as a number of four bytes and `None::<f32>` as one of eight. The statement is kept
/// for the connection, so the next value that is there would be refused: "incorrect binary data format". Publishing cameras with
/// and without positions, in the server's tests, sees it.
pub(crate) struct Real(pub(crate) Option<f64>);

impl Type<Any> for Real {
    fn type_info() -> sqlx::any::AnyTypeInfo {
        <f64 as Type<Any>>::type_info()
    }
}

impl Encode<'_, Any> for Real {
    fn encode_by_ref(
        &self,
        buffer: &mut <Any as sqlx::Database>::ArgumentBuffer,
    ) -> std::result::Result<sqlx::encode::IsNull, sqlx::error::BoxDynError> {
        match self.0 {
            Some(number) => <f64 as Encode<'_, Any>>::encode_by_ref(&number, buffer),
            None => <Option<f32> as Encode<'_, Any>>::encode_by_ref(&None, buffer),
        }
    }
}

/// A statement under construction. `Sql::new("SELECT … WHERE id = ").arg(id)`.
pub struct Sql {
    text: String,
    args: AnyArguments,
    failed: Option<sqlx::error::BoxDynError>,
}

impl Sql {
    /// Begins a statement.
    pub fn new(text: &'static str) -> Self {
        Self { text: text.to_owned(), args: AnyArguments::default(), failed: None }
    }

    /// Appends text.
    #[must_use]
    #[expect(clippy::should_implement_trait, reason = "adding text to a statement is no arithmetic")]
    pub fn add(mut self, text: &'static str) -> Self {
        self.push(text);
        self
    }

    /// Appends text in place.
    pub fn push(&mut self, text: &'static str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Appends a placeholder and binds its value: text, i64, f64, bytes, or an option of them.
    #[must_use]
    pub fn arg<'t, T: Encode<'t, Any> + Type<Any>>(mut self, value: T) -> Self {
        self.bind(value);
        self
    }

    /// Appends a placeholder in place and binds its value.
    pub fn bind<'t, T: Encode<'t, Any> + Type<Any>>(&mut self, value: T) -> &mut Self {
        if let Err(error) = self.args.add(value) {
            self.failed.get_or_insert(error);
        }
        self.text.push('$');
        self.text.push_str(&self.args.len().to_string());
        self
    }

    /// Appends `$1, $2, …`: placeholders for all values, separated by commas.
    pub fn bind_all<'t, T: Encode<'t, Any> + Type<Any>>(&mut self, values: impl IntoIterator<Item = T>) -> &mut Self {
        for (i, value) in values.into_iter().enumerate() {
            if i > 0 {
                self.text.push_str(", ");
            }
            self.bind(value);
        }
        self
    }

    /// Placeholders for all values, separated by commas.
    #[must_use]
    pub fn args<'t, T: Encode<'t, Any> + Type<Any>>(mut self, values: impl IntoIterator<Item = T>) -> Self {
        self.bind_all(values);
        self
    }

    fn build(self) -> Result<(String, AnyArguments)> {
        match self.failed {
            Some(error) => Err(sqlx::Error::Encode(error).into()),
            None => Ok((self.text, self.args)),
        }
    }

    /// Runs it; answers how many rows it touched.
    pub async fn execute(self, tx: &mut Tx) -> Result<u64> {
        let (text, args) = self.build()?;
        Ok(sqlx::query_with(AssertSqlSafe(text), args).execute(tx.connection()).await?.rows_affected())
    }

    /// All rows.
    pub async fn fetch_all(self, tx: &mut Tx) -> Result<Vec<AnyRow>> {
        let (text, args) = self.build()?;
        Ok(sqlx::query_with(AssertSqlSafe(text), args).fetch_all(tx.connection()).await?)
    }

    /// The first row, if there is one.
    pub async fn fetch_optional(self, tx: &mut Tx) -> Result<Option<AnyRow>> {
        let (text, args) = self.build()?;
        Ok(sqlx::query_with(AssertSqlSafe(text), args).fetch_optional(tx.connection()).await?)
    }

    /// The one row that there must be.
    pub async fn fetch_one(self, tx: &mut Tx) -> Result<AnyRow> {
        let (text, args) = self.build()?;
        Ok(sqlx::query_with(AssertSqlSafe(text), args).fetch_one(tx.connection()).await?)
    }

    /// Runs an `UPDATE … WHERE id = … AND version = …`; no row touched means that somebody else was faster.
    pub async fn execute_versioned(self, tx: &mut Tx) -> Result<()> {
        match self.execute(tx).await? {
            0 => Err(crate::Error::Stale),
            _ => Ok(()),
        }
    }
}
