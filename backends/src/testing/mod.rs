//! A Postgres for tests (feature `testing`), for this workspace and for its consumers.
//!
//! [`postgres::database`] gives a test a database of its own on the one server of the test run;
//! [`postgres::TestServer::dedicated`] gives it a server of its own, to stop, kill and restart. A plain `cargo test`
//! needs nothing prepared: the server is, in this order,
//!
//! 1. the one that `TRIMARAN_TEST_POSTGRES_URL` names (a role that may create databases; no dedicated server then comes
//!    from it);
//! 2. a container, where a Docker engine answers: of the image that `TRIMARAN_TEST_POSTGRES_IMAGE` names, else the
//!    official one, else the one that `scripts/postgres-image.sh` builds where no registry can be reached;
//! 3. the server binaries of this machine, in a throw-away directory.
//!
//! [`TestRedis`] is a Redis of this machine's binary. [`TestRoles`] adds an owner and an application's role to a database, for what row-level security must keep apart.
//!
//! A server of the second or third kind keeps the shared databases in memory, where there is room, and asks for passwords as
//! cheaply as SCRAM allows.
//!
//! Where none of these works the test fails, and says what was tried and what to do. Nothing is skipped.
//!
//! Statics are not dropped, and a test may be killed: a tether (`tether.rs`) ends the server and removes what it left when this
//! process ends, however it ends.
//!
//! This is test support: its public functions panic, with the whole report, where they fail.

mod admin;
pub mod conformance;
mod container;
mod disk;
pub mod fuzz;
mod local;
mod password;
pub mod pooler;
pub mod postgres;
pub mod redis;
mod roles;
mod server;
#[cfg(test)]
mod tests;
mod tether;

pub use conformance::StoreFixture;
pub use disk::SmallDisk;
pub use pooler::TestPooler;
pub use postgres::{TestDatabase, TestServer};
pub use redis::TestRedis;
pub use roles::TestRoles;
