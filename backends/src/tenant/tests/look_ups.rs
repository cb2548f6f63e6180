//! A look-up of somebody else's and of nobody's does the same work: the same statements in the same order, on every engine. No
//! clock is asked, so that nothing depends on how fast a machine is.

use std::any::Any;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use sea_orm::{ExecResult, QueryResult, Statement, TransactionOptions};
use trimaran_core::conformance::Fixture as _;
use trimaran_core::id::{ApiKeyId, ConversationId, ScoreId, SeedGroupId};
use trimaran_core::model::conversation::{
    AttackDetails, AttackOutcome, NewAttackResult, NewEmbedding, NewScenarioResult, NewScore, NewSeed,
    NewSeedGroup, ScenarioDetails, ScoreDetails, ScoreType, SeedDetails, SeedFilter,
};
use trimaran_core::model::{
    ChatRole, ComponentKind, NewApiKey, NewComponent, NewDataset, NewDatasetPrompt, NewMessage, NewSession,
    NewUser,
};
use trimaran_core::{Capabilities, Engine, PageRequest, Result};
use uuid::Uuid;

use crate::append::Rows;
use crate::connection::{Connection, EngineConnection, EngineTransaction, RowStream};
use crate::fetch::{CellType, Fetched};
use crate::testing::StoreFixture;

/// The texts of the statements that were sent, in their order.
#[derive(Debug, Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn add(&self, sql: &str) {
        self.0.lock().unwrap().push(sql.to_owned());
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// Writes down what is sent to another engine's connection.
#[derive(Debug)]
struct Recorded<E>(E, Log);

#[async_trait]
impl<E: EngineConnection + 'static> EngineConnection for Recorded<E> {
    fn engine(&self) -> Engine {
        self.0.engine()
    }

    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult> {
        self.1.add(&statement.sql);
        self.0.execute_raw(statement).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult> {
        self.1.add(sql);
        self.0.execute_unprepared(sql).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>> {
        self.1.add(&statement.sql);
        self.0.query_all_raw(statement).await
    }

    async fn fetch(&self, statement: Statement, types: Vec<CellType>) -> Result<Fetched> {
        self.1.add(&statement.sql);
        self.0.fetch(statement, types).await
    }

    async fn stream_raw<'a>(&'a self, statement: Statement) -> Result<RowStream<'a>> {
        self.1.add(&statement.sql);
        self.0.stream_raw(statement).await
    }

    async fn begin(&self, options: TransactionOptions) -> Result<Box<dyn EngineTransaction>> {
        self.1.add("BEGIN");
        Ok(Box::new(RecordedTransaction(self.0.begin(options).await?, self.1.clone())))
    }

    async fn begin_reading(&self) -> Result<Box<dyn EngineTransaction>> {
        self.1.add("BEGIN, to read");
        Ok(Box::new(RecordedTransaction(self.0.begin_reading().await?, self.1.clone())))
    }

    async fn ping(&self) -> Result<()> {
        self.0.ping().await
    }

    async fn close(&self) {
        self.0.close().await;
    }

    fn as_any(&self) -> &dyn Any {
        self.0.as_any()
    }
}

#[derive(Debug)]
struct RecordedTransaction(Box<dyn EngineTransaction>, Log);

#[async_trait]
impl EngineTransaction for RecordedTransaction {
    async fn execute_raw(&mut self, statement: Statement) -> Result<ExecResult> {
        self.1.add(&statement.sql);
        self.0.execute_raw(statement).await
    }

    async fn execute_unprepared(&mut self, sql: &str) -> Result<ExecResult> {
        self.1.add(sql);
        self.0.execute_unprepared(sql).await
    }

    async fn query_all_raw(&mut self, statement: Statement) -> Result<Vec<QueryResult>> {
        self.1.add(&statement.sql);
        self.0.query_all_raw(statement).await
    }

    async fn fetch(&mut self, statement: Statement, types: Vec<CellType>) -> Result<Fetched> {
        self.1.add(&statement.sql);
        self.0.fetch(statement, types).await
    }

    async fn stream_raw<'a>(&'a mut self, statement: Statement) -> Result<RowStream<'a>> {
        self.1.add(&statement.sql);
        self.0.stream_raw(statement).await
    }

    async fn append(&mut self, rows: Rows) -> Result<()> {
        self.1.add("append");
        self.0.append(rows).await
    }

    async fn commit(self: Box<Self>) -> Result<()> {
        self.1.add("COMMIT");
        self.0.commit().await
    }

    async fn rollback(self: Box<Self>) -> Result<()> {
        self.1.add("ROLLBACK");
        self.0.rollback().await
    }

    fn as_any(&mut self) -> &mut dyn Any {
        self.0.as_any()
    }
}

