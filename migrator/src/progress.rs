//! What a person sees while it works: a bar per table on a terminal, plain lines elsewhere, nothing when quiet.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::timeline::Timeline;

/// How often a plain line is written for a table still being worked on.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// Where progress goes, and when what was done.
pub struct Progress {
    quiet: bool,
    bars: Option<MultiProgress>,
    timeline: Timeline,
}

impl Progress {
    /// Bars if standard error is a terminal, else lines; nothing if `quiet`.
    pub fn new(quiet: bool) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let bars =
            (!quiet && terminal).then(|| MultiProgress::with_draw_target(ProgressDrawTarget::stderr()));
        Self { quiet, bars, timeline: Timeline::begin() }
    }

    /// When what was done.
    pub fn timeline(&self) -> &Timeline {
        &self.timeline
    }

    /// Says one line.
    pub fn say(&self, line: impl AsRef<str>) {
        if self.quiet {
            return;
        }
        match &self.bars {
            // A bar that can't be drawn is no reason to stop moving data.
            Some(bars) => drop(bars.println(line.as_ref())),
            None => eprintln!("{}", line.as_ref()),
        }
    }

    /// A table about to be worked on: `verb` is what is done to it ("copy"), `rows` how many there are.
    pub fn table(&self, verb: &'static str, name: &str, rows: u64) -> Meter<'_> {
        Meter {
            progress: self,
            verb,
            name: name.to_owned(),
            rows,
            bar: OnceLock::new(),
            done: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            begun: OnceLock::new(),
            line_at: Mutex::new(Instant::now()),
            ended: Mutex::new(Instant::now()),
            cleared: AtomicBool::new(false),
        }
    }
}

/// The progress of one table. Shared by the threads that work on it.
pub struct Meter<'p> {
    progress: &'p Progress,
    verb: &'static str,
    name: String,
    rows: u64,
    bar: OnceLock<ProgressBar>,
    done: AtomicU64,
    bytes: AtomicU64,
    begun: OnceLock<Instant>,
    line_at: Mutex<Instant>,
    /// When rows were counted last.
    ended: Mutex<Instant>,
    cleared: AtomicBool,
}

/// A table that was not gone through to its end is told of all the same.
impl Drop for Meter<'_> {
    fn drop(&mut self) {
        self.clear();
    }
}

impl Meter<'_> {
    /// Begins to count time, if nobody has yet: a table may wait long for its turn.
    pub fn start(&self) -> Duration {
        self.begun.get_or_init(Instant::now).elapsed()
    }

    /// Counts rows and bytes as done.
    pub fn add(&self, rows: u64, bytes: u64) {
        let done = self.done.fetch_add(rows, Ordering::Relaxed) + rows;
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        if let Ok(mut ended) = self.ended.lock() {
            *ended = Instant::now();
        }
        if let Some(bar) = self.bar() {
            bar.inc(rows);
            bar.set_message(format!("{} {}", self.name, self.rate()));
        } else if let Ok(mut at) = self.line_at.try_lock()
            && at.elapsed() >= LINE_EVERY
        {
            *at = Instant::now();
            let per_row = self.start().as_secs_f64() / done.max(1) as f64;
            let left = per_row * self.rows.saturating_sub(done) as f64;
            self.progress.say(format!(
                "{} {}: {done} of {} rows, {}, {left:.0} s left",
                self.verb,
                self.name,
                self.rows,
                self.rate()
            ));
        }
    }

    /// Takes back what was counted of rows that are done again.
    pub fn take_back(&self, rows: u64, bytes: u64) {
        self.done.fetch_sub(rows, Ordering::Relaxed);
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
        if let Some(bar) = self.bar() {
            bar.dec(rows);
        }
    }

    fn rate(&self) -> String {
        let seconds = self.start().as_secs_f64().max(0.001);
        format!("{:.1} MB/s", self.bytes.load(Ordering::Relaxed) as f64 / 1e6 / seconds)
    }

    /// The bar, drawn once there is something to show: a database of many tables has as many bars as are worked on.
    fn bar(&self) -> Option<&ProgressBar> {
        let bars = self.progress.bars.as_ref()?;
        Some(self.bar.get_or_init(|| {
            let template =
                "{prefix:<6.bold} {wide_msg} {bar:16.cyan/blue} {human_pos:>11}/{human_len} rows {eta:>4} left";
            let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
            bars.add(ProgressBar::new(self.rows).with_style(style).with_prefix(self.verb))
        }))
    }

    /// Says that the table is done.
    pub fn finish(&self) {
        self.clear();
        let done = self.done.load(Ordering::Relaxed);
        let seconds = self.start().as_secs_f64();
        self.progress.say(format!(
            "{} {}: {done} rows in {seconds:.1} s, {}",
            self.verb,
            self.name,
            self.rate()
        ));
    }

    /// Takes the bar away without a word.
    pub fn clear(&self) {
        if self.cleared.swap(true, Ordering::Relaxed) {
            return;
        }
        if let (Some(begun), Ok(ended)) = (self.begun.get(), self.ended.lock()) {
            let amount = (self.done.load(Ordering::Relaxed), self.bytes.load(Ordering::Relaxed));
            // Nothing was counted of a table that was only begun.
            let ended = (*ended).max(*begun);
            self.progress.timeline.table(self.verb, &self.name, (*begun, ended), amount);
        }
        if let Some(bar) = self.bar.get() {
            bar.finish_and_clear();
        }
    }
}
