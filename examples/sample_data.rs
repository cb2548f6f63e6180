//! Writes databases to try things on.
//!
//! ```sh
//! cargo run --release -p trimaran-migrator --example sample_data -- users FOLDER [ROWS]
//! cargo run --release -p trimaran-migrator --example sample_data -- bench FOLDER [ROWS]
//! cargo run --release -p trimaran-migrator --example sample_data -- narrow FOLDER [ROWS]
//! ```
//!
//! `users` writes two like those that users already have, hazards included: `memory.duckdb` as PyRIT writes it and
//! `app.sqlite` as ViolentUTF's application does; `make demo` moves them. `bench` writes the same rows to
//! `prompts.duckdb` and `prompts.sqlite`, `narrow` smaller ones to `narrow.duckdb` and `narrow.sqlite`; `make bench` measures
//! with them.

use std::error::Error;
use std::path::PathBuf;

#[path = "../tests/it/samples/mod.rs"]
mod samples;

fn main() -> Result<(), Box<dyn Error>> {
    let usage = "usage: sample_data users|bench|narrow FOLDER [ROWS]";
    let mut arguments = std::env::args().skip(1);
    let kind = arguments.next().ok_or(usage)?;
    let folder = PathBuf::from(arguments.next().ok_or(usage)?);
    let rows = arguments.next().map_or(Ok(30_000), |n| n.parse())?;
    std::fs::create_dir_all(&folder)?;
    match kind.as_str() {
        "users" => {
            samples::pyrit::write(&folder.join("memory.duckdb"), rows)?;
            samples::violentutf::write(&folder.join("app.sqlite"), rows)?;
        }
        "bench" => {
            samples::prompts::write(&folder.join("prompts.duckdb"), &folder.join("prompts.sqlite"), rows)?
        }
        "narrow" => samples::prompts::write_narrow(
            &folder.join("narrow.duckdb"),
            &folder.join("narrow.sqlite"),
            rows,
        )?,
        _ => return Err(usage.into()),
    }
    Ok(())
}
