//! What an application keeps for itself.

pub mod api_key;
pub mod session;
pub mod setting;
