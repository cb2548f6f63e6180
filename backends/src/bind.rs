//! A statement's values as a driver takes them.
//!
//! SeaORM's own conversion panics on some values and leaves out others that the driver can't encode, so that those after
//! them would move up by one. Both are errors here.

use sea_orm::sea_query::{Value, Values};
use sea_query_sqlx::SqlxValues;
use sqlx::{Arguments, Database, IntoArguments};
use trimaran_core::{Error, ErrorKind, Result};

/// Turns values into arguments of the driver for `DB`.
///
/// # Errors
/// `Invalid` for a number above `i64::MAX` and for a value that the driver can't encode; `Unsupported` for an array where
/// `arrays` says that there are none.
pub(crate) fn arguments<DB: Database>(values: Option<Values>, arrays: bool) -> Result<DB::Arguments>
where
    SqlxValues: IntoArguments<DB>,
{
    let values = values.unwrap_or_else(|| Values(Vec::new()));
    let refused = |kind, index: usize, why: &str| {
        Error::new(kind, "bind a statement's values").context(format!("parameter {}: {why}", index + 1))
    };
    for (index, value) in values.iter().enumerate() {
        match value {
            Value::BigUnsigned(Some(number)) if i64::try_from(*number).is_err() => {
                return Err(refused(ErrorKind::Invalid, index, "the number is above 9223372036854775807"));
            }
            Value::Array(..) if !arrays => {
                return Err(refused(ErrorKind::Unsupported, index, "SQLite has no arrays")
                    .hint("write one parameter per element, or keep the list as JSON"));
            }
            Value::Array(_, Some(elements)) if elements.iter().any(too_great) => {
                return Err(refused(ErrorKind::Invalid, index, "a number is above 9223372036854775807"));
            }
            _ => {}
        }
    }
    let expected = values.0.len();
    let arguments = SqlxValues(values).into_arguments();
    if arguments.len() == expected {
        return Ok(arguments);
    }
    Err(Error::new(ErrorKind::Invalid, "bind a statement's values")
        .context("the driver can't encode one of them")
        .hint("look for dates and times outside the range that the engine holds"))
}

fn too_great(value: &Value) -> bool {
    matches!(value, Value::BigUnsigned(Some(number)) if i64::try_from(*number).is_err())
}
