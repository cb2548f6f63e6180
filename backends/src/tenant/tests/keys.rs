//! Which key files are named by: one that is missing, weak or another one is refused, and none is ever replaced.

use trimaran_core::ErrorKind;
use trimaran_core::config::Config;

use super::installation::{Installation, On, fill, key_text, opened, told};

/// Nothing is configured but where the embedded stores are.
fn bare(installation: &Installation) -> Config {
    let data = installation.path().join("embedded");
    Config::builder().environment([]).set("data_directory", data.to_str().unwrap()).load().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_made_for_a_new_installation_and_never_for_one_that_had_one() {
    let installation = Installation::new(On::Sqlite).await;
    let config = bare(&installation);
    let key = installation.path().join("embedded/tenant.key");
    let stores = opened(&config).await.unwrap();
    let alice = stores.tenants().create("alice").await.unwrap();
    fill(&stores, alice.id, "hers").await;
    stores.close().await.unwrap();
    let kept = std::fs::read_to_string(&key).unwrap();

    std::fs::remove_file(&key).unwrap();
    let error = opened(&config).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration, "{}", error.report());
    assert!(error.to_string().contains("tenant.key is gone"), "{error}");
    assert!(error.next_step().unwrap().contains("trimaran tenant rekey"));
    assert!(!key.exists());

    // Put back, all is as it was.
    std::fs::write(&key, kept).unwrap();
    let stores = opened(&config).await.unwrap();
    assert_eq!(told(&stores, alice.id).await, ["hers", "hers"]);
    stores.close().await.unwrap();

    // The catalogue is lost, too: the files would be nobody's.
    std::fs::remove_file(&key).unwrap();
    let store = installation.path().join("embedded/trimaran.sqlite");
    for suffix in ["", "-wal", "-shm"] {
        let _gone = std::fs::remove_file(crate::tenant::private::beside(&store, suffix));
    }
    let error = opened(&config).await.unwrap_err();
    assert!(error.to_string().contains("a tenant's file is in"), "{error}");
    assert!(!key.exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_key_than_the_tenants_are_under_is_refused() {
    for on in On::ALL {
        let installation = Installation::new(*on).await;
        let stores = installation.open("one").await;
        let alice = stores.tenants().create("alice").await.unwrap();
        stores.close().await.unwrap();

        let error = opened(&installation.builder("other").load().unwrap()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.to_string().contains(&alice.key_id), "{error}");
        assert!(error.next_step().unwrap().contains("trimaran tenant rekey"), "{}", error.report());
        assert!(!error.report().contains(&key_text("other")));
        // Who administers may look, and may not name anything by it.
        let stores = installation.administer("other").await;
        assert_eq!(stores.tenants().find_by_user_name("alice").await.unwrap(), Some(alice.clone()));
        let error = stores.administration().rename(alice.id, "bob").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration, "{}", error.report());
        stores.close().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_key_for_a_place_that_somebody_configured_is_refused() {
    let installation = Installation::new(On::Sqlite).await;
    let place = format!("duckdb://{}", installation.path().join("eu").display());
    for key in ["stores.conversation.url", "stores.configuration.url", "tenants.places.eu.url"] {
        let config = Config::builder()
            .environment([])
            .set("data_directory", installation.path().join("data").to_str().unwrap())
            .set("secrets.key", key_text("secrets"))
            .set(key, place.as_str())
            .load()
            .unwrap();
        let error = opened(&config).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.to_string().contains("tenants.key_file is not"), "{error}");
        assert!(error.next_step().unwrap().contains("openssl rand"));
        assert!(!installation.path().join("data/tenant.key").exists());
    }
}
