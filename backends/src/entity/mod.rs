//! The tables as SeaORM entities, a folder per area; the same on all engines.
#![allow(missing_docs, reason = "SeaORM's derive macros make undocumented items")]

pub mod application;
pub mod configuration;
pub mod conversation;
pub mod identity;
