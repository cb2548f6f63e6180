//! A user who works without a pause.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::BoxFuture;
use trimaran::{ErrorKind, Result};
use uuid::Uuid;

use super::journal::Journal;
use super::places::Places;
use super::state::{Change, PieceFact, State};
use crate::interruptions::numbers;

/// How often calls failed so that they may be tried again, by kind.
#[derive(Debug, Default)]
pub(super) struct Tally(Mutex<BTreeMap<&'static str, u64>>);

impl Tally {
    fn count(&self, kind: ErrorKind) {
        *self.0.lock().unwrap().entry(kind.name()).or_default() += 1;
    }

    pub(super) fn counts(&self) -> BTreeMap<&'static str, u64> {
        self.0.lock().unwrap().clone()
    }
}

pub(super) struct User {
    pub(super) number: usize,
    pub(super) places: Places,
    pub(super) known: State,
    /// Counts of which nobody knows whether they took effect.
    pub(super) uncertain_counts: i64,
    numbers: Box<dyn Iterator<Item = u64> + Send + Sync>,
    journal: Arc<Journal>,
    tally: Arc<Tally>,
}

impl User {
    pub(super) fn new(
        number: usize,
        places: Places,
        known: State,
        journal: &Arc<Journal>,
        tally: &Arc<Tally>,
    ) -> Self {
        let seed = 0x9e37_79b9 + number as u64 + (known.pieces.len() as u64) * 1_000;
        Self {
            number,
            places,
            known,
            uncertain_counts: 0,
            numbers: Box::new(numbers(seed)),
            journal: Arc::clone(journal),
            tally: Arc::clone(tally),
        }
    }

    /// Does one thing, as a service would: lets the user in, then reads or writes, again if that may help.
    pub(super) async fn step(&mut self) {
        self.until_it_works(|user| Box::pin(user.places.authenticate(&user.known))).await;
        match self.below(21) {
            0..=2 => {
                let talk = self.some_conversation();
                let message = self.message(talk, self.known.next_sequence(talk));
                self.change(vec![Change::Append(message)], false).await;
            }
            3 => {
                let (one, other) = (Uuid::now_v7(), Uuid::now_v7());
                let mut messages = Vec::new();
                for (talk, sequence) in [(one, 0), (one, 1), (other, 0)] {
                    messages.extend(self.message(talk, sequence));
                }
                self.change(vec![Change::Append(messages)], false).await;
            }
            4 => {
                let talk = self.some_conversation();
                let first = self.known.next_sequence(talk);
                let messages =
                    (first..first + 3).map(|sequence| Change::Append(self.message(talk, sequence)));
                let messages = messages.collect();
                self.change(messages, true).await;
            }
            5 => {
                let (conversation, label) = (self.some_conversation(), format!("label {}", self.below(5)));
                self.change(vec![Change::Label { conversation, label }], false).await;
            }
            6 => {
                let conversation = self.some_conversation();
                let after = i64::try_from(self.below(4)).unwrap() - 1;
                self.change(vec![Change::Forget { conversation, after }], false).await;
            }
            7 => {
                if let Some(piece) = self.known.pieces.keys().next_back().copied() {
                    self.change(vec![Change::Score { id: Uuid::now_v7(), piece }], false).await;
                }
            }
            8 => {
                // Of equal ones one alone is kept.
                let id = Uuid::now_v7();
                let text = format!("seed \0 {id}");
                self.change(vec![Change::Seed { id, text }], false).await;
            }
            9 => {
                let name = format!("component {}", self.below(6));
                let is_new = !self.known.components.contains_key(&name);
                let status = format!("status {}", self.below(100));
                self.change(vec![Change::Component { name, status, is_new }], false).await;
            }
            10 => {
                let value = self.below(4);
                let value = (value > 0).then(|| i64::try_from(value).unwrap());
                let key = format!("setting {}", self.below(6));
                self.change(vec![Change::Setting { key, value }], false).await;
            }
            11 => {
                let text = (self.below(4) > 0).then(|| format!("report {}", self.below(1_000_000)));
                let name = format!("{}.txt", self.below(6));
                self.change(vec![Change::Content { name, text }], false).await;
            }
            12 => {
                let message = self.message(Uuid::now_v7(), 0);
                let piece = message[0].0;
                let score = Change::Score { id: Uuid::now_v7(), piece };
                self.change(vec![Change::Unit(vec![Change::Append(message), score])], false).await;
            }
            13 => {
                let attack = Change::Attack {
                    id: Uuid::now_v7(),
                    conversation: self.some_conversation(),
                    achieved: false,
                };
                self.change(vec![attack], false).await;
            }
            14 => {
                if let Some((id, achieved)) = self.known.attacks.iter().next_back() {
                    self.change(vec![Change::Judge { id: *id, achieved: !achieved }], false).await;
                }
            }
            15 => {
                if let Some(piece) = self.known.pieces.keys().next().copied() {
                    let number = u16::try_from(self.below(1_000)).unwrap();
                    self.change(vec![Change::Embed { piece, number }], false).await;
                }
            }
            16 => {
                let name = format!("dataset {}", self.below(3));
                let change = match self.known.datasets.get(&name).map(Vec::len) {
                    None => Change::Dataset { name },
                    Some(10..) => Change::DropDataset { name },
                    Some(from) => {
                        let texts = (from..from + 4).map(|number| format!("prompt \0 {number}")).collect();
                        Change::Prompts { dataset: name, texts }
                    }
                };
                self.change(vec![change], false).await;
            }
            17 => {
                let change = if self.known.sessions < 3 { Change::LogIn } else { Change::LogOut };
                self.change(vec![change], false).await;
            }
            18 => {
                let given = !self.known.has_role;
                self.change(vec![Change::Role { given }], false).await;
            }
            19 => {
                let joined = !self.known.is_member;
                self.change(vec![Change::Member { joined }], false).await;
            }
            _ => self.change(vec![Change::Count], false).await,
        }
        self.until_it_works(|user| Box::pin(user.places.ask(&user.known))).await;
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.numbers.next().unwrap() % bound
    }

