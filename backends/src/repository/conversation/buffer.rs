//! Messages that were put aside to be appended soon, with others in one go.
//!
//! What is promised is said of [`append_buffered`](trimaran_core::repository::Pieces::append_buffered). How it is kept:
//!
//! - One buffer per tenant and process. What is put aside waits in order until a flush has appended it: a flush that fails puts
//!   nothing out of place.
//! - One flush at a time, in a task of its own, so that a caller who goes away cuts none off.
//! - The first message that waits starts the clock. No more waits than is configured, and one message: whoever comes when it is full
//!   flushes first, and is not taken if that fails.

use std::collections::{HashMap, HashSet, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use trimaran_core::id::ConversationId;
use trimaran_core::{Error, ErrorKind, Result};

use super::appending::Draft;

/// How long and how much may wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BufferSettings {
    /// How long a message waits at most before it is appended.
    pub delay: Duration,
    /// How many bytes of values wait at most, and one message.
    pub bytes: usize,
}

impl Default for BufferSettings {
    /// A second, a mebibyte.
    fn default() -> Self {
        Self { delay: Duration::from_secs(1), bytes: 1 << 20 }
    }
}

/// Where a buffer's messages go.
#[async_trait]
pub(crate) trait Sink: Send + Sync {
    /// Appends the messages, all or none.
    async fn append(&self, drafts: &[Draft]) -> Result<()>;

    /// Whether exactly this message was appended, although nobody was told.
    async fn has(&self, draft: &Draft) -> Result<bool>;
}

/// One tenant's messages that were put aside and not appended yet.
pub struct Buffer {
    sink: Box<dyn Sink>,
    settings: BufferSettings,
    state: Mutex<State>,
    /// Held by the flush that is running.
    flushing: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    /// In the order in which they came.
    waiting: VecDeque<Draft>,
    /// How many of each conversation wait or are being appended.
    counts: HashMap<ConversationId, usize>,
    /// How many bytes these are.
    bytes: usize,
    /// What nobody was told of yet.
    untold: Option<Untold>,
    /// A flush ended so that nobody knows whether it took effect.
    uncertain: bool,
    /// A task waits for the delay to pass.
    clock_runs: bool,
    closed: bool,
}

/// A background flush's error.
struct Untold {
    error: Error,
    /// The conversations whose messages it was about.
    conversations: HashSet<ConversationId>,
}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        f.debug_struct("Buffer")
            .field("settings", &self.settings)
            .field("messages", &state.counts.values().sum::<usize>())
            .field("bytes", &state.bytes)
            .finish_non_exhaustive()
    }
}

