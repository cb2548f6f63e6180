//! When what was done: the phases of a command, and in them the tables, so that a report can draw it.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use serde::Serialize;

/// Something that took time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Span {
    /// What was done: `plan`, `check`, `copy`, `keys`, `verify`.
    pub phase: &'static str,
    /// The table that it was done to; none for the phase as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// When it began, in seconds since the command did.
    pub from: f64,
    /// When it ended, in seconds since the command began.
    pub to: f64,
    /// Rows that were gone through.
    pub rows: u64,
    /// Bytes of their values, where they are counted.
    pub bytes: u64,
}

/// What took time so far. Shared by the threads that work.
#[derive(Debug)]
pub struct Timeline {
    begun: Instant,
    spans: Mutex<Vec<Span>>,
}

impl Timeline {
    /// Begins now.
    pub fn begin() -> Self {
        Self { begun: Instant::now(), spans: Mutex::default() }
    }

    /// Adds a phase that began at `from` and ends now.
    pub fn phase(&self, phase: &'static str, from: Instant) {
        self.add(phase, None, (from, Instant::now()), (0, 0));
    }

    /// Adds what was done to a table from one time to another: to so many rows, of so many bytes.
    pub fn table(&self, phase: &'static str, table: &str, times: (Instant, Instant), amount: (u64, u64)) {
        self.add(phase, Some(table.to_owned()), times, amount);
    }

    fn add(
        &self,
        phase: &'static str,
        table: Option<String>,
        (from, to): (Instant, Instant),
        (rows, bytes): (u64, u64),
    ) {
        let since = |time: Instant| time.saturating_duration_since(self.begun).as_secs_f64();
        let span = Span { phase, table, from: since(from), to: since(to), rows, bytes };
        self.spans.lock().unwrap_or_else(PoisonError::into_inner).push(span);
    }

    /// All of it, in the order in which it began.
    pub fn spans(&self) -> Vec<Span> {
        let mut spans = self.spans.lock().unwrap_or_else(PoisonError::into_inner).clone();
        spans.sort_by(|a, b| a.from.total_cmp(&b.from));
        spans
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_come_in_the_order_in_which_they_began() {
        let timeline = Timeline::begin();
        let (first, second) = (timeline.begun, timeline.begun + std::time::Duration::from_nanos(1));
        timeline.table("copy", "b", (second, second), (2, 20));
        timeline.phase("copy", first);
        let spans = timeline.spans();
        assert_eq!(spans.iter().map(|s| s.table.as_deref()).collect::<Vec<_>>(), [None, Some("b")]);
        assert!(spans.iter().all(|span| span.from <= span.to));
        assert_eq!((spans[1].rows, spans[1].bytes), (2, 20));
    }
}
