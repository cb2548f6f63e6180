use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use futures_util::{FutureExt as _, StreamExt as _, TryStreamExt as _, stream};

use super::{ContentFixture, all, read};
use crate::conformance::kind;
use crate::model::{Body, Namespace, NewObject, Sha256};
use crate::{Error, ErrorKind, Result};

/// A body of this length whose bytes never repeat in step with any part.
fn bytes(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_u32;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()[0]
    };
    (0..length).map(|_| next()).collect()
}

/// The same bytes as they might come from elsewhere: in chunks of this length.
fn in_chunks(bytes: &[u8], length: usize) -> Body {
    let chunks: Vec<Result<Bytes>> =
        bytes.chunks(length).map(|chunk| Ok(Bytes::copy_from_slice(chunk))).collect();
    Body::stream(stream::iter(chunks))
}

pub async fn a_long_stream_comes_back_as_it_was(fixture: &dyn ContentFixture) {
    let content = fixture.tenant();
    let long = bytes((17 << 20) + 12_345);
    let put =
        content.put(Namespace::Datasets, "long", NewObject::new(in_chunks(&long, 65_521))).await.unwrap();
    assert_eq!((put.size, put.sha256), (long.len() as u64, Sha256::of(&long)));
    let mut at = 0;
    let mut body = content.get(Namespace::Datasets, "long").await.unwrap().unwrap().body;
    while let Some(chunk) = body.try_next().await.unwrap() {
        assert_eq!(chunk, long[at..at + chunk.len()]);
        at += chunk.len();
    }
    assert_eq!(at, long.len());
    let over_a_part = (8 << 20) - 3..(8 << 20) + 5;
    let range = content.get_range(Namespace::Datasets, "long", over_a_part).await.unwrap().unwrap();
    assert_eq!(range.bytes().await.unwrap(), long[(8 << 20) - 3..(8 << 20) + 5]);
}

pub async fn a_body_as_long_as_a_part_or_nearly_comes_back(fixture: &dyn ContentFixture) {
    let content = fixture.tenant();
    for length in [(8 << 20) - 1, 8 << 20, (8 << 20) + 1] {
        let body = bytes(length);
        for new in [NewObject::new(body.clone()), NewObject::new(in_chunks(&body, 3 << 20))] {
            let put = content.put(Namespace::Datasets, "part", new).await.unwrap();
            assert_eq!((put.size, put.sha256), (length as u64, Sha256::of(&body)));
            assert!(read(&content, Namespace::Datasets, "part").await == body);
        }
    }
}

pub async fn a_range_is_as_much_of_it_as_there_is(fixture: &dyn ContentFixture) {
    let content = fixture.tenant();
    content.put(Namespace::Reports, "r", NewObject::new("0123456789")).await.unwrap();
    for (asked, given) in [(0..10, 0..10), (3..5, 3..5), (8..99, 8..10), (4..4, 4..4), (10..12, 10..10)] {
        let object = content.get_range(Namespace::Reports, "r", asked).await.unwrap().unwrap();
        assert_eq!((&object.range, object.info.size), (&given, 10));
        let expected = &b"0123456789"[given.start as usize..given.end as usize];
        assert_eq!(object.bytes().await.unwrap(), expected);
    }
}

pub async fn a_range_that_is_none_is_refused(fixture: &dyn ContentFixture) {
    let content = fixture.tenant();
    content.put(Namespace::Reports, "r", NewObject::new("0123456789")).await.unwrap();
    #[allow(clippy::reversed_empty_ranges, reason = "that is what must be refused")]
    for wrong in [11..12, 5..4, u64::MAX..u64::MAX] {
        assert_eq!(kind(content.get_range(Namespace::Reports, "r", wrong).await), ErrorKind::Invalid);
    }
}

pub async fn a_body_that_fails_changes_nothing(fixture: &dyn ContentFixture) {
    let content = fixture.tenant();
    content.put(Namespace::Reports, "old", NewObject::new("old")).await.unwrap();
    for length in [10, 9 << 20, 20 << 20] {
        for name in ["old", "new"] {
            let broken = || Err(Error::new(ErrorKind::Timeout, "receive the upload"));
            let chunks = vec![Ok(Bytes::from(vec![7; length])), broken(), Ok(Bytes::from_static(b"more"))];
            let object = NewObject::new(Body::stream(stream::iter(chunks)));
            assert_eq!(kind(content.put(Namespace::Reports, name, object).await), ErrorKind::Timeout);
        }
    }
    let listed = all(&content, Namespace::Reports, "", 10).await;
    assert_eq!((listed.len(), listed[0].version), (1, 1));
    assert_eq!(read(&content, Namespace::Reports, "old").await.as_ref(), b"old");
}

pub async fn a_put_that_is_dropped_changes_nothing(fixture: &dyn ContentFixture) {
    let content = fixture.tenant();
    for length in [10, 20 << 20] {
        let never = stream::iter([Ok(Bytes::from(vec![7; length]))]).chain(stream::pending());
        let started = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&started);
        let watched = never.inspect(move |_| seen.store(true, Ordering::SeqCst));
        let mut put = content.put(Namespace::Reports, "n", NewObject::new(Body::stream(watched)));
        // Until the body is being taken; then it would wait for ever.
        while !started.load(Ordering::SeqCst) {
            assert!((&mut put).now_or_never().is_none());
            std::thread::yield_now();
        }
        drop(put);
        assert!(content.head(Namespace::Reports, "n").await.unwrap().is_none());
        assert!(all(&content, Namespace::Reports, "", 10).await.is_empty());
    }
}
