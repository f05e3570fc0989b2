use http::{HeaderName, Response};
use tonic::body::Body;
use tonic::{Code, Status};

use super::refusal::refuse;
use crate::problem::Problem;
use crate::reasons::{COMPRESSION_UNSUPPORTED, MESSAGE_MALFORMED, MESSAGE_TOO_LARGE, METHOD_UNKNOWN};

/// Which encodings are understood; tonic says so where it refuses another one.
const ACCEPTED: HeaderName = HeaderName::from_static("grpc-accept-encoding");

/// Gives the refusals that tonic makes before a handler is reached a reason, and a code that blames the caller.
///
/// tonic calls bytes that are no message `INTERNAL`. To a balancer that is a defect of this process: a caller that sends
/// rubbish could take replicas out of service. Errors with details are a handler's own and stay as they are.
pub fn explain(response: Response<Body>) -> Response<Body> {
    let headers = response.headers();
    let Some(status) = Status::from_header_map(headers).filter(|status| status.details().is_empty()) else {
        return response;
    };
    let accepted = headers.get(ACCEPTED).cloned();
    let message = status.message().to_owned();
    let problem = match (status.code(), &accepted) {
        (Code::Internal, _) => Problem::new(Code::InvalidArgument, MESSAGE_MALFORMED, message),
        (Code::OutOfRange, _) => Problem::new(Code::ResourceExhausted, MESSAGE_TOO_LARGE, message).of_the_call(),
        (Code::Unimplemented, Some(_)) => {
            Problem::new(Code::Unimplemented, COMPRESSION_UNSUPPORTED, message).of_the_call()
        }
        (Code::Unimplemented, None) => {
            Problem::new(Code::Unimplemented, METHOD_UNKNOWN, "this process serves no such method")
        }
        _ => return response,
    };
    let mut explained = refuse(problem);
    explained.headers_mut().extend(accepted.map(|accepted| (ACCEPTED, accepted)));
    explained
}
