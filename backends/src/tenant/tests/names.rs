//! User names are compared byte by byte: no two people are ever one tenant.

use std::collections::HashSet;

use trimaran_core::ErrorKind;

use super::installation::{Installation, On, fill, told};

/// Names that something somewhere takes for one another.
const ALIKE: [&str; 22] = [
    "alice",
    "Alice",
    "ALICE",
    " alice",
    "alice ",
    "alice\t",
    "alice\n",
    "alice\0",
    "\0alice",
    "alice\u{1a}0",
    "alice@a",
    "alice@b",
    "alice+tag@a",
    "Zo\u{eb}",
    "Zoe\u{308}",
    // Cyrillic а and е.
    "\u{430}lice",
    "alic\u{435}",
    // Full width, a ligature, a sign without width, the dotless i.
    "\u{ff41}lice",
    "\u{fb01}nn",
    "finn",
    "al\u{200b}ice",
    "al\u{131}ce",
];

async fn each_has_data_of_its_own(on: On) {
    let installation = Installation::new(on).await;
    let stores = installation.open("names").await;
    let mut places = HashSet::new();
    let mut tenants = Vec::new();
    for name in ALIKE {
        let tenant = stores.tenants().create(name).await.unwrap();
        assert!(places.insert(tenant.place.clone()), "{name:?}");
        tenants.push(tenant);
    }
    for (name, tenant) in ALIKE.iter().zip(&tenants) {
        assert_eq!(
            stores.tenants().find_by_user_name(name).await.unwrap().as_ref(),
            Some(tenant),
            "{name:?}"
        );
        assert_eq!(stores.tenants().of_user(name).await.unwrap().id, tenant.id, "{name:?}");
        assert_eq!(stores.tenants().create(name).await.unwrap_err().kind(), ErrorKind::Conflict, "{name:?}");
    }
    for absent in ["aLICE", "alice@", "al", "alice  ", "", "finn\0"] {
        assert_eq!(stores.tenants().find_by_user_name(absent).await.unwrap(), None, "{absent:?}");
    }
    // Three of them have data.
    for at in [0, 1, 7] {
        fill(&stores, tenants[at].id, ALIKE[at]).await;
    }
    for at in [0, 1, 7] {
        assert_eq!(told(&stores, tenants[at].id).await, [ALIKE[at], ALIKE[at]]);
    }
    stores.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_that_look_alike_are_different_tenants_on_sqlite() {
    each_has_data_of_its_own(On::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_that_look_alike_are_different_tenants_on_duckdb() {
    each_has_data_of_its_own(On::Duckdb).await;
}

#[cfg(feature = "testing")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_that_look_alike_are_different_tenants_on_postgres() {
    each_has_data_of_its_own(On::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_has_a_byte_at_least_and_a_thousand_at_most() {
    let installation = Installation::new(On::Sqlite).await;
    let stores = installation.open("names").await;
    stores.tenants().create(&"\0".repeat(1_000)).await.unwrap();
    for wrong in [String::new(), "x".repeat(1_001)] {
        let error = stores.tenants().create(&wrong).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
    }
    stores.close().await.unwrap();
}