async fn fixture(
    engine: impl EngineConnection + 'static,
    kept: impl Any + Send + Sync,
) -> (StoreFixture, Log) {
    let log = Log::default();
    let connection = Connection::new(Recorded(engine, log.clone()));
    (StoreFixture::plain(connection, kept).await.unwrap(), log)
}

/// Makes the same call about somebody else's and about nobody's; each must send the same statements, and some.
macro_rules! same_work {
    ($log:expr; $($call:expr => $theirs:expr, $nobodys:expr;)*) => { $({
        let call = $call;
        $log.take();
        let first = format!("{:?}", call($theirs).await.map(drop).map_err(|error| error.kind()));
        let of_theirs = $log.take();
        let second = format!("{:?}", call($nobodys).await.map(drop).map_err(|error| error.kind()));
        assert_eq!(of_theirs, $log.take(), "{}", stringify!($call));
        assert_eq!(first, second, "{}", stringify!($call));
        assert!(!of_theirs.is_empty(), "{}: nothing was recorded", stringify!($call));
    })* };
}

async fn tenants_look_ups_do_the_same_work(fixture: &StoreFixture, log: &Log) {
    let theirs = fixture.other_tenant();
    let (area, configured) = (theirs.conversation().unwrap(), theirs.configuration().unwrap());
    let talk = ConversationId(Uuid::from_u128(0xb));
    let said = area.pieces.append(NewMessage::text(talk, ChatRole::User, "theirs")).await.unwrap();
    let piece = said.pieces[0].id;
    let details = ScoreDetails::of(ScoreType::Unknown, "theirs");
    let score = NewScore { id: None, piece: Some(piece), created_at: None, details };
    let score = area.scores.add(vec![score]).await.unwrap().remove(0).id;
    let vector = NewEmbedding { piece, type_name: "t".to_owned(), vector: vec![1.0] };
    area.embeddings.put(vec![vector]).await.unwrap();
    let seed = area.seeds.add(vec![NewSeed::from(SeedDetails::prompt("d", "theirs"))]).await.unwrap()[0].id;
    let group = NewSeedGroup::of([SeedDetails::prompt("d", "grouped")]);
    let group = area.seeds.add_groups(vec![group]).await.unwrap()[0].id;
    let attack = NewAttackResult::of(talk, AttackDetails::of("theirs", AttackOutcome::Success));
    let attack = area.attack_results.add(vec![attack]).await.unwrap().remove(0).id;
    let scenario = NewScenarioResult::from(ScenarioDetails::named("theirs"));
    let scenario = area.scenario_results.add(scenario).await.unwrap().id;
    let component = NewComponent::named(ComponentKind::Generator, "theirs", "T");
    let component = configured.components.create(component).await.unwrap().id;
    let dataset = configured.datasets.create(NewDataset::named("theirs", "local")).await.unwrap().id;
    let prompts = vec![NewDatasetPrompt::of("theirs")];
    let prompt = configured.datasets.append_prompts(dataset, prompts).await.unwrap()[0];

    let mine = fixture.tenant();
    let (area, configured) = (mine.conversation().unwrap(), mine.configuration().unwrap());
    let nobody = Uuid::from_u128(0xdead);
    let page = PageRequest::first(9).unwrap();
    let of_seed = |id| SeedFilter { ids: Some(vec![id]), ..SeedFilter::default() };
    same_work!(log;
        |id| area.pieces.find(id) => piece, trimaran_core::id::PieceId(nobody);
        |id| area.pieces.request_of(id) => piece, trimaran_core::id::PieceId(nobody);
        |id| area.conversations.find(id) => talk, ConversationId(nobody);
        |id| area.conversations.messages(id, &page) => talk, ConversationId(nobody);
        |id| area.conversations.duplicate(id) => talk, ConversationId(nobody);
        |id| area.conversations.delete(id) => talk, ConversationId(nobody);
        |id| area.scores.find(id) => score, ScoreId(nobody);
        |id| area.scores.delete(id) => score, ScoreId(nobody);
        |id| area.embeddings.get(id) => piece, trimaran_core::id::PieceId(nobody);
        |id| area.embeddings.delete(id) => piece, trimaran_core::id::PieceId(nobody);
        |id| area.seeds.find(id) => seed, trimaran_core::id::SeedId(nobody);
        |id| area.seeds.find_group(id) => group, SeedGroupId(nobody);
        async |id| area.seeds.remove(&of_seed(id)).await => seed, trimaran_core::id::SeedId(nobody);
        |id| area.attack_results.find(id) => attack, trimaran_core::id::AttackResultId(nobody);
        |id| area.attack_results.delete(id) => attack, trimaran_core::id::AttackResultId(nobody);
        |id| area.scenario_results.find(id) => scenario, trimaran_core::id::ScenarioResultId(nobody);
        |id| area.scenario_results.progress(id) => scenario, trimaran_core::id::ScenarioResultId(nobody);
        |id| area.scenario_results.delete(id) => scenario, trimaran_core::id::ScenarioResultId(nobody);
        |id| configured.components.find(id) => component, trimaran_core::id::ComponentId(nobody);
        |name| configured.components.find_by_name(ComponentKind::Generator, name) => "theirs", "nobody's";
        |id| configured.components.reveal(id) => component, trimaran_core::id::ComponentId(nobody);
        |id| configured.components.set_status(id, "x") => component, trimaran_core::id::ComponentId(nobody);
        |id| configured.components.delete(id) => component, trimaran_core::id::ComponentId(nobody);
        |id| configured.datasets.find(id) => dataset, trimaran_core::id::DatasetId(nobody);
        |name| configured.datasets.find_by_name(name) => "theirs", "nobody's";
        |id| configured.datasets.copy(id, "x") => dataset, trimaran_core::id::DatasetId(nobody);
        |id| configured.datasets.prompts(id, &page) => dataset, trimaran_core::id::DatasetId(nobody);
        |id| configured.datasets.find_prompt(id) => prompt, trimaran_core::id::DatasetPromptId(nobody);
        |id| configured.datasets.delete_prompt(id) => prompt, trimaran_core::id::DatasetPromptId(nobody);
        |id| configured.datasets.delete(id) => dataset, trimaran_core::id::DatasetId(nobody);
    );
    // Nothing of theirs was touched by any of it.
    assert!(theirs.conversation().unwrap().pieces.find(piece).await.unwrap().is_some());
}

