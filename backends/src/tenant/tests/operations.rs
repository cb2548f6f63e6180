//! Operations on tenants, stopped at every step and gone on with.

use sea_orm::ConnectionTrait as _;
use trimaran_core::{ErrorKind, UnitOfWork as _};

use super::installation::{Installation, On, StopAt, fill, key_text, told};
use crate::stores::Stores;
use crate::tenant::NamingKey;

/// More steps than any operation has.
const MOST_STEPS: usize = 30;

fn key(seed: &str) -> NamingKey {
    NamingKey::new(&secrecy::SecretString::from(key_text(seed))).unwrap()
}

/// Either the tenant can be used, or it is said what finishes what is under way.
async fn usable_or_locked(stores: &Stores, tenant: trimaran_core::TenantId, command: &str) -> bool {
    match stores.tenant(tenant).await {
        Ok(_) => true,
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Locked, "{}", error.report());
            assert!(error.next_step().unwrap().contains(command), "{}", error.report());
            false
        }
    }
}

async fn a_rename_goes_on(on: On) {
    for step in 0..MOST_STEPS {
        let installation = Installation::new(on).await;
        let stores = installation.open("one").await;
        let (alice, bob) =
            (stores.tenants().create("alice").await.unwrap(), stores.tenants().create("bob").await.unwrap());
        fill(&stores, alice.id, "hers").await;
        fill(&stores, bob.id, "his").await;
        let stopped = stores.administration().observed(StopAt::step(step)).rename(alice.id, "Älice\0").await;
        usable_or_locked(&stores, alice.id, "trimaran tenant rename").await;
        assert_eq!(told(&stores, bob.id).await, ["his", "his"]);
        stores.close().await.unwrap();

        // Another process comes.
        let stores = installation.open("one").await;
        let usable = usable_or_locked(&stores, alice.id, "trimaran tenant rename").await;
        if !usable {
            // Nothing else may be done to it, and nobody gets its old name meanwhile.
            let administration = stores.administration();
            assert_eq!(administration.delete(alice.id).await.unwrap_err().kind(), ErrorKind::Locked);
            assert_eq!(administration.rename(alice.id, "x").await.unwrap_err().kind(), ErrorKind::Locked);
            assert_eq!(stores.tenants().create("alice").await.unwrap_err().kind(), ErrorKind::Locked);
            let found = stores.tenants().find_being_renamed("alice").await.unwrap();
            assert_eq!(found.map(|found| found.id), Some(alice.id));
        }
        let renamed = stores.administration().rename(alice.id, "Älice\0").await.unwrap();
        assert_eq!((renamed.user_name.as_str(), &renamed.operation), ("Älice\0", &None));
        assert_ne!(renamed.place, alice.place);
        assert_eq!(told(&stores, alice.id).await, ["hers", "hers"], "stopped at {step}");
        assert_eq!(stores.tenants().find_by_user_name("alice").await.unwrap(), None);
        stores.close().await.unwrap();
        if On::FILES.contains(&on) {
            assert!(!installation.file(&alice).exists() && installation.file(&renamed).exists());
        }
        if stopped.is_ok() {
            assert!(step >= 3, "an operation has steps");
            return;
        }
    }
    panic!("it never came to its end");
}

async fn other_keys_go_on(on: On) {
    const USERS: [&str; 3] = ["a", "b", "c"];
    for step in 0..MOST_STEPS {
        let installation = Installation::new(on).await;
        let stores = installation.open("old").await;
        let mut tenants = Vec::new();
        for user in USERS {
            let tenant = stores.tenants().create(user).await.unwrap();
            fill(&stores, tenant.id, user).await;
            tenants.push(tenant);
        }
        // One was never opened: it has no file.
        tenants.push(stores.tenants().create("d").await.unwrap());
        let stopped = stores.administration().observed(StopAt::step(step)).rekey(&key("new")).await;
        for tenant in &tenants {
            usable_or_locked(&stores, tenant.id, "trimaran tenant rekey").await;
        }
        stores.close().await.unwrap();

        // The key of before is lost: the new one is configured already.
        let stores = installation.administer("new").await;
        stores.administration().rekey(&key("new")).await.unwrap();
        assert_eq!(stores.administration().rekey(&key("new")).await.unwrap(), 0);
        stores.close().await.unwrap();
        let stores = installation.open("new").await;
        for (user, tenant) in USERS.iter().zip(&tenants) {
            let now = stores.tenants().find(tenant.id).await.unwrap().unwrap();
            assert_eq!((now.key_id.as_str(), now.operation), (key("new").id(), None));
            assert_eq!(now.place, key("new").place_of(user));
            assert_eq!(told(&stores, tenant.id).await, [*user, *user], "stopped at {step}");
            if On::FILES.contains(&on) {
                assert!(!installation.file(tenant).exists());
            }
        }
        stores.close().await.unwrap();
        if stopped.is_ok() {
            assert!(step >= 9, "each tenant has steps");
            return;
        }
    }
    panic!("it never came to its end");
}

