//! Customers in number: what searching, the check for duplicates, timelines and lists cost at a million contacts, and what
//! loading them does.
//!
//! The data are those of `crm seed large`; beside them stands a database with a tenth of them, so that what should not
//! depend on the number is asked of both in turns.

mod duplicates;
mod imports;
mod lab;
mod lists;
mod loading;
mod merge;
mod plain;
mod plan;
mod readers;
mod replicas;
mod search;
mod timeline;

pub use self::lab::{Outcome, run};
pub use self::plan::Plan;
