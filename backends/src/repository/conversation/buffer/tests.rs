use std::collections::HashMap;

use tokio::sync::Notify;
use trimaran_core::Timestamp;
use trimaran_core::id::PieceId;
use trimaran_core::model::{ChatRole, Piece, PieceValue, ResponseError};
use uuid::Uuid;

use super::*;

const LONG: Duration = Duration::from_secs(3600);
const SHORT: Duration = Duration::from_millis(1);

/// Tables that fail when told to.
#[derive(Default)]
struct Fake {
    /// What each call appended.
    calls: Mutex<Vec<Vec<String>>>,
    /// What the next calls fail with.
    failures: Mutex<VecDeque<ErrorKind>>,
    /// Messages that can't be appended.
    taken: Mutex<HashMap<String, bool>>,
    /// A call has ended.
    called: Notify,
}

struct Handle(Arc<Fake>);

#[async_trait]
impl Sink for Handle {
    async fn append(&self, drafts: &[Draft]) -> Result<()> {
        let failure = self.0.failures.lock().unwrap().pop_front();
        let texts: Vec<String> = drafts.iter().map(text).collect();
        let is_taken = texts.iter().any(|text| self.0.taken.lock().unwrap().contains_key(text));
        let outcome = match failure.or(is_taken.then_some(ErrorKind::Conflict)) {
            Some(kind) => Err(Error::new(kind, "append")),
            None => {
                self.0.calls.lock().unwrap().push(texts);
                Ok(())
            }
        };
        self.0.called.notify_one();
        outcome
    }

    async fn has(&self, draft: &Draft) -> Result<bool> {
        Ok(self.0.taken.lock().unwrap().get(&text(draft)).copied().unwrap_or_default())
    }
}

impl Fake {
    fn fail(&self, kinds: &[ErrorKind]) {
        self.failures.lock().unwrap().extend(kinds);
    }

    fn appended(&self) -> Vec<String> {
        self.calls.lock().unwrap().concat()
    }
}

fn text(draft: &Draft) -> String {
    draft.pieces[0].original.value.clone()
}

fn buffer(delay: Duration, bytes: usize) -> (Arc<Fake>, Arc<Buffer>) {
    let fake = Arc::new(Fake::default());
    let buffer = Buffer::new(Box::new(Handle(Arc::clone(&fake))), BufferSettings { delay, bytes });
    (fake, buffer)
}

fn conversation(n: u128) -> ConversationId {
    ConversationId(Uuid::from_u128(n))
}

fn draft(n: u128, text: &str) -> Draft {
    let id = PieceId(Uuid::from_u128(7));
    let piece = Piece {
        id,
        conversation: conversation(n),
        sequence: 0,
        position: 0,
        role: ChatRole::User,
        original: PieceValue::text(text),
        converted: PieceValue::text(text),
        original_piece: id,
        labels: Default::default(),
        metadata: Default::default(),
        target: None,
        attack: None,
        converters: Vec::new(),
        error: ResponseError::None,
        created_at: Timestamp::default(),
    };
    Draft { conversation: conversation(n), pieces: vec![piece] }
}

fn kind(outcome: Result<()>) -> ErrorKind {
    outcome.unwrap_err().kind()
}

#[tokio::test]
async fn what_waits_is_appended_in_one_go_and_in_order() {
    let (fake, buffer) = buffer(LONG, 1 << 20);
    for text in ["a", "b", "c"] {
        buffer.put(draft(1, text)).await.unwrap();
    }
    assert!(fake.appended().is_empty() && !buffer.is_idle());
    buffer.flush().await.unwrap();
    assert_eq!(*fake.calls.lock().unwrap(), [["a", "b", "c"]]);
    assert!(buffer.is_idle());
}

