//! Search over accounts and contacts, and their duplicates.

mod calls;
mod duplicates;
mod hits;
