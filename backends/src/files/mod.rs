//! The content area over `object_store`: a folder, memory, or S3 and what speaks its protocol.
//!
//! An object is a *body* and an *entry*. The body holds the bytes, under a key that is never used again; the entry holds
//! all that is known of the object, its history included, and says where its bodies are. A put writes the body first and then
//! the entry, if it is still the one that was read: that one conditional write is the moment at which everything takes
//! effect. Before it nobody knows of the body; what a crash leaves there is [swept](trimaran_core::Content::sweep).
//! `docs/decisions/0010-content-is-entries-and-bodies.md` says why.
//!
//! - [`mod@key`]: from names to keys, which are never anybody's text;
//! - [`entry`]: what an entry says, and its bytes;
//! - [`content`]: the trait; [`put`](upload), [`read`], [`history`], [`clean`]: its parts;
//! - [`folder`]: the store of a folder; [`mod@s3`]: that of a bucket;
//! - [`open`]: from settings to a store.

mod clean;
mod content;
mod entries;
mod entry;
mod error;
#[cfg(unix)]
pub(crate) mod folder;
mod history;
mod key;
mod list;
mod open;
mod read;
#[cfg(feature = "s3")]
mod s3;
#[cfg(test)]
mod tests;
mod upload;

pub use content::ObjectContent;
pub use open::ContentStore;
