//! Reading long lists a page at a time, by key: a page begins after the last item of the one before, so that rows which
//! come or go meanwhile neither repeat an item nor skip one.

use crate::{Error, ErrorKind, Result};

/// Where a page begins: opaque to its holder, made by the repository that gave the page before.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Cursor(String);

impl Cursor {
    /// A cursor that says `key`.
    pub fn new(key: impl Into<String>) -> Self {
        Self(key.into())
    }

    /// The text to hand to a client and take back.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Which page is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    limit: u32,
    after: Option<Cursor>,
}

impl PageRequest {
    /// The most items that a page may have.
    pub const MAX_LIMIT: u32 = 1_000;

    /// The first `limit` items.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] unless `limit` is between 1 and [`Self::MAX_LIMIT`].
    pub fn first(limit: u32) -> Result<Self> {
        if (1..=Self::MAX_LIMIT).contains(&limit) {
            return Ok(Self { limit, after: None });
        }
        Err(Error::new(ErrorKind::Invalid, "read a page")
            .context(format!("a page of {limit} items was asked for"))
            .hint(format!("ask for 1 to {}", Self::MAX_LIMIT)))
    }

    /// As many items, beginning after those of the page that gave `cursor`.
    #[must_use]
    pub fn after(mut self, cursor: Cursor) -> Self {
        self.after = Some(cursor);
        self
    }

    /// How many items at most.
    pub fn limit(&self) -> u32 {
        self.limit
    }

    /// After which item.
    pub fn cursor(&self) -> Option<&Cursor> {
        self.after.as_ref()
    }
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The items, in the list's order.
    pub items: Vec<T>,
    /// Where the next page begins; `None` when this was the last.
    pub next: Option<Cursor>,
}

impl<T> Page<T> {
    /// Makes a page of `items`, of which one more than `limit` was read to see whether there is a next one; `key` says
    /// what an item is found by.
    pub fn from_one_more(mut items: Vec<T>, limit: u32, key: impl Fn(&T) -> String) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = items.len() > limit;
        items.truncate(limit);
        let next = if more { items.last().map(|item| Cursor::new(key(item))) } else { None };
        Self { items, next }
    }

    /// The same page of other items.
    ///
    /// # Errors
    /// The first that `f` returns.
    pub fn try_map<U>(self, f: impl FnMut(T) -> Result<U>) -> Result<Page<U>> {
        Ok(Page { items: self.items.into_iter().map(f).collect::<Result<_>>()?, next: self.next })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_knows_whether_another_follows() {
        let page = Page::from_one_more(vec![1, 2, 3], 2, ToString::to_string);
        assert_eq!(page.items, [1, 2]);
        assert_eq!(page.next, Some(Cursor::new("2")));
        assert_eq!(Page::from_one_more(vec![1, 2], 2, ToString::to_string).next, None);
    }

    #[test]
    fn a_page_of_none_or_of_too_many_is_refused() {
        for limit in [0, PageRequest::MAX_LIMIT + 1] {
            assert_eq!(PageRequest::first(limit).unwrap_err().kind(), ErrorKind::Invalid);
        }
    }
}
