//! Arrays of Postgres that are no lists: of several dimensions, or counted from another number than one.
//!
//! A column's type says nothing of either, so its values are asked. Such a column moves as the text of its values, which
//! says both exactly (`{{1,2},{3,4}}`, `[0:1]={1,2}`).

use trimaran_backends::catalog::{Table, Unmovable};
use trimaran_backends::{Database, Session};
use trimaran_core::{Engine, LogicalType, Result, Value};

/// The columns of a table that hold such arrays, each with its report.
///
/// # Errors
/// The source's, classified.
pub(crate) fn shaped(
    source: &dyn Database,
    session: &mut dyn Session,
    table: &Table,
) -> Result<Vec<(String, Unmovable)>> {
    if source.engine() != Engine::Postgres {
        return Ok(Vec::new());
    }
    let lists: Vec<&str> = table
        .columns
        .iter()
        .filter(|column| column.generated.is_none() && matches!(column.logical, Some(LogicalType::List(_))))
        .map(|column| column.name.as_str())
        .collect();
    if lists.is_empty() {
        return Ok(Vec::new());
    }
    let dialect = source.dialect();
    let asked: Vec<String> = lists
        .iter()
        .map(|name| {
            let name = dialect.quote(name);
            format!("coalesce(bool_or(array_ndims({name}) > 1 OR array_lower({name}, 1) <> 1), false)")
        })
        .collect();
    let sql = format!("SELECT {} FROM {}", asked.join(", "), dialect.qualify(&table.name));
    let rows = session.query(&sql, &[])?;
    let found = rows.first().map(Vec::as_slice).unwrap_or_default();
    let shaped = lists.iter().zip(found).filter(|(_, shaped)| **shaped == Value::Bool(true));
    Ok(shaped
        .map(|(name, _)| {
            let reason = "its arrays have several dimensions, or count from another number than one: they move as their text";
            ((*name).to_owned(), Unmovable::new("array type", format!("{}.{name}", table.name), reason))
        })
        .collect())
}
