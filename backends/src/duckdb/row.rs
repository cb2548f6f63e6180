//! Rows and results in SeaORM's types.
//!
//! A row that SeaORM's carrier (`crate::carrier`) can carry is a map sorted by name, and a value is read only as the kind it is: asked for as another, it reads as NULL. So:
//!
//! - each column's DuckDB type has one kind of value (see [`super::column`]), the one of the Rust type that it naturally is;
//! - where the order of the names is not the order of the columns, the values are carried a second time under names that sort
//!   first, and in order, so that `into_tuple` and access by index give the right column. These names begin with U+0000.
//!   Access by name, models, partial models and joins never meet them; `into_json` of plain rows shows them, and for that
//!   there is [`DuckdbConnection::named_rows`](super::DuckdbConnection::named_rows);
//! - of columns with the same name, access by name gives the last one, as on Postgres.

use std::collections::BTreeMap;

use duckdb::arrow::datatypes::Schema;
use sea_orm::{DbBackend, MockDatabase, MockDatabaseTrait, QueryResult, Value};
use trimaran_core::Result;

use crate::carrier::{nothing, untraced};

/// A row on its way: values by name.
pub(super) type Row = BTreeMap<String, Value>;

/// The names of a result's columns, and whether they must be carried by position too.
#[derive(Debug)]
pub(super) struct Names {
    names: Vec<String>,
    positions: Option<Vec<String>>,
}

impl Names {
    /// Those of a result.
    pub(super) fn of(schema: &Schema, by_position: bool) -> Self {
        Self::new(schema.fields().iter().map(|field| field.name().clone()).collect(), by_position)
    }

    /// `by_position`: whether access by position is wanted.
    pub(super) fn new(names: Vec<String>, by_position: bool) -> Self {
        let in_order = names.windows(2).all(|pair| pair[0] < pair[1]);
        let positions =
            (by_position && !in_order).then(|| (0..names.len()).map(|at| format!("\u{0}{at:06}")).collect());
        Self { names, positions }
    }

    /// A row of `values`, which are as many as the names.
    pub(super) fn row(&self, values: Vec<Value>) -> Row {
        let mut row = Row::new();
        if let Some(positions) = &self.positions {
            row.extend(positions.iter().cloned().zip(values.iter().cloned()));
        }
        row.extend(self.names.iter().cloned().zip(values));
        row
    }
}

/// Rows as SeaORM has them.
///
/// # Errors
/// If SeaORM's carrier doesn't give back what it was given.
pub(super) fn query_results(rows: Vec<Row>) -> Result<Vec<QueryResult>> {
    untraced(|| MockDatabase::new(DbBackend::Postgres).append_query_results([rows]).query(0, nothing()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(names: &[&str], by_position: bool) -> QueryResult {
        let names = Names::new(names.iter().map(ToString::to_string).collect(), by_position);
        let values = (0..names.names.len()).map(|at| Value::from(i64::try_from(at).unwrap())).collect();
        query_results(vec![names.row(values)]).unwrap().remove(0)
    }

    #[test]
    fn values_are_found_by_name_and_by_position() {
        let row = one(&["b", "a", "c"], true);
        for (at, name) in ["b", "a", "c"].into_iter().enumerate() {
            let expected = i64::try_from(at).unwrap();
            assert_eq!(row.try_get::<i64>("", name).unwrap(), expected);
            assert_eq!(row.try_get_by_index::<i64>(at).unwrap(), expected);
        }
        assert_eq!(row.try_get_many_by_index::<(i64, i64, i64)>().unwrap(), (0, 1, 2));
    }

    #[test]
    fn positions_are_carried_only_where_they_are_needed_and_wanted() {
        assert_eq!(one(&["a", "b"], true).column_names(), ["a", "b"]);
        assert_eq!(one(&["b", "a"], false).column_names(), ["a", "b"]);
        assert_eq!(one(&["b", "a"], true).column_names().len(), 4);
    }

    #[test]
    fn of_equal_names_the_last_counts_and_each_has_its_position() {
        let row = one(&["a", "a"], true);
        assert_eq!(row.try_get::<i64>("", "a").unwrap(), 1);
        assert_eq!(row.try_get_many_by_index::<(i64, i64)>().unwrap(), (0, 1));
    }

    #[test]
    fn more_columns_than_digits_of_one_hundred_keep_their_order() {
        let names: Vec<_> = (0..1_200).rev().map(|at| format!("c{at}")).collect();
        let row = one(&names.iter().map(String::as_str).collect::<Vec<_>>(), true);
        for at in [0, 9, 10, 99, 100, 1_199] {
            assert_eq!(row.try_get_by_index::<i64>(at).unwrap(), i64::try_from(at).unwrap());
        }
    }
}
