//! Real servers for tests: one PostgreSQL and one Redis a run, a database of its own for each test.
//!
//! Under `with-servers -- cargo test` all test programs share the servers it started. Without it, each test program
//! starts its own at the first use; they and their folder are gone when it ends, even when it is killed.

mod databases;
mod golden;
mod servers;
mod tls;

pub use databases::{Template, TestDatabase, database, template_database};
pub use golden::check_golden;
pub use servers::{POSTGRES_VARIABLE, REDIS_VARIABLE, TestPostgres, postgres, redis};
pub use tls::Certificates;
