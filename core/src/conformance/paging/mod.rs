//! Lists, a page at a time.

use super::Fixture;
use crate::PageRequest;
use crate::model::User;

pub mod lists;

/// All users, read `limit` at a time.
pub(super) async fn all_users(fixture: &dyn Fixture, limit: u32) -> Vec<User> {
    let users = fixture.identity().users;
    let (mut read, mut request) = (Vec::new(), PageRequest::first(limit).unwrap());
    loop {
        let page = users.list(&request).await.unwrap();
        assert!(page.items.len() <= usize::try_from(limit).unwrap());
        read.extend(page.items);
        let Some(next) = page.next else { return read };
        request = PageRequest::first(limit).unwrap().after(next);
    }
}
