//! Which expressions a table's columns are read by.

use std::ops::Range;

use trimaran_core::{Error, ErrorKind, LogicalType, Result};

use super::declared::{self, Carrier};
use super::dialect::DIALECT;
use super::nested;
use super::read::hides_row_ids;
use crate::Dialect as _;
use crate::catalog::{Column, Table};

/// The columns to read, each with what its values mean.
#[derive(Debug)]
pub(super) struct Selection {
    /// Names and meanings, in order.
    pub(super) columns: Vec<(String, LogicalType)>,
    list: String,
    table: String,
    /// Whether rows can be asked for by their ids.
    by_row_id: bool,
}

impl Selection {
    /// A selection of `columns` of `table`.
    ///
    /// # Errors
    /// `Unsupported` if a column is of a type that does not move, naming it.
    pub(super) fn new(table: &Table, columns: &[Column]) -> Result<Self> {
        let mut selected = Vec::with_capacity(columns.len());
        let mut list = Vec::with_capacity(columns.len());
        for column in columns {
            let declared = declared::parse(&column.declared).ok_or_else(|| {
                Error::new(ErrorKind::Unsupported, format!("read the table {}", table.name))
                    .context(format!("column {} is a {}", column.name, column.declared))
                    .hint("leave the column out of the plan")
            })?;
            let name = DIALECT.quote(&column.name);
            // A list moves as JSON where whoever reads asks for that.
            let json = matches!(
                (&declared.logical, &column.logical),
                (LogicalType::List(_), Some(LogicalType::Json))
            );
            let (carrier, logical) =
                if json { (Carrier::Json, LogicalType::Json) } else { (declared.carrier, declared.logical) };
            list.push(match carrier {
                Carrier::Native => name,
                Carrier::Text => format!("CAST({name} AS {})", nested::as_text(&column.declared)),
                Carrier::Json => match nested::before_json(&column.declared) {
                    Some(before) => format!("to_json(CAST({name} AS {before}))"),
                    None => name,
                },
            });
            selected.push((column.name.clone(), logical));
        }
        if list.is_empty() {
            // Rows without columns still count.
            list.push("NULL".to_owned());
        }
        let by_row_id = !hides_row_ids(table);
        Ok(Self { columns: selected, list: list.join(", "), table: DIALECT.qualify(&table.name), by_row_id })
    }

    /// The query of a range of rows; of all of them where they have no ids.
    pub(super) fn query(&self, range: &Range<i64>) -> String {
        if !self.by_row_id {
            return format!("SELECT {} FROM {}", self.list, self.table);
        }
        let upper = if range.end == i64::MAX { String::new() } else { format!(" AND rowid < {}", range.end) };
        format!("SELECT {} FROM {} WHERE rowid >= {}{upper}", self.list, self.table, range.start)
    }
}
