//! Scores.

use std::collections::BTreeSet;

use async_trait::async_trait;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Query, SelectStatement};
use sea_orm::{
    ColumnTrait as _, Condition, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};
use trimaran_core::id::{PieceId, ScoreId};
use trimaran_core::model::conversation::{NewScore, Score, ScoreDetails, ScoreFilter, ScoreType};
use trimaran_core::repository::Scores;
use trimaran_core::{Page, PageRequest, Result};

use super::conditions::Conditions;
use super::tags::{self, Kind, Tags};
use super::{documents, hold, piece_conditions};
use crate::append::append_rows;
use crate::db_error::Doing as _;
use crate::entity::conversation::{prompt_piece, score};
use crate::fetch;
use crate::repository::tenant_resources::tenant_repository;
use crate::repository::text::Place;
use crate::repository::{TenantResources, paging, repetition, time};

tenant_repository! {
    /// [`Scores`] over SQL.
    SqlScores
}

/// The kinds of tags that scores have.
const KINDS: [Kind; 2] = [Kind::ScoreCategory, Kind::ScoreScorer];

const ADD: &str = "add scores";

impl SqlScores {
    async fn add_once(&self, scores: &[NewScore]) -> Result<Vec<Score>> {
        let resources = &self.resources;
        let transaction = resources.executor().begin().await?;
        let pieces: BTreeSet<PieceId> = scores.iter().filter_map(|score| score.piece).collect();
        let homes = hold::originals(resources, &transaction, ADD, &pieces).await?;
        let now = resources.shared.clock.now();
        let added: Vec<Score> = scores
            .iter()
            .map(|new| Score {
                id: new.id.unwrap_or_else(|| ScoreId(resources.shared.ids.next())),
                piece: new.piece.and_then(|piece| homes.get(&piece)).map(|home| PieceId(*home)),
                created_at: new.created_at.map_or(now, time::truncated),
                details: new.details.clone(),
            })
            .collect();
        let rows = added.iter().map(|score| self.row(score)).collect::<Result<Vec<_>>>()?;
        append_rows(&transaction, rows, ADD).await?;
        let mut all_tags = Vec::new();
        for score in &added {
            let categories = score.details.categories.iter().map(|category| ("", category.as_str()));
            all_tags.extend(tags::rows(resources, score.id.0, Kind::ScoreCategory, categories));
            let scorer = score.details.scorer.as_ref().map(|scorer| ("", scorer.class_name.as_str()));
            all_tags.extend(tags::rows(resources, score.id.0, Kind::ScoreScorer, scorer));
        }
        append_rows(&transaction, all_tags, ADD).await?;
        transaction.commit().await?;
        Ok(added)
    }

    fn row(&self, score: &Score) -> Result<score::ActiveModel> {
        let (text, details) = (self.resources.text(), &score.details);
        Ok(score::ActiveModel {
            tenant_id: Set(self.resources.tenant.0),
            id: Set(score.id.0),
            piece_id: Set(score.piece.map(|piece| piece.0)),
            score_type: Set(details.score_type.name().to_owned()),
            value: Set(text.store_option(details.value.as_deref())),
            value_description: Set(text.store_option(details.value_description.as_deref())),
            rationale: Set(text.store_option(details.rationale.as_deref())),
            metadata: Set(documents::text_of(ADD, &details.metadata)?),
            scorer_identifier: Set(documents::text_of_option(ADD, details.scorer.as_ref())?),
            objective: Set(text.store_option(details.objective.as_deref())),
            scorable: Set(documents::text_of_option(ADD, details.scorable.as_ref())?),
            created_at: Set(time::stored(score.created_at)),
        })
    }

    fn loaded(&self, row: score::Model, tags: &Tags) -> Result<Score> {
        let text = self.resources.text();
        let at = |column| Place { table: "score", column, key: row.id };
        let score_type = ScoreType::from_name(&row.score_type)
            .ok_or_else(|| at("score_type").corrupt("there is an unknown type of score"))?;
        Ok(Score {
            id: ScoreId(row.id),
            piece: row.piece_id.map(PieceId),
            created_at: time::loaded(row.created_at),
            details: ScoreDetails {
                score_type,
                value: text.load_option(at("value"), row.value)?,
                value_description: text.load_option(at("value_description"), row.value_description)?,
                categories: tags::values_of(tags, Kind::ScoreCategory),
                rationale: text.load_option(at("rationale"), row.rationale)?,
                metadata: documents::read(at("metadata"), &row.metadata)?,
                scorer: documents::read_option(at("scorer_identifier"), row.scorer_identifier.as_deref())?,
                objective: text.load_option(at("objective"), row.objective)?,
                scorable: documents::read_option(at("scorable"), row.scorable.as_deref())?,
            },
        })
    }

