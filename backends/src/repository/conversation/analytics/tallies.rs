//! The queries that count the rows of a relation.

use std::collections::{BTreeMap, HashMap};

use sea_orm::ConnectionTrait as _;
use sea_orm::sea_query::extension::postgres::PgFunc;
use sea_orm::sea_query::{ArrayType, Expr, ExprTrait as _, Order, Query, SelectStatement, SimpleExpr, Value};
use trimaran_core::model::conversation::analytics::{Figures, Outcomes};
use trimaran_core::model::{AttackOutcome, ScoreType};
use trimaran_core::{Engine, Result};

use super::keys::{Key, Said};
use super::relation::{Columns, Relation};
use crate::fetch::{CellType, FetchedRow};
use crate::repository::text::Place;

/// Which groups are counted.
#[derive(Debug, Clone)]
pub(super) enum Part {
    All,
    Of(Vec<Key>),
    NotOf(Vec<Key>),
}

/// A group and how many members it has.
#[derive(Debug)]
pub(super) struct Ranked {
    pub(super) key: Key,
    pub(super) said: Said,
    pub(super) members: u64,
}

/// A group and its counts; scores are still to be added.
#[derive(Debug)]
pub(super) struct Counts {
    pub(super) key: Key,
    pub(super) said: Said,
    pub(super) figures: Figures,
}

/// So many scores that say the same.
#[derive(Debug)]
pub(super) struct Scores {
    score_type: ScoreType,
    value: Option<String>,
    has_objective: bool,
    times: u64,
}

impl Scores {
    pub(super) fn add_to(&self, figures: &mut Figures) {
        figures.add_scores(self.score_type, self.value.as_deref(), self.has_objective, self.times);
    }
}

const ROWS: &str = "grouped";

/// The groups with the most members, those first; of equals those with the lower key.
pub(super) async fn rank(relation: &Relation<'_>, most: usize, operation: &str) -> Result<Vec<Ranked>> {
    let mut query = Query::select();
    query.from_subquery(relation.rows(Columns::Member)?, ROWS);
    let mut cells = with_key(relation, &mut query, ROWS);
    query
        .expr_as(Expr::col((ROWS, "id")).count_distinct(), "members")
        .order_by("members", Order::Desc)
        .order_by((ROWS, "group_key"), Order::Asc)
        .limit(u64::try_from(most).unwrap_or(u64::MAX));
    cells.push(CellType::I64);
    let mut ranked = Vec::new();
    for mut row in fetch(relation, &query, cells, operation).await? {
        let (key, said, at) = key_of(relation, &mut row, operation)?;
        ranked.push(Ranked { key, said, members: count(&mut row, at, operation)? });
    }
    Ok(ranked)
}

/// How many groups there are.
pub(super) async fn count_keys(relation: &Relation<'_>, part: &Part, operation: &str) -> Result<u64> {
    let query = Query::select()
        .expr_as(Expr::col((ROWS, "group_key")).count_distinct(), "groups")
        .from_subquery(relation.rows(Columns::Member)?, ROWS)
        .and_where(restriction(relation, part))
        .take();
    match fetch(relation, &query, vec![CellType::I64], operation).await?.first_mut() {
        Some(row) => count(row, 0, operation),
        None => Ok(0),
    }
}

