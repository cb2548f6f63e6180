//! Embeddings, asking before each call.

use async_trait::async_trait;

use crate::access::guard::guarded;
use crate::access::{Target, Verb};
use crate::id::PieceId;
use crate::model::conversation::{Embedding, NewEmbedding, SimilarPiece};
use crate::repository::conversation::Embeddings;
use crate::{Page, PageRequest, Result};

guarded!(Embeddings, Embeddings);

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Embeddings for Guarded {
    async fn put(&self, embeddings: Vec<NewEmbedding>) -> Result<()> {
        self.check(Verb::Create, Target::All)?;
        self.inner.put(embeddings).await
    }

    async fn get(&self, piece: PieceId) -> Result<Option<Embedding>> {
        self.check(Verb::Read, Target::Piece(piece))?;
        self.inner.get(piece).await
    }

    async fn list(&self, type_name: Option<&str>, page: &PageRequest) -> Result<Page<Embedding>> {
        self.check(Verb::Read, Target::All)?;
        self.inner.list(type_name, page).await
    }

    async fn delete(&self, piece: PieceId) -> Result<bool> {
        self.check(Verb::Delete, Target::Piece(piece))?;
        self.inner.delete(piece).await
    }

    async fn most_similar(
        &self,
        vector: &[f32],
        most: u32,
        type_name: Option<&str>,
    ) -> Result<Vec<SimilarPiece>> {
        self.check(Verb::Read, Target::All)?;
        self.inner.most_similar(vector, most, type_name).await
    }
}