/// Keys and tokens whose secret is wrong, and those of nobody.
async fn keys_look_ups_do_the_same_work(fixture: &StoreFixture, log: &Log) {
    let store = fixture.store();
    let (identity, application) = (store.identity().unwrap(), store.application().unwrap());
    let owner = identity.users.create(NewUser::named("owner")).await.unwrap().id;
    identity.users.set_password(owner, &"a password".into()).await.unwrap();
    let keys = &application.api_keys;
    let stale = keys.create(NewApiKey::named(owner, "rotated")).await.unwrap();
    keys.rotate(stale.key.id).await.unwrap();
    let gone = keys.create(NewApiKey::named(owner, "deleted")).await.unwrap();
    keys.delete(gone.key.id).await.unwrap();
    let sessions = &application.sessions;
    let ended = sessions.create(NewSession::of(owner)).await.unwrap();
    sessions.revoke(ended.session.id).await.unwrap();
    let nobody = ApiKeyId(Uuid::from_u128(0xdead));
    same_work!(log;
        |text| keys.authenticate(text) => &stale.secret, &gone.secret;
        |id| keys.find(id) => nobody, gone.key.id;
        |name| identity.users.find_by_name(name) => "owner", "nobody";
    );
    // A wrong password of somebody, and any of nobody.
    let wrong = "another password".into();
    same_work!(log; |name| identity.users.verify_password(name, &wrong) => "owner", "nobody";);
    log.take();
    assert_eq!(sessions.authenticate(&ended.token).await.unwrap(), None);
    assert_eq!(log.take().len(), 1);
}

async fn look_ups_do_the_same_work((fixture, log): (StoreFixture, Log)) {
    tenants_look_ups_do_the_same_work(&fixture, &log).await;
    keys_look_ups_do_the_same_work(&fixture, &log).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn isolation_look_ups_of_another_s_and_of_nobody_s_do_the_same_work_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let location = crate::Location::file(Engine::Sqlite, folder.path().join("store.sqlite"));
    let engine = crate::sqlite::SqliteConnection::open(&location, &Default::default()).await.unwrap();
    look_ups_do_the_same_work(fixture(engine, folder).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn isolation_look_ups_of_another_s_and_of_nobody_s_do_the_same_work_on_duckdb() {
    let folder = tempfile::tempdir().unwrap();
    let location = crate::Location::file(Engine::Duckdb, folder.path().join("store.duckdb"));
    let engine =
        crate::duckdb::DuckdbConnection::open(&location, &Default::default(), 256 << 20).await.unwrap();
    look_ups_do_the_same_work(fixture(engine, folder).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn isolation_look_ups_of_another_s_and_of_nobody_s_do_the_same_work_on_postgres() {
    let database = tokio::task::spawn_blocking(crate::testing::postgres::database).await.unwrap();
    let location = database.location();
    let engine = crate::postgres::PostgresConnection::open(&location, &Default::default()).await.unwrap();
    look_ups_do_the_same_work(fixture(engine, database).await).await;
}
