//! Rows measured: against what the target's indexes and its protocol take, and against what their columns were declared for.

use trimaran_core::{Engine, LogicalType, Value, json_notes};

use super::{Mapped, RowMapper};
use crate::hazard::Hazard;
use crate::plan::{ColumnPlan, TablePlan};
use crate::{limits, mapping};

/// An index whose entries may be longer than the target takes.
pub(super) struct Indexed {
    pub(super) columns: Vec<usize>,
    /// The column to name, which is of no fixed length.
    pub(super) column: usize,
    pub(super) hazard: Hazard,
}

impl RowMapper<'_> {
    /// Holds the sizes of what would be written against what the target takes.
    pub(super) fn measure(&self, mapped: &mut Mapped<'_>) {
        // The codec makes four bytes of one at most, so that nothing has to be encoded to see that it is short enough.
        const GROWTH: usize = 4;
        for index in &self.indexed {
            let limit = limits::index_entry(self.target).unwrap_or(usize::MAX);
            if limits::index_size(&mapped.values, &index.columns) * GROWTH > limit {
                let written = self.written(mapped);
                if limits::index_size(&written, &index.columns) > limit {
                    let found = self.about(index.column, index.hazard);
                    mapped.hazards.push(found);
                }
            }
        }
        if let Some(limit) = limits::row(self.target)
            && limits::row_size(&mapped.values).saturating_mul(GROWTH) > limit
            && limits::row_size(&self.written(mapped)) > limit
        {
            let largest = (0..mapped.values.len()).max_by_key(|at| mapped.values[*at].weight()).unwrap_or(0);
            let found = self.about(largest, Hazard::RowTooLarge);
            mapped.hazards.push(found);
        }
        if let Some(heap_tuple) = &self.heap_tuple
            && !heap_tuple.fits(&self.written(mapped))
        {
            // All columns share in it: one of them has to say the policy, and the last is the one with no room.
            let found = self.about(mapped.values.len() - 1, Hazard::RowTooWide);
            mapped.hazards.push(found);
        }
    }

    fn written<'m>(&self, mapped: &'m Mapped<'_>) -> Vec<Value<'m>> {
        let write = |(at, column): (usize, &ColumnPlan)| {
            let value = mapped.moving(at);
            let escaped = if column.is_escaped() { mapping::escaped(value) } else { None };
            escaped.unwrap_or_else(|| value.borrowed())
        };
        self.table.columns.iter().enumerate().map(write).collect()
    }

    /// What is worth knowing of a row although it moves exactly: pairs of column and note.
    pub fn notes(&self, mapped: &Mapped<'_>) -> Vec<(usize, Hazard)> {
        let mut notes = Vec::new();
        for (at, value) in mapped.values.iter().enumerate() {
            match value {
                Value::Json(document) if !mapped.hazards.iter().any(|(column, ..)| *column == at) => {
                    let found = json_notes::notes(document);
                    let kinds = [
                        (found.nul, Hazard::JsonNul),
                        (found.surrogate, Hazard::JsonSurrogate),
                        (found.duplicate_key, Hazard::JsonDuplicateKey),
                        (found.number, Hazard::JsonNumber),
                        (found.null, Hazard::JsonNull),
                    ];
                    notes.extend(kinds.into_iter().filter(|(is, _)| *is).map(|(_, hazard)| (at, hazard)));
                }
                Value::Text(text) => {
                    if let Some(limit) = self.declared[at]
                        && text.len() > limit
                        && String::from_utf8_lossy(text).chars().count() > limit
                    {
                        notes.push((at, Hazard::LongerThanDeclared));
                    }
                }
                _ => {}
            }
        }
        notes
    }
}

/// How many characters a text column was declared for.
pub(super) fn declared_length(column: &ColumnPlan) -> Option<usize> {
    if !column.logical.is_textual() {
        return None;
    }
    let (name, rest) = column.source.split_once('(')?;
    let is_text = ["CHAR", "TEXT", "CLOB"].iter().any(|part| name.to_ascii_uppercase().contains(part));
    rest.split([')', ',']).next().filter(|_| is_text)?.trim().parse().ok()
}

/// The indexes of the target, those of keys first, that have a column of no fixed length.
pub(super) fn indexed(target: Engine, table: &TablePlan) -> Vec<Indexed> {
    if limits::index_entry(target).is_none() {
        return Vec::new();
    }
    use LogicalType as L;
    let open = |at: &usize| {
        matches!(table.columns[*at].logical, L::Text | L::Bytes | L::Numeric | L::Bits | L::List(_))
    };
    let keys = [&table.primary_key].into_iter().chain(table.unique.iter().map(|key| &key.columns));
    let keys = keys.filter_map(|names| Some((table.positions(names)?, Hazard::TooLongForKey)));
    let indexes = table.indexes.iter().filter_map(|index| {
        let columns = index.columns.iter().map(|c| table.position(&c.name)).collect::<Option<Vec<_>>>()?;
        let hazard = if index.unique { Hazard::TooLongForKey } else { Hazard::TooLongForIndex };
        Some((columns, hazard))
    });
    let of = |(columns, hazard): (Vec<usize>, Hazard)| {
        let column = columns.iter().copied().find(open)?;
        Some(Indexed { columns, column, hazard })
    };
    keys.chain(indexes).filter_map(of).collect()
}