/// Pieces, messages, conversations, answers and refusals: of each group, or of all of them together.
pub(super) async fn counts(
    relation: &Relation<'_>,
    part: &Part,
    grouped: bool,
    operation: &str,
) -> Result<Vec<Counts>> {
    const MESSAGES: &str = "messages";
    // One row for each message of each group. A piece is of one message, so that the pieces of a group are those of its messages.
    let mut messages = Query::select();
    messages
        .from_subquery(relation.rows(Columns::Messages)?, ROWS)
        .and_where(restriction(relation, part))
        .column((ROWS, "conversation_id"))
        .expr_as(Expr::col((ROWS, "id")).count_distinct(), "pieces")
        .expr_as(Expr::col((ROWS, "answer")).max(), "answer")
        .expr_as(Expr::col((ROWS, "refused")).max(), "refused");
    if grouped {
        messages.column((ROWS, "group_key"));
        if relation.keys.has_tags() {
            messages.expr_as(Expr::col((ROWS, "tag_name")).min(), "tag_name");
            messages.expr_as(Expr::col((ROWS, "tag_value")).min(), "tag_value");
        }
        messages.group_by_col((ROWS, "group_key"));
    }
    messages.group_by_col((ROWS, "conversation_id")).group_by_col((ROWS, "sequence"));
    let mut query = Query::select();
    query.from_subquery(messages, MESSAGES);
    let mut cells = match grouped {
        true => with_key(relation, &mut query, MESSAGES),
        false => Vec::new(),
    };
    let sum = |column: &'static str| -> SimpleExpr {
        let sum = Expr::col((MESSAGES, column)).sum();
        SimpleExpr::from(sea_orm::sea_query::Func::coalesce([sum, Expr::val(0_i64)])).cast_as("bigint")
    };
    query
        .expr_as(sum("pieces"), "piece_count")
        .expr_as(Expr::col((MESSAGES, "conversation_id")).count(), "message_count")
        .expr_as(Expr::col((MESSAGES, "conversation_id")).count_distinct(), "conversation_count")
        .expr_as(sum("answer"), "answer_count")
        .expr_as(sum("refused"), "refusal_count");
    cells.extend([CellType::I64; 5]);
    let mut found = Vec::new();
    for mut row in fetch(relation, &query, cells, operation).await? {
        let (key, said, at) = match grouped {
            true => key_of(relation, &mut row, operation)?,
            false => (Key::Number(0), None, 0),
        };
        let mut number = |place: usize| count(&mut row, at + place, operation);
        let figures = Figures {
            pieces: number(0)?,
            messages: number(1)?,
            conversations: number(2)?,
            answers: number(3)?,
            refused: number(4)?,
            ..Figures::default()
        };
        found.push(Counts { key, said, figures });
    }
    Ok(found)
}

/// How many scores say what: of each group, or of all of them together.
pub(super) async fn scores(
    relation: &Relation<'_>,
    part: &Part,
    grouped: bool,
    operation: &str,
) -> Result<HashMap<Key, Vec<Scores>>> {
    const SAID: [&str; 3] = ["score_type", "value", "has_objective"];
    let mut query = Query::select();
    query.from_subquery(relation.rows(Columns::Scores)?, ROWS).and_where(restriction(relation, part));
    let mut cells = Vec::new();
    if grouped {
        query.column((ROWS, "group_key")).group_by_col((ROWS, "group_key"));
        cells.push(relation.keys.cell());
    }
    for column in SAID {
        query.column((ROWS, column)).group_by_col((ROWS, column));
    }
    query.expr_as(Expr::col((ROWS, "score_id")).count_distinct(), "times");
    cells.extend([CellType::Text, CellType::Text, CellType::I64, CellType::I64]);
    let mut found: HashMap<Key, Vec<Scores>> = HashMap::new();
    for mut row in fetch(relation, &query, cells, operation).await? {
        let (key, at) = match grouped {
            true => (take_key(relation, &mut row, operation)?, 1),
            false => (Key::Number(0), 0),
        };
        let place = |column| Place { table: "score", column, key: "of a group" };
        let score_type: String = row.take(at, operation)?;
        let score_type = ScoreType::from_name(&score_type)
            .ok_or_else(|| place("score_type").corrupt("there is an unknown type of score"))?;
        let value = relation.resources.text().load_option(place("value"), row.take(at + 1, operation)?)?;
        let has_objective = count(&mut row, at + 2, operation)? != 0;
        let times = count(&mut row, at + 3, operation)?;
        found.entry(key).or_default().push(Scores { score_type, value, has_objective, times });
    }
    Ok(found)
}