    fn conditions(&self, filter: &ScoreFilter) -> Result<Condition> {
        let resources = &self.resources;
        let mut conditions = Conditions::own(resources, score::Column::TenantId);
        let id = score::Column::Id;
        conditions.one_of(id, filter.ids.as_ref().map(|ids| ids.iter().map(|id| id.0)));
        if let Some(pieces) = &filter.pieces {
            conditions.add(of_pieces(
                resources,
                prompt_piece::Column::Id.is_in(pieces.iter().map(|piece| piece.0)),
            ));
        }
        let originals = filter.original_pieces.as_ref();
        conditions.one_of(score::Column::PieceId, originals.map(|ids| ids.iter().map(|id| id.0)));
        if let Some(conversation) = filter.conversation {
            conditions.add(of_pieces(resources, prompt_piece::Column::ConversationId.eq(conversation.0)));
        }
        for (name, values) in &filter.labels {
            let values = values.iter().map(String::as_str);
            let labelled = tags::one_of(resources, prompt_piece::Column::Id, Kind::PieceLabel, name, values);
            conditions.add(of_pieces(resources, labelled));
        }
        if let Some(pieces) = &filter.of_pieces {
            conditions.add(of_pieces(resources, piece_conditions::of_filter(resources, pieces)?));
        }
        let types = filter.score_types.as_ref();
        conditions.one_of(score::Column::ScoreType, types.map(|types| types.iter().map(|one| one.name())));
        conditions.one_tag(id, Kind::ScoreCategory, "", &filter.categories);
        conditions.one_tag(id, Kind::ScoreScorer, "", &filter.scorers);
        conditions.is_null(score::Column::Value, filter.undetermined);
        conditions.within(score::Column::CreatedAt, filter.created_from, filter.created_before);
        Ok(conditions.all())
    }
}

/// Scores that are kept under a piece of which `condition` holds, or under its original.
fn of_pieces(resources: &TenantResources, condition: impl Into<Condition>) -> Condition {
    let condition: Condition = condition.into();
    let ids = |column| -> SelectStatement {
        Query::select()
            .column(column)
            .from(prompt_piece::Entity)
            .and_where(resources.own(prompt_piece::Column::TenantId))
            .cond_where(condition.clone())
            .take()
    };
    Condition::any()
        .add(score::Column::PieceId.in_subquery(ids(prompt_piece::Column::Id)))
        .add(score::Column::PieceId.in_subquery(ids(prompt_piece::Column::OriginalPieceId)))
}

#[async_trait]
impl Scores for SqlScores {
    async fn add(&self, scores: Vec<NewScore>) -> Result<Vec<Score>> {
        for score in &scores {
            score.details.validate()?;
        }
        // The pieces may have been put aside a moment ago.
        self.resources.settle(None).await?;
        repetition::repeat(self.resources.executor(), || self.add_once(&scores)).await
    }

    async fn find(&self, id: ScoreId) -> Result<Option<Score>> {
        let filter = ScoreFilter { ids: Some(vec![id]), ..ScoreFilter::default() };
        let page = self.list(&filter, &PageRequest::first(1)?).await?;
        Ok(page.items.into_iter().next())
    }

    async fn list(&self, filter: &ScoreFilter, page: &PageRequest) -> Result<Page<Score>> {
        filter.validate()?;
        let mut query = score::Entity::find().filter(self.conditions(filter)?);
        if let Some(after) = paging::after(page)? {
            query = query.filter(score::Column::Id.gt(after));
        }
        let query = query.order_by_asc(score::Column::Id).limit(paging::one_more(page));
        let state = self.resources.executor().begin_reading().await?;
        let within = self.resources.within(&state);
        let rows = fetch::models(within.executor(), query, "list the scores").await?;
        let page = Page::from_one_more(rows, page.limit(), |row| row.id.to_string());
        let owners: Vec<_> = page.items.iter().map(|row| row.id).collect();
        let mut tags = tags::load_kinds(&within, &owners, &KINDS).await?;
        state.commit().await?;
        page.try_map(|row| {
            let own = tags.remove(&row.id).unwrap_or_default();
            self.loaded(row, &own)
        })
    }

    async fn delete(&self, id: ScoreId) -> Result<bool> {
        const OPERATION: &str = "delete the score";
        let resources = &self.resources;
        repetition::repeat(resources.executor(), || async move {
            let transaction = resources.executor().begin().await?;
            tags::delete_of(resources, &transaction, &KINDS, &[id.0]).await?;
            let deleted = score::Entity::delete_many()
                .filter(resources.own(score::Column::TenantId))
                .filter(score::Column::Id.eq(id.0))
                .exec(&transaction)
                .await
                .doing(OPERATION)?;
            transaction.commit().await?;
            Ok(deleted.rows_affected > 0)
        })
        .await
    }

    async fn scorer_classes(&self) -> Result<Vec<String>> {
        let classes = tags::different_values(&self.resources, Kind::ScoreScorer, "");
        self.resources.kept("scorer classes", &(), classes).await
    }
}
