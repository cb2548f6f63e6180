//! Chunks shared out among threads: each thread has sessions of its own and takes the next chunk when it is free.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{Builder, Scope, ScopedJoinHandle};

use trimaran_core::{Error, ErrorKind, Result};

use crate::interrupt;

/// Starts a thread within `scope`, under a name that a list of the process's threads shows.
///
/// # Errors
/// If the system refuses a thread.
pub fn spawn<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    name: &str,
    work: impl FnOnce() -> T + Send + 'scope,
) -> Result<ScopedJoinHandle<'scope, T>> {
    Builder::new()
        .name(name.to_owned())
        .spawn_scoped(scope, work)
        .map_err(|error| Error::new(ErrorKind::Unavailable, "start a thread").source(error))
}

/// Runs `job` for every item on up to `threads` threads called `name`; `start` makes what a thread keeps (its sessions).
/// Results come in the order of items. At the first error, or when the operator asks to stop, no further item is begun.
///
/// # Errors
/// The first error of any thread; [`ErrorKind::Interrupted`] on request.
pub fn share<I: Sync, S, R: Send>(
    name: &str,
    items: &[I],
    threads: usize,
    start: impl Fn() -> Result<S> + Sync,
    job: impl Fn(&mut S, &I) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    let next = AtomicUsize::new(0);
    let stop = AtomicBool::new(false);
    let done: Mutex<Vec<(usize, R)>> = Mutex::new(Vec::with_capacity(items.len()));
    let failure: Mutex<Option<Error>> = Mutex::new(None);
    let work = || -> Result<()> {
        let mut state = None;
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at >= items.len() || stop.load(Ordering::Relaxed) {
                return Ok(());
            }
            interrupt::check()?;
            let state = match &mut state {
                Some(state) => state,
                none => none.insert(start()?),
            };
            let result = job(state, &items[at])?;
            lock(&done)?.push((at, result));
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..threads.clamp(1, items.len().max(1)) {
            spawn(scope, name, || {
                if let Err(error) = work() {
                    stop.store(true, Ordering::Relaxed);
                    if let Ok(mut failure) = failure.lock() {
                        failure.get_or_insert(error);
                    }
                }
            })?;
        }
        Ok(())
    })?;
    if let Some(error) = lock(&failure)?.take() {
        return Err(error);
    }
    let mut done = std::mem::take(&mut *lock(&done)?);
    done.sort_by_key(|(at, _)| *at);
    Ok(done.into_iter().map(|(_, result)| result).collect())
}

fn lock<T>(mutex: &Mutex<T>) -> Result<std::sync::MutexGuard<'_, T>> {
    mutex
        .lock()
        .map_err(|_| Error::new(ErrorKind::Aborted, "share out the work").context("a thread panicked"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order_and_each_item_once() {
        let items: Vec<u32> = (0..100).collect();
        let doubled = share("test", &items, 4, || Ok(()), |(), n| Ok(n * 2)).unwrap();
        assert_eq!(doubled, items.iter().map(|n| n * 2).collect::<Vec<_>>());
        assert!(share("test", &[] as &[u32], 4, || Ok(()), |(), n| Ok(*n)).unwrap().is_empty());
    }

    #[test]
    fn the_first_error_ends_the_work() {
        let items: Vec<u32> = (0..1_000).collect();
        let begun = AtomicUsize::new(0);
        let result = share(
            "test",
            &items,
            2,
            || Ok(()),
            |(), n| {
                begun.fetch_add(1, Ordering::Relaxed);
                if *n == 10 { Err(Error::new(ErrorKind::Invalid, "do 10")) } else { Ok(()) }
            },
        );
        assert_eq!(result.unwrap_err().kind(), ErrorKind::Invalid);
        assert!(begun.load(Ordering::Relaxed) < 1_000);
    }
}
