//! Tenants in several places.

use trimaran_core::ErrorKind;

use super::installation::{Installation, On, fill, opened, told};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tenants_are_in_several_places_on_several_engines() {
    for on in On::ALL {
        let installation = Installation::new(*on).await;
        let url =
            |scheme: &str, name: &str| format!("{scheme}://{}", installation.path().join(name).display());
        let config = |placement: &str| {
            installation
                .builder("places")
                .set("tenants.placement", placement)
                .set("tenants.places.eu.url", url("sqlite", "eu"))
                .set("tenants.places.us.url", url("duckdb", "us"))
                .load()
                .unwrap()
        };
        let stores = opened(&config("least-loaded")).await.unwrap();
        let mut homes = Vec::new();
        for user in ["a", "b", "c", "d"] {
            let tenant = stores.tenants().create(user).await.unwrap();
            fill(&stores, tenant.id, user).await;
            homes.push(tenant.home);
        }
        assert_eq!(homes, ["default", "eu", "us", "default"]);
        let named = stores.tenants().create_in("e", "us").await.unwrap();
        assert_eq!(named.home, "us");
        let error = stores.tenants().create_in("f", "mars").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        stores.close().await.unwrap();
        let files = |name: &str| std::fs::read_dir(installation.path().join(name)).unwrap().count();
        assert!(files("eu") >= 1 && files("us") >= 1);

        let stores = opened(&config("eu")).await.unwrap();
        assert_eq!(stores.tenants().create("g").await.unwrap().home, "eu");
        for user in ["a", "b", "c", "d"] {
            let tenant = stores.tenants().find_by_user_name(user).await.unwrap().unwrap();
            assert_eq!(told(&stores, tenant.id).await, [user, user]);
        }
        // What is done to tenants is done where they are.
        let moved = stores.tenants().find_by_user_name("c").await.unwrap().unwrap();
        let renamed = stores.administration().rename(moved.id, "c2").await.unwrap();
        assert_eq!((renamed.home.as_str(), told(&stores, moved.id).await), ("us", vec!["c".to_owned(); 2]));
        stores.administration().delete(renamed.id).await.unwrap();
        assert!(!installation.path().join("us").join(format!("{}.duckdb", renamed.place)).exists());
        stores.close().await.unwrap();

        // A place that is no longer configured is missed by those who are in it.
        let stores = installation.open("places").await;
        let b = stores.tenants().find_by_user_name("b").await.unwrap().unwrap();
        let error = stores.tenant(b.id).await.unwrap().conversation().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.to_string().contains("\"eu\""), "{error}");
        stores.close().await.unwrap();
    }
}

#[cfg(feature = "testing")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_is_a_place_beside_files() {
    let (installation, server) = (Installation::new(On::Sqlite).await, Installation::new(On::Postgres).await);
    let config =
        installation.builder("places").set("tenants.places.big.url", server.url.as_str()).load().unwrap();
    let stores = opened(&config).await.unwrap();
    let small = stores.tenants().create("alice").await.unwrap();
    let big = stores.tenants().create_in("bob", "big").await.unwrap();
    fill(&stores, small.id, "hers").await;
    fill(&stores, big.id, "his").await;
    assert!(super::installation::rows_on_server(big.id, &server).await.unwrap() > 0);
    assert_eq!(super::installation::rows_on_server(small.id, &server).await, Some(0));
    assert!(installation.file(&small).exists() && !installation.file(&big).exists());
    let key =
        crate::tenant::NamingKey::new(&secrecy::SecretString::from(super::installation::key_text("new")));
    assert_eq!(stores.administration().rekey(&key.unwrap()).await.unwrap(), 2);
    assert_eq!(
        (told(&stores, small.id).await, told(&stores, big.id).await.len()),
        (vec!["hers".to_owned(); 2], 2)
    );
    stores.administration().delete(big.id).await.unwrap();
    assert_eq!(super::installation::rows_on_server(big.id, &server).await, Some(0));
    stores.close().await.unwrap();
}