async fn a_deletion_goes_on(on: On) {
    for step in 0..MOST_STEPS {
        let installation = Installation::new(on).await;
        let stores = installation.open("one").await;
        let (alice, bob) =
            (stores.tenants().create("alice").await.unwrap(), stores.tenants().create("bob").await.unwrap());
        fill(&stores, alice.id, "hers").await;
        fill(&stores, bob.id, "his").await;
        let stopped = stores.administration().observed(StopAt::step(step)).delete(alice.id).await;
        stores.close().await.unwrap();

        let stores = installation.open("one").await;
        if stores.tenants().find(alice.id).await.unwrap().is_some() {
            if !usable_or_locked(&stores, alice.id, "trimaran tenant delete").await {
                assert_eq!(stores.tenants().create("alice").await.unwrap_err().kind(), ErrorKind::Conflict);
                let rename = stores.administration().rename(alice.id, "x").await;
                assert_eq!(rename.unwrap_err().kind(), ErrorKind::Locked);
            }
            stores.administration().delete(alice.id).await.unwrap();
        }
        assert_eq!(stores.tenants().find(alice.id).await.unwrap(), None);
        let gone = stores.administration().delete(alice.id).await.unwrap_err();
        assert_eq!(gone.kind(), ErrorKind::NotFound);
        assert_eq!(told(&stores, bob.id).await, ["his", "his"], "stopped at {step}");
        #[cfg(feature = "testing")]
        if let Some(rows) = super::installation::rows_on_server(alice.id, &installation).await {
            assert_eq!(rows, 0);
            let his = super::installation::rows_on_server(bob.id, &installation).await;
            assert!(his.unwrap() > 0);
        }
        // Whoever is called so next begins anew.
        let next = stores.tenants().create("alice").await.unwrap();
        assert_eq!(next.place, alice.place);
        assert!(told(&stores, next.id).await.is_empty());
        stores.close().await.unwrap();
        let content = installation.path().join("data/content");
        let left = walk(&content).into_iter().filter(|path| path.contains(&alice.id.to_string()));
        assert_eq!(left.collect::<Vec<_>>(), Vec::<String>::new());
        if stopped.is_ok() {
            assert!(step >= 4, "an operation has steps");
            return;
        }
    }
    panic!("it never came to its end");
}

/// The paths of all files under a folder.
fn walk(folder: &std::path::Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            found.extend(walk(&entry.path()));
        } else {
            found.push(entry.path().display().to_string());
        }
    }
    found
}

macro_rules! on_every_engine {
    ($($case:ident: $sqlite:ident $duckdb:ident $postgres:ident;)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $sqlite() {
            $case(On::Sqlite).await;
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $duckdb() {
            $case(On::Duckdb).await;
        }

        #[cfg(feature = "testing")]
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $postgres() {
            $case(On::Postgres).await;
        }
    )*};
}

