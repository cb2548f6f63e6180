//! Prompts that stand out: the longest, and those that were sent most often.

use sea_orm::prelude::DateTimeWithTimeZone;
use sea_orm::sea_query::{Expr, ExprTrait as _, Func, Order, Query, SelectStatement, WindowStatement};
use sea_orm::{ColumnTrait as _, Condition, ConnectionTrait as _, IntoSimpleExpr as _};
use std::collections::HashMap;
use trimaran_core::id::{ConversationId, PieceId};
use trimaran_core::model::conversation::analytics::{
    LongPrompt, MOST_PROMPTS, PREVIEW_CHARS, RepeatedPrompt, check_most,
};
use trimaran_core::model::{ChatRole, DataType, PieceFilter, Sha256};
use trimaran_core::{Engine, Result};
use uuid::Uuid;

use super::super::piece_conditions;
use crate::dialect;
use crate::entity::conversation::prompt_piece::{self, Column};
use crate::fetch::{CellType, FetchedRow};
use crate::repository::text::Place;
use crate::repository::{TenantResources, time};

const LONGEST: &str = "find the longest prompts";
const REPEATED: &str = "find the most repeated prompts";

/// The longest prompts that are text.
pub(super) async fn longest(
    resources: &TenantResources,
    filter: &PieceFilter,
    most: u32,
) -> Result<Vec<LongPrompt>> {
    check(LONGEST, most)?;
    let engine = resources.executor().engine();
    let dialect = dialect::of(engine)?;
    let query = Query::select()
        .expr_as(Column::Id.into_simple_expr(), "piece_id")
        .expr_as(Column::ConversationId.into_simple_expr(), "conversation_id")
        .expr_as(Expr::cust(dialect.characters(&value_column(dialect))), "characters")
        .expr_as(beginning(dialect), "beginning")
        .expr_as(Column::CreatedAt.into_simple_expr(), "created_at")
        .from(prompt_piece::Entity)
        .cond_where(prompts(resources, filter)?)
        .and_where(Column::ConvertedDataType.eq(DataType::Text.name()))
        .order_by("characters", Order::Desc)
        .order_by("piece_id", Order::Asc)
        .limit(u64::from(most))
        .take();
    let cells = vec![CellType::Uuid, CellType::Uuid, CellType::I64, preview_cell(engine), CellType::DateTime];
    let mut found = Vec::new();
    for mut row in fetch(resources, &query, cells, LONGEST).await? {
        let piece = row.take::<Uuid>(0, LONGEST)?;
        found.push(LongPrompt {
            piece: PieceId(piece),
            conversation: ConversationId(row.take(1, LONGEST)?),
            characters: u64::try_from(row.take::<i64>(2, LONGEST)?).unwrap_or_default(),
            preview: preview(resources, piece, &mut row, 3, LONGEST)?,
            created_at: time::loaded(row.take::<DateTimeWithTimeZone>(4, LONGEST)?),
        });
    }
    Ok(found)
}

/// The prompts that were sent most often.
pub(super) async fn repeated(
    resources: &TenantResources,
    filter: &PieceFilter,
    most: u32,
) -> Result<Vec<RepeatedPrompt>> {
    check(REPEATED, most)?;
    let state = resources.executor().begin_reading().await?;
    let within = resources.within(&state);
    let condition = prompts(&within, filter)?;
    let mut found = repetitions(&within, &condition, most).await?;
    let mut firsts = firsts(&within, condition, found.iter().map(|prompt| prompt.sha256)).await?;
    state.commit().await?;
    for prompt in &mut found {
        if let Some((first, preview)) = firsts.remove(&prompt.sha256) {
            (prompt.first, prompt.preview) = (first, preview);
        }
    }
    Ok(found)
}

/// What was sent more than once; which was the first is still to be found.
async fn repetitions(
    within: &TenantResources,
    condition: &Condition,
    most: u32,
) -> Result<Vec<RepeatedPrompt>> {
    let pieces = || Column::Id.into_simple_expr().count();
    let query = Query::select()
        .expr_as(Column::ConvertedSha256.into_simple_expr(), "sha256")
        .expr_as(pieces(), "pieces")
        .expr_as(Column::ConversationId.into_simple_expr().count_distinct(), "conversations")
        .from(prompt_piece::Entity)
        .cond_where(condition.clone())
        .group_by_col((prompt_piece::Entity, Column::ConvertedSha256))
        .and_having(pieces().gt(1))
        .order_by("pieces", Order::Desc)
        .order_by("sha256", Order::Asc)
        .limit(u64::from(most))
        .take();
    let cells = vec![CellType::Bytes, CellType::I64, CellType::I64];
    let mut found = Vec::new();
    for mut row in fetch(within, &query, cells, REPEATED).await? {
        let sha256 = sha256(&row.take::<Vec<u8>>(0, REPEATED)?)?;
        let mut count = |at: usize| {
            Ok::<_, trimaran_core::Error>(u64::try_from(row.take::<i64>(at, REPEATED)?).unwrap_or_default())
        };
        let (pieces, conversations) = (count(1)?, count(2)?);
        let (first, preview) = (PieceId(Uuid::nil()), String::new());
        found.push(RepeatedPrompt { sha256, pieces, conversations, first, preview });
    }
    Ok(found)
}

