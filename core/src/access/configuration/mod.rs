//! The repositories of configuration, asking before each call.

pub(super) mod components;
pub(super) mod datasets;
