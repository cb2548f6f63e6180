//! The `trimaran` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    trimaran_migrator::cli::main()
}
