//! Moves a database from one engine to another and proves that nothing was lost.
//!
//! How data flows: [`planner`] turns the source's catalogue (and, where the source has no strict types, a look at its
//! values, [`profile`]) into a [`plan`]. [`scan`] reads every row once and decides on it ([`rows`], [`mapping`]), so
//! that [`hazard`]s are known before anything is written; [`references`] follows foreign keys. [`schema`] creates the
//! tables, [`copy`] moves rows in chunks, each committed together with its record in the [`journal`], and [`schema`]
//! adds the keys. [`verify`] compares what the source held with what the target holds plus what was put aside, and
//! [`compare`] names the rows that differ. [`migrate`] puts these together, [`cli`] is the command line.

mod arrays;
pub mod choices;
pub mod cli;
pub mod compare;
pub mod completion;
mod config_command;
pub mod copy;
pub mod exit;
#[cfg(feature = "testing")]
mod fault;
pub mod finding;
pub mod hazard;
pub mod holds;
pub mod interrupt;
pub mod journal;
pub mod kept;
pub mod limits;
mod log;
pub mod mapping;
pub mod meaning;
pub mod migrate;
mod migration_chart;
mod migration_page;
mod objects;
mod own_store;
pub mod plan;
pub mod planner;
pub mod policy;
pub mod profile;
pub mod progress;
mod prove_isolation_command;
pub mod quarantine;
mod quarantine_command;
mod reach;
pub mod references;
pub mod replacement;
pub mod report;
mod report_chart;
mod report_command;
mod report_document;
mod report_hazards;
mod report_output;
mod report_page;
mod report_table;
mod report_template;
pub mod resume;
pub mod retry;
mod rounding;
pub mod rows;
pub mod scan;
pub mod schema;
mod schema_command;
mod schema_report;
mod schema_stores;
pub mod sides;
mod sorted_runs;
pub mod source;
pub mod spelling;
pub mod status;
mod status_command;
pub mod steps;
pub mod storage_classes;
pub mod sums;
mod tenant_command;
mod tenant_report;
mod tenant_watch;
pub mod timeline;
mod translate;
pub mod undo;
pub mod unique;
pub mod verify;
pub mod work;
