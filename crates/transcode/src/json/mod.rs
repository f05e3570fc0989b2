//! The JSON form of protobuf messages (proto3 JSON mapping), both ways.

mod parse;
mod read;
mod scalar;
mod well_known;
mod write;

pub(crate) use parse::parse;
pub(crate) use read::{read_field, read_message, read_text};
pub(crate) use well_known::WellKnown;
pub(crate) use write::{Defaults, write_any, write_message, write_value};
