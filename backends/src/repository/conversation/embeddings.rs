//! Embeddings.

use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, BinaryHeap};

use async_trait::async_trait;
use futures_util::TryStreamExt as _;
use sea_orm::ActiveValue::Set;
use sea_orm::{
    ColumnTrait as _, Condition, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};
use trimaran_core::id::PieceId;
use trimaran_core::model::conversation::{Embedding, NewEmbedding, SimilarPiece, embedding::check_vector};
use trimaran_core::repository::Embeddings;
use trimaran_core::{Error, ErrorKind, Page, PageRequest, Result};
use uuid::Uuid;

use super::hold;
use crate::append::append_rows;
use crate::db_error::Doing as _;
use crate::entity::conversation::embedding;
use crate::repository::tenant_resources::tenant_repository;
use crate::repository::text::Place;
use crate::repository::{paging, repetition, time};

tenant_repository! {
    /// [`Embeddings`] over SQL.
    SqlEmbeddings
}

const PUT: &str = "put embeddings";
const COMPARE: &str = "find the most similar pieces";

impl SqlEmbeddings {
    async fn put_once(&self, embeddings: &BTreeMap<PieceId, &NewEmbedding>) -> Result<()> {
        let resources = &self.resources;
        let transaction = resources.executor().begin().await?;
        hold::pieces(resources, &transaction, PUT, &embeddings.keys().copied().collect()).await?;
        let now = time::stored(resources.shared.clock.now());
        let pieces: Vec<Uuid> = embeddings.keys().map(|piece| piece.0).collect();
        let mut there = std::collections::HashSet::new();
        for some in pieces.chunks(4_000) {
            let found: Vec<Uuid> = embedding::Entity::find()
                .select_only()
                .column(embedding::Column::PieceId)
                .filter(resources.own(embedding::Column::TenantId))
                .filter(embedding::Column::PieceId.is_in(some.iter().copied()))
                .into_tuple()
                .all(&transaction)
                .await
                .doing(PUT)?;
            there.extend(found);
        }
        let mut rows = Vec::new();
        for (piece, new) in embeddings {
            let values = embedding::ActiveModel {
                type_name: Set(resources.text().store(&new.type_name)),
                vector: Set(bytes_of(&new.vector)),
                created_at: Set(now),
                ..Default::default()
            };
            if there.contains(&piece.0) {
                embedding::Entity::update_many()
                    .set(values)
                    .filter(resources.own(embedding::Column::TenantId))
                    .filter(embedding::Column::PieceId.eq(piece.0))
                    .exec(&transaction)
                    .await
                    .doing(PUT)?;
            } else {
                rows.push(embedding::ActiveModel {
                    tenant_id: Set(resources.tenant.0),
                    piece_id: Set(piece.0),
                    ..values
                });
            }
        }
        append_rows(&transaction, rows, PUT).await?;
        transaction.commit().await
    }

    fn own(&self, type_name: Option<&str>) -> Condition {
        let own = Condition::all().add(self.resources.own(embedding::Column::TenantId));
        match type_name {
            Some(name) => own.add(embedding::Column::TypeName.eq(self.resources.text().store(name))),
            None => own,
        }
    }

    fn loaded(&self, row: embedding::Model) -> Result<Embedding> {
        let at = |column| Place { table: "embedding", column, key: row.piece_id };
        Ok(Embedding {
            piece: PieceId(row.piece_id),
            type_name: self.resources.text().load(at("type_name"), row.type_name)?,
            vector: vector_of(at("vector"), &row.vector)?,
            created_at: time::loaded(row.created_at),
        })
    }
}

/// 32-bit floats, the least significant byte first, on every engine.
fn bytes_of(vector: &[f32]) -> Vec<u8> {
    vector.iter().flat_map(|component| component.to_le_bytes()).collect()
}

fn vector_of(place: Place<'_, Uuid>, bytes: &[u8]) -> Result<Vec<f32>> {
    let (components, rest) = bytes.as_chunks::<4>();
    if components.is_empty() || !rest.is_empty() {
        return Err(place.corrupt(format!("there are {} bytes, which are no vector", bytes.len())));
    }
    let vector: Vec<f32> = components.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    match check_vector("", &vector) {
        Ok(()) => Ok(vector),
        Err(_) => Err(place.corrupt("there is a vector that can't be compared")),
    }
}

/// The square of a vector's length. Sums of 64 bits: those of 32 would lose the low bits of long vectors.
fn square(vector: &[f32]) -> f64 {
    vector.iter().map(|component| f64::from(*component) * f64::from(*component)).sum()
}

fn cosine(left: &[f32], left_square: f64, right: &[f32]) -> f64 {
    let product: f64 = left.iter().zip(right).map(|(l, r)| f64::from(*l) * f64::from(*r)).sum();
    // Rounding may lead beyond what a cosine can be.
    (product / (left_square.sqrt() * square(right).sqrt())).clamp(-1.0, 1.0)
}

