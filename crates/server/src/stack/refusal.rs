use std::sync::LazyLock;

use crm_telemetry::metrics::{self, label};
use crm_telemetry::names;
use crm_telemetry::rpc::trailers;
use http::Response;
use opentelemetry::metrics::Counter;
use tonic::Status;
use tonic::body::Body;

use crate::problem::Problem;

static REFUSALS: LazyLock<Counter<u64>> = LazyLock::new(|| metrics::counter(&names::SERVER_REFUSALS));

/// A layer's own answer, counted by its reason.
pub(super) fn refuse(problem: Problem) -> Response<Body> {
    count_refusal(&problem);
    answer(problem)
}

/// The same where it has been counted.
pub(super) fn answer(problem: Problem) -> Response<Body> {
    Status::from(problem).into_http()
}

/// The same for a call whose headers are out: the status goes into trailers.
pub(super) fn refuse_late(problem: Problem) -> http::HeaderMap {
    count_refusal(&problem);
    trailers(&problem.into())
}

/// Counts a call that ends before its handler has answered.
pub(crate) fn count_refusal(problem: &Problem) {
    REFUSALS.add(1, &[label(names::label::REASON, problem.reason())]);
}
