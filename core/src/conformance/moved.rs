//! A store that was filled on one engine and is served on another: what the migrator moves must be what repositories read.
//!
//! [`fill`] writes something through every repository, hostile text in every text; [`Filled::check`] looks at the store it
//! was moved to, which must hold the same and go on working.

use secrecy::SecretString;

use super::{kind, permissions, text};
use crate::model::{
    ApiKey, Group, NewApiKey, NewGroup, NewRole, NewSession, NewUser, Permission, Role, Session, Setting,
    Subject, User,
};
use crate::{ErrorKind, Page, PageRequest, Result, Store};

/// What was written, and the secrets that must still let in.
#[derive(Debug)]
pub struct Filled {
    held: Held,
    key: SecretString,
    token: SecretString,
    password: SecretString,
    /// Who has the password.
    user: User,
    permission: Permission,
}

/// Everything that the repositories of a store give.
#[derive(Debug, PartialEq)]
struct Held {
    users: Vec<User>,
    roles: Vec<Role>,
    groups: Vec<Group>,
    keys: Vec<ApiKey>,
    sessions: Vec<Session>,
    settings: Vec<Setting>,
    permissions: Vec<Vec<Permission>>,
}

/// Fills an empty store that keeps identity and application.
pub async fn fill(store: &dyn Store) -> Filled {
    let (identity, application) = (store.identity().unwrap(), store.application().unwrap());
    let password = SecretString::from("correct horse\0battery staple");
    let permission = Permission::new("prompts:read").unwrap();
    let role = NewRole::named("reader\0", [permission.clone()]);
    let role = identity.roles.create(NewRole { description: Some(text::megabyte()), ..role }).await.unwrap();
    let group = NewGroup { description: Some("\u{1a}0".into()), ..NewGroup::named("group\u{1a}") };
    let group = identity.groups.create(group).await.unwrap();
    identity.assignments.assign(role.id, Subject::Group(group.id)).await.unwrap();
    let mut secrets = None;
    for hostile in text::HOSTILE {
        let user = NewUser {
            email: Some(format!("{hostile}@example.org")),
            display_name: Some((*hostile).to_owned()),
            ..NewUser::named(*hostile)
        };
        let user = identity.users.create(user).await.unwrap();
        identity.groups.add_member(group.id, user.id).await.unwrap();
        identity.users.set_password(user.id, &password).await.unwrap();
        let key =
            NewApiKey { scopes: permissions(["prompts:read", "a:b"]), ..NewApiKey::named(user.id, *hostile) };
        let key = application.api_keys.create(key).await.unwrap();
        let session = application.sessions.create(NewSession::of(user.id)).await.unwrap();
        let value = serde_json::json!({ "text": hostile, *hostile: [1, 1.5, null, true, hostile] });
        application.settings.put(hostile, value).await.unwrap();
        secrets = Some((key.secret, session.token, user));
    }
    let (key, token, user) = secrets.unwrap();
    let user = identity.users.find(user.id).await.unwrap().unwrap();
    Filled { held: held(store).await, key, token, password, user, permission }
}

impl Filled {
    /// Makes sure that `store` holds the same, and goes on working.
    pub async fn check(&self, store: &dyn Store) {
        assert_eq!(held(store).await, self.held);
        let (identity, application) = (store.identity().unwrap(), store.application().unwrap());
        let (users, user) = (&identity.users, &self.user);
        assert_eq!(users.find_by_name(&user.name).await.unwrap().as_ref(), Some(user));
        assert_eq!(users.verify_password(&user.name, &self.password).await.unwrap().as_ref(), Some(user));
        assert!(identity.assignments.is_permitted(user.id, &self.permission).await.unwrap());
        let key = application.api_keys.authenticate(&self.key).await.unwrap();
        assert_eq!(key.map(|key| key.owner), Some(user.id));
        let session = application.sessions.authenticate(&self.token).await.unwrap();
        assert_eq!(session.map(|session| session.user), Some(user.id));
        // What stands in the way there stands in the way here, and what did not does not.
        assert_eq!(kind(users.create(NewUser::named(&user.name)).await), ErrorKind::Conflict);
        let late = users.create(NewUser::named("late\0comer")).await.unwrap();
        assert_eq!(users.find(late.id).await.unwrap(), Some(late));
        assert!(users.delete(user.id).await.unwrap());
        assert!(identity.groups.groups_of(user.id).await.unwrap().is_empty());
    }
}

async fn held(store: &dyn Store) -> Held {
    let (identity, application) = (store.identity().unwrap(), store.application().unwrap());
    let users = all(async |page| identity.users.list(page).await).await;
    let (mut keys, mut sessions, mut permissions) = (Vec::new(), Vec::new(), Vec::new());
    for user in &users {
        keys.extend(application.api_keys.list_of(user.id).await.unwrap());
        sessions.extend(application.sessions.list_of(user.id).await.unwrap());
        permissions.push(identity.assignments.permissions_of(user.id).await.unwrap().into_iter().collect());
    }
    Held {
        roles: all(async |page| identity.roles.list(page).await).await,
        groups: all(async |page| identity.groups.list(page).await).await,
        settings: all(async |page| application.settings.list("", page).await).await,
        users,
        keys,
        sessions,
        permissions,
    }
}

/// A whole list, page by page.
async fn all<T>(read: impl AsyncFn(&PageRequest) -> Result<Page<T>>) -> Vec<T> {
    let (mut items, mut request) = (Vec::new(), PageRequest::first(7).unwrap());
    loop {
        let page = read(&request).await.unwrap();
        items.extend(page.items);
        let Some(next) = page.next else { return items };
        request = PageRequest::first(7).unwrap().after(next);
    }
}
