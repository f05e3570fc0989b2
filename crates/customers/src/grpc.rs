//! Handlers: convert in, one call, convert out.

mod accounts;
mod contacts;
mod export;

use crate::customers::Customers;

/// The generated services' implementation.
#[derive(Debug, Clone)]
pub struct Grpc {
    customers: Customers,
}

impl Grpc {
    /// Answers from `customers`.
    pub fn new(customers: Customers) -> Self {
        Self { customers }
    }
}
