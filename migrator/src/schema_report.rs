//! What `trimaran schema` prints.

use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;
use trimaran_backends::schema::{Book, Standing, Status};
use trimaran_core::config::Area;
use trimaran_core::{Error, ErrorKind, Result};

use crate::exit::Exit;
use crate::schema_stores::SchemaStore;

/// All stores.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    /// One after the other.
    pub(crate) stores: Vec<StoreReport>,
}

/// One store.
#[derive(Debug, Serialize)]
pub(crate) struct StoreReport {
    name: String,
    engine: &'static str,
    location: String,
    areas: Vec<Area>,
    version: Option<String>,
    applied: Vec<AppliedReport>,
    pending: Vec<&'static str>,
    /// What this command applied, or undid.
    changed: Vec<&'static str>,
}

#[derive(Debug, Serialize)]
struct AppliedReport {
    name: String,
    at: String,
    by: String,
    /// Whether this program's book has it; if not, the store is newer.
    known: bool,
}

impl StoreReport {
    /// A store that was looked at.
    pub(crate) fn of(store: &SchemaStore, status: &Status) -> Self {
        let applied = status.applied.iter().map(|applied| AppliedReport {
            name: applied.name.clone(),
            at: applied.at.to_rfc3339(),
            by: applied.by.clone(),
            known: applied.standing == Standing::Known,
        });
        Self {
            version: status.version().map(str::to_owned),
            applied: applied.collect(),
            pending: status.pending.clone(),
            ..Self::empty(store)
        }
    }

    /// The same, with what was applied or undone.
    pub(crate) fn changed(self, changed: Vec<&'static str>) -> Self {
        Self { changed, ..self }
    }

    /// A store whose file is not there yet.
    pub(crate) fn missing(store: &SchemaStore, book: &Book) -> Self {
        let pending = book.of(&store.areas).map(|migration| migration.name).collect();
        Self { pending, ..Self::empty(store) }
    }

    fn empty(store: &SchemaStore) -> Self {
        Self {
            name: store.name.clone(),
            engine: store.location.engine().name(),
            location: store.location.to_string(),
            areas: store.areas.clone(),
            version: None,
            applied: Vec::new(),
            pending: Vec::new(),
            changed: Vec::new(),
        }
    }
}

impl Report {
    /// For people.
    pub(crate) fn text(&self) -> String {
        if self.stores.is_empty() {
            return "There is no store yet: no tenant has a file.\n".to_owned();
        }
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
        table.set_header(["store", "engine", "migration", "state", "applied at", "by"]);
        for store in &self.stores {
            for applied in &store.applied {
                let state = match (applied.known, store.changed.contains(&applied.name.as_str())) {
                    (false, _) => "applied by a newer program",
                    (true, true) => "applied now",
                    (true, false) => "applied",
                };
                let by = format!("Trimaran {}", applied.by);
                table.add_row([&store.name, store.engine, &applied.name, state, &applied.at, &by]);
            }
            for pending in &store.pending {
                let state = if store.changed.contains(pending) { "undone" } else { "pending" };
                table.add_row([store.name.as_str(), store.engine, pending, state, "", ""]);
            }
        }
        format!("{table}\n")
    }

    /// For programs.
    ///
    /// # Errors
    /// If it can't be written as JSON.
    pub(crate) fn json(&self, exit: Exit) -> Result<String> {
        let report = serde_json::json!({ "stores": self.stores, "exit_code": exit.code() });
        serde_json::to_string_pretty(&report)
            .map(|text| text + "\n")
            .map_err(|e| Error::new(ErrorKind::Invalid, "print the state of the schemas").source(e))
    }
}
