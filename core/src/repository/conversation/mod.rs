//! What was said: prompt pieces, conversations, scores, embeddings, seeds, results of attacks and scenarios.

/// The repositories of the area, for one tenant, over one connection or within one unit of work. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Conversation {}
