//! Parts of requests that are the same for every resource.

use crm_values::{Flaw, parse_id};
use prost::Message;
use ring::digest;
use uuid::Uuid;

use super::violations::Violations;
use crate::error::Error;

/// The caller's name for one creation, and what it is to create.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestId {
    /// Chosen by the caller.
    pub id: Uuid,
    /// SHA-256 of the request without its id.
    pub body_hash: [u8; 32],
}

/// A creation: what, and under which request id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created<T> {
    /// What is to be created.
    pub new: T,
    /// Makes a repeated call answer as the first one did.
    pub request_id: RequestId,
}

impl RequestId {
    /// `body` is the request with an empty id.
    pub(super) fn parse(text: &str, body: &impl Message, violations: &mut Violations) -> Self {
        let mut body_hash = [0; 32];
        body_hash.copy_from_slice(digest::digest(&digest::SHA256, &body.encode_to_vec()).as_ref());
        Self { id: violations.check("request_id", parse_id(text)), body_hash }
    }
}

/// The id of a request that has nothing else.
///
/// # Errors
/// It is no UUID.
pub fn single(id: &str) -> Result<Uuid, Error> {
    let mut violations = Violations::default();
    let id = violations.check("id", parse_id(id));
    violations.finish(id)
}

/// The ids of a batch.
///
/// # Errors
/// There are none, more than 100, or one is no UUID.
pub fn batch(ids: &[String]) -> Result<Vec<Uuid>, Error> {
    const MOST: usize = 100;
    let mut violations = Violations::default();
    if ids.is_empty() {
        violations.add("ids", Flaw::missing());
    }
    if ids.len() > MOST {
        violations.add("ids", Flaw::new(Flaw::TOO_LONG, "must have at most 100 items"));
    }
    let numbered = ids.iter().take(MOST).enumerate();
    let ids = numbered.map(|(index, id)| violations.check(&format!("ids[{index}]"), parse_id(id))).collect();
    violations.finish(ids)
}
