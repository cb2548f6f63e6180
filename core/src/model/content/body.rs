//! The bytes of an object on their way in.

use std::fmt;

use bytes::Bytes;
use futures_util::stream::{self, BoxStream, Stream, StreamExt as _};

use crate::Result;

/// Bytes as they come, in chunks of any length. After an error there is nothing more.
pub type ByteStream = BoxStream<'static, Result<Bytes>>;

/// The bytes of a new object: at hand, or as they come. A stream is taken in bounded memory, however long it is.
pub struct Body(Source);

enum Source {
    Whole(Bytes),
    Stream(ByteStream),
}

impl Body {
    /// The bytes of a stream. If it ends with an error, nothing is put, and the error is the call's.
    pub fn stream(stream: impl Stream<Item = Result<Bytes>> + Send + 'static) -> Self {
        Self(Source::Stream(stream.boxed()))
    }

    /// All of it, chunk by chunk.
    pub fn into_stream(self) -> ByteStream {
        match self.0 {
            Source::Whole(bytes) => stream::once(std::future::ready(Ok(bytes))).boxed(),
            Source::Stream(stream) => stream,
        }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Source::Whole(bytes) => write!(f, "Body({} bytes)", bytes.len()),
            Source::Stream(_) => f.write_str("Body(stream)"),
        }
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self(Source::Whole(bytes))
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes::from(bytes).into()
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Bytes::from(text).into()
    }
}

impl From<&'static str> for Body {
    fn from(text: &'static str) -> Self {
        Bytes::from_static(text.as_bytes()).into()
    }
}

impl From<&'static [u8]> for Body {
    fn from(bytes: &'static [u8]) -> Self {
        Bytes::from_static(bytes).into()
    }
}
