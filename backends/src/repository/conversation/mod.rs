//! What was said: prompt pieces, conversations, scores, embeddings, seeds, results of attacks and scenarios.
pub(crate) mod tags;
