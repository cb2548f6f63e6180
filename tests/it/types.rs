//! Each type of each source arrives as what it means, and each object of its schema, or is reported.

mod duckdb;
mod schema;
mod sqlite;