/// How many attacks ended how: of each group, or of all of them together.
pub(super) async fn outcomes(
    relation: &Relation<'_>,
    part: &Part,
    grouped: bool,
    operation: &str,
) -> Result<Vec<(Key, Said, Outcomes)>> {
    let mut query = Query::select();
    query.from_subquery(relation.rows(Columns::Outcome)?, ROWS).and_where(restriction(relation, part));
    let mut cells = match grouped {
        true => with_key(relation, &mut query, ROWS),
        false => Vec::new(),
    };
    query
        .column((ROWS, "outcome"))
        .expr_as(Expr::col((ROWS, "id")).count_distinct(), "times")
        .group_by_col((ROWS, "outcome"));
    cells.extend([CellType::Text, CellType::I64]);
    let mut found: BTreeMap<Key, (Said, Outcomes)> = BTreeMap::new();
    for mut row in fetch(relation, &query, cells, operation).await? {
        let (key, said, at) = match grouped {
            true => key_of(relation, &mut row, operation)?,
            false => (Key::Number(0), None, 0),
        };
        let outcome: String = row.take(at, operation)?;
        let place = Place { table: "attack_result", column: "outcome", key: "of a group" };
        let outcome =
            AttackOutcome::from_name(&outcome).ok_or_else(|| place.corrupt("there is an unknown outcome"))?;
        let times = count(&mut row, at + 1, operation)?;
        found.entry(key).or_insert((said, Outcomes::default())).1.add(outcome, times);
    }
    Ok(found.into_iter().map(|(key, (said, outcomes))| (key, said, outcomes)).collect())
}

/// Groups the query by the key in `from`, and selects it first, with what tags say.
fn with_key(relation: &Relation<'_>, query: &mut SelectStatement, from: &'static str) -> Vec<CellType> {
    query.column((from, "group_key")).group_by_col((from, "group_key"));
    let mut cells = vec![relation.keys.cell()];
    if relation.keys.has_tags() {
        query.expr_as(Expr::col((from, "tag_name")).min(), "tag_name");
        query.expr_as(Expr::col((from, "tag_value")).min(), "tag_value");
        cells.extend([CellType::Text, CellType::Text]);
    }
    cells
}

fn take_key(relation: &Relation<'_>, row: &mut FetchedRow, operation: &str) -> Result<Key> {
    match relation.keys.cell() {
        CellType::Uuid => row.take(0, operation).map(Key::Digest),
        _ => row.take(0, operation).map(Key::Number),
    }
}

/// What [`with_key`] selected, and where the next column is.
fn key_of(relation: &Relation<'_>, row: &mut FetchedRow, operation: &str) -> Result<(Key, Said, usize)> {
    let key = take_key(relation, row, operation)?;
    if !relation.keys.has_tags() {
        return Ok((key, None, 1));
    }
    let (name, value): (Option<String>, Option<String>) = (row.take(1, operation)?, row.take(2, operation)?);
    Ok((key, name.zip(value), 3))
}

fn count(row: &mut FetchedRow, index: usize, operation: &str) -> Result<u64> {
    Ok(u64::try_from(row.take::<i64>(index, operation)?).unwrap_or_default())
}

/// Holds for the rows of the part's groups. Many keys are one parameter where the engine has arrays.
fn restriction(relation: &Relation<'_>, part: &Part) -> SimpleExpr {
    let (keys, wanted) = match part {
        Part::All => return Expr::val(true),
        Part::Of(keys) => (keys, true),
        Part::NotOf(keys) => (keys, false),
    };
    let column = Expr::col((ROWS, "group_key"));
    let values = keys.iter().map(|key| match key {
        Key::Number(number) => Value::from(*number),
        Key::Digest(digest) => Value::from(*digest),
    });
    let among = if keys.is_empty() {
        Expr::val(false)
    } else if relation.resources.executor().engine() == Engine::Sqlite {
        column.is_in(values)
    } else {
        let kind = match relation.keys.cell() {
            CellType::Uuid => ArrayType::Uuid,
            _ => ArrayType::BigInt,
        };
        column.eq(PgFunc::any(Expr::val(Value::Array(kind, Some(Box::new(values.collect()))))))
    };
    if wanted { among } else { among.not() }
}

async fn fetch(
    relation: &Relation<'_>,
    query: &SelectStatement,
    cells: Vec<CellType>,
    operation: &str,
) -> Result<Vec<FetchedRow>> {
    let executor = relation.resources.executor();
    let statement = executor.get_database_backend().build(query);
    let rows = executor.fetch(statement, cells).await.map_err(|error| error.within(operation))?;
    Ok(rows.into_rows().collect())
}
