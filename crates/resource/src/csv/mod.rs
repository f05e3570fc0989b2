//! Records as rows of a table that spreadsheets read and write.

pub mod columns;
mod numbers;

pub use columns::{Column, Tabular};