#[tokio::test]
async fn it_is_appended_when_the_delay_has_passed() {
    let (fake, buffer) = buffer(SHORT, 1 << 20);
    for text in ["a", "b"] {
        buffer.put(draft(1, text)).await.unwrap();
        while !fake.appended().contains(&text.to_owned()) {
            fake.called.notified().await;
        }
    }
    assert_eq!(fake.appended(), ["a", "b"]);
}

#[tokio::test]
async fn no_more_waits_than_may_and_one_message_always_may() {
    let (fake, buffer) = buffer(LONG, 1_000);
    let long = "x".repeat(10_000);
    buffer.put(draft(1, &long)).await.unwrap();
    assert!(fake.appended().is_empty());
    buffer.put(draft(1, "a")).await.unwrap();
    assert_eq!(fake.appended(), [long]);
    for text in ["b", "c", "d", "e"] {
        buffer.put(draft(1, text)).await.unwrap();
        assert!(buffer.state().bytes <= 1_000);
    }
    // The one that found it full made room first; it is not taken if that fails.
    fake.fail(&[ErrorKind::Unavailable; 9]);
    let mut refused = 0;
    for text in ["f", "g", "h", "i", "j"] {
        refused += u32::from(buffer.put(draft(1, text)).await.is_err());
        assert!(buffer.state().bytes <= 1_000);
    }
    assert!(refused > 0);
}

#[tokio::test]
async fn only_what_would_be_seen_is_settled() {
    let (fake, buffer) = buffer(LONG, 1 << 20);
    buffer.put(draft(1, "a")).await.unwrap();
    buffer.settle(Some(&[conversation(2)])).await.unwrap();
    assert!(fake.appended().is_empty());
    buffer.settle(Some(&[conversation(2), conversation(1)])).await.unwrap();
    assert_eq!(fake.appended(), ["a"]);
    buffer.put(draft(1, "b")).await.unwrap();
    buffer.settle(None).await.unwrap();
    assert_eq!(fake.appended(), ["a", "b"]);
}

#[tokio::test]
async fn what_could_not_be_appended_waits_in_its_place() {
    let (fake, buffer) = buffer(LONG, 1 << 20);
    fake.fail(&[ErrorKind::Unavailable, ErrorKind::Forbidden]);
    buffer.put(draft(1, "a")).await.unwrap();
    assert_eq!(kind(buffer.flush().await), ErrorKind::Unavailable);
    buffer.put(draft(1, "b")).await.unwrap();
    assert_eq!(kind(buffer.settle(Some(&[conversation(1)])).await), ErrorKind::Forbidden);
    buffer.put(draft(1, "c")).await.unwrap();
    buffer.flush().await.unwrap();
    assert_eq!(*fake.calls.lock().unwrap(), [["a", "b", "c"]]);
}

#[tokio::test]
async fn an_error_of_the_background_is_told_to_whoever_comes_next_and_once() {
    let (fake, buffer) = buffer(SHORT, 1 << 20);
    let fail_once = || async {
        fake.fail(&[ErrorKind::Unavailable]);
        buffer.put(draft(1, "a")).await.unwrap();
        while buffer.state().untold.is_none() {
            fake.called.notified().await;
            tokio::task::yield_now().await;
        }
    };
    fail_once().await;
    assert_eq!(kind(buffer.put(draft(1, "not taken")).await), ErrorKind::Unavailable);
    fail_once().await;
    assert_eq!(kind(buffer.flush().await), ErrorKind::Unavailable);
    fail_once().await;
    assert_eq!(kind(buffer.settle(Some(&[conversation(1)])).await), ErrorKind::Unavailable);
    fail_once().await;
    buffer.settle(Some(&[conversation(2)])).await.unwrap();
    assert_eq!(kind(buffer.close().await), ErrorKind::Unavailable);
    buffer.flush().await.unwrap();
    // Nothing of it was lost.
    assert_eq!(fake.appended(), ["a", "a", "a", "a"]);
}

