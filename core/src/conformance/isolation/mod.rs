//! What one tenant tries on another: nothing of the other's comes back, and nothing of it changes.

pub mod attempts;
mod belongings;
