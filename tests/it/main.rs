//! The whole workspace, from outside: the program on real files and a real Postgres.

#![allow(clippy::unwrap_used, reason = "a test that can not go on fails")]

mod cache;
mod cli;
mod content;
mod hazards;
mod interruptions;
mod load;
mod page;
mod plans;
mod refusals;
mod report;
mod samples;
mod schema;
mod stores;
mod tampering;
mod tenants;
mod types;
mod ways;
mod whole;
