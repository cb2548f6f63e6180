//! The parameters of small statements.

use duckdb::types::{ToSql, ToSqlOutput, ValueRef};
use trimaran_core::{Error, ErrorKind, Result, Value};

/// A parameter, borrowed: an integer, text, bytes or NULL.
#[derive(Debug, Clone, Copy)]
pub(super) enum Parameter<'a> {
    Null,
    Int(i64),
    Text(&'a str),
    Bytes(&'a [u8]),
}

impl<'a> Parameter<'a> {
    /// `value` as the parameter `$ordinal`.
    ///
    /// # Errors
    /// `Invalid` if it is of another kind, or text that is not UTF-8.
    pub(super) fn new(value: &'a Value<'_>, ordinal: usize) -> Result<Self> {
        let invalid = |why: String| {
            Error::new(ErrorKind::Invalid, format!("bind the parameter ${ordinal} of a DuckDB statement"))
                .context(why)
        };
        Ok(match value {
            Value::Null => Self::Null,
            Value::Int(v) => Self::Int(*v),
            Value::Text(v) => Self::Text(
                std::str::from_utf8(v).map_err(|e| invalid("the text is not UTF-8".to_owned()).source(e))?,
            ),
            Value::Bytes(v) => Self::Bytes(v),
            other => return Err(invalid(format!("a {} is no parameter", other.kind()))),
        })
    }
}

impl ToSql for Parameter<'_> {
    fn to_sql(&self) -> duckdb::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Parameter::Null => ValueRef::Null,
            Parameter::Int(v) => ValueRef::BigInt(*v),
            Parameter::Text(v) => ValueRef::Text(v.as_bytes()),
            Parameter::Bytes(v) => ValueRef::Blob(v),
        }))
    }
}
