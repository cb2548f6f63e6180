//! How often something can be done in a second, by one caller or by several at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::Result;

/// How much of it is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Amount {
    /// As often as fits into the time.
    For(Duration),
    /// So many times, each a different one.
    Each(usize),
}

/// What callers take their work from.
#[derive(Debug)]
pub(crate) struct Course {
    amount: Amount,
    next: AtomicUsize,
    begun: Instant,
}

impl Course {
    pub(crate) fn begin(amount: Amount) -> Arc<Self> {
        Arc::new(Self { amount, next: AtomicUsize::new(0), begun: Instant::now() })
    }

    /// The number of the next; `None` when there is no more.
    pub(crate) fn next(&self) -> Option<usize> {
        if matches!(self.amount, Amount::For(time) if self.begun.elapsed() >= time) {
            return None;
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        (!matches!(self.amount, Amount::Each(times) if number >= times)).then_some(number)
    }

    /// How many were done in a second, when all callers are through.
    pub(crate) fn rate(&self) -> f64 {
        let taken = self.next.load(Ordering::Relaxed);
        let done = match self.amount {
            Amount::For(_) => taken,
            Amount::Each(times) => times.min(taken),
        };
        done as f64 / self.begun.elapsed().as_secs_f64()
    }
}

/// The rate of `work`, which is given the number of the call, by so many callers at once.
pub(crate) async fn rate<W, F>(callers: usize, amount: Amount, work: W) -> Result<f64>
where
    W: Fn(usize) -> F + Clone + Send + 'static,
    F: Future<Output = Result<()>> + Send + 'static,
{
    let course = Course::begin(amount);
    let tasks: Vec<_> = (0..callers)
        .map(|_| {
            let (course, work) = (Arc::clone(&course), work.clone());
            tokio::spawn(async move {
                while let Some(number) = course.next() {
                    work(number).await?;
                }
                Result::Ok(())
            })
        })
        .collect();
    for task in tasks {
        task.await??;
    }
    Ok(course.rate())
}

/// The rates of both sides, round by round.
#[derive(Debug, Default, Clone)]
pub(crate) struct Rates {
    pub(crate) ours: Vec<f64>,
    pub(crate) raw: Vec<f64>,
}

impl Rates {
    pub(crate) fn ours(&self) -> f64 {
        median(&self.ours)
    }

    pub(crate) fn raw(&self) -> f64 {
        median(&self.raw)
    }

    /// How many times as long ours takes: the raw driver's rate over ours.
    pub(crate) fn ratio(&self) -> f64 {
        self.raw() / self.ours()
    }
}

/// The one in the middle; not a number if there is none.
pub(crate) fn median(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}