impl Buffer {
    pub(crate) fn new(sink: Box<dyn Sink>, settings: BufferSettings) -> Arc<Self> {
        let (state, flushing) = (Mutex::default(), tokio::sync::Mutex::default());
        Arc::new(Self { sink, settings, state, flushing })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether nothing waits, and nobody is left to be told anything.
    pub(crate) fn is_idle(&self) -> bool {
        let state = self.state();
        state.counts.is_empty() && state.untold.is_none()
    }

    /// Puts a message aside.
    ///
    /// # Errors
    /// As said of `append_buffered`; the message is then not taken.
    pub(super) async fn put(self: &Arc<Self>, draft: Draft) -> Result<()> {
        let size = size(&draft);
        loop {
            {
                let mut state = self.state();
                if state.closed {
                    return Err(Error::new(ErrorKind::Unavailable, "put a message aside")
                        .context("the stores are closed"));
                }
                if let Some(untold) = state.untold.take() {
                    return Err(untold.error);
                }
                if state.bytes == 0 || state.bytes + size <= self.settings.bytes {
                    *state.counts.entry(draft.conversation).or_default() += 1;
                    state.bytes += size;
                    state.waiting.push_back(draft);
                    self.start_clock(&mut state);
                    return Ok(());
                }
            }
            self.flush().await?;
        }
    }

    /// Starts the clock for what waits, if none runs.
    fn start_clock(self: &Arc<Self>, state: &mut State) {
        if std::mem::replace(&mut state.clock_runs, true) {
            return;
        }
        let buffer = Arc::clone(self);
        let deadline = tokio::time::Instant::now() + self.settings.delay;
        tokio::spawn(async move {
            tokio::time::sleep_until(deadline).await;
            buffer.state().clock_runs = false;
            if let Err(untold) = buffer.append_waiting().await {
                tracing::warn!(error = %untold.error, "what was put aside could not be appended");
                let mut state = buffer.state();
                state.tell_later(untold);
                if !state.waiting.is_empty() && !state.closed {
                    buffer.start_clock(&mut state);
                }
            }
        });
    }

    /// Appends what waits if any of it is of these conversations, or of any for `None`.
    ///
    /// # Errors
    /// As for [`Self::flush`].
    pub(crate) async fn settle(self: &Arc<Self>, conversations: Option<&[ConversationId]>) -> Result<()> {
        if self.state().concerns(conversations) { self.flush().await } else { Ok(()) }
    }

    /// Appends all that waits, and says what nobody was told of yet.
    ///
    /// # Errors
    /// What kept it from being appended, now or before.
    pub(crate) async fn flush(self: &Arc<Self>) -> Result<()> {
        let buffer = Arc::clone(self);
        let flush = tokio::spawn(async move { buffer.append_waiting().await });
        match flush.await {
            Ok(Ok(())) => {}
            Ok(Err(untold)) => return Err(untold.error),
            Err(e) => {
                return Err(Error::new(ErrorKind::Unavailable, OPERATION)
                    .context("the runtime ended before")
                    .source(e));
            }
        }
        // What an earlier flush failed with is told even if this one made it good: a message may have been let go.
        let untold = self.state().untold.take();
        untold.map_or(Ok(()), |untold| Err(untold.error))
    }

    /// Appends all that waits, and takes nothing more.
    ///
    /// # Errors
    /// As for [`Self::flush`]; what could not be appended is lost when the process ends.
    pub(crate) async fn close(self: &Arc<Self>) -> Result<()> {
        self.state().closed = true;
        self.flush().await
    }

    async fn append_waiting(&self) -> Result<(), Untold> {
        let _turn = self.flushing.lock().await;
        let (batch, uncertain) = {
            let mut state = self.state();
            (Vec::from(std::mem::take(&mut state.waiting)), std::mem::take(&mut state.uncertain))
        };
        if batch.is_empty() {
            return Ok(());
        }
        match self.sink.append(&batch).await {
            Ok(()) => {
                self.state().done(&batch);
                Ok(())
            }
            Err(error) if is_of_a_message(&error) => self.append_each(batch, uncertain).await,
            Err(error) => Err(self.state().again(batch, uncertain, error)),
        }
    }

    /// Appends message by message, for one of them can't be: that one is let go, the others are not.
    async fn append_each(&self, batch: Vec<Draft>, uncertain: bool) -> Result<(), Untold> {
        let mut let_go: Option<Untold> = None;
        let mut batch = batch.into_iter();
        while let Some(draft) = batch.next() {
            match self.append_one(&draft, uncertain).await {
                Ok(()) => self.state().done(std::slice::from_ref(&draft)),
                Err(error) if is_of_a_message(&error) => {
                    self.state().done(std::slice::from_ref(&draft));
                    let untold = let_go.get_or_insert_with(|| Untold::let_go(error));
                    untold.conversations.insert(draft.conversation);
                }
                Err(error) => {
                    let rest: Vec<Draft> = std::iter::once(draft).chain(batch).collect();
                    let mut state = self.state();
                    if let Some(untold) = let_go {
                        state.tell_later(untold);
                    }
                    return Err(state.again(rest, uncertain, error));
                }
            }
        }
        let_go.map_or(Ok(()), Err)
    }

    async fn append_one(&self, draft: &Draft, uncertain: bool) -> Result<()> {
        match self.sink.append(std::slice::from_ref(draft)).await {
            // An earlier attempt took effect after all.
            Err(error) if error.kind() == ErrorKind::Conflict && uncertain => {
                if self.sink.has(draft).await? {
                    Ok(())
                } else {
                    Err(error)
                }
            }
            outcome => outcome,
        }
    }
}

const OPERATION: &str = "append what was put aside";

impl Untold {
    fn let_go(error: Error) -> Self {
        let error = error
            .within(OPERATION)
            .context("what could not be appended was let go; all else was appended")
            .hint("give pieces ids of their own, or none");
        Self { error, conversations: HashSet::new() }
    }
}

/// Whether a message itself is in the way, and would be for ever.
fn is_of_a_message(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Conflict | ErrorKind::Invalid)
}

impl State {
    fn concerns(&self, conversations: Option<&[ConversationId]>) -> bool {
        let Some(conversations) = conversations else {
            return !self.counts.is_empty() || self.untold.is_some();
        };
        let untold = self.untold.as_ref();
        conversations.iter().any(|id| {
            self.counts.contains_key(id) || untold.is_some_and(|untold| untold.conversations.contains(id))
        })
    }

    /// These wait no more.
    fn done(&mut self, drafts: &[Draft]) {
        for draft in drafts {
            self.bytes = self.bytes.saturating_sub(size(draft));
            if let Some(count) = self.counts.get_mut(&draft.conversation) {
                *count -= 1;
                if *count == 0 {
                    self.counts.remove(&draft.conversation);
                }
            }
        }
    }

    /// These wait again, before what came meanwhile; the error, for whoever is to be told.
    fn again(&mut self, drafts: Vec<Draft>, uncertain: bool, error: Error) -> Untold {
        self.uncertain |= uncertain || matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Timeout);
        let conversations = drafts.iter().map(|draft| draft.conversation).collect();
        for draft in drafts.into_iter().rev() {
            self.waiting.push_front(draft);
        }
        Untold { error: error.within(OPERATION), conversations }
    }

    /// Keeps an error until somebody asks. Of several the first is kept: it says what the others come from.
    fn tell_later(&mut self, new: Untold) {
        match &mut self.untold {
            Some(untold) => untold.conversations.extend(new.conversations),
            None => self.untold = Some(new),
        }
    }
}

/// What a message counts: its values, and about what the rest of it takes.
fn size(draft: &Draft) -> usize {
    const REST: usize = 256;
    let values =
        |piece: &trimaran_core::model::Piece| piece.original.value.len() + piece.converted.value.len();
    draft.pieces.iter().map(|piece| values(piece) + REST).sum()
}

#[cfg(test)]
mod tests;
