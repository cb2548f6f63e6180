//! Results that are kept, as an application sees them: through stores opened from a configuration.

use std::path::Path;

use sea_orm::{ConnectionTrait as _, EntityTrait as _};
use trimaran::id::ConversationId;
use trimaran::model::{ChatRole, NewMessage, NewPiece};
use trimaran::secret::PasswordParameters;
use trimaran::{Area, Config, Opener, Store as _, Stores, Tenant};
use trimaran_backends::cache::CacheCounts;
use trimaran_backends::entity::conversation::tag;
use trimaran_backends::testing::TestRoles;
use trimaran_backends::testing::postgres::database;
use uuid::Uuid;

use crate::stores::url_of;

async fn opened(folder: &Path, keys: &[(&str, &str)]) -> Stores {
    let mut builder = Config::builder()
        .environment([])
        .set("data_directory", folder.join("data").to_str().unwrap())
        .set("tenants.key", "6b1e41cf4fcd3a49eb76d7b8b128c93bb77e18885554d678f55820a9ce08756d")
        .set("secrets.key", "d3b07384d113edec49eaa6238ad5ff00c157a79031e1c40f85931829bc5fc552");
    for (key, value) in keys {
        builder = builder.set(key, *value);
    }
    Opener::new(&builder.load().unwrap()).passwords(PasswordParameters::LEAST).open().await.unwrap()
}

fn said(talk: ConversationId, label: &str) -> NewMessage {
    let mut piece = NewPiece::text(ChatRole::User, "hello");
    piece.labels.insert("op".to_owned(), label.to_owned());
    NewMessage::new(talk, vec![piece])
}

/// The values of the label that all pieces have.
async fn labels(tenant: &Tenant) -> Vec<String> {
    let labels = tenant.conversation().await.unwrap().conversations.labels().await.unwrap();
    labels.get("op").into_iter().flatten().cloned().collect()
}

/// Every way to write that an application has, each of which must be seen in what is asked next.
async fn every_write_is_seen(stores: &Stores, elsewhere: &Stores) {
    let (zoe, other) = (tenant(stores, "zoë").await, tenant(stores, "someone else").await);
    let talk = ConversationId(stores.new_id());
    assert!(labels(&zoe).await.is_empty());
    zoe.conversation().await.unwrap().pieces.append(said(talk, "a")).await.unwrap();
    for _ in 0..3 {
        assert_eq!(labels(&zoe).await, ["a"]);
    }
    let before = stores.cache_counts().unwrap();
    assert_eq!((before.hits, before.misses, before.bypassed), (2, 2, 0));

    // Another tenant's write concerns nobody else.
    let foreign = ConversationId(stores.new_id());
    other.conversation().await.unwrap().pieces.append(said(foreign, "x")).await.unwrap();
    assert_eq!(labels(&zoe).await, ["a"]);
    assert_eq!(stores.cache_counts().unwrap().hits, 3);

    // A unit of work: it sees what it wrote; others see it when it is committed.
    let unit = zoe.store(Area::Conversation).await.unwrap().begin().await.unwrap();
    let within = unit.conversation().unwrap();
    within.pieces.append(said(talk, "b")).await.unwrap();
    assert_eq!(within.conversations.labels().await.unwrap()["op"].len(), 2);
    unit.rollback().await.unwrap();
    assert_eq!(labels(&zoe).await, ["a"]);
    let unit = zoe.store(Area::Conversation).await.unwrap().begin().await.unwrap();
    unit.conversation().unwrap().pieces.append(said(talk, "c")).await.unwrap();
    unit.commit().await.unwrap();
    assert_eq!(labels(&zoe).await, ["a", "c"]);

    // What was put aside is appended before anybody asks.
    zoe.conversation().await.unwrap().pieces.append_buffered(said(talk, "d")).await.unwrap();
    assert_eq!(labels(&zoe).await, ["a", "c", "d"]);

    // An application's own entities, and raw SQL, on a connection of their own.
    let connection = zoe.connection(Area::Conversation).await.unwrap();
    connection.execute_unprepared("DELETE FROM tag WHERE value = 'c'").await.unwrap();
    assert_eq!(labels(&zoe).await, ["a", "d"]);
    tag::Entity::delete_many().exec(&connection).await.unwrap();
    assert!(labels(&zoe).await.is_empty());

    // Another handle of this process, which keeps nothing itself.
    let zoe_elsewhere = tenant(elsewhere, "zoë").await;
    zoe_elsewhere.conversation().await.unwrap().pieces.append(said(talk, "e")).await.unwrap();
    assert_eq!(labels(&zoe).await, ["e"]);
    assert_eq!(labels(&other).await, ["x"]);
    assert_eq!(elsewhere.cache_counts(), None);
}

async fn tenant(stores: &Stores, name: &str) -> Tenant {
    let record = stores.tenants().of_user(name).await.unwrap();
    stores.tenant(record.id).await.unwrap()
}

const KEPT: (&str, &str) = ("cache.memory", "8MiB");

#[tokio::test(flavor = "multi_thread")]
async fn every_write_is_seen_where_results_are_kept_over_duckdb() {
    let dir = tempfile::tempdir().unwrap();
    let (stores, elsewhere) = (opened(dir.path(), &[KEPT]).await, opened(dir.path(), &[]).await);
    every_write_is_seen(&stores, &elsewhere).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_write_is_seen_where_results_are_kept_over_sqlite() {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", dir.path().join("tenants").display());
    let places = [("stores.conversation.url", url.as_str()), ("stores.configuration.url", url.as_str())];
    let elsewhere = opened(dir.path(), &places).await;
    let stores = opened(dir.path(), &[KEPT, places[0], places[1]]).await;
    every_write_is_seen(&stores, &elsewhere).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_write_is_seen_where_results_are_kept_over_postgres() {
    let roles =
        tokio::task::spawn_blocking(|| TestRoles::create(std::sync::Arc::new(database()))).await.unwrap();
    let (url, owner) = (url_of(&roles.application()), url_of(&roles.owner()));
    let dir = tempfile::tempdir().unwrap();
    let mut keys = Vec::new();
    for area in ["configuration", "conversation"] {
        keys.push((format!("stores.{area}.url"), url.as_str()));
        keys.push((format!("stores.{area}.owner_url"), owner.as_str()));
    }
    let mut keys: Vec<_> = keys.iter().map(|(key, value)| (key.as_str(), *value)).collect();
    let elsewhere = opened(dir.path(), &keys).await;
    keys.push(KEPT);
    let stores = opened(dir.path(), &keys).await;
    every_write_is_seen(&stores, &elsewhere).await;
    for stores in [stores, elsewhere] {
        stores.close().await.unwrap();
    }
    tokio::task::spawn_blocking(move || drop(roles)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_kept_unless_it_is_configured() {
    let dir = tempfile::tempdir().unwrap();
    let stores = opened(dir.path(), &[]).await;
    let someone = tenant(&stores, &Uuid::nil().to_string()).await;
    assert!(labels(&someone).await.is_empty());
    assert_eq!(stores.cache_counts(), None::<CacheCounts>);
}
