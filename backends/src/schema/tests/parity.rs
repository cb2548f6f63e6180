//! The three engines' schemas are one, and the entities are of it.
//!
//! Whatever is in the book is compared, so that a new migration and its entities are covered without a word here beyond
//! the entities' names.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::RelationTrait as _;
use sea_orm::sea_query::{ColumnType, ForeignKeyAction, TableRef};
use sea_orm::{
    ColumnTrait as _, DbBackend, EntityTrait, IdenStatic as _, Identity, Iterable as _,
    PrimaryKeyToColumn as _, Schema,
};
use trimaran_core::{Engine, LogicalType};

use super::fixture::{AREAS, Fixture, NOTE, book};
use super::{cases, fixture};
use crate::catalog::{ReferentialAction, Table};
use crate::entity::{application, configuration, conversation, identity};
use crate::schema::{Book, bookkeeping};
use crate::tenant::entity::{tenant, tenant_home, tenant_mark, tenant_operation};

/// What a table is, as far as engines agree on it: names of keys aside, which DuckDB forgets.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Shape {
    columns: Vec<(String, LogicalType, bool)>,
    primary_key: Vec<String>,
    /// Unique constraints and unique indexes are one thing.
    unique: BTreeSet<Vec<String>>,
    indexes: BTreeSet<(String, Vec<String>)>,
    references: BTreeSet<Reference>,
}

/// A foreign key: its columns, the parent and its columns, what an update and a deletion of the parent do.
type Reference = (Vec<String>, String, Vec<String>, &'static str, &'static str);

fn shape(table: &Table) -> Shape {
    let names = |index: &crate::catalog::Index| index.columns.iter().map(|c| c.name.clone()).collect();
    let (unique, plain): (Vec<_>, Vec<_>) = table.indexes.iter().partition(|index| index.unique);
    let constraints = table.unique.iter().map(|key| key.columns.clone());
    Shape {
        columns: table
            .columns
            .iter()
            .map(|c| (c.name.clone(), c.logical.clone().expect("a type that Trimaran knows"), c.nullable))
            .collect(),
        primary_key: table.primary_key.as_ref().expect("a primary key").columns.clone(),
        unique: constraints.chain(unique.into_iter().map(names)).collect(),
        indexes: plain.into_iter().map(|index| (index.name.clone(), names(index))).collect(),
        references: table
            .foreign_keys
            .iter()
            .map(|key| {
                (
                    key.columns.clone(),
                    key.referenced.name.clone(),
                    key.referenced_columns.clone(),
                    key.on_delete.sql(),
                    key.on_update.sql(),
                )
            })
            .collect(),
    }
}

async fn shapes(fixture: &Fixture, book: &Book) -> BTreeMap<String, Shape> {
    fixture.runner(book).up().await.unwrap();
    let catalog = fixture.catalog().await;
    let parts: Vec<_> = catalog.unmovable.iter().map(|part| format!("{} {}", part.kind, part.name)).collect();
    // The policies of row-level security are all that has no counterpart.
    assert!(parts.iter().all(|part| part.contains("policy") || part.contains("row")), "{parts:?}");
    catalog.tables.iter().map(|table| (table.name.name.clone(), shape(table))).collect()
}

cases! {
    an_engine_has_the_tables_that_the_migrations_declare
    a_tenant_comes_first_in_every_key
    an_engine_and_the_entities_agree
}

async fn an_engine_has_the_tables_that_the_migrations_declare(fixture: Fixture) {
    let book = book([NOTE]);
    let found: BTreeSet<_> = shapes(&fixture, &book).await.into_keys().collect();
    let declared = book.of(AREAS).flat_map(|m| m.tables).copied().chain([bookkeeping::TABLE]);
    assert_eq!(found, declared.map(str::to_owned).collect());
}

async fn a_tenant_comes_first_in_every_key(fixture: Fixture) {
    let book = book([NOTE]);
    let shapes = shapes(&fixture, &book).await;
    let per_tenant = book.all().iter().filter(|m| m.areas.iter().any(|area| area.is_per_tenant()));
    for table in per_tenant.flat_map(|migration| migration.tables) {
        let shape = &shapes[*table];
        let keys = [&shape.primary_key].into_iter().chain(&shape.unique);
        for key in keys.chain(shape.references.iter().map(|(columns, ..)| columns)) {
            assert_eq!(key.first().map(String::as_str), Some("tenant_id"), "{table}: {key:?}");
        }
    }
}