    /// One of the user's conversations, or a new one.
    fn some_conversation(&mut self) -> Uuid {
        let known: Vec<_> = self.known.pieces.values().map(|piece| piece.conversation).collect();
        let chosen = self.below(known.len() as u64 + 2);
        known.get(usize::try_from(chosen).unwrap()).copied().unwrap_or_else(Uuid::now_v7)
    }

    /// A message of one piece or two.
    fn message(&mut self, conversation: Uuid, sequence: i64) -> Vec<(Uuid, PieceFact)> {
        let label = format!("label {}", self.below(5));
        let parts = 1 + self.below(2);
        let number = self.below(1_000_000);
        let text = format!("user {} says \0 \u{1a} {number}", self.number);
        let fact = PieceFact { conversation, sequence, text, label };
        (0..parts).map(|_| (Uuid::now_v7(), fact.clone())).collect()
    }

    async fn change(&mut self, changes: Vec<Change>, put_aside: bool) {
        self.journal.begins(self.number, &changes);
        for attempt in 0.. {
            let made = match put_aside {
                true => self.places.put_aside(&changes).await,
                false => self.places.make(&changes[0]).await,
            };
            match made {
                Ok(()) => {
                    self.journal.acknowledged(self.number);
                    changes.iter().for_each(|change| self.known.apply(change));
                    return;
                }
                // Nobody knows what became of it, or of which parts of it.
                Err(error)
                    if error.kind() == ErrorKind::Unavailable || (put_aside && error.is_retryable()) =>
                {
                    self.tally.count(error.kind());
                    let found = self.until_it_works(|user| Box::pin(user.places.observe())).await;
                    let applied = self.known.explained(&changes, &found);
                    let applied = applied.unwrap_or_else(|| {
                        panic!(
                            "user {}: {changes:?} after {error:?} left {found:#?}, and before was {:#?}",
                            self.number, self.known
                        )
                    });
                    self.journal.resolved(self.number, &applied);
                    applied.iter().for_each(|change| self.known.apply(change));
                    self.uncertain_counts += i64::from(changes == [Change::Count]);
                    return;
                }
                Err(error) => self.wait(attempt, error).await,
            }
        }
    }

    async fn until_it_works<T>(&self, work: impl for<'u> Fn(&'u Self) -> BoxFuture<'u, Result<T>>) -> T {
        for attempt in 0.. {
            match work(self).await {
                Ok(done) => return done,
                Err(error) => self.wait(attempt, error).await,
            }
        }
        unreachable!("attempts don't run out")
    }

    /// Waits before the next attempt; what can't succeed later is a failure of the test.
    async fn wait(&self, attempt: u32, error: trimaran::Error) {
        assert!(error.is_retryable(), "user {}: {error:?}", self.number);
        assert!(attempt < 400, "user {}: it never works: {error:?}", self.number);
        self.tally.count(error.kind());
        tokio::time::sleep(Duration::from_millis(u64::from(attempt.min(20)) * 5 + 1)).await;
    }
}
