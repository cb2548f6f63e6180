//! What is measured, and how.

use std::time::Instant;

use trimaran::{Area, Engine};

use crate::arguments::Arguments;
use crate::data::{self, MESSAGES, Said};
use crate::memory::memory;
use crate::ours::Ours;
use crate::raw::Raw;
use crate::schema::Place;
use crate::{Result, table};

/// What is measured.
const AREAS: [Area; 1] = [Area::Conversation];

/// What both sides can do.
pub(crate) trait Side: Sized {
    /// What it is given to append: made before the clock runs.
    type Input;
    async fn open(place: &Place) -> Result<Self>;
    fn input(said: &[Said]) -> Self::Input;
    async fn append_all(&self, input: Self::Input) -> Result<()>;
    async fn append(&self, input: Self::Input) -> Result<()>;
    /// Reads a conversation: how many pieces it has.
    async fn read(&self, conversation: uuid::Uuid) -> Result<usize>;
    /// Reads the pieces with this operation page by page, `pages` at most: how many there are.
    async fn find(&self, operation: &str, limit: u32, pages: usize) -> Result<usize>;
    async fn close(self) -> Result<()>;
}

/// The seconds that each side took, and by how many MiB it grew at most.
#[derive(Debug, Clone, Default)]
pub(crate) struct Figures {
    pub(crate) seconds: Vec<f64>,
    pub(crate) peak: f64,
}

/// One measure on one engine.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) engine: Engine,
    /// By what the figures name it.
    pub(crate) key: &'static str,
    pub(crate) what: String,
    /// How many pieces it is about.
    pub(crate) pieces: usize,
    pub(crate) ours: Figures,
    pub(crate) raw: Figures,
}

/// All measures on an engine.
pub(crate) async fn all(arguments: &Arguments, engine: Engine) -> Result<Vec<Measured>> {
    let bulk = arguments.scaled(100_000).next_multiple_of(MESSAGES);
    let whole = arguments.scaled(1_000_000).next_multiple_of(MESSAGES);
    let mut results = Vec::new();

    table::say(&format!("{engine}: appending {bulk} pieces at once"));
    let said: Vec<_> = (0..bulk).map(data::said).collect();
    let mut measured = Measured::new(engine, "append", bulk, format!("append {bulk} pieces"));
    for round in 0..arguments.rounds {
        let place = Place::empty(arguments, engine, &format!("bulk{round}"), &AREAS).await?;
        bulk_append::<Ours>(&place, &said, &mut measured.ours).await?;
        let place = Place::empty(arguments, engine, &format!("bulk{round}"), &AREAS).await?;
        bulk_append::<Raw>(&place, &said, &mut measured.raw).await?;
    }
    results.push(measured);

    table::say(&format!("{engine}: filling with {whole} pieces"));
    let place = Place::empty(arguments, engine, "whole", &AREAS).await?;
    let ours = Ours::open(&place).await?;
    for from in (0..whole).step_by(bulk) {
        let said: Vec<_> = (from..whole.min(from + bulk)).map(data::said).collect();
        ours.append_all(Ours::input(&said)).await?;
    }
    ours.close().await?;
    drop(said);

    let conversations = (whole / MESSAGES).min(200);
    let singles = arguments.scaled(500).max(50);
    let of = |key, pieces, what| Measured::new(engine, key, pieces, what);
    let mut list = [
        of("read", conversations * MESSAGES, format!("read {conversations} conversations of 50 turns")),
        of("page", 20 * 100, format!("first page of a label, {whole} pieces, 20 times")),
        of("label", labelled(whole), format!("all pages of a label, {whole} pieces")),
        of("single", singles, format!("append {singles} messages, one by one")),
    ];
    for round in 0..arguments.rounds {
        table::say(&format!("{engine}: reading, round {}", round + 1));
        let fresh = |side: usize| whole + (round * 2 + side) * singles.next_multiple_of(MESSAGES);
        reading::<Ours>(&place, whole, fresh(0), singles, list.each_mut().map(|m| &mut m.ours)).await?;
        reading::<Raw>(&place, whole, fresh(1), singles, list.each_mut().map(|m| &mut m.raw)).await?;
    }
    results.extend(list);
    place.remove().await?;
    Ok(results)
}

async fn bulk_append<S: Side>(place: &Place, said: &[Said], figures: &mut Figures) -> Result<()> {
    let side = S::open(place).await?;
    let input = S::input(said);
    let clock = Clock::start();
    side.append_all(input).await?;
    clock.stop(figures);
    side.close().await?;
    place.remove().await
}

async fn reading<S: Side>(
    place: &Place,
    whole: usize,
    fresh: usize,
    singles: usize,
    [read, first, all, append]: [&mut Figures; 4],
) -> Result<()> {
    let side = S::open(place).await?;
    let conversations = whole / MESSAGES;
    // Once before the clock runs, so that both sides find the same caches.
    side.read(data::conversation(0)).await?;
    side.find(&data::operation(0), 100, 1).await?;

    let clock = Clock::start();
    for number in 0..conversations.min(200) {
        let found = side.read(data::conversation(number * 7919 % conversations)).await?;
        if found != MESSAGES {
            return Err(format!("a conversation has {found} pieces in place of {MESSAGES}").into());
        }
    }
    clock.stop(read);

    let clock = Clock::start();
    for number in 0..20 {
        side.find(&data::operation(number), 100, 1).await?;
    }
    clock.stop(first);

    let expected = labelled(whole);
    let clock = Clock::start();
    let found = side.find(&data::operation(1), 1_000, usize::MAX).await?;
    clock.stop(all);
    if found < expected {
        return Err(format!("{found} pieces have the label in place of {expected}").into());
    }

    let said: Vec<_> = (fresh..fresh + singles).map(data::said).collect();
    let inputs: Vec<_> = said.chunks(1).map(S::input).collect();
    let clock = Clock::start();
    for input in inputs {
        side.append(input).await?;
    }
    clock.stop(append);
    side.close().await
}

/// How many of so many pieces have the label that all pages of are read.
fn labelled(whole: usize) -> usize {
    (0..whole).filter(|number| data::operation(*number) == data::operation(1)).count()
}

impl Measured {
    fn new(engine: Engine, key: &'static str, pieces: usize, what: String) -> Self {
        Self { engine, key, what, pieces, ours: Figures::default(), raw: Figures::default() }
    }
}

/// Time and memory from now on.
struct Clock {
    begun: Instant,
    before: f64,
}

impl Clock {
    fn start() -> Self {
        // The kernel forgets the peak: what comes is measured. Where it can't, the peak is that of the whole run.
        let _forgotten = std::fs::write("/proc/self/clear_refs", "5");
        Self { before: memory("VmRSS"), begun: Instant::now() }
    }

    fn stop(self, figures: &mut Figures) {
        figures.seconds.push(self.begun.elapsed().as_secs_f64());
        figures.peak = figures.peak.max(memory("VmHWM") - self.before);
    }
}
