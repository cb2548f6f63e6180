//! Settings.

use async_trait::async_trait;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::extension::postgres::PgFunc;
use sea_orm::sea_query::{Expr, ExprTrait as _, OnConflict};
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, Condition, ConnectionTrait as _, DbBackend, EntityTrait as _,
    Iterable as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, QueryTrait as _,
};
use serde_json::Value;
use trimaran_core::model::{Setting, name};
use trimaran_core::repository::Settings;
use trimaran_core::{Error, ErrorKind, Page, PageRequest, Result};

use crate::db_error::Doing as _;
use crate::entity::application::setting;
use crate::fetch::Fetch as _;
use crate::fixed::Fixed;
use crate::repository::resources::repository;
use crate::repository::text::Place;
use crate::repository::{paging, time};

repository! {
    /// [`Settings`] over SQL.
    SqlSettings
}

const WHAT: &str = "the setting's key";

impl SqlSettings {
    fn loaded(&self, row: setting::Model) -> Result<Setting> {
        let at = |column| Place { table: "setting", column, key: row.id };
        Ok(Setting {
            key: self.resources.text().load(at("key"), row.key)?,
            // The error would quote the value.
            value: serde_json::from_str(&row.value).map_err(|_| at("value").corrupt("there is no JSON"))?,
            version: row.version,
            updated_at: time::loaded(row.updated_at),
        })
    }

    fn new_row(&self, key: &str, value: &Value) -> setting::ActiveModel {
        setting::ActiveModel {
            id: Set(self.resources.ids.next()),
            key: Set(self.resources.text().store(key)),
            value: Set(value.to_string()),
            version: Set(1),
            updated_at: Set(time::stored(self.resources.clock.now())),
        }
    }

    /// Keys that begin with `prefix`, byte for byte.
    fn begins_with(&self, prefix: &str) -> Condition {
        let prefix = self.resources.text().store(prefix);
        let key = setting::Column::Key;
        match self.resources.executor.get_database_backend() {
            // Postgres and DuckDB have the same function. Postgres compares by collation, so that a range wouldn't do.
            DbBackend::Postgres => {
                Condition::all().add(Expr::from(PgFunc::starts_with(Expr::col(key), prefix)))
            }
            // SQLite compares bytes, and its own functions end at U+0000.
            _ => {
                let range = Condition::all().add(key.gte(prefix.clone()));
                match successor(&prefix) {
                    Some(end) => range.add(key.lt(end)),
                    None => range,
                }
            }
        }
    }
}

/// The least text greater than every text that begins with `prefix`, by bytes; `None` if there is none.
fn successor(prefix: &str) -> Option<String> {
    let mut chars: Vec<char> = prefix.chars().collect();
    while let Some(last) = chars.pop() {
        // UTF-8 keeps the order of code points. A range of characters leaves the surrogates out.
        if let Some(next) = (last..=char::MAX).nth(1) {
            chars.push(next);
            return Some(chars.into_iter().collect());
        }
    }
    None
}

fn unexpected(context: impl Into<String>) -> Error {
    Error::new(ErrorKind::Conflict, "compare and set the setting")
        .context(context)
        .hint("get it again, apply the change again")
}

#[async_trait]
impl Settings for SqlSettings {
    async fn get(&self, key: &str) -> Result<Option<Setting>> {
        static GOT: Fixed = Fixed::new();
        let key = self.resources.text().store(key);
        let values = vec![key.as_str().into()];
        let query = || setting::Entity::find().filter(setting::Column::Key.eq(key.as_str()));
        let rows = GOT.models(&self.resources.executor, values, query, "get the setting").await?;
        rows.into_iter().next().map(|row| self.loaded(row)).transpose()
    }

