//! A consumer's own table, entity and repository, on whichever engine the configuration names.
//!
//! ```sh
//! cargo run --example custom_repository -- sqlite:findings.db
//! cargo run --example custom_repository -- duckdb:findings.duckdb
//! cargo run --example custom_repository -- postgres://me@localhost/app
//! ```
#![allow(missing_docs, unreachable_pub, reason = "an example, written as it would stand in a library")]

use async_trait::async_trait;
use sea_orm::{ActiveValue::Set, entity::prelude::*, sea_query};
use trimaran::backends::db_error::Doing as _;
use trimaran::core::LogicalType;
use trimaran::schema::{Migration, columns};
use trimaran::{Area, Config, Engine, Executor, Opener, Result};

// The table, once for all engines. It lives where the application's own data is.
pub const FINDING: Migration = Migration {
    name: "app_0001_finding",
    areas: &[Area::Application],
    tables: &["finding"],
    readable_from: "0002_application",
    up: |engine: Engine| {
        let table = sea_query::Table::create()
            .table("finding")
            .col(columns::required(engine, "id", &LogicalType::Uuid).primary_key())
            .col(columns::required(engine, "title", &LogicalType::Text))
            .col(columns::required(engine, "severity", &LogicalType::Int32))
            .col(columns::optional(engine, "evidence", &LogicalType::Json))
            .take();
        vec![columns::sql(engine, &table)]
    },
    down: |engine| vec![columns::drop_table(engine, "finding")],
    backfill: None,
};

// The entity: plain SeaORM.
pub mod finding {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "finding")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub title: String,
        pub severity: i32,
        pub evidence: Option<Json>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

// The repository: a trait with the verbs of the domain, and its one implementation.
#[async_trait]
pub trait Findings: Send + Sync {
    /// Writes a finding down.
    async fn report(&self, title: &str, severity: i32, evidence: Option<Json>) -> Result<Uuid>;
    /// The findings that are at least so severe, the most severe first.
    async fn at_least(&self, severity: i32) -> Result<Vec<String>>;
}

/// Over a connection each call takes effect by itself; over a unit of work's executor, with the rest of the unit.
pub struct SqlFindings(pub Executor);

#[async_trait]
impl Findings for SqlFindings {
    async fn report(&self, title: &str, severity: i32, evidence: Option<Json>) -> Result<Uuid> {
        let id = Uuid::now_v7();
        let row = finding::ActiveModel {
            id: Set(id),
            title: Set(title.to_owned()),
            severity: Set(severity),
            evidence: Set(evidence),
        };
        row.insert(&self.0).await.doing("report a finding")?;
        Ok(id)
    }

    async fn at_least(&self, severity: i32) -> Result<Vec<String>> {
        let query = finding::Entity::find().filter(finding::Column::Severity.gte(severity));
        let rows = sea_orm::QueryOrder::order_by_desc(query, finding::Column::Severity).all(&self.0).await;
        Ok(rows.doing("list findings")?.into_iter().map(|row| row.title).collect())
    }
}

/// Writes two findings in one unit of work and reads the severe one back.
pub async fn run(config: &Config) -> Result<Vec<String>> {
    let stores = Opener::new(config).migrations([FINDING]).open().await?;
    let store = stores.store(Area::Application)?;
    let unit = store.begin_unit().await?;
    let findings = SqlFindings(unit.executor());
    findings.report("the model gives out its system prompt", 8, Some(serde_json::json!({"turn": 3}))).await?;
    findings.report("a typing error", 1, None).await?;
    trimaran::UnitOfWork::commit(Box::new(unit)).await?;
    let severe = SqlFindings(Executor::Connection(store.connection().clone())).at_least(5).await?;
    stores.close().await?;
    Ok(severe)
}

#[tokio::main]
async fn main() -> Result<()> {
    let mut builder = Config::builder();
    if let Some(url) = std::env::args().nth(1) {
        builder = builder.set("stores.application.url", url);
    }
    run(&builder.load()?).await?.iter().for_each(|title| eprintln!("{title}"));
    Ok(())
}
