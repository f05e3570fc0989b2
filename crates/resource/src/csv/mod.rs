//! Records as rows of a table that spreadsheets read and write.

pub mod cells;
pub mod columns;
mod defined;
mod export;
mod numbers;
mod write;

pub use columns::{Column, Tabular};
pub(crate) use defined::{TAGS, attribute_of, column_of, has_tags, is_attribute, read_cell};
pub use export::Table;
