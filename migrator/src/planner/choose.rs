//! Which tables move.

use globset::{Glob, GlobSet, GlobSetBuilder};
use trimaran_backends::catalog::{Catalog, Table};
use trimaran_core::{Error, ErrorKind, Result};

use crate::choices::Choices;

/// The tables that move, by the operator's patterns.
///
/// # Errors
/// [`ErrorKind::Configuration`] for a bad pattern or one that matches nothing.
pub(super) fn choose<'a>(catalog: &'a Catalog, choices: &Choices) -> Result<Vec<&'a Table>> {
    let (include, exclude) = (patterns(&choices.tables)?, patterns(&choices.exclude)?);
    let matches = |set: &GlobSet, table: &Table| {
        set.is_match(&table.name.name) || set.is_match(format!("{}.{}", table.name.schema, table.name.name))
    };
    let known = || catalog.tables.iter().map(|t| t.name.to_string()).collect::<Vec<_>>().join(", ");
    for pattern in choices.tables.iter().chain(&choices.exclude) {
        let set = patterns(std::slice::from_ref(pattern))?;
        if !catalog.tables.iter().any(|t| matches(&set, t)) {
            return Err(Error::new(ErrorKind::Configuration, "choose tables")
                .context(format!("no table matches {pattern:?}"))
                .hint(format!("the source has: {}", known())));
        }
    }
    let chosen: Vec<_> = catalog
        .tables
        .iter()
        .filter(|t| choices.tables.is_empty() || matches(&include, t))
        .filter(|t| !matches(&exclude, t))
        .collect();
    if chosen.is_empty() {
        return Err(Error::new(ErrorKind::Configuration, "choose tables")
            .context("there is no table to move")
            .hint("check the path, and --tables and --exclude"));
    }
    Ok(chosen)
}

fn patterns(patterns: &[String]) -> Result<GlobSet> {
    let wrong = |e: globset::Error| Error::new(ErrorKind::Configuration, "read a table pattern").source(e);
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        set.add(Glob::new(pattern).map_err(wrong)?);
    }
    set.build().map_err(wrong)
}
