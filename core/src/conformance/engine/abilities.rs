use crate::conformance::Fixture;

const USER: &str = "INSERT INTO setting (id, key, value, version, updated_at) \
    VALUES ('00000000-0000-7000-8000-000000000001', 'k', '1', 1, '2026-01-01 00:00:00+00:00')";

pub async fn a_savepoint_can_be_rolled_back_to(fixture: &dyn Fixture) {
    assert!(fixture.store().capabilities().savepoints, "the engine says that it has no savepoints");
    fixture.run_sql(&["SAVEPOINT here", USER, "ROLLBACK TO SAVEPOINT here"]).await.unwrap();
    assert_eq!(fixture.application().settings.get("k").await.unwrap(), None);
}

pub async fn the_engine_itself_refuses_a_child_without_its_parent(fixture: &dyn Fixture) {
    assert!(fixture.store().capabilities().foreign_keys, "the engine says that it has no foreign keys");
    let orphan = "INSERT INTO role_permission (role_id, permission) \
        VALUES ('00000000-0000-7000-8000-000000000001', 'a')";
    assert!(fixture.run_sql(&[orphan]).await.is_err());
}

pub async fn statements_of_a_transaction_that_fails_take_no_effect(fixture: &dyn Fixture) {
    assert!(fixture.run_sql(&[USER, "SELECT * FROM no_such_table"]).await.is_err());
    assert_eq!(fixture.application().settings.get("k").await.unwrap(), None);
}

pub async fn what_is_said_of_the_store_is_so(fixture: &dyn Fixture) {
    let store = fixture.store();
    let areas = store.areas();
    assert!(areas.contains(&crate::config::Area::Identity));
    assert!(areas.contains(&crate::config::Area::Application));
    match store.begin_serializable().await {
        Ok(_) => assert!(store.capabilities().serializable),
        Err(error) => {
            assert!(!store.capabilities().serializable, "{error:?}");
            assert_eq!(error.kind(), crate::ErrorKind::Unsupported);
        }
    }
}
