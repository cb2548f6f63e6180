//! A long object, written part by part.

use std::io;
use std::os::unix::fs::FileExt as _;

use async_trait::async_trait;
use futures_util::FutureExt as _;
use object_store::path::Path;
use object_store::{
    Error as StoreError, MultipartUpload, PutMode, PutPayload, PutResult, Result as StoreResult, UploadPart,
};

use super::drafts::Draft;
use super::{FolderStore, NAME};

#[derive(Debug)]
pub(super) struct FolderUpload {
    store: FolderStore,
    location: Path,
    /// `None`: completed or aborted.
    draft: Option<Draft>,
}

impl FolderUpload {
    pub(super) fn new(store: FolderStore, location: Path, draft: Draft) -> Self {
        Self { store, location, draft: Some(draft) }
    }

    fn ended() -> StoreError {
        StoreError::Generic { store: NAME, source: "the upload was completed or aborted".into() }
    }
}

#[async_trait]
impl MultipartUpload for FolderUpload {
    fn put_part(&mut self, part: PutPayload) -> UploadPart {
        let Some(draft) = &mut self.draft else { return async { Err(Self::ended()) }.boxed() };
        let (file, mut at) = draft.reserve(part.content_length() as u64);
        let (store, location) = (self.store.clone(), self.location.clone());
        async move {
            store
                .blocking(&location, move |_| {
                    for chunk in &part {
                        file.write_all_at(chunk, at)?;
                        at += chunk.len() as u64;
                    }
                    Ok(())
                })
                .await
        }
        .boxed()
    }

    async fn complete(&mut self) -> StoreResult<PutResult> {
        let draft = self.draft.take().ok_or_else(Self::ended)?;
        let key = self.location.clone();
        self.store
            .blocking(&self.location, move |folder| -> io::Result<()> {
                draft.sync()?;
                folder.commit(draft, &key, &PutMode::Overwrite)
            })
            .await?;
        Ok(PutResult { e_tag: None, version: None, extensions: Default::default() })
    }

    async fn abort(&mut self) -> StoreResult<()> {
        let draft = self.draft.take();
        self.store
            .blocking(&self.location, move |_| {
                drop(draft);
                Ok(())
            })
            .await
    }
}
