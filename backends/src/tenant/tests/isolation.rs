//! Tenants of a whole installation are kept apart, and the proof of it notices where they are not.

use std::sync::atomic::{AtomicUsize, Ordering};

use trimaran_core::{Error, ErrorKind, PageRequest};

use super::installation::{Installation, On, fill, told};
use crate::stores::Stores;
use crate::stores::proof::{CheckOutcome, Proof, prove_isolation};

async fn proven(stores: &Stores) -> Proof {
    prove_isolation(stores, &|| Ok(())).await.unwrap()
}

async fn names(stores: &Stores) -> Vec<String> {
    let page = stores.tenants().list(&PageRequest::first(100).unwrap()).await.unwrap();
    let mut names: Vec<String> = page.items.into_iter().map(|tenant| tenant.user_name).collect();
    names.sort_unstable();
    names
}

async fn tenants_in_files_are_apart(on: On) {
    let installation = Installation::new(on).await;
    let stores = installation.open("isolation").await;
    // A name that would lead elsewhere, if it were part of a path.
    let tricks = [".", "../../alice", "..\\bob", "/etc/passwd", "a/../../b\0"];
    for name in tricks {
        let tenant = stores.tenants().create(name).await.unwrap();
        fill(&stores, tenant.id, name).await;
        assert!(installation.file(&tenant).is_file(), "{name:?}");
    }
    let proof = proven(&stores).await;
    assert!(proof.is_passed(), "{proof:?}");
    assert!(proof.checks.len() > 20);
    assert_eq!(names(&stores).await, tricks);
    for name in tricks {
        let id = stores.tenants().find_by_user_name(name).await.unwrap().unwrap().id;
        assert_eq!(told(&stores, id).await, [name, name]);
    }

    // Stopped at whatever step, it leaves no tenant of its own behind.
    for step in [0, 1, 7, 15] {
        let left = AtomicUsize::new(step);
        let stop = || match left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1))
        {
            Ok(_) => Ok(()),
            Err(_) => Err(Error::new(ErrorKind::Interrupted, "go on")),
        };
        assert_eq!(prove_isolation(&stores, &stop).await.unwrap_err().kind(), ErrorKind::Interrupted);
        assert_eq!(names(&stores).await, tricks, "{step}");
    }
    stores.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proof_passes_and_leaves_nothing_behind_on_sqlite() {
    tenants_in_files_are_apart(On::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proof_passes_and_leaves_nothing_behind_on_duckdb() {
    tenants_in_files_are_apart(On::Duckdb).await;
}

#[cfg(feature = "testing")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proof_fails_where_the_application_is_a_superuser() {
    let installation = Installation::new(On::Postgres).await;
    let stores = installation.open("isolation").await;
    let proof = proven(&stores).await;
    let failed = |part: &str| {
        let is_failed = |outcome: &CheckOutcome| matches!(outcome, CheckOutcome::Failed(_));
        proof.checks.iter().any(|check| is_failed(&check.outcome) && check.tried.contains(part))
    };
    assert!(failed("walk") && failed("by SQL on the tenant's connection"), "{proof:?}");
    assert!(names(&stores).await.is_empty());
    stores.close().await.unwrap();
}

#[cfg(feature = "testing")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_two_roles_and_a_signing_key_a_proof_passes_and_no_program_without_the_key_comes_in() {
    use secrecy::ExposeSecret as _;

    use super::installation::{key_text, opened};

    let installation = Installation::new(On::Sqlite).await;
    let make = || {
        let database = std::sync::Arc::new(crate::testing::postgres::database());
        (crate::testing::TestRoles::create(std::sync::Arc::clone(&database)), database)
    };
    let (roles, database) = tokio::task::spawn_blocking(make).await.unwrap();
    let with = |signing: Option<&str>, owned: bool| {
        let mut builder = installation.builder("isolation");
        for area in ["configuration", "conversation"] {
            let mut set = |name: &str, value: &str| {
                let taken = std::mem::replace(&mut builder, trimaran_core::config::Config::builder());
                builder = taken.set(&format!("stores.{area}.{name}"), value);
            };
            for (url, password, location) in
                [("url", "password", roles.application()), ("owner_url", "owner_password", roles.owner())]
            {
                if url == "url" || owned {
                    set(url, &location.to_string());
                    set(password, location.server().unwrap().1.unwrap().expose_secret());
                }
            }
        }
        match signing {
            Some(seed) => builder.set("tenants.signing_key", key_text(seed)),
            None => builder,
        }
        .load()
        .unwrap()
    };
    let stores = opened(&with(Some("first"), true)).await.unwrap();
    let proof = proven(&stores).await;
    assert!(proof.is_passed(), "{proof:?}");
    assert!(proof.checks.iter().any(|check| check.tried.contains("changes the tenant setting")));
    let alice = stores.tenants().create("alice").await.unwrap().id;
    fill(&stores, alice, "hers").await;
    stores.close().await.unwrap();

    // Without the key, and where no owner is named, nobody comes in.
    for (config, wanted) in
        [(with(None, true), "signing_key_file"), (with(Some("first"), false), "owner_url")]
    {
        let error = opened(&config).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration, "{}", error.report());
        assert!(error.next_step().unwrap().contains(wanted), "{}", error.report());
    }
    // Another key is taken over when the schema is seen to.
    let stores = opened(&with(Some("second"), true)).await.unwrap();
    assert_eq!(told(&stores, alice).await, ["hers", "hers"]);
    stores.close().await.unwrap();
    tokio::task::block_in_place(|| drop((roles, database)));
}