    async fn put(&self, key: &str, value: Value) -> Result<Setting> {
        const OPERATION: &str = "put the setting";
        static PUT: Fixed = Fixed::new();
        name::check(WHAT, key)?;
        let row = self.new_row(key, &value);
        let mut values: Vec<_> =
            setting::Column::iter().filter_map(|column| row.get(column).into_value()).collect();
        let one = 1;
        values.push(one.into());
        let replace = || {
            let version = Expr::col((setting::Entity, setting::Column::Version)).add(one);
            OnConflict::column(setting::Column::Key)
                .update_columns([setting::Column::Value, setting::Column::UpdatedAt])
                .value(setting::Column::Version, version)
                .to_owned()
        };
        let insert = || setting::Entity::insert(row).on_conflict(replace()).into_query();
        let rows = PUT.inserted::<setting::Entity>(&self.resources.executor, values, insert, OPERATION);
        let row = rows
            .await?
            .pop()
            .ok_or_else(|| Error::new(ErrorKind::Conflict, OPERATION).context("no row was written"))?;
        self.loaded(row)
    }

    async fn compare_and_set(&self, key: &str, expected: Option<i64>, value: Value) -> Result<Setting> {
        const OPERATION: &str = "compare and set the setting";
        name::check(WHAT, key)?;
        let row = self.new_row(key, &value);
        let Some(expected) = expected else {
            let setting = Setting {
                key: key.to_owned(),
                value,
                version: 1,
                updated_at: time::loaded(*row.updated_at.as_ref()),
            };
            let nothing = OnConflict::column(setting::Column::Key).do_nothing().to_owned();
            let inserted = setting::Entity::insert(row)
                .on_conflict(nothing)
                .exec_without_returning(&self.resources.executor)
                .await
                .doing(OPERATION)?;
            return match inserted {
                0 => Err(unexpected("there is one, although none was expected")),
                _ => Ok(setting),
            };
        };
        let values =
            setting::ActiveModel { value: row.value, updated_at: row.updated_at, ..Default::default() };
        let changed = setting::Entity::update_many()
            .set(values)
            .col_expr(setting::Column::Version, Expr::col(setting::Column::Version).add(1))
            .filter(setting::Column::Key.eq(self.resources.text().store(key)))
            .filter(setting::Column::Version.eq(expected))
            .exec_with_returning(&self.resources.executor)
            .await
            .doing(OPERATION)?;
        match changed.into_iter().next() {
            Some(row) => self.loaded(row),
            None => Err(unexpected(format!("its version is not {expected}, or there is none"))),
        }
    }

    async fn delete(&self, key: &str) -> Result<bool> {
        let deleted = setting::Entity::delete_many()
            .filter(setting::Column::Key.eq(self.resources.text().store(key)))
            .exec(&self.resources.executor)
            .await
            .doing("delete the setting")?;
        Ok(deleted.rows_affected > 0)
    }

    async fn list(&self, prefix: &str, page: &PageRequest) -> Result<Page<Setting>> {
        let mut query = setting::Entity::find();
        if !prefix.is_empty() {
            query = query.filter(self.begins_with(prefix));
        }
        if let Some(after) = paging::after(page)? {
            query = query.filter(setting::Column::Id.gt(after));
        }
        let rows = query
            .order_by_asc(setting::Column::Id)
            .limit(paging::one_more(page))
            .fetch_all(&self.resources.executor, "list the settings")
            .await?;
        Page::from_one_more(rows, page.limit(), |row| row.id.to_string()).try_map(|row| self.loaded(row))
    }
}

#[cfg(test)]
mod tests {
    use super::successor;

    #[test]
    fn what_follows_a_prefix_is_found_across_the_gaps_in_unicode() {
        assert_eq!(successor("a/").as_deref(), Some("a0"));
        assert_eq!(successor("a\0").as_deref(), Some("a\u{1}"));
        assert_eq!(successor("a\u{7f}").as_deref(), Some("a\u{80}"));
        assert_eq!(successor("\u{d7ff}").as_deref(), Some("\u{e000}"));
        assert_eq!(successor("a\u{10ffff}").as_deref(), Some("b"));
        assert_eq!(successor("\u{10ffff}"), None);
    }
}
