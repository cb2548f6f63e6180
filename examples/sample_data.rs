//! Writes two databases like those that users already have, hazards included: `memory.duckdb` as PyRIT writes it and
//! `app.sqlite` as ViolentUTF's application does. `make demo` moves them.
//!
//! ```sh
//! cargo run --release -p trimaran-migrator --example sample_data -- FOLDER [ROWS]
//! ```

use std::error::Error;
use std::path::PathBuf;

#[path = "../tests/it/samples/mod.rs"]
mod samples;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().ok_or("usage: sample_data FOLDER [ROWS]")?);
    let rows = arguments.next().map_or(Ok(30_000), |n| n.parse())?;
    std::fs::create_dir_all(&folder)?;
    samples::pyrit::write(&folder.join("memory.duckdb"), rows)?;
    samples::violentutf::write(&folder.join("app.sqlite"), rows)?;
    Ok(())
}
