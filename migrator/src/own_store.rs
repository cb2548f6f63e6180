//! Stores that Trimaran's own repositories wrote, and will go on serving from the target.
//!
//! On an engine that can't hold U+0000 those repositories write and read text through the codec
//! ([`trimaran_core::escape`]). Whatever is moved there must be written so, whichever policy the operator chose: as it is, a
//! text with the codec's own mark would be read as something else.

use std::collections::HashSet;

use trimaran_backends::catalog::Catalog;
use trimaran_backends::schema::{Book, bookkeeping, columns};
use trimaran_core::{Engine, LogicalType};

use crate::mapping::Form;
use crate::plan::{ColumnPlan, Plan};
use crate::policy::Policy;
use crate::spelling::{Fraction, Spelling, Zone};

/// Has the text of Trimaran's own tables read and written as its repositories do.
pub(crate) fn prepare(plan: &mut Plan, source: &Catalog, target: Engine) {
    let is_own = source.tables.iter().any(|table| table.name.name == bookkeeping::TABLE);
    if !is_own || source.engine == target {
        return;
    }
    let codec = (source.engine == Engine::Postgres) != (target == Engine::Postgres);
    let book = Book::new();
    let own: HashSet<&str> = book.all().iter().flat_map(|migration| migration.tables).copied().collect();
    for table in plan.tables.iter_mut().filter(|table| own.contains(table.name.as_str())) {
        if target == Engine::Sqlite {
            table.columns.iter_mut().for_each(as_sqlite_keeps);
        }
        let texts = table.columns.iter_mut().filter(|column| *column.logical.scalar() == LogicalType::Text);
        for column in texts.filter(|_| codec) {
            if target == Engine::Postgres {
                column.on_hazard = Policy::Escape;
            } else {
                // There the repositories wrote it through the codec; here they read it as it is.
                column.undo.get_or_insert_default().escaped = true;
            }
        }
    }
}

/// On SQLite the repositories keep UUIDs as bytes and moments as RFC 3339 has them, and compare them so.
fn as_sqlite_keeps(column: &mut ColumnPlan) {
    let form = match column.logical {
        LogicalType::Uuid => Form::UuidBytes,
        LogicalType::TimestampTz => {
            Form::Written(Spelling { t: true, fraction: Fraction::Short, zone: Zone::Offset })
        }
        LogicalType::Int32 => Form::Native,
        _ => return,
    };
    let undo = column.undo.get_or_insert_default();
    undo.form = form;
    undo.declared = Some(columns::type_name(Engine::Sqlite, &column.logical));
}
