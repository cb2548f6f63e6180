//! The repositories of application, asking before each call.

pub(super) mod api_keys;
pub(super) mod sessions;
pub(super) mod settings;
