//! The JSON form of protobuf messages (proto3 JSON mapping), both ways.

mod number;
mod parse;
mod read;
mod scalar;
mod twice;
mod value;
mod well_known;
mod write;

pub(crate) use parse::parse;
pub(crate) use read::{read_field, read_message, read_text};
pub(crate) use twice::refuse as refuse_twice;
pub(crate) use value::Json;
pub(crate) use well_known::{WellKnown, holds_null};
pub(crate) use write::{Defaults, write_any, write_message, write_value};

/// A field's path below another's.
fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}
