//! How fast pieces are written and read, beside the raw drivers doing the same on the same schema, in one run.
//!
//! ```sh
//! cargo bench -p trimaran-migrator --bench conversation -- FOLDER [--scale 0.1] [--rounds 3] [--engine sqlite] [--postgres URL]
//! ```
//!
//! `make bench` runs it beside the migrator's measurements. At scale 1 a bulk append has 100,000 pieces and the label filters
//! look through a million. Both sides open the same database one after the other, round by round; what is told is the median of
//! the rounds and their ratio. Peak memory is how far the process grew above what it had when the measure began (VmHWM).

#![allow(clippy::future_not_send, reason = "the raw drivers' connections stay on the thread that measures")]

mod arguments;
mod data;
mod measure;
mod memory;
mod ours;
mod raw;
mod raw_duckdb;
mod raw_postgres;
mod raw_sqlite;
mod schema;
mod table;

use std::error::Error;

use arguments::Arguments;
use trimaran::Engine;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> Result<()> {
    let Some(arguments) = Arguments::parse(std::env::args().skip(1))? else { return Ok(()) };
    let runtime = tokio::runtime::Runtime::new()?;
    let mut results = Vec::new();
    for engine in [Engine::Postgres, Engine::Sqlite, Engine::Duckdb] {
        if arguments.wants(engine) {
            results.extend(runtime.block_on(measure::all(&arguments, engine))?);
        }
    }
    table::keep(&arguments.folder.join("figures.tsv"), &results)?;
    table::print(&mut std::io::stdout().lock(), &results)?;
    Ok(())
}
