//! Which storage classes the values of a column really have, in a source that keeps any value in any column.

use serde::Serialize;
use trimaran_backends::catalog::Column;
use trimaran_core::{LogicalType, Value};

/// How many values of each storage class a column has.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct StorageClasses {
    /// The table, as people write it.
    pub table: String,
    /// The column.
    pub column: String,
    /// Its type, as declared.
    pub declared: String,
    /// NULLs.
    pub null: u64,
    /// Integers.
    pub integer: u64,
    /// Reals.
    pub real: u64,
    /// Texts.
    pub text: u64,
    /// Blobs.
    pub blob: u64,
}

impl StorageClasses {
    /// Nothing counted yet.
    pub fn new(table: &str, column: &Column) -> Self {
        Self {
            table: table.to_owned(),
            column: column.name.clone(),
            declared: column.declared.clone(),
            ..Self::default()
        }
    }

    /// Counts a value.
    pub fn add(&mut self, value: &Value<'_>) {
        match value {
            Value::Null => self.null += 1,
            Value::Int(_) => self.integer += 1,
            Value::Float64(_) => self.real += 1,
            Value::Bytes(_) => self.blob += 1,
            _ => self.text += 1,
        }
    }

    /// Adds the counts of another part of the same column.
    pub fn merge(&mut self, part: &StorageClasses) {
        self.null += part.null;
        self.integer += part.integer;
        self.real += part.real;
        self.text += part.text;
        self.blob += part.blob;
    }

    /// Whether they are worth showing: there are several classes, or another than a column of this meaning has.
    pub fn is_remarkable(&self, declared: Option<&LogicalType>) -> bool {
        let classes = [self.integer, self.real, self.text, self.blob];
        let present = classes.iter().filter(|count| **count > 0).count();
        let total: u64 = classes.iter().sum();
        let expected = match declared {
            Some(LogicalType::Int16 | LogicalType::Int32 | LogicalType::Int64 | LogicalType::Bool) => {
                self.integer
            }
            Some(LogicalType::Float32 | LogicalType::Float64) => self.real,
            Some(LogicalType::Text | LogicalType::Json) => self.text,
            Some(LogicalType::Bytes) => self.blob,
            // A moment, a UUID or a number is kept in whichever class its writer chose.
            _ => total,
        };
        present > 1 || expected < total
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_shown_where_it_is_mixed_or_not_what_it_was_declared() {
        let counted = |values: &[Value<'_>]| {
            let mut classes = StorageClasses::default();
            values.iter().for_each(|value| classes.add(value));
            classes
        };
        let numbers = counted(&[Value::Int(1), Value::Null, Value::Int(2)]);
        assert_eq!((numbers.integer, numbers.null), (2, 1));
        assert!(!numbers.is_remarkable(Some(&LogicalType::Int64)));
        assert!(numbers.is_remarkable(Some(&LogicalType::Text)));
        assert!(!numbers.is_remarkable(Some(&LogicalType::Timestamp)));
        assert!(counted(&[Value::Int(1), Value::text("x")]).is_remarkable(None));
        assert!(!counted(&[Value::Null]).is_remarkable(Some(&LogicalType::Bytes)));
    }
}