/// A table as its entity has it, indexes aside.
fn entity<E: EntityTrait>(_entity: E) -> (String, Shape) {
    let names = |identity: Identity| identity.into_iter().map(|name| name.to_string()).collect::<Vec<_>>();
    let action = |action: Option<ForeignKeyAction>| match action {
        None | Some(ForeignKeyAction::NoAction) => ReferentialAction::NoAction.sql(),
        Some(ForeignKeyAction::Restrict) => ReferentialAction::Restrict.sql(),
        Some(ForeignKeyAction::Cascade) => ReferentialAction::Cascade.sql(),
        Some(ForeignKeyAction::SetNull) => ReferentialAction::SetNull.sql(),
        Some(ForeignKeyAction::SetDefault) => ReferentialAction::SetDefault.sql(),
        Some(other) => panic!("{other:?} is no action of the schema"),
    };
    let columns = E::Column::iter().map(|column| {
        let definition = column.def();
        let logical = match definition.get_column_type() {
            ColumnType::Uuid => LogicalType::Uuid,
            ColumnType::Text | ColumnType::String(_) => LogicalType::Text,
            ColumnType::BigInteger => LogicalType::Int64,
            ColumnType::Integer => LogicalType::Int32,
            ColumnType::Boolean => LogicalType::Bool,
            ColumnType::Double => LogicalType::Float64,
            ColumnType::Blob | ColumnType::VarBinary(_) | ColumnType::Binary(_) => LogicalType::Bytes,
            ColumnType::Json => LogicalType::Json,
            ColumnType::TimestampWithTimeZone => LogicalType::TimestampTz,
            other => panic!("{}: {other:?} has no place in the schema", column.as_str()),
        };
        (column.as_str().to_owned(), logical, definition.is_null())
    });
    let single = E::Column::iter()
        .filter(|column| column.def().is_unique())
        .map(|column| vec![column.as_str().to_owned()]);
    // Keys of several columns: `#[sea_orm(unique_key = "…")]` on each.
    let several = Schema::new(DbBackend::Postgres).create_index_from_entity(E::default());
    let several = several
        .iter()
        .filter(|index| index.is_unique_key())
        .map(|index| index.get_index_spec().get_column_names());
    let references = E::Relation::iter().map(|relation| relation.def()).filter(|relation| !relation.is_owner);
    let shape = Shape {
        columns: columns.collect(),
        primary_key: E::PrimaryKey::iter().map(|key| key.into_column().as_str().to_owned()).collect(),
        unique: single.chain(several).collect(),
        indexes: BTreeSet::new(),
        references: references
            .map(|relation| {
                let TableRef::Table(parent, _) = relation.to_tbl else { panic!("no table") };
                let (from, to) = (names(relation.from_col), names(relation.to_col));
                (from, parent.1.to_string(), to, action(relation.on_delete), action(relation.on_update))
            })
            .collect(),
    };
    (E::default().table_name().to_owned(), shape)
}

/// Every entity of Trimaran's.
fn entities() -> BTreeMap<String, Shape> {
    BTreeMap::from([
        entity(bookkeeping::Entity),
        entity(identity::user_account::Entity),
        entity(identity::role::Entity),
        entity(identity::role_permission::Entity),
        entity(identity::user_group::Entity),
        entity(identity::group_member::Entity),
        entity(identity::user_role::Entity),
        entity(identity::group_role::Entity),
        entity(application::api_key::Entity),
        entity(application::session::Entity),
        entity(application::setting::Entity),
        entity(configuration::component::Entity),
        entity(configuration::dataset::Entity),
        entity(configuration::dataset_prompt::Entity),
        entity(conversation::conversation::Entity),
        entity(conversation::prompt_piece::Entity),
        entity(conversation::tag::Entity),
        entity(conversation::score::Entity),
        entity(conversation::embedding::Entity),
        entity(conversation::seed::Entity),
        entity(conversation::attack_result::Entity),
        entity(conversation::scenario_result::Entity),
        entity(tenant::Entity),
        entity(tenant_home::Entity),
        entity(tenant_operation::Entity),
        entity(tenant_mark::Entity),
    ])
}

async fn an_engine_and_the_entities_agree(fixture: Fixture) {
    let mut tables = shapes(&fixture, &Book::new()).await;
    let mut entities = entities();
    for (name, table) in &mut tables {
        table.indexes.clear();
        // Columns are found by name: their order is nobody's business.
        table.columns.sort_by(|a, b| a.0.cmp(&b.0));
        if let Some(entity) = entities.get_mut(name) {
            entity.columns.sort_by(|a, b| a.0.cmp(&b.0));
            if fixture.db.engine() == Engine::Duckdb {
                entity.references.clear();
            }
        }
    }
    assert_eq!(tables, entities);
}

#[cfg(all(feature = "postgres", feature = "testing", feature = "sqlite", feature = "duckdb"))]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_three_schemas_are_one() {
    let book = book([NOTE]);
    let postgres = shapes(&fixture::postgres().await, &book).await;
    let sqlite = shapes(&fixture::sqlite().await, &book).await;
    let duckdb = shapes(&fixture::duckdb().await, &book).await;
    assert_eq!(postgres, sqlite);
    let without_references = |tables: BTreeMap<String, Shape>| -> BTreeMap<String, Shape> {
        tables
            .into_iter()
            .map(|(name, table)| (name, Shape { references: BTreeSet::new(), ..table }))
            .collect()
    };
    assert_eq!(without_references(postgres), duckdb);
}
