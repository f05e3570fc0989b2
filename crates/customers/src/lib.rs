#![doc = include_str!("../README.md")]

pub mod app;
pub mod cached_store;
pub mod call;
pub mod config;
pub mod convert;
pub mod create_account;
pub mod create_contact;
pub mod customers;
pub mod delete_account;
pub mod delete_contact;
pub mod domain;
pub mod error;
pub mod grpc;
pub mod seed;
pub mod store;
pub mod update_account;
pub mod update_contact;

pub use app::{migrate, run};
pub use crm_values::FIELD_REASONS;
pub use error::REASONS;