on_every_engine! {
    a_rename_goes_on: a_rename_goes_on_on_sqlite a_rename_goes_on_on_duckdb a_rename_goes_on_on_postgres;
    other_keys_go_on: other_keys_go_on_on_sqlite other_keys_go_on_on_duckdb other_keys_go_on_on_postgres;
    a_deletion_goes_on: a_deletion_goes_on_on_sqlite a_deletion_goes_on_on_duckdb a_deletion_goes_on_on_postgres;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_begun_on_a_file_that_somebody_uses() {
    for on in On::FILES {
        let installation = Installation::new(on).await;
        let stores = installation.open("one").await;
        let alice = stores.tenants().create("alice").await.unwrap();
        fill(&stores, alice.id, "hers").await;
        let administration = stores.administration();
        let used = stores
            .tenant(alice.id)
            .await
            .unwrap()
            .store(trimaran_core::config::Area::Conversation)
            .await
            .unwrap();
        let unit = used.begin_unit().await.unwrap();
        for outcome in [
            administration.rename(alice.id, "bob").await.map(drop),
            administration.rekey(&key("new")).await.map(drop),
            administration.delete(alice.id).await,
        ] {
            assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Locked);
        }
        let now = stores.tenants().find(alice.id).await.unwrap();
        assert_eq!(now, Some(alice.clone()));
        // Whoever uses it goes on.
        unit.executor().execute_unprepared("SELECT 1").await.unwrap();
        Box::new(unit).commit().await.unwrap();
        drop(used);
        assert_eq!(told(&stores, alice.id).await, ["hers", "hers"]);
        administration.rename(alice.id, "bob").await.unwrap();
        stores.close().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_not_the_tenant_s_is_neither_overwritten_nor_deleted() {
    for on in On::FILES {
        let installation = Installation::new(on).await;
        let stores = installation.open("one").await;
        let (alice, bob) =
            (stores.tenants().create("alice").await.unwrap(), stores.tenants().create("bob").await.unwrap());
        fill(&stores, alice.id, "hers").await;
        fill(&stores, bob.id, "his").await;
        let administration = stores.administration();
        // Something is where the file would go.
        let target = crate::tenant::TenantRecord { place: key("one").place_of("carol"), ..alice.clone() };
        std::fs::write(installation.file(&target), "precious").unwrap();
        let error = administration.rename(alice.id, "carol").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict, "{}", error.report());
        assert_eq!(std::fs::read(installation.file(&target)).unwrap(), b"precious");
        // A name that is taken.
        let error = administration.rename(alice.id, "bob").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict, "{}", error.report());
        assert_eq!(told(&stores, alice.id).await, ["hers", "hers"]);
        stores.close().await.unwrap();

        // Another tenant's file is in the tenant's place.
        std::fs::rename(installation.file(&alice), installation.tenants().join("aside")).unwrap();
        std::fs::rename(installation.file(&bob), installation.file(&alice)).unwrap();
        let stores = installation.open("one").await;
        for outcome in [
            stores.administration().delete(alice.id).await,
            stores.administration().rename(alice.id, "dora").await.map(drop),
        ] {
            assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Corrupt);
        }
        stores.close().await.unwrap();
        std::fs::rename(installation.file(&alice), installation.file(&bob)).unwrap();
        std::fs::rename(installation.tenants().join("aside"), installation.file(&alice)).unwrap();
        let stores = installation.open("one").await;
        assert_eq!(told(&stores, bob.id).await, ["his", "his"]);
        assert_eq!(told(&stores, alice.id).await, ["hers", "hers"]);
        stores.close().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_holds_what_he_found_before_makes_no_file_under_the_old_name() {
    for on in On::FILES {
        let installation = Installation::new(on).await;
        let stores = installation.open("one").await;
        let alice = stores.tenants().create("alice").await.unwrap();
        fill(&stores, alice.id, "hers").await;
        let held = stores.tenant(alice.id).await.unwrap();
        let renamed = stores.administration().rename(alice.id, "bob").await.unwrap();
        assert_eq!(held.conversation().await.unwrap_err().kind(), ErrorKind::Aborted);
        stores.administration().delete(renamed.id).await.unwrap();
        assert_eq!(held.conversation().await.unwrap_err().kind(), ErrorKind::NotFound);
        stores.close().await.unwrap();
        let left = std::fs::read_dir(installation.tenants()).unwrap().count();
        assert_eq!(left, 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_put_aside_goes_along() {
    use trimaran_core::model::{ChatRole, NewMessage};
    for on in On::FILES {
        let installation = Installation::new(on).await;
        let config = installation.builder("one").set("tenants.buffer_delay", "1h").load().unwrap();
        let stores = super::installation::opened(&config).await.unwrap();
        let alice = stores.tenants().create("alice").await.unwrap();
        fill(&stores, alice.id, "hers").await;
        {
            let conversation = stores.tenant(alice.id).await.unwrap().conversation().await.unwrap();
            let talk = trimaran_core::id::ConversationId(stores.new_id());
            let message = NewMessage::text(talk, ChatRole::User, "later");
            conversation.pieces.append_buffered(message).await.unwrap();
        }
        stores.administration().rename(alice.id, "bob").await.unwrap();
        assert_eq!(told(&stores, alice.id).await, ["hers", "later", "hers"]);
        stores.close().await.unwrap();
    }
}
