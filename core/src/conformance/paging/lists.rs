use super::all_users;
use crate::conformance::{Fixture, kind, permission, permissions, text};
use crate::model::{NewGroup, NewRole, User};
use crate::{Cursor, ErrorKind, PageRequest};

async fn crowd(fixture: &dyn Fixture, size: usize) -> Vec<User> {
    let mut users = Vec::new();
    for n in 0..size {
        users.push(fixture.user(&format!("user {}", (n * 7) % size)).await);
    }
    users
}

fn first(limit: u32) -> PageRequest {
    PageRequest::first(limit).unwrap()
}

pub async fn pages_give_everyone_once_in_the_order_of_creation(fixture: &dyn Fixture) {
    let users = crowd(fixture, 20).await;
    for limit in [1, 3, 7, 10, 19, 20, 21, 1_000] {
        assert_eq!(all_users(fixture, limit).await, users, "{limit} at a time");
    }
}

pub async fn the_last_page_says_so(fixture: &dyn Fixture) {
    let users = fixture.identity().users;
    let empty = users.list(&first(5)).await.unwrap();
    assert_eq!((empty.items, empty.next), (vec![], None));
    let crowd = crowd(fixture, 10).await;
    let full = users.list(&first(10)).await.unwrap();
    assert_eq!((full.items.as_slice(), full.next), (crowd.as_slice(), None));
    let half = users.list(&first(5)).await.unwrap();
    assert_eq!(half.items, crowd[..5]);
    let rest = users.list(&first(5).after(half.next.unwrap())).await.unwrap();
    assert_eq!((rest.items.as_slice(), rest.next), (&crowd[5..], None));
}

pub async fn rows_that_come_while_paging_are_neither_repeated_nor_in_the_way(fixture: &dyn Fixture) {
    let users = fixture.identity().users;
    let before = crowd(fixture, 6).await;
    let (mut read, mut request, mut added) = (Vec::new(), first(2), Vec::new());
    loop {
        let page = users.list(&request).await.unwrap();
        read.extend(page.items);
        if added.len() < 3 {
            added.push(fixture.user(&format!("late {}", added.len())).await);
        }
        let Some(next) = page.next else { break };
        request = first(2).after(next);
    }
    assert_eq!(read[..6], before);
    assert_eq!(read[6..], added[..read.len() - 6]);
}

pub async fn rows_that_go_while_paging_skip_nobody_else(fixture: &dyn Fixture) {
    let users = fixture.identity().users;
    let crowd = crowd(fixture, 6).await;
    let page = users.list(&first(3)).await.unwrap();
    // One that was read, the one that the cursor names, and one that is still to come.
    for gone in [0, 2, 3] {
        users.delete(crowd[gone].id).await.unwrap();
    }
    let rest = users.list(&first(3).after(page.next.unwrap())).await.unwrap();
    assert_eq!((rest.items.as_slice(), rest.next), (&crowd[4..], None));
}

pub async fn a_cursor_that_no_page_gave_is_refused(fixture: &dyn Fixture) {
    crowd(fixture, 2).await;
    let identity = fixture.identity();
    let group = identity.groups.create(NewGroup::named("g")).await.unwrap().id;
    for wrong in ["", "1", "not an id"].iter().chain(text::HOSTILE) {
        let page = first(1).after(Cursor::new(*wrong));
        assert_eq!(kind(identity.users.list(&page).await), ErrorKind::Invalid, "{wrong:?}");
        assert_eq!(kind(identity.roles.list(&page).await), ErrorKind::Invalid);
        assert_eq!(kind(identity.groups.list(&page).await), ErrorKind::Invalid);
        assert_eq!(kind(identity.groups.members_of(group, &page).await), ErrorKind::Invalid);
        assert_eq!(kind(fixture.application().settings.list("", &page).await), ErrorKind::Invalid);
    }
}

pub async fn pages_of_roles_bring_all_their_permissions(fixture: &dyn Fixture) {
    let roles = fixture.identity().roles;
    let mut created = Vec::new();
    for n in 0..7 {
        let names = (0..n).map(|k| permission(&format!("p{k}")));
        created.push(roles.create(NewRole::named(format!("r{n}"), names)).await.unwrap());
    }
    let (mut read, mut request) = (Vec::new(), first(3));
    while let Some(next) = {
        let page = roles.list(&request).await.unwrap();
        read.extend(page.items);
        page.next
    } {
        request = first(3).after(next);
    }
    assert_eq!(read, created);
    assert_eq!(read[0].permissions, permissions([]));
}

pub async fn groups_and_their_members_are_paged(fixture: &dyn Fixture) {
    let groups = fixture.identity().groups;
    let users = crowd(fixture, 5).await;
    let mut created = Vec::new();
    for name in ["c", "a", "b"] {
        created.push(groups.create(NewGroup::named(name)).await.unwrap());
    }
    for user in users.iter().rev() {
        groups.add_member(created[0].id, user.id).await.unwrap();
    }
    let page = groups.list(&first(2)).await.unwrap();
    assert_eq!(page.items, created[..2]);
    let rest = groups.list(&first(2).after(page.next.unwrap())).await.unwrap();
    assert_eq!((rest.items.as_slice(), rest.next), (&created[2..], None));
    let page = groups.members_of(created[0].id, &first(3)).await.unwrap();
    let rest = groups.members_of(created[0].id, &first(3).after(page.next.unwrap())).await.unwrap();
    let members: Vec<_> = page.items.into_iter().chain(rest.items).collect();
    assert_eq!(members, users.iter().map(|user| user.id).collect::<Vec<_>>());
}
