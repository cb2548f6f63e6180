//! A store that fails at one operation: before it does anything, or after it has done all.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use futures_util::stream::BoxStream;
use futures_util::{FutureExt as _, StreamExt as _};
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result, UploadPart,
};

/// On which side of the operation it fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Before,
    After,
}

#[derive(Debug)]
struct Fault {
    at: usize,
    side: Side,
    done: AtomicUsize,
}

impl Fault {
    /// Counts an operation; fails if it is at this side of the one. From there on, all fail: the process is no more.
    fn pass(&self, side: Side) -> Result<()> {
        let number = match side {
            Side::Before => self.done.fetch_add(1, Ordering::SeqCst),
            Side::After => self.done.load(Ordering::SeqCst) - 1,
        };
        let is_over =
            number > self.at || number == self.at && (side == self.side || self.side == Side::Before);
        if is_over {
            return Err(Error::Generic { store: "faulty", source: "this is where it fails".into() });
        }
        Ok(())
    }
}

/// Another store, failing at its n-th operation and at all that follow.
#[derive(Debug, Clone)]
pub(super) struct Faulty {
    inner: Arc<dyn ObjectStore>,
    fault: Arc<Fault>,
}

impl Faulty {
    pub(super) fn new(inner: Arc<dyn ObjectStore>, at: usize, side: Side) -> Self {
        Self { inner, fault: Arc::new(Fault { at, side, done: AtomicUsize::new(0) }) }
    }

    /// Whether it came so far.
    pub(super) fn has_failed(&self) -> bool {
        self.fault.done.load(Ordering::SeqCst) > self.fault.at
    }
}

impl fmt::Display for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

#[async_trait]
impl ObjectStore for Faulty {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        self.fault.pass(Side::Before)?;
        let done = self.inner.put_opts(location, payload, options).await?;
        self.fault.pass(Side::After).map(|()| done)
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.fault.pass(Side::Before)?;
        let upload = self.inner.put_multipart_opts(location, options).await?;
        self.fault.pass(Side::After)?;
        Ok(Box::new(FaultyUpload { inner: upload, fault: Arc::clone(&self.fault) }))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.fault.pass(Side::Before)?;
        let done = self.inner.get_opts(location, options).await?;
        self.fault.pass(Side::After).map(|()| done)
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        let fault = Arc::clone(&self.fault);
        if let Err(error) = fault.pass(Side::Before) {
            return futures_util::stream::once(async { Err(error) }).boxed();
        }
        self.inner
            .delete_stream(locations)
            .map(move |outcome| outcome.and_then(|path| fault.pass(Side::After).map(|()| path)))
            .boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}

#[derive(Debug)]
struct FaultyUpload {
    inner: Box<dyn MultipartUpload>,
    fault: Arc<Fault>,
}

#[async_trait]
impl MultipartUpload for FaultyUpload {
    fn put_part(&mut self, part: PutPayload) -> UploadPart {
        let fault = Arc::clone(&self.fault);
        if let Err(error) = fault.pass(Side::Before) {
            return async { Err(error) }.boxed();
        }
        let done = self.inner.put_part(part);
        async move {
            done.await?;
            fault.pass(Side::After)
        }
        .boxed()
    }

    async fn complete(&mut self) -> Result<PutResult> {
        self.fault.pass(Side::Before)?;
        let done = self.inner.complete().await?;
        self.fault.pass(Side::After).map(|()| done)
    }

    async fn abort(&mut self) -> Result<()> {
        self.fault.pass(Side::Before)?;
        self.inner.abort().await
    }
}

/// Another store, whose first conditional write takes effect and is answered as if it had not.
#[derive(Debug)]
pub(super) struct ForgetfulOnce {
    inner: Arc<dyn ObjectStore>,
    forgot: AtomicUsize,
}

impl ForgetfulOnce {
    pub(super) fn new(inner: Arc<dyn ObjectStore>) -> Self {
        Self { inner, forgot: AtomicUsize::new(0) }
    }
}

impl fmt::Display for ForgetfulOnce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

#[async_trait]
impl ObjectStore for ForgetfulOnce {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        let is_conditional = options.mode != object_store::PutMode::Overwrite;
        let done = self.inner.put_opts(location, payload, options).await?;
        if is_conditional && self.forgot.fetch_add(1, Ordering::SeqCst) == 0 {
            return Err(Error::Precondition { path: location.to_string(), source: "sent twice".into() });
        }
        Ok(done)
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.inner.get_opts(location, options).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}
