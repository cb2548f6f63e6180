//! What the engine itself does, past all repositories: it must be what its [`Capabilities`](crate::Capabilities) say.

pub mod abilities;
