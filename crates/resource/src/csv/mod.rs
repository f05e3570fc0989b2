//! Records as rows of a table that spreadsheets read and write.

pub mod cells;
pub mod columns;
mod export;
mod numbers;
mod write;

pub use columns::{Column, Tabular};
pub use export::Table;
