//! The rows that are counted, each with the key of its group: as often as it has keys.

use sea_orm::sea_query::{
    Expr, ExprTrait as _, Func, JoinType, Query, SelectStatement, SimpleExpr, UnionType,
};
use sea_orm::{ColumnTrait as _, Condition, IntoSimpleExpr as _};
use trimaran_core::Result;
use trimaran_core::model::{ChatRole, ResponseError, ScoreType};

use super::super::tags::{Kind, digest_of};
use super::keys::{self, Keys, NO_TAG, TagOwner};
use crate::dialect;
use crate::entity::conversation::{attack_result, prompt_piece, score, tag};
use crate::repository::TenantResources;

/// What is counted.
#[derive(Debug, Clone)]
pub(super) enum Counted {
    /// Pieces; these scorers say what is a refusal.
    Pieces(Vec<String>),
    /// Results of attacks.
    Attacks,
}

/// The rows that are counted.
#[derive(Debug)]
pub(super) struct Relation<'r> {
    pub(super) resources: &'r TenantResources,
    pub(super) keys: Keys,
    counted: Counted,
    condition: Condition,
}

/// What is wanted of each row beside its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Columns {
    /// `id` alone.
    Member,
    /// Of pieces: `id`, `conversation_id`, `sequence`, `answer`, `refused`.
    Messages,
    /// Of pieces with scores: `score_id`, `score_type`, `value`, `has_objective`.
    Scores,
    /// Of attacks: `id`, `outcome`.
    Outcome,
}

const TAG: &str = "group_tag";
const SCORED: &str = "scored";

impl<'r> Relation<'r> {
    pub(super) fn of_pieces(
        resources: &'r TenantResources,
        keys: Keys,
        condition: Condition,
        refusal_scorers: &[String],
    ) -> Self {
        Self { resources, keys, counted: Counted::Pieces(refusal_scorers.to_vec()), condition }
    }

    pub(super) fn of_attacks(resources: &'r TenantResources, keys: Keys, condition: Condition) -> Self {
        Self { resources, keys, counted: Counted::Attacks, condition }
    }

    /// The query for the rows: `group_key`, of tags also `tag_name` and `tag_value`, and the columns.
    ///
    /// # Errors
    /// `Unsupported` if this build lacks the engine.
    pub(super) fn rows(&self, columns: Columns) -> Result<SelectStatement> {
        let mut query = Query::select();
        match &self.counted {
            Counted::Pieces(_) => query.from(prompt_piece::Entity),
            Counted::Attacks => query.from(attack_result::Entity),
        };
        self.join_tags(&mut query, columns);
        match self.keys {
            Keys::Tag(..) => {
                let digest = Expr::col((TAG, tag::Column::Digest));
                query
                    .expr_as(Func::coalesce([digest, Expr::val(NO_TAG)]), "group_key")
                    .expr_as(Expr::col((TAG, tag::Column::Name)), "tag_name")
                    .expr_as(Expr::col((TAG, tag::Column::Value)), "tag_value")
            }
            _ => query.expr_as(keys::number(&self.keys, self.bucket_start()?), "group_key"),
        };
        match columns {
            Columns::Member => {
                query.expr_as(self.id(), "id");
            }
            Columns::Messages => self.messages(&mut query),
            Columns::Scores => {
                query.column((SCORED, "score_id")).column((SCORED, "score_type"));
                query.column((SCORED, "value")).column((SCORED, "has_objective"));
            }
            Columns::Outcome => {
                query.expr_as(self.id(), "id");
                query.expr_as(attack_result::Column::Outcome.into_simple_expr(), "outcome");
            }
        }
        Ok(query.cond_where(self.condition.clone()).take())
    }

    fn id(&self) -> SimpleExpr {
        match self.counted {
            Counted::Pieces(_) => prompt_piece::Column::Id.into_simple_expr(),
            Counted::Attacks => attack_result::Column::Id.into_simple_expr(),
        }
    }

    fn bucket_start(&self) -> Result<SimpleExpr> {
        let Keys::Time(bucket) = self.keys else { return Ok(Expr::val(0_i64)) };
        let table = match self.counted {
            Counted::Pieces(_) => "prompt_piece",
            Counted::Attacks => "attack_result",
        };
        let dialect = dialect::of(self.resources.executor().engine())?;
        let column = format!("{}.{}", dialect.quote(table), dialect.quote("created_at"));
        Ok(Expr::cust(dialect.bucket_start(&column, bucket)))
    }

