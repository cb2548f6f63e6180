//! Who is it, and may they: an API key looked up and a permission checked, identity and application on Postgres.

use std::sync::Arc;

use secrecy::SecretString;
use serde_json::json;
use trimaran::Engine;
use trimaran::id::UserId;
use trimaran::model::{NewApiKey, NewGroup, NewRole, NewUser, Permission, Subject};

use crate::arguments::Arguments;
use crate::ours::{self, AREAS, Ours};
use crate::pace::{self, Amount, Rates};
use crate::record::Recorder;
use crate::replay::{self, Raw};
use crate::schema::Place;
use crate::table::Table;
use crate::{Result, say, while_measuring};

/// Users with a key each.
const USERS: usize = 10_000;
/// Roles of five permissions.
const ROLES: usize = 20;
/// Groups with two roles; each user is in two of them and has one role of its own.
const GROUPS: usize = 100;
/// Requests that are written down for the driver.
const RECORDED: usize = 1_000;

/// Somebody who asks.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) user: UserId,
    pub(crate) secret: SecretString,
    /// What is granted, by a role of a group's or of the user's own.
    pub(crate) permission: Permission,
}

/// A permission of a role.
fn permission(role: usize, number: usize) -> Result<Permission> {
    Ok(Permission::new(format!("area{role}.things:verb{number}"))?)
}

/// So many users with keys that have been used, roles and groups.
pub(crate) async fn fill(ours: &Ours, users: usize) -> Result<Arc<Vec<Caller>>> {
    let mut roles = Vec::new();
    for role in 0..ROLES {
        let permissions = (0..5).map(|number| permission(role, number)).collect::<Result<Vec<_>>>()?;
        roles.push(ours.identity.roles.create(NewRole::named(format!("role {role}"), permissions)).await?.id);
    }
    let mut groups = Vec::new();
    for group in 0..GROUPS {
        let id = ours.identity.groups.create(NewGroup::named(format!("group {group}"))).await?.id;
        for role in [group, group + 7] {
            ours.identity.assignments.assign(roles[role % ROLES], Subject::Group(id)).await?;
        }
        groups.push(id);
    }
    let callers = Arc::new(tokio::sync::Mutex::new(vec![None; users]));
    let given = (ours.clone(), Arc::new((roles, groups)), Arc::clone(&callers));
    pace::rate(8, Amount::Each(users), move |number| {
        let (ours, ids, callers) = given.clone();
        async move {
            let (roles, groups) = &*ids;
            let user =
                ours.identity.users.create(NewUser::named(format!("user{number}@example.org"))).await?.id;
            ours.identity.assignments.assign(roles[number % ROLES], Subject::User(user)).await?;
            for group in [number, number * 7 + 1] {
                ours.identity.groups.add_member(groups[group % GROUPS], user).await?;
            }
            let secret = ours.application.api_keys.create(NewApiKey::named(user, "laptop")).await?.secret;
            // The first use of a minute is recorded; those after it are what is measured.
            ours.application.api_keys.authenticate(&secret).await?;
            let role = if number.is_multiple_of(2) { number } else { number % GROUPS };
            let permission = permission(role % ROLES, number % 5)?;
            callers.lock().await[number] = Some(Caller { user, secret, permission });
            Ok(())
        }
    })
    .await?;
    let callers = callers.lock().await.clone().into_iter().collect::<Option<Vec<_>>>();
    Ok(Arc::new(callers.ok_or("a user was not made")?))
}

/// The key is good, and its owner may.
pub(crate) async fn admit(ours: &Ours, caller: &Caller) -> Result<()> {
    let key = ours.application.api_keys.authenticate(&caller.secret).await?.ok_or("a key is refused")?;
    if key.owner != caller.user
        || !ours.identity.assignments.is_permitted(key.owner, &caller.permission).await?
    {
        return Err("what is granted is refused".into());
    }
    Ok(())
}

pub(crate) async fn measure(arguments: &Arguments) -> Result<Table> {
    let mut table = Table::new(
        "keys",
        "An API key looked up and a permission checked, identity and application on Postgres, a second",
        &[
            ("callers", "callers"),
            ("ours", "Trimaran"),
            ("raw", "sqlx, the same statements"),
            ("ratio", "sqlx / Trimaran"),
            ("promised", "promised"),
            ("aim", "aim"),
        ],
    );
    let users = arguments.scaled(USERS);
    say(&format!("keys: making {users} users"));
    let place = Place::empty(arguments, Engine::Postgres, "keys", &AREAS).await?;
    let filling = Ours::over(ours::connect(&place, 16, false).await?)?;
    let callers = fill(&filling, users).await?;

    let recorder = Recorder::over(filling.connection.clone());
    let recorded = Ours::over(recorder.connection())?;
    let mut scripts = Vec::new();
    for number in 0..RECORDED {
        admit(&recorded, &callers[number * 7919 % users]).await?;
        scripts.push(recorder.take());
    }
    say(&format!("keys: {:.1} statements a request", replay::statements(&scripts)));
    let scripts = Arc::new(scripts);
    filling.connection.close().await;

    for sessions in [1, 16] {
        let mut rates = Rates::default();
        for _ in 0..arguments.rounds {
            let side = Ours::over(ours::connect(&place, sessions, false).await?)?;
            let amount = Amount::For(while_measuring(arguments));
            for caller in callers.iter().take(sessions) {
                admit(&side, caller).await?;
            }
            let given = (side.clone(), Arc::clone(&callers));
            let rate = pace::rate(sessions, amount, move |number| {
                let (side, callers) = given.clone();
                async move { admit(&side, &callers[number * 7919 % callers.len()]).await }
            });
            rates.ours.push(rate.await?);
            side.connection.close().await;
            let raw = Raw::open(&ours::target(&place, false), sessions).await?;
            rates.raw.push(raw.rate(sessions, amount, &scripts).await?);
            raw.close().await?;
        }
        table.add(vec![
            json!(sessions),
            json!(rates.ours()),
            json!(rates.raw()),
            json!(rates.ratio()),
            json!(1_000),
            json!(10_000),
        ]);
    }
    place.remove().await?;
    Ok(table)
}
