//! Trimaran's own migrations, each in a file of its own. Released ones never change: see `NOTES.md`.

mod m0001_identity;
mod m0002_application;
mod m0003_tenant_catalogue;
mod m0004_tenant_mark;
mod m0005_configuration;
mod m0006_conversation;
mod m0007_results;
mod m0008_tenant_places;

use super::Migration;

/// All of them, in order.
pub const TRIMARAN: &[Migration] = &[
    m0001_identity::MIGRATION,
    m0002_application::MIGRATION,
    m0003_tenant_catalogue::MIGRATION,
    m0004_tenant_mark::MIGRATION,
    m0005_configuration::MIGRATION,
    m0006_conversation::MIGRATION,
    m0007_results::MIGRATION,
    m0008_tenant_places::MIGRATION,
];
