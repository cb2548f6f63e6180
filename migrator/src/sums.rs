//! The sums of many tables on one database: their chunks in one queue, so that threads go from table to table with the
//! sessions that they have, and none waits for the last chunk of a table.

use std::sync::atomic::{AtomicUsize, Ordering};

use trimaran_backends::{Chunk, Session};
use trimaran_core::Result;

use crate::progress::Meter;
use crate::retry::Retries;
use crate::sides::{Side, Sum};
use crate::source::Budget;
use crate::work;

/// A table to be summed, and the meter that shows how far it is.
pub struct Summed<'a, 'p> {
    /// The table on one of the two sides: one without normalisations, or the target's.
    pub side: &'a Side<'a>,
    /// The table, as people write it.
    pub name: String,
    /// What shows the rows that are done.
    pub meter: Meter<'p>,
}

/// The rows of each table and the sum of their digests, in the order of `tables`, which are all of one database.
///
/// # Errors
/// The engine's, classified, where trying again does not help; [`trimaran_core::ErrorKind::Interrupted`] on request.
pub fn sums(tables: &[Summed<'_, '_>], budget: Budget, retries: &Retries<'_>) -> Result<Vec<Sum>> {
    let chunks: Vec<(usize, Chunk)> = tables
        .iter()
        .enumerate()
        .flat_map(|(at, table)| table.side.chunks().iter().map(move |chunk| (at, *chunk)))
        .collect();
    let open: Vec<AtomicUsize> =
        tables.iter().map(|table| AtomicUsize::new(table.side.chunks().len())).collect();
    // A table without chunks has no rows, and is done.
    for table in tables.iter().filter(|table| table.side.chunks().is_empty()) {
        table.meter.start();
        table.meter.finish();
    }
    let parts = work::share(
        "verify",
        &chunks,
        budget.jobs,
        || Ok(None),
        |session: &mut Option<Box<dyn Session>>, (at, chunk)| {
            let Summed { side, name, meter } = &tables[*at];
            meter.start();
            let (sum, bytes) = retries.run(&format!("verify {name}"), || {
                let mut reading = session.take().map_or_else(|| side.database().session(), Ok)?;
                let sum = side.chunk_sum(reading.as_mut(), *chunk)?;
                *session = Some(reading);
                Ok(sum)
            })?;
            meter.add(sum.rows, bytes);
            if open[*at].fetch_sub(1, Ordering::AcqRel) == 1 {
                meter.finish();
            }
            Ok((*at, sum))
        },
    )?;
    let mut totals = vec![Sum::default(); tables.len()];
    for (at, sum) in parts {
        totals[at].rows += sum.rows;
        totals[at].digest.add(sum.digest);
    }
    Ok(totals)
}
