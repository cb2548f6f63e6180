//! Embeddings: vectors by which pieces are found that mean the same.

use crate::id::PieceId;
use crate::{Error, ErrorKind, Result, Timestamp};

/// The most dimensions that an embedding may have. The largest models in use give 4,096.
pub const MAX_DIMENSIONS: usize = 65_536;

/// The embedding of a piece. A piece has one at most.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Embedding {
    /// Whose it is.
    pub piece: PieceId,
    /// What made it, such as the model's name: only embeddings of one type can be compared.
    pub type_name: String,
    /// The vector.
    pub vector: Vec<f32>,
    /// When it was put.
    pub created_at: Timestamp,
}

/// An embedding to be put.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEmbedding {
    /// Whose it is.
    pub piece: PieceId,
    /// What made it.
    pub type_name: String,
    /// The vector.
    pub vector: Vec<f32>,
}

impl NewEmbedding {
    /// # Errors
    /// [`ErrorKind::Invalid`] as for [`check_vector`].
    pub fn validate(&self) -> Result<()> {
        check_vector("accept an embedding", &self.vector)
    }
}

/// A piece that is similar to what was asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct SimilarPiece {
    /// The piece.
    pub piece: PieceId,
    /// What made its embedding.
    pub type_name: String,
    /// The cosine of the angle between both vectors: 1 for the same direction, −1 for the opposite.
    pub similarity: f64,
}

/// Makes sure that a vector can be compared with others.
///
/// # Errors
/// [`ErrorKind::Invalid`] if it is empty or longer than [`MAX_DIMENSIONS`], if a component is no finite number, or if all are
/// zero, for then it has no direction.
pub fn check_vector(operation: &str, vector: &[f32]) -> Result<()> {
    let wrong = |why: String| {
        Err(Error::new(ErrorKind::Invalid, operation)
            .context(why)
            .hint("give 1 to 65,536 finite numbers that are not all zero"))
    };
    if vector.is_empty() || vector.len() > MAX_DIMENSIONS {
        return wrong(format!("the vector has {} dimensions", vector.len()));
    }
    if let Some(at) = vector.iter().position(|component| !component.is_finite()) {
        return wrong(format!("component {at} of the vector is not a finite number"));
    }
    if vector.iter().all(|component| *component == 0.0) {
        return wrong("all components of the vector are zero".to_owned());
    }
    Ok(())
}
