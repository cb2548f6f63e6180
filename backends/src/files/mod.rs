//! The content area over `object_store`: a folder, memory, or S3 and what speaks its protocol.
//!
//! An object is a *body* and an *entry*. The body holds the bytes, under a key that is never used again; the entry holds
//! all that is known of the object, its history included, and says where its bodies are. A put writes the body first and then
//! the entry, if it is still the one that was read: that one conditional write is the moment at which everything takes
//! effect. Before it nobody knows of the body; what a crash leaves there is [swept](trimaran_core::Content::sweep).
//! `docs/decisions/0010-content-is-entries-and-bodies.md` says why.
//!
//! In the source: `key` makes keys of names, which are never anybody's text; `entry` says what an entry is; `content` is the
//! trait, and `upload`, `read`, `history`, `list` and `clean` are its parts; `folder` and `s3` are stores, and `open` chooses one.

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
