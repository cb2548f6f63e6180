//! What `trimaran tenant` prints.

use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;
use trimaran_backends::tenant::{FileReport, StoreReport, TenantRecord};
use trimaran_core::config::Area;
use trimaran_core::{Error, ErrorKind, Result};

use crate::exit::Exit;

/// A user's name as people are shown it: in quotes, and whatever is not seen or looks like something else's part escaped.
pub(crate) fn shown(user_name: &str) -> String {
    format!("{user_name:?}")
}

/// The same without the quotes.
pub(crate) fn bare(user_name: &str) -> String {
    user_name.escape_debug().to_string()
}

/// What was done, or found.
#[derive(Debug)]
pub(crate) enum Report {
    /// All tenants.
    Tenants(Vec<TenantReport>),
    /// One, and what was done to it.
    Tenant(&'static str, Box<TenantReport>),
    /// Other keys.
    Rekeyed {
        /// How many tenants' files got other names.
        changed: u64,
        /// The new key.
        key_id: String,
        /// Whether the configuration names it already.
        is_configured: bool,
    },
}

/// A tenant.
#[derive(Debug, Serialize)]
pub(crate) struct TenantReport {
    id: String,
    user: String,
    place: String,
    file_stem: String,
    naming: String,
    key_id: String,
    created_at: String,
    operation: Option<OperationReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stores: Option<Vec<StoreJson>>,
    /// Why its stores are not shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    trouble: Option<String>,
}

/// What is being done to it.
#[derive(Debug, Serialize)]
struct OperationReport {
    kind: &'static str,
    step: String,
    started_at: String,
    from_user: Option<String>,
}

#[derive(Debug, Serialize)]
struct StoreJson {
    areas: Vec<Area>,
    engine: &'static str,
    version: Option<String>,
    files: Vec<FileJson>,
}

#[derive(Debug, Serialize)]
struct FileJson {
    path: String,
    bytes: u64,
    mode: Option<String>,
}

impl TenantReport {
    /// What the catalogue says.
    pub(crate) fn of(tenant: &TenantRecord) -> Self {
        Self {
            id: tenant.id.to_string(),
            user: tenant.user_name.clone(),
            place: tenant.home.clone(),
            file_stem: tenant.place.clone(),
            naming: tenant.naming.clone(),
            key_id: tenant.key_id.clone(),
            created_at: tenant.created_at.to_rfc3339(),
            operation: tenant.operation.as_ref().map(|operation| OperationReport {
                kind: operation.kind.name(),
                step: operation.step.clone(),
                started_at: operation.started_at.to_rfc3339(),
                from_user: operation.from_user_name.clone(),
            }),
            stores: None,
            trouble: None,
        }
    }

    /// The same, with what there is of it, or why that can't be said.
    pub(crate) fn with(tenant: &TenantRecord, stores: Result<Vec<StoreReport>>) -> Self {
        let of = Self::of(tenant);
        match stores {
            Ok(stores) => Self { stores: Some(stores.iter().map(store).collect()), ..of },
            Err(error) => Self { trouble: Some(error.report()), ..of },
        }
    }

    fn doing(&self) -> String {
        self.operation.as_ref().map_or_else(String::new, |operation| {
            format!("{} ({}) since {}", operation.kind, operation.step, operation.started_at)
        })
    }

    fn text(&self) -> String {
        let mut table = table();
        table.add_row(["user", &shown(&self.user)]);
        table.add_row(["tenant", &self.id]);
        table.add_row(["place", &self.place]);
        table.add_row(["file stem", &self.file_stem]);
        table.add_row(["key", &format!("{} ({})", self.key_id, self.naming)]);
        table.add_row(["made at", &self.created_at]);
        if let Some(operation) = &self.operation {
            table.add_row(["being done", &self.doing()]);
            if let Some(from) = &operation.from_user {
                table.add_row(["was called", &shown(from)]);
            }
        }
        let mut out = format!("{table}\n");
        for store in self.stores.iter().flatten() {
            let areas: Vec<_> = store.areas.iter().map(|area| area.name()).collect();
            let version = store.version.as_deref().unwrap_or("no file yet");
            out.push_str(&format!("\n{} on {}: {version}\n", areas.join(", "), store.engine));
            for file in &store.files {
                let mode = file.mode.as_deref().unwrap_or("");
                out.push_str(&format!("  {mode} {:>12} bytes  {}\n", file.bytes, file.path));
            }
        }
        if let Some(trouble) = &self.trouble {
            out.push_str(&format!("\nits stores can't be shown: {trouble}\n"));
        }
        out
    }
}

fn store(report: &StoreReport) -> StoreJson {
    StoreJson {
        areas: report.areas.clone(),
        engine: report.engine.name(),
        version: report.version.clone(),
        files: report.files.iter().map(file).collect(),
    }
}

fn file(report: &FileReport) -> FileJson {
    FileJson {
        path: report.path.display().to_string(),
        bytes: report.bytes,
        mode: report.mode.map(|mode| format!("{mode:04o}")),
    }
}

fn table() -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table
}

impl Report {
    /// For people.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Tenants(tenants) if tenants.is_empty() => "There is no tenant.\n".to_owned(),
            Self::Tenants(tenants) => {
                let mut table = table();
                table.set_header(["tenant", "user", "place", "key", "made at", "being done"]);
                for tenant in tenants {
                    table.add_row([
                        &tenant.id,
                        &shown(&tenant.user),
                        &tenant.place,
                        &tenant.key_id,
                        &tenant.created_at,
                        &tenant.doing(),
                    ]);
                }
                format!("{table}\n")
            }
            Self::Tenant("", tenant) => tenant.text(),
            Self::Tenant(done, tenant) => {
                format!("{done}: tenant {} of {}\n", tenant.id, shown(&tenant.user))
            }
            Self::Rekeyed { changed, key_id, is_configured } => {
                let next = if *is_configured {
                    "The configuration names it."
                } else {
                    "Name its file in tenants.key_file before an application opens the stores."
                };
                format!("{changed} tenants were put under key {key_id}; all are under it now. {next}\n")
            }
        }
    }

    /// For programs.
    ///
    /// # Errors
    /// If it can't be written as JSON.
    pub(crate) fn json(&self) -> Result<String> {
        let exit_code = Exit::Complete.code();
        let report = match self {
            Self::Tenants(tenants) => serde_json::json!({ "tenants": tenants, "exit_code": exit_code }),
            Self::Tenant(done, tenant) => {
                let done = Some(done).filter(|done| !done.is_empty());
                serde_json::json!({ "tenant": tenant, "done": done, "exit_code": exit_code })
            }
            Self::Rekeyed { changed, key_id, is_configured } => serde_json::json!({
                "changed": changed, "key_id": key_id, "is_configured": is_configured, "exit_code": exit_code,
            }),
        };
        serde_json::to_string_pretty(&report)
            .map(|text| text + "\n")
            .map_err(|e| Error::new(ErrorKind::Invalid, "print the tenants").source(e))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_look_alike_are_shown_apart() {
        // Composed and decomposed, with a sign of another direction, with control characters.
        assert_ne!(shown("Zo\u{eb}"), shown("Zoe\u{308}"));
        assert_eq!(shown("Zoe\u{308}"), "\"Zoe\\u{308}\"");
        assert_eq!(shown("a\0\n\u{1b}[2J\u{202e}"), "\"a\\0\\n\\u{1b}[2J\\u{202e}\"");
        assert_eq!(shown(" alice"), "\" alice\"");
    }
}
