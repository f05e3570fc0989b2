#![doc = include_str!("../README.md")]

pub mod activities;
mod any;
pub mod attributes;
mod call;
mod config;
pub mod csv;
mod entry;
pub mod erasure;
mod error;
mod exchange;
mod export;
mod facets;
mod feed;
pub mod follow;
pub mod foreign;
pub mod imports;
pub mod journal;
mod keys;
mod kind;
mod many;
mod mask;
mod matching;
pub mod merge;
pub mod operations;
mod page;
pub mod peers;
mod record;
mod records;
mod refusal;
mod rekey;
mod request;
mod resource;
mod row;
pub mod search;
pub mod seed;
mod select;
mod service;
mod statements;
mod steps;
mod store;
pub mod tags;
#[cfg(feature = "testkit")]
pub mod testkit;
mod unseen;
pub mod views;
mod violations;
mod write;

pub use any::AnyResource;
pub use call::Call;
pub use config::{Config, ServiceConfig, StoreConfig};
pub use error::Error;
pub use exchange::{Exchange, Item};
pub use export::Export;
pub use facets::Facets;
pub use feed::{Feed, Watch};
pub use keys::KeysError;
pub use kind::{Filter, Kind, Order};
pub use record::{Head, Record};
pub use records::Records;
pub use refusal::{
    ANSWER_ERASED, CURSOR_EXPIRED, DATA_INCONSISTENT, ETAG_MISMATCH, EXPORT_STALLED, EXPORTS_BUSY, FIELDS_INVALID,
    OPERATION_CANCELLED, OPERATION_ERASED, OPERATION_GOES_THROUGH, OPERATION_NOT_FOUND, OPERATION_STUCK,
    POSSIBLE_DUPLICATE, REFUSALS, Refusal, TOO_MANY_RECORDS, WAITS_BUSY, WATCH_ENDED, WATCH_TOO_SLOW, WATCHES_BUSY,
};
pub use request::{Change, New, RequestId, single};
pub use resource::{Resource, timestamp};
pub use row::{Row, Value};
pub use service::{Keeps, RunError, Service, Storage};
pub use steps::Claim;
pub use store::Store;
pub use violations::Violations;
pub use write::Write;

/// What a handler gives back.
pub type Answer<T> = Result<tonic::Response<T>, tonic::Status>;

/// The answer that a result is.
///
/// # Errors
/// The status of what went wrong.
pub fn answer<T>(result: Result<T, Error>) -> Answer<T> {
    Ok(tonic::Response::new(result?))
}
