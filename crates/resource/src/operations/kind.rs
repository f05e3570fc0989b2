//! A kind of operation, and the same without its types.

use prost::{Message, Name};
use prost_types::Any;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tonic::async_trait;

use crate::{Error, Violations, Write};

/// A kind of operation. Its steps are run by any replica, so whatever one has to know of those before stands in the
/// position, and nothing in the process.
#[async_trait]
pub trait Operation: Send + Sync + 'static {
    /// What is asked for: the request of the RPC that begins it.
    type Request: Message + Name + Default;
    /// Where a step begins; the first one at the default. Replicas of the release before may have written it.
    type Position: Serialize + DeserializeOwned + Default + Send;
    /// What comes of it in the end.
    type Response: Message + Name;

    /// The RPC that begins it, such as `ReassignAccounts`.
    const NAME: &'static str;
    /// What its progress counts, such as `accounts`.
    const UNIT: &'static str;
    /// Whether nobody can cancel it any more once its first step is committed, for what it leaves then is half of something.
    const GOES_THROUGH: bool = false;

    /// The caller's name for this request (AIP-155).
    fn request_id(request: &mut Self::Request) -> &mut String;

    /// Notes what is wrong with a request, before anything begins.
    fn check(request: &Self::Request, found: &mut Violations);

    /// One piece of the work, of at most a few hundred records and a second: what it writes is committed together with
    /// where the next one begins, or not at all. A refusal ends the operation with it; what else fails is tried again.
    async fn step(
        &self,
        write: &mut Write,
        progress: &mut Progress,
        request: &Self::Request,
        at: Self::Position,
    ) -> Result<Next<Self::Position, Self::Response>, Error>;
}

/// What comes after a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next<P, R> {
    /// Another step, from here.
    Step(P),
    /// Nothing: this came of it.
    End(R),
}

/// How far an operation has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// How many are done.
    pub done: i64,
    /// Of how many, once that is known.
    pub total: Option<i64>,
}

/// An operation of whatever kind.
#[async_trait]
pub(super) trait AnyOperation: Send + Sync {
    fn goes_through(&self) -> bool;

    async fn any_step(
        &self,
        write: &mut Write,
        progress: &mut Progress,
        request: &[u8],
        at: Option<Value>,
    ) -> Result<Next<Value, Any>, Error>;
}

#[async_trait]
impl<O: Operation> AnyOperation for O {
    fn goes_through(&self) -> bool {
        O::GOES_THROUGH
    }

    async fn any_step(
        &self,
        write: &mut Write,
        progress: &mut Progress,
        request: &[u8],
        at: Option<Value>,
    ) -> Result<Next<Value, Any>, Error> {
        const NO_FORM: Error = Error::Inconsistent("an operation is not in its kind's form");
        let request = Any::decode(request).ok().and_then(|any| O::Request::decode(any.value.as_slice()).ok());
        let request = request.ok_or(NO_FORM)?;
        let at = at.map(serde_json::from_value).transpose().map_err(|_| NO_FORM)?;
        Ok(match self.step(write, progress, &request, at.unwrap_or_default()).await? {
            Next::Step(position) => Next::Step(serde_json::to_value(position).map_err(|_| NO_FORM)?),
            Next::End(response) => Next::End(any(&response)),
        })
    }
}

/// The message, with its name.
pub(super) fn any<M: Message + Name>(message: &M) -> Any {
    Any { type_url: M::type_url(), value: message.encode_to_vec() }
}
