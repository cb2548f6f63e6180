//! Lists of objects, a page at a time.

use std::future::ready;

use futures_util::{StreamExt as _, TryStreamExt as _};
use trimaran_core::model::{Namespace, ObjectInfo};
use trimaran_core::{Error, ErrorKind, Page, PageRequest, Result};

use super::content::ObjectContent;
use super::error::failed;
use super::key::{self, Key};

/// So many entries are read side by side: on S3 each takes a request's time.
const AT_ONCE: usize = 16;

impl ObjectContent {
    pub(super) async fn page(
        &self,
        namespace: Namespace,
        prefix: &str,
        page: &PageRequest,
    ) -> Result<Page<ObjectInfo>> {
        let operation = format!("list the objects of {namespace}");
        let folder = self.scope.entries(namespace);
        let start = match page.cursor() {
            Some(cursor) => Some(Key::parse(cursor.as_str()).ok_or_else(|| {
                Error::new(ErrorKind::Invalid, operation.clone())
                    .context("the cursor is none of this list")
                    .hint("begin at the first page")
            })?),
            None => None,
        };
        // What all keys of such names begin with is before them all.
        let start = start.map_or_else(|| key::seen(prefix), |start| start.as_str().to_owned());
        let listed = if start.is_empty() {
            self.store.list(Some(&folder))
        } else {
            self.store.list_with_offset(Some(&folder), &folder.clone().join(start))
        };
        let wanted = usize::try_from(page.limit()).unwrap_or(usize::MAX).saturating_add(1);
        let entries = listed
            .map_err(|error| failed(&operation, error))
            .try_filter_map(|meta| {
                let key = Key::of_entry(&meta.location);
                if key.is_none() {
                    tracing::warn!(path = %meta.location, "something that is no object stands among the objects");
                }
                ready(Ok(key))
            })
            .try_take_while(|key| ready(Ok(key.may_begin_with(prefix))))
            .map_ok(|key| async move {
                let path = self.scope.entry(namespace, &key);
                let what = format!("the object with the key {} of {namespace}", key.as_str());
                self.entries.find(&path, &key, &what).await
            })
            .try_buffered(AT_ONCE);
        let items: Vec<ObjectInfo> = entries
            .try_filter_map(|found| ready(Ok(found.and_then(|found| found.entry.info(namespace)))))
            .try_filter(|info| ready(info.name.starts_with(prefix)))
            .take(wanted)
            .try_collect()
            .await?;
        Ok(Page::from_one_more(items, page.limit(), |info| Key::of(&info.name).as_str().to_owned()))
    }
}
