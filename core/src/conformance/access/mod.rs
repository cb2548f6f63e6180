//! Who may call what, over a real store.

pub mod policies;