/// In the order of what is wanted less: a lower similarity, of equals a greater id.
#[derive(Debug)]
struct Candidate(SimilarPiece);

impl Ord for Candidate {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_similarity = self.0.similarity.total_cmp(&other.0.similarity);
        by_similarity.then_with(|| other.0.piece.cmp(&self.0.piece))
    }
}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Candidate {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Candidate {}

#[async_trait]
impl Embeddings for SqlEmbeddings {
    async fn put(&self, embeddings: Vec<NewEmbedding>) -> Result<()> {
        embeddings.iter().try_for_each(NewEmbedding::validate)?;
        let last: BTreeMap<PieceId, &NewEmbedding> =
            embeddings.iter().map(|embedding| (embedding.piece, embedding)).collect();
        // The pieces may have been put aside a moment ago.
        self.resources.settle(None).await?;
        repetition::repeat(self.resources.executor(), || self.put_once(&last)).await
    }

    async fn get(&self, piece: PieceId) -> Result<Option<Embedding>> {
        let row = embedding::Entity::find()
            .filter(self.own(None))
            .filter(embedding::Column::PieceId.eq(piece.0))
            .one(self.resources.executor())
            .await
            .doing("get the embedding")?;
        row.map(|row| self.loaded(row)).transpose()
    }

    async fn list(&self, type_name: Option<&str>, page: &PageRequest) -> Result<Page<Embedding>> {
        let mut query = embedding::Entity::find().filter(self.own(type_name));
        if let Some(after) = paging::after(page)? {
            query = query.filter(embedding::Column::PieceId.gt(after));
        }
        let rows = query
            .order_by_asc(embedding::Column::PieceId)
            .limit(paging::one_more(page))
            .all(self.resources.executor())
            .await
            .doing("list the embeddings")?;
        Page::from_one_more(rows, page.limit(), |row| row.piece_id.to_string())
            .try_map(|row| self.loaded(row))
    }

    async fn delete(&self, piece: PieceId) -> Result<bool> {
        let deleted = embedding::Entity::delete_many()
            .filter(self.own(None))
            .filter(embedding::Column::PieceId.eq(piece.0))
            .exec(self.resources.executor())
            .await
            .doing("delete the embedding")?;
        Ok(deleted.rows_affected > 0)
    }

    async fn most_similar(
        &self,
        vector: &[f32],
        most: u32,
        type_name: Option<&str>,
    ) -> Result<Vec<SimilarPiece>> {
        check_vector(COMPARE, vector)?;
        let most = usize::try_from(PageRequest::first(most)?.limit()).unwrap_or(usize::MAX);
        let length = square(vector);
        // The least wanted on top, so that it gives way to a better one: never more than `most` and one are kept.
        let mut best: BinaryHeap<Reverse<Candidate>> = BinaryHeap::with_capacity(most + 1);
        let mut rows = embedding::Entity::find()
            .filter(self.own(type_name))
            .stream(self.resources.executor())
            .await
            .doing(COMPARE)?;
        while let Some(row) = rows.try_next().await.doing(COMPARE)? {
            let embedding = self.loaded(row)?;
            if embedding.vector.len() != vector.len() {
                return Err(Error::new(ErrorKind::Invalid, COMPARE)
                    .context(format!(
                        "the vector has {} dimensions, the embedding of piece {} {}",
                        vector.len(),
                        embedding.piece,
                        embedding.vector.len()
                    ))
                    .hint("name the type of embedding that the vector is of, and give one of that type"));
            }
            let similarity = cosine(vector, length, &embedding.vector);
            let Embedding { piece, type_name, .. } = embedding;
            best.push(Reverse(Candidate(SimilarPiece { piece, type_name, similarity })));
            if best.len() > most {
                best.pop();
            }
        }
        // Ascending in `Reverse` is the most wanted first.
        Ok(best.into_sorted_vec().into_iter().map(|Reverse(Candidate(similar))| similar).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cosine_is_that_of_the_angle_whatever_the_lengths() {
        let of = |left: &[f32], right: &[f32]| cosine(left, square(left), right);
        assert_eq!(of(&[1.0, 0.0], &[0.0, 5.0]), 0.0);
        assert_eq!(of(&[3.0, 4.0], &[6.0, 8.0]), 1.0);
        assert_eq!(of(&[f32::MAX, 0.0], &[-f32::MIN_POSITIVE, 0.0]), -1.0);
    }

    #[test]
    fn a_vector_comes_back_bit_for_bit() {
        let place = Place { table: "embedding", column: "vector", key: Uuid::nil() };
        let vector = [-0.0, f32::MIN_POSITIVE / 2.0, f32::MAX, 1.0 / 3.0];
        let bits = |vector: &[f32]| vector.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&vector_of(place, &bytes_of(&vector)).unwrap()), bits(&vector));
        for wrong in [&[][..], &[0; 4], &[1, 2, 3], &f32::NAN.to_le_bytes()] {
            assert_eq!(vector_of(place, wrong).unwrap_err().kind(), ErrorKind::Corrupt);
        }
    }
}
