//! What is told.

use std::io::Write;
use std::path::Path;

use crate::Result;
use crate::measure::{Figures, Measured};

/// Says on stderr what is being done.
pub(crate) fn say(what: &str) {
    eprintln!("conversation: {what}");
}

/// Prints the medians and their ratios.
pub(crate) fn print(out: &mut impl Write, results: &[Measured]) -> Result<()> {
    writeln!(
        out,
        "{:<9} {:<46} {:>9} {:>9} {:>6} {:>9} {:>9}",
        "engine", "what", "ours s", "raw s", "ratio", "ours MiB", "raw MiB"
    )?;
    for Measured { engine, what, ours, raw, .. } in results {
        let (a, b) = (median(ours), median(raw));
        writeln!(
            out,
            "{:<9} {what:<46} {a:>9.4} {b:>9.4} {:>6.2} {:>9.0} {:>9.0}",
            engine.to_string(),
            a / b,
            ours.peak,
            raw.peak
        )?;
    }
    Ok(())
}

/// Writes engine, measure and our seconds per piece, for whoever measures something else beside them.
pub(crate) fn keep(path: &Path, results: &[Measured]) -> Result<()> {
    let line = |measured: &Measured| {
        let seconds = median(&measured.ours) / measured.pieces as f64;
        format!("{}\t{}\t{seconds:.12}\n", measured.engine.to_string().to_lowercase(), measured.key)
    };
    Ok(std::fs::write(path, results.iter().map(line).collect::<String>())?)
}

fn median(figures: &Figures) -> f64 {
    let mut seconds = figures.seconds.clone();
    seconds.sort_by(f64::total_cmp);
    seconds.get(seconds.len() / 2).copied().unwrap_or(f64::NAN)
}
