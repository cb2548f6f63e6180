//! The cases of [`Content`], over any store of objects: run for each with one
//! [`content_conformance_suite!`](crate::content_conformance_suite).

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

use bytes::Bytes;

use crate::model::{Namespace, ObjectInfo};
use crate::repository::{Content, ContentExt as _};
use crate::{PageRequest, TenantId};

pub mod bodies;
pub mod conditions;
pub mod history;
pub mod isolation;
pub mod list;
pub mod lists;
pub mod objects;
pub mod permissions;
pub mod resources;
pub mod scopes;

/// How many versions the store of a fixture must keep.
pub const KEEP_VERSIONS: u32 = 5;

/// Fresh content for one case: empty, and of a store that keeps [`KEEP_VERSIONS`] versions.
pub trait ContentFixture: Debug + Send + Sync {
    /// The installation's objects.
    fn installation(&self) -> Arc<dyn Content>;

    /// A tenant's objects.
    fn tenant(&self) -> Arc<dyn Content>;

    /// Another tenant's objects, in the same store.
    fn other_tenant(&self) -> Arc<dyn Content>;

    /// Who that other tenant is: what whoever guesses where its objects are would guess with.
    fn other_id(&self) -> TenantId;
}

/// The bytes of an object that must be there.
async fn read(content: &Arc<dyn Content>, namespace: Namespace, name: &str) -> Bytes {
    content.read(namespace, name).await.unwrap().unwrap().1
}

/// All objects of a list, by pages of so many.
async fn all(content: &Arc<dyn Content>, namespace: Namespace, prefix: &str, limit: u32) -> Vec<ObjectInfo> {
    let mut request = PageRequest::first(limit).unwrap();
    let mut items = Vec::new();
    loop {
        let page = content.list(namespace, prefix, &request).await.unwrap();
        assert!(page.items.len() <= limit as usize);
        items.extend(page.items);
        match page.next {
            Some(next) => request = PageRequest::first(limit).unwrap().after(next),
            None => return items,
        }
    }
}

fn names(items: &[ObjectInfo]) -> Vec<&str> {
    items.iter().map(|info| info.name.as_str()).collect()
}

fn metadata<const N: usize>(pairs: [(&str, &str); N]) -> BTreeMap<String, String> {
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

/// Makes each case a test, in a module, over a function that gives a
/// [`ContentFixture`](crate::conformance::content::ContentFixture). It is called as
/// [`conformance_suite!`](crate::conformance_suite) is; the attributes may be several, as to ignore all with their reason.
#[macro_export]
macro_rules! content_conformance_suite {
    ($(#$test:tt)+ mod $module:ident = $($fixture:ident)::+ $(; ignore { $($case:ident: $reason:literal,)* })?) => {
        mod $module {
            use super::*;

            #[test]
            fn every_gap_is_a_case() {
                let gaps: &[&str] = &[$($(stringify!($case),)*)?];
                for gap in gaps {
                    assert!($crate::conformance::content::list::names().any(|(_, name)| name == *gap), "{gap} is no case");
                }
            }

            $crate::__conformance_gaps! { ($) $($($case: $reason,)*)? }
            $crate::__content_list! { [$crate::__conformance_tests] ($(#$test)+ $($fixture)::+) }
        }
    };
}
