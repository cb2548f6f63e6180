//! The cases of content on every kind of store, and what only a test does to one: faults at every step, damage, crashes,
//! strangers in the folder.

use trimaran_core::content_conformance_suite;

mod apart;
mod damage;
mod faults;
mod faulty;
mod fixtures;
#[cfg(unix)]
mod folder;
#[cfg(unix)]
mod killed;

content_conformance_suite! { #[tokio::test(flavor = "multi_thread")] mod memory = fixtures::memory }
content_conformance_suite! { #[tokio::test(flavor = "multi_thread")] mod memory_decorated = fixtures::memory_decorated }
#[cfg(unix)]
content_conformance_suite! { #[tokio::test(flavor = "multi_thread")] mod in_folder = fixtures::folder }
#[cfg(feature = "s3")]
content_conformance_suite! {
    #[tokio::test(flavor = "multi_thread")]
    #[ignore = "needs an S3-compatible server: scripts/s3.sh runs these tests against one"]
    mod s3 = fixtures::s3
}