    fn join_tags(&self, query: &mut SelectStatement, columns: Columns) {
        let (piece, by_score) = (
            Expr::col((prompt_piece::Entity, prompt_piece::Column::Id)),
            matches!(self.keys, Keys::Tag(TagOwner::Score, ..)),
        );
        if by_score || columns == Columns::Scores {
            let join = match columns {
                Columns::Scores => JoinType::InnerJoin,
                _ => JoinType::LeftJoin,
            };
            query.join_subquery(join, scored(self.resources), SCORED, Expr::col((SCORED, "piece")).eq(piece));
        }
        let Keys::Tag(owner, kind, name) = &self.keys else { return };
        match owner {
            TagOwner::Row | TagOwner::Score => {
                let owner = match owner {
                    TagOwner::Score => Expr::col((SCORED, "score_id")),
                    _ => self.id(),
                };
                let condition = self.tags(*kind, name).add(Expr::col((TAG, tag::Column::OwnerId)).eq(owner));
                query.join_as(JoinType::LeftJoin, tag::Entity, TAG, condition);
            }
            TagOwner::Attack => {
                // Those that have a tag: a conversation is without one if none of its attacks has one.
                let tags = Query::select()
                    .expr_as(attack_result::Column::ConversationId.into_simple_expr(), "conversation")
                    .columns([
                        (TAG, tag::Column::Digest),
                        (TAG, tag::Column::Name),
                        (TAG, tag::Column::Value),
                    ])
                    .from(attack_result::Entity)
                    .join_as(
                        JoinType::InnerJoin,
                        tag::Entity,
                        TAG,
                        self.tags(*kind, name).add(
                            Expr::col((TAG, tag::Column::OwnerId))
                                .eq(attack_result::Column::Id.into_simple_expr()),
                        ),
                    )
                    .and_where(self.resources.own(attack_result::Column::TenantId))
                    .take();
                let conversation = prompt_piece::Column::ConversationId.into_simple_expr();
                query.join_subquery(
                    JoinType::LeftJoin,
                    tags,
                    TAG,
                    Expr::col((TAG, "conversation")).eq(conversation),
                );
            }
        }
    }

    /// The tags that rows are grouped by.
    fn tags(&self, kind: Kind, name: &Option<String>) -> Condition {
        let tags = Condition::all()
            .add(Expr::col((TAG, tag::Column::TenantId)).eq(self.resources.tenant.0))
            .add(Expr::col((TAG, tag::Column::Kind)).eq(kind.name()));
        match name {
            Some(name) => tags.add(Expr::col((TAG, tag::Column::Name)).eq(self.resources.text().store(name))),
            None => tags,
        }
    }

    fn messages(&self, query: &mut SelectStatement) {
        use prompt_piece::Column;
        let Counted::Pieces(scorers) = &self.counted else { return };
        let flag = |condition: Condition| {
            Expr::Case(Box::new(Expr::case(condition, 1_i64).finally(0_i64))).cast_as("bigint")
        };
        let answer = Condition::all().add(Column::Role.eq(ChatRole::Assistant.name()));
        let mut refused = Condition::any().add(Column::Error.eq(ResponseError::Blocked.name()));
        if !scorers.is_empty() {
            refused = refused.add(Column::Id.in_subquery(refused_pieces(self.resources, scorers)));
        }
        query
            .expr_as(self.id(), "id")
            .expr_as(Column::ConversationId.into_simple_expr(), "conversation_id")
            .expr_as(Column::Sequence.into_simple_expr(), "sequence")
            .expr_as(flag(answer.clone()), "answer")
            .expr_as(flag(answer.add(refused)), "refused");
    }
}

/// Every piece with every score that it has: those kept under it, and those kept under its original.
fn scored(resources: &TenantResources) -> SelectStatement {
    use score::Column;
    let typed = [ScoreType::TrueFalse.name(), ScoreType::FloatScale.name()];
    // Of the others only whether they say something.
    let value = Expr::case(Column::ScoreType.is_in(typed), Column::Value.into_simple_expr())
        .case(Column::Value.is_null(), Expr::cust("NULL"))
        .finally("");
    let has_objective = Expr::case(Column::Objective.is_null(), 0_i64).finally(1_i64);
    Query::select()
        .column(("homes", "piece"))
        .expr_as(Column::Id.into_simple_expr(), "score_id")
        .expr_as(Column::ScoreType.into_simple_expr(), "score_type")
        .expr_as(value, "value")
        .expr_as(Expr::Case(Box::new(has_objective)).cast_as("bigint"), "has_objective")
        .from(score::Entity)
        .join_subquery(
            JoinType::InnerJoin,
            homes(resources),
            "homes",
            Expr::col(("homes", "home")).eq(Column::PieceId.into_simple_expr()),
        )
        .and_where(resources.own(Column::TenantId))
        .take()
}

/// Every piece with each that its scores may be kept under.
fn homes(resources: &TenantResources) -> SelectStatement {
    use prompt_piece::Column;
    let home = |column: Column| {
        Query::select()
            .expr_as(Column::Id.into_simple_expr(), "piece")
            .expr_as(column.into_simple_expr(), "home")
            .from(prompt_piece::Entity)
            .and_where(resources.own(Column::TenantId))
            .take()
    };
    let originals = home(Column::OriginalPieceId)
        .and_where(Column::OriginalPieceId.into_simple_expr().ne(Column::Id.into_simple_expr()))
        .take();
    home(Column::Id).union(UnionType::All, originals).take()
}

/// The pieces that one of these scorers calls a refusal.
fn refused_pieces(resources: &TenantResources, scorers: &[String]) -> SelectStatement {
    let digests = scorers.iter().map(|class| digest_of(Kind::ScoreScorer, "", class));
    let by_them = Query::select()
        .column((tag::Entity, tag::Column::OwnerId))
        .from(tag::Entity)
        .and_where(resources.own(tag::Column::TenantId))
        .and_where(tag::Column::Digest.is_in(digests))
        .take();
    Query::select()
        .column((SCORED, "piece"))
        .from_subquery(scored(resources), SCORED)
        .and_where(Expr::col((SCORED, "score_type")).eq(ScoreType::TrueFalse.name()))
        .and_where(Expr::from(Func::lower(Expr::col((SCORED, "value")))).eq("true"))
        .and_where(Expr::col((SCORED, "score_id")).in_subquery(by_them))
        .take()
}