/// The first piece of each SHA-256, and how it begins.
async fn firsts(
    within: &TenantResources,
    condition: Condition,
    wanted: impl Iterator<Item = Sha256>,
) -> Result<HashMap<Sha256, (PieceId, String)>> {
    let engine = within.executor().engine();
    let wanted: Vec<Vec<u8>> = wanted.map(|sha256| sha256.0.to_vec()).collect();
    let mut found = HashMap::new();
    if wanted.is_empty() {
        return Ok(found);
    }
    let order = WindowStatement::partition_by((prompt_piece::Entity, Column::ConvertedSha256))
        .order_by((prompt_piece::Entity, Column::Id), Order::Asc)
        .take();
    let numbered = Query::select()
        .expr_as(Column::ConvertedSha256.into_simple_expr(), "sha256")
        .expr_as(Column::Id.into_simple_expr(), "piece_id")
        .expr_as(beginning(dialect::of(engine)?), "beginning")
        .expr_window_as(Func::cust("row_number"), order, "place")
        .from(prompt_piece::Entity)
        .cond_where(condition)
        .and_where(Column::ConvertedSha256.is_in(wanted))
        .take();
    let query = Query::select()
        .columns(["sha256", "piece_id", "beginning"])
        .from_subquery(numbered, "numbered")
        .and_where(Expr::col("place").eq(1_i64))
        .take();
    let cells = vec![CellType::Bytes, CellType::Uuid, preview_cell(engine)];
    for mut row in fetch(within, &query, cells, REPEATED).await? {
        let sha256 = sha256(&row.take::<Vec<u8>>(0, REPEATED)?)?;
        let piece = row.take::<Uuid>(1, REPEATED)?;
        let preview = preview(within, piece, &mut row, 2, REPEATED)?;
        found.insert(sha256, (PieceId(piece), preview));
    }
    Ok(found)
}

fn check(operation: &str, most: u32) -> Result<()> {
    let size = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    check_most(operation, "prompts", size(most), size(MOST_PROMPTS))
}

/// The pieces that count as prompts.
fn prompts(resources: &TenantResources, filter: &PieceFilter) -> Result<Condition> {
    let condition = piece_conditions::of_filter(resources, filter)?;
    Ok(match filter.roles {
        Some(_) => condition,
        None => condition.add(Column::Role.eq(ChatRole::User.name())),
    })
}

fn sha256(bytes: &[u8]) -> Result<Sha256> {
    let place = Place { table: "prompt_piece", column: "converted_sha256", key: "of a group" };
    Sha256::from_slice(bytes).ok_or_else(|| place.corrupt("there is no SHA-256"))
}

fn value_column(dialect: &dyn crate::Dialect) -> String {
    format!("{}.{}", dialect.quote("prompt_piece"), dialect.quote("converted_value"))
}

fn beginning(dialect: &dyn crate::Dialect) -> Expr {
    Expr::cust(dialect.beginning(&value_column(dialect), PREVIEW_CHARS))
}

fn preview_cell(engine: Engine) -> CellType {
    match engine {
        Engine::Sqlite => CellType::Bytes,
        _ => CellType::Text,
    }
}

/// The first characters of what the engine cut off somewhere after them.
fn preview(
    resources: &TenantResources,
    piece: Uuid,
    row: &mut FetchedRow,
    at: usize,
    operation: &str,
) -> Result<String> {
    let engine = resources.executor().engine();
    let text = match preview_cell(engine) {
        CellType::Bytes => {
            let bytes: Vec<u8> = row.take(at, operation)?;
            // The last character may have been cut apart.
            bytes.utf8_chunks().next().map(|chunk| chunk.valid().to_owned()).unwrap_or_default()
        }
        _ => row.take::<String>(at, operation)?,
    };
    let place = Place { table: "prompt_piece", column: "converted_value", key: piece };
    let whole = match resources.executor().capabilities().nul_in_text {
        true => &text,
        // The mark of an encoded character whose rest was cut off.
        false => text.strip_suffix('\u{1a}').unwrap_or(&text),
    };
    let text = resources.text().load(place, whole.to_owned())?;
    Ok(text.chars().take(PREVIEW_CHARS).collect())
}

async fn fetch(
    resources: &TenantResources,
    query: &SelectStatement,
    cells: Vec<CellType>,
    operation: &str,
) -> Result<Vec<FetchedRow>> {
    let executor = resources.executor();
    let statement = executor.get_database_backend().build(query);
    let rows = executor.fetch(statement, cells).await.map_err(|error| error.within(operation))?;
    Ok(rows.into_rows().collect())
}
