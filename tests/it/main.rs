//! The whole workspace, from outside: the program on real files and a real Postgres.

mod cli;
mod hazards;
mod interruptions;
mod plans;
mod refusals;
mod samples;
mod tampering;
mod types;
mod whole;
