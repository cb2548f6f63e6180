//! Parameters and results of small queries.

use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgArguments, PgRow, PgTypeInfo, PgValueRef};
use sqlx::{Arguments, Postgres, Row, TypeInfo, ValueRef};
use trimaran_core::{Error, ErrorKind, LogicalType, Result, Value};

use super::{copy_decode, error, types};

/// A NULL whose type the server infers.
struct Untyped;

impl sqlx::Type<Postgres> for Untyped {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(Oid(0))
    }
}

impl sqlx::Encode<'_, Postgres> for Untyped {
    fn encode_by_ref(
        &self,
        _: &mut sqlx::postgres::PgArgumentBuffer,
    ) -> Result<sqlx::encode::IsNull, sqlx::error::BoxDynError> {
        Ok(sqlx::encode::IsNull::Yes)
    }
}

/// The parameters of a query, in the driver's form.
///
/// # Errors
/// [`ErrorKind::Invalid`] for a kind of value that is not taken.
pub(super) fn bind(parameters: &[Value<'_>], operation: &str) -> Result<PgArguments> {
    let mut arguments = PgArguments::default();
    for (index, parameter) in parameters.iter().enumerate() {
        bind_one(&mut arguments, parameter).map_err(|why| {
            Error::new(ErrorKind::Invalid, operation).context(format!("parameter {}: {why}", index + 1))
        })?;
    }
    Ok(arguments)
}

fn bind_one(arguments: &mut PgArguments, parameter: &Value<'_>) -> Result<(), String> {
    let added = match parameter {
        Value::Null => arguments.add(Untyped),
        Value::Int(v) => arguments.add(*v),
        Value::Bytes(v) => arguments.add(v.as_ref()),
        Value::Text(v) => match std::str::from_utf8(v) {
            Ok(text) => arguments.add(text),
            Err(_) => return Err("text that is no UTF-8".to_owned()),
        },
        other => {
            return Err(format!("{} is not taken; pass it as text and cast it in the SQL", other.kind()));
        }
    };
    added.map_err(|e| e.to_string())
}

/// The values of a query's row.
///
/// # Errors
/// [`ErrorKind::Unsupported`] for a type that has to be cast.
pub(super) fn decode_row(row: &PgRow, operation: &str) -> Result<Vec<Value<'static>>> {
    (0..row.len())
        .map(|index| {
            let value = row.try_get_raw(index).map_err(|e| error::classify(e, operation))?;
            decode(&value, index)
        })
        .collect()
}

fn decode(value: &PgValueRef<'_>, index: usize) -> Result<Value<'static>> {
    if value.is_null() {
        return Ok(Value::Null);
    }
    let type_info = value.type_info();
    let unknown = || {
        Error::new(ErrorKind::Unsupported, "read a query's result")
            .context(format!("column {} has type {}", index + 1, type_info.name()))
            .hint("cast it to text in the SQL")
    };
    let oid = type_info.oid().ok_or_else(unknown)?.0;
    let bytes = value.as_bytes().map_err(|e| unknown().source(e))?;
    let logical = match oid {
        types::VOID => return Ok(Value::Null),
        types::OID => {
            let oid = bytes.try_into().map_err(|_| unknown())?;
            return Ok(Value::Int(u32::from_be_bytes(oid).into()));
        }
        types::CHAR => LogicalType::Text,
        other => types::of_oid(other).ok_or_else(unknown)?,
    };
    copy_decode::decode_field(&logical, Some(bytes)).map(Value::into_owned).map_err(|e| e.at(index))
}
