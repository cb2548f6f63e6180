//! How fast requests are served, beside the raw drivers sending the same statements, in one run.
//!
//! ```sh
//! cargo bench -p trimaran-migrator --bench service -- FOLDER [--scale 0.1] [--rounds 3] [--engine sqlite] [--postgres URL] [--only points]
//! ```
//!
//! `benches/service.sh` runs it. What Trimaran sends is written down ([`record`]) and sent again by the driver alone ([`replay`]),
//! round by round; what is told is the median of the rounds. Tables go to stdout as Markdown and to `service.json` in the folder.

#![allow(clippy::future_not_send, reason = "what is measured from one task need not move")]

#[path = "../conversation/arguments.rs"]
mod arguments;
#[path = "../conversation/data.rs"]
mod data;
mod keys;
#[path = "../conversation/memory.rs"]
mod memory;
mod ours;
mod pace;
mod points;
mod questions;
mod record;
mod replay;
mod replay_duckdb;
mod replay_postgres;
mod replay_sqlite;
mod requests;
#[path = "../conversation/schema.rs"]
mod schema;
mod signed;
mod table;
mod talk_of;
mod talks;
mod tenants;

use std::error::Error;
use std::time::Duration;

use arguments::Arguments;
use trimaran::Engine;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> Result<()> {
    let Some(arguments) = Arguments::parse(std::env::args().skip(1))? else { return Ok(()) };
    let runtime = tokio::runtime::Runtime::new()?;
    let tables = runtime.block_on(measure(&arguments))?;
    table::keep(&arguments.folder.join("service.json"), arguments.scale, &tables)?;
    table::print(&mut std::io::stdout().lock(), &tables)
}

async fn measure(arguments: &Arguments) -> Result<Vec<table::Table>> {
    let wants = |name: &str| arguments.only.as_deref().is_none_or(|only| only == name);
    let mut tables = Vec::new();
    let mut points = points::table();
    let mut tenants = tenants::table();
    let mut memory = tenants::memory_table();
    let engines: Vec<_> = [Engine::Postgres, Engine::Sqlite, Engine::Duckdb]
        .into_iter()
        .filter(|engine| arguments.wants(*engine))
        .collect();
    // Memory first: what comes later leaves the allocator with more than it needs.
    for engine in &engines {
        if *engine != Engine::Postgres && wants("tenants") {
            tenants::measure(arguments, *engine, &mut tenants, &mut memory).await?;
        }
    }
    if arguments.tenants {
        return Ok(vec![tenants, memory]);
    }
    if arguments.wants(Engine::Postgres) && wants("keys") {
        tables.push(keys::measure(arguments).await?);
    }
    if arguments.wants(Engine::Sqlite) && wants("requests") {
        tables.push(requests::measure(arguments).await?);
    }
    for engine in engines.iter().filter(|_| wants("points")) {
        points::measure(arguments, *engine, &mut points).await?;
    }
    tables.push(points);
    if arguments.wants(Engine::Postgres) && wants("signed") {
        tables.push(signed::measure(arguments).await?);
    }
    if wants("questions") {
        tables.extend(questions::measure(arguments).await?);
    }
    tables.extend([tenants, memory]);
    if let Some(only) = &arguments.only
        && !tables.iter().any(|table| table.key == only)
    {
        return Err(format!("no measure of these engines is called {only}").into());
    }
    Ok(tables)
}

/// How long a rate is measured for.
fn while_measuring(arguments: &Arguments) -> Duration {
    Duration::from_secs_f64((1.5 * arguments.scale).clamp(0.2, 1.5))
}

/// Says on stderr what is being done.
fn say(what: &str) {
    eprintln!("service: {what}");
}
