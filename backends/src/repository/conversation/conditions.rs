//! From filters to SQL.

use std::collections::BTreeMap;

use sea_orm::sea_query::extension::postgres::PgBinOper;
use sea_orm::sea_query::{Expr, ExprTrait as _, Func, SimpleExpr};
use sea_orm::{ColumnTrait, Condition};
use serde_json::Value;
use trimaran_core::{Engine, Timestamp};

use super::tags::{self, Kind};
use crate::repository::{TenantResources, time};

/// Conditions on the rows of one table, all of which must be met: those of the tenant, to begin with.
pub(super) struct Conditions<'r> {
    resources: &'r TenantResources,
    all: Condition,
}

impl<'r> Conditions<'r> {
    /// All rows of the tenant.
    pub(super) fn own(resources: &'r TenantResources, tenant_id: impl ColumnTrait) -> Self {
        Self { resources, all: Condition::all().add(resources.own(tenant_id)) }
    }

    /// The conditions.
    pub(super) fn all(self) -> Condition {
        self.all
    }

    pub(super) fn add(&mut self, condition: impl Into<Condition>) {
        let before = std::mem::replace(&mut self.all, Condition::all());
        self.all = before.add(condition);
    }

    /// The column has one of the values, if any are given.
    pub(super) fn one_of<V: Into<sea_orm::Value>>(
        &mut self,
        column: impl ColumnTrait,
        values: Option<impl IntoIterator<Item = V>>,
    ) {
        if let Some(values) = values {
            self.add(column.is_in(values));
        }
    }

    /// The same for text that users choose.
    pub(super) fn one_of_texts(&mut self, column: impl ColumnTrait, texts: &Option<Vec<String>>) {
        let text = self.resources.text();
        self.one_of(column, texts.as_ref().map(|texts| texts.iter().map(move |one| text.store(one))));
    }

    /// The column is NULL, or isn't.
    pub(super) fn is_null(&mut self, column: impl ColumnTrait, wanted: Option<bool>) {
        match wanted {
            None => {}
            Some(true) => self.add(column.is_null()),
            Some(false) => self.add(column.is_not_null()),
        }
    }

    /// The time is `from` or later, and before `before`.
    pub(super) fn within(
        &mut self,
        column: impl ColumnTrait,
        from: Option<Timestamp>,
        before: Option<Timestamp>,
    ) {
        if let Some(from) = from {
            self.add(time::from(self.resources.executor().engine(), column, from));
        }
        if let Some(before) = before {
            self.add(time::before(self.resources.executor().engine(), column, before));
        }
    }

    /// The number is at least and at most so great.
    pub(super) fn between(&mut self, column: impl ColumnTrait, least: Option<i64>, most: Option<i64>) {
        if let Some(least) = least {
            self.add(column.gte(least));
        }
        if let Some(most) = most {
            self.add(column.lte(most));
        }
    }

    /// The owner has one of these tags, if any are given.
    pub(super) fn one_tag(
        &mut self,
        owner: impl ColumnTrait,
        kind: Kind,
        name: &str,
        values: &Option<Vec<String>>,
    ) {
        if let Some(values) = values {
            self.add(tags::one_of(self.resources, owner, kind, name, values.iter().map(String::as_str)));
        }
    }

    /// The owner has all of these tags.
    pub(super) fn all_tags(&mut self, owner: impl ColumnTrait, kind: Kind, name: &str, values: &[String]) {
        for value in values {
            self.add(tags::one_of(self.resources, owner, kind, name, [value.as_str()]));
        }
    }

    /// The owner has, for each name, a tag with one of the values.
    pub(super) fn labels(
        &mut self,
        owner: impl ColumnTrait,
        kind: Kind,
        labels: &BTreeMap<String, Vec<String>>,
    ) {
        for (name, values) in labels {
            self.add(tags::one_of(self.resources, owner, kind, name, values.iter().map(String::as_str)));
        }
    }

    /// The same for values that are JSON.
    pub(super) fn metadata(
        &mut self,
        owner: impl ColumnTrait,
        kind: Kind,
        metadata: &BTreeMap<String, Vec<Value>>,
    ) {
        for (name, values) in metadata {
            let texts: Vec<String> = values.iter().map(Value::to_string).collect();
            self.add(tags::one_of(self.resources, owner, kind, name, texts.iter().map(String::as_str)));
        }
    }

    /// The text has this one somewhere in it, character for character.
    pub(super) fn contains(&mut self, column: impl ColumnTrait, wanted: &Option<String>) {
        if let Some(wanted) = wanted.as_deref().filter(|wanted| !wanted.is_empty()) {
            self.add(self.containing(column, wanted));
        }
    }

    fn containing(&self, column: impl ColumnTrait, wanted: &str) -> SimpleExpr {
        let column = Expr::col(column);
        let stored = self.resources.text().store(wanted);
        let executor = self.resources.executor();
        if executor.engine() == Engine::Sqlite {
            // Bytes, for SQLite's text functions end at U+0000.
            let blob = |expression: SimpleExpr| expression.cast_as("BLOB");
            return Expr::from(Func::cust("instr").arg(blob(column)).arg(blob(Expr::val(stored)))).gt(0);
        }
        // An encoded character is U+001A and a digit: a text that begins with such a digit must not be found there.
        if !executor.capabilities().nul_in_text && wanted.starts_with(['0', '1']) {
            return column.binary(PgBinOper::Regex, format!("(?<!\u{1a}){}", literal_pattern(&stored)));
        }
        Expr::from(Func::cust("strpos").arg(column).arg(stored)).gt(0)
    }
}

/// The regular expression of Postgres' that finds this text itself.
fn literal_pattern(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        if character.is_ascii_punctuation() {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern
}
