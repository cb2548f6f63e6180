//! The whole workspace, from outside: the program on real files and a real Postgres.

#![allow(clippy::unwrap_used, reason = "a test that can not go on fails")]

mod big;
mod cache;
mod checks;
mod cli;
#[cfg(feature = "testing")]
mod connections;
mod content;
#[cfg(feature = "testing")]
mod faults;
mod hazards;
mod interruptions;
mod isolation;
mod keys;
mod load;
mod page;
mod pairs;
mod plans;
mod refusals;
mod report;
mod samples;
mod schema;
#[cfg(feature = "testing")]
mod stops;
mod stores;
mod tampering;
#[cfg(feature = "testing")]
mod targets;
mod tenants;
mod types;
mod ways;
mod whole;
