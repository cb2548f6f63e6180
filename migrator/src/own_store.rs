//! Stores that Trimaran's own repositories wrote, and will go on serving from the target.
//!
//! On an engine that can't hold U+0000 those repositories write and read text through the codec
//! ([`trimaran_core::escape`]). Whatever is moved there must be written so, whichever policy the operator chose: as it is, a
//! text with the codec's own mark would be read as something else.

use std::collections::HashSet;

use trimaran_backends::catalog::Catalog;
use trimaran_backends::schema::{Book, bookkeeping};
use trimaran_core::{Engine, LogicalType};

use crate::plan::Plan;
use crate::policy::Policy;

/// Has the text of Trimaran's own tables read and written as its repositories do.
pub(crate) fn prepare(plan: &mut Plan, source: &Catalog, target: Engine) {
    let is_own = source.tables.iter().any(|table| table.name.name == bookkeeping::TABLE);
    if !is_own || (source.engine == Engine::Postgres) == (target == Engine::Postgres) {
        return;
    }
    let book = Book::new();
    let own: HashSet<&str> = book.all().iter().flat_map(|migration| migration.tables).copied().collect();
    for table in plan.tables.iter_mut().filter(|table| own.contains(table.name.as_str())) {
        for column in table.columns.iter_mut().filter(|column| *column.logical.scalar() == LogicalType::Text)
        {
            if target == Engine::Postgres {
                column.on_hazard = Policy::Escape;
            } else {
                // There the repositories wrote it through the codec; here they read it as it is.
                column.undo.get_or_insert_default().escaped = true;
            }
        }
    }
}
