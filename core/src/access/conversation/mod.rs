//! What was said, asking before each call.

pub(super) mod conversations;
pub(super) mod pieces;
