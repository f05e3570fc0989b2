//! How shares of something scarce ([`crm_shares`]) show in calls: who holds one, how long, and what a refusal says.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use crm_shares::{Holder, Refused, Share, TENANT_SHARE_TAKEN};
use http::Response;
use http_body::{Frame, SizeHint};
use tonic::body::Body;
use tonic::{Code, Status};

use crate::problem::Problem;
use crate::reasons::OVERLOADED;
use crate::stack::refusal::count_refusal;
use crate::token::Claims;

/// When a refused caller may come back: about the time in which half of what is in flight has gone.
const PUSHBACK: Duration = Duration::from_millis(100);

/// The tenant holds what its callers take.
#[must_use]
pub fn holder(claims: &Claims) -> Holder {
    Some(claims.tenant.as_u128())
}

/// Says no, and counts it. `what` is in the plural: "calls in flight".
pub fn refuse(refused: Refused, what: &str) -> Problem {
    let problem = match refused {
        Refused::Full => Problem::new(Code::ResourceExhausted, OVERLOADED, format!("too many {what}")),
        Refused::Share => {
            let message = format!("too many {what} for one tenant; others find room");
            Problem::new(Code::ResourceExhausted, TENANT_SHARE_TAKEN, message)
        }
    };
    count_refusal(&problem);
    problem.with_retry_delay(PUSHBACK)
}

/// An answer that keeps a share until its last byte is sent.
pub fn hold(answer: Response<Body>, share: Option<Share>) -> Response<Body> {
    match share {
        Some(share) => answer.map(|inner| Body::new(Held { inner, _share: share })),
        None => answer,
    }
}

struct Held {
    inner: Body,
    _share: Share,
}

impl http_body::Body for Held {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        Pin::new(&mut self.inner).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
