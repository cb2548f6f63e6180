//! Embeddings.

use std::fmt::Debug;

use async_trait::async_trait;

use crate::id::PieceId;
use crate::model::conversation::{Embedding, NewEmbedding, SimilarPiece};
use crate::{Page, PageRequest, Result};

/// Embeddings of pieces, one of each at most. What holds for every call is said in [the module](crate::repository).
///
/// They are kept bit for bit, and go with their pieces.
#[async_trait]
pub trait Embeddings: Debug + Send + Sync {
    /// Puts embeddings, all or none. That of a piece which has one is replaced: it can be made again from the piece, so that
    /// nothing is lost. Of two of one piece in the same call the later counts.
    ///
    /// # Errors
    /// `NotFound` for a piece that isn't there; `Invalid` for a vector that can't be compared: see
    /// [`check_vector`](crate::model::conversation::embedding::check_vector).
    async fn put(&self, embeddings: Vec<NewEmbedding>) -> Result<()>;

    /// The embedding of the piece.
    async fn get(&self, piece: PieceId) -> Result<Option<Embedding>>;

    /// A page of all embeddings, of one type or of every, in the order of their pieces' ids.
    ///
    /// # Errors
    /// `Invalid` if the cursor isn't one of this list.
    async fn list(&self, type_name: Option<&str>, page: &PageRequest) -> Result<Page<Embedding>>;

    /// Removes the embedding of the piece; says whether there was one.
    async fn delete(&self, piece: PieceId) -> Result<bool>;

    /// The `most` pieces whose embeddings, of one type or of every, have the greatest cosine with `vector`, the most similar
    /// first, of equals the one with the lower id. Every embedding is compared, so that the answer is exact; memory is that of
    /// the answer.
    ///
    /// # Errors
    /// `Invalid` if `vector` can't be compared, if `most` isn't between 1 and [`PageRequest::MAX_LIMIT`], or if an embedding
    /// that would have to be compared has another number of dimensions.
    async fn most_similar(
        &self,
        vector: &[f32],
        most: u32,
        type_name: Option<&str>,
    ) -> Result<Vec<SimilarPiece>>;
}
