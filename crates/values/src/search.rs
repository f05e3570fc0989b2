//! What records are searched by: the terms that are kept of their texts, and what a caller who types means by few letters.
//!
//! A term is a text's key from one of its words on. Whoever types the beginning of a word is looking for a range of terms,
//! and so is whoever mistypes a letter of it: for one range more for each letter that it may have been. Ranges of an index
//! are all that row-level security leaves (docs/adr/0039), and all that a search over any number of records can afford.

mod key;
mod near;
mod sought;
mod terms;

pub use key::search_key;
pub use near::begins_nearly;
pub use sought::{Match, Sought};
pub use terms::{Place, Term, Terms};

pub(crate) use key::words;