#[tokio::test]
async fn a_message_that_never_can_be_appended_holds_up_no_other() {
    let (fake, buffer) = buffer(LONG, 1 << 20);
    fake.taken.lock().unwrap().insert("taken".to_owned(), false);
    for (n, text) in [(1, "a"), (2, "taken"), (1, "b")] {
        buffer.put(draft(n, text)).await.unwrap();
    }
    assert_eq!(kind(buffer.flush().await), ErrorKind::Conflict);
    assert_eq!(fake.appended(), ["a", "b"]);
    assert!(buffer.is_idle());
}

#[tokio::test]
async fn what_took_effect_although_nobody_knew_is_not_appended_twice() {
    let (fake, buffer) = buffer(LONG, 1 << 20);
    fake.fail(&[ErrorKind::Unavailable]);
    buffer.put(draft(1, "a")).await.unwrap();
    assert_eq!(kind(buffer.flush().await), ErrorKind::Unavailable);
    fake.taken.lock().unwrap().insert("a".to_owned(), true);
    buffer.put(draft(1, "b")).await.unwrap();
    buffer.flush().await.unwrap();
    assert_eq!(fake.appended(), ["b"]);
}

#[tokio::test]
async fn once_closed_nothing_is_taken() {
    let (fake, buffer) = buffer(LONG, 1 << 20);
    buffer.put(draft(1, "a")).await.unwrap();
    buffer.close().await.unwrap();
    assert_eq!(fake.appended(), ["a"]);
    assert_eq!(kind(buffer.put(draft(1, "b")).await), ErrorKind::Unavailable);
}

#[tokio::test]
async fn a_caller_who_goes_away_cuts_no_flush_off() {
    let (fake, buffer) = buffer(LONG, 1 << 20);
    buffer.put(draft(1, "a")).await.unwrap();
    {
        let mut flush = Box::pin(buffer.flush());
        let polled = std::future::poll_fn(|context| std::task::Poll::Ready(flush.as_mut().poll(context)));
        assert!(polled.await.is_pending());
    }
    while fake.appended().is_empty() {
        fake.called.notified().await;
    }
    assert_eq!(fake.appended(), ["a"]);
}

/// What a crash can lose: a process that dies takes its runtime along, and with it what waits. What a flush returned for is there.
#[cfg(all(feature = "testing", feature = "sqlite"))]
#[test]
fn a_process_that_dies_loses_what_waits_and_nothing_that_was_flushed() {
    use trimaran_core::conformance::Fixture as _;
    use trimaran_core::model::NewMessage;
    use trimaran_core::{Engine, Location, PageRequest};

    use crate::testing::StoreFixture;

    let folder = tempfile::tempdir().unwrap();
    let location = Location::file(Engine::Sqlite, folder.path().join("a.db"));
    let run = || tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let open = || async {
        let connection = crate::connect(&location, &Default::default(), 0).await.unwrap();
        StoreFixture::plain(connection, ()).await.unwrap()
    };
    let message = |text: &str| NewMessage::text(conversation(1), ChatRole::User, text);
    let runtime = run();
    runtime.block_on(async {
        let pieces = open().await.tenant().conversation().unwrap().pieces;
        pieces.append_buffered(message("flushed")).await.unwrap();
        pieces.flush().await.unwrap();
        pieces.append(message("appended")).await.unwrap();
        pieces.append_buffered(message("waiting")).await.unwrap();
    });
    runtime.shutdown_background();
    run().block_on(async {
        let conversations = open().await.tenant().conversation().unwrap().conversations;
        let page = conversations.messages(conversation(1), &PageRequest::first(9).unwrap()).await.unwrap();
        let texts: Vec<_> =
            page.items.iter().map(|message| message.pieces[0].original.value.as_str()).collect();
        assert_eq!(texts, ["flushed", "appended"]);
        let next = conversations.find(conversation(1)).await.unwrap().unwrap().next_sequence;
        assert_eq!(next, 2);
    });
}
