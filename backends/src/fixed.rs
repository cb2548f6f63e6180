//! Queries whose text is the same for every call.
//!
//! To put a query's tree together and to write it out as SQL took more than a quarter of a look-up of a piece on SQLite
//! (docs/performance.md). The few that every request asks are written once for each engine.

use std::sync::OnceLock;

use sea_orm::sea_query::InsertStatement;
use sea_orm::{
    ActiveModelTrait, ConnectionTrait as _, EntityTrait, Iterable as _, ModelTrait, QueryTrait, Select,
    Statement, TryIntoModel, Value, Values,
};
use trimaran_core::{Engine, Error, ErrorKind, Result};

use crate::Executor;
use crate::fetch::{CellType, Fetched, models_of, returning, types};

/// A query that differs from call to call in its values alone.
#[derive(Debug)]
pub(crate) struct Fixed {
    texts: [OnceLock<Text>; 3],
}

#[derive(Debug)]
struct Text {
    sql: String,
    types: Vec<CellType>,
}

impl Fixed {
    /// One that is not yet written for any engine.
    pub(crate) const fn new() -> Self {
        Self { texts: [OnceLock::new(), OnceLock::new(), OnceLock::new()] }
    }

    /// The rows of the query that `build` makes with these values, which must stand in it in this order, and of what types its columns are;
    /// later calls take its text and do not ask `build` again. `operation` is a verb phrase.
    ///
    /// # Errors
    /// `Unsupported` if the query has other values; what `build` returns; else the engine's.
    pub(crate) async fn fetch(
        &self,
        executor: &Executor,
        values: Vec<Value>,
        build: impl FnOnce() -> Result<(Statement, Vec<CellType>)>,
        operation: &str,
    ) -> Result<Fetched> {
        let text = match self.of(executor.engine()).get() {
            Some(text) => text,
            None => {
                let (statement, types) = build()?;
                let text = written(statement, types, &values, operation)?;
                self.of(executor.engine()).get_or_init(|| text)
            }
        };
        let statement = Statement {
            sql: text.sql.clone(),
            values: Some(Values(values)),
            db_backend: executor.get_database_backend(),
        };
        executor.fetch(statement, text.types.clone()).await.map_err(|error| error.within(operation))
    }

    /// The models that a query of all their columns gives: see [`Self::fetch`].
    ///
    /// # Errors
    /// As for [`Self::fetch`]; `Corrupt` for a row that is none.
    pub(crate) async fn models<E>(
        &self,
        executor: &Executor,
        values: Vec<Value>,
        build: impl FnOnce() -> Select<E>,
        operation: &str,
    ) -> Result<Vec<E::Model>>
    where
        E: EntityTrait,
        E::Model: ModelTrait<Entity = E>,
        <E as EntityTrait>::ActiveModel: ActiveModelTrait<Entity = E> + TryIntoModel<E::Model>,
    {
        let columns: Vec<E::Column> = E::Column::iter().collect();
        let build = || Ok((build().build(executor.get_database_backend()), types(&columns, operation)?));
        let fetched = self.fetch(executor, values, build, operation).await?;
        models_of::<E>(fetched, &columns, operation)
    }

    /// The rows that an INSERT wrote or changed, as models: see [`Self::fetch`].
    ///
    /// # Errors
    /// As for [`Self::models`].
    pub(crate) async fn inserted<E>(
        &self,
        executor: &Executor,
        values: Vec<Value>,
        build: impl FnOnce() -> InsertStatement,
        operation: &str,
    ) -> Result<Vec<E::Model>>
    where
        E: EntityTrait,
        E::Model: ModelTrait<Entity = E>,
        <E as EntityTrait>::ActiveModel: ActiveModelTrait<Entity = E> + TryIntoModel<E::Model>,
    {
        let columns: Vec<E::Column> = E::Column::iter().collect();
        let build = || returning(executor, build(), &columns, operation);
        let fetched = self.fetch(executor, values, build, operation).await?;
        models_of::<E>(fetched, &columns, operation)
    }

    fn of(&self, engine: Engine) -> &OnceLock<Text> {
        let [postgres, sqlite, duckdb] = &self.texts;
        match engine {
            Engine::Postgres => postgres,
            Engine::Sqlite => sqlite,
            Engine::Duckdb => duckdb,
        }
    }
}

fn written(statement: Statement, types: Vec<CellType>, values: &[Value], operation: &str) -> Result<Text> {
    // Else the next call would put its values in places of others.
    if statement.values.as_ref().map_or(&[][..], |values| &values.0) != values {
        return Err(Error::new(ErrorKind::Unsupported, operation).context(
            "the query was built with other values, or in another order, than it is to be asked with",
        ));
    }
    Ok(Text { sql: statement.sql, types })
}

#[cfg(test)]
mod tests {
    use sea_orm::{ColumnTrait as _, DbBackend, QueryFilter as _};
    use uuid::Uuid;

    use super::*;
    use crate::entity::application::setting::{Column, Entity};

    #[test]
    fn a_query_with_other_values_is_refused() {
        let (id, key) = (Value::from(Uuid::nil()), Value::from("k"));
        let query = Entity::find().filter(Column::Id.eq(Uuid::nil())).filter(Column::Key.eq("k"));
        let statement = query.build(DbBackend::Sqlite);
        let text = written(statement.clone(), Vec::new(), &[id.clone(), key.clone()], "try").unwrap();
        assert_eq!(text.sql, statement.sql);
        for values in [vec![key.clone(), id.clone()], vec![id], vec![]] {
            let error = written(statement.clone(), Vec::new(), &values, "try").unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unsupported);
        }
    }
}
