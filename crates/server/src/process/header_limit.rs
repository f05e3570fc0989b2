//! Headers that are too long, told in gRPC's words.
//!
//! HTTP/2's own refusal is 431 without a word, which is no answer to a call: its client makes UNKNOWN of it. So more is
//! read than is accepted, and refused by name; what is beyond that, HTTP/2 refuses unread, and tells peers in its
//! settings that it will. Who speaks no gRPC is told by whoever answers there.

use http::{Request, Response, header};
use tonic::Status;
use tonic::body::Body;

use super::ServerSettings;
use crate::headers::{self, length};
use crate::stack::refusal::count_refusal;

/// What HTTP/2 reads of one request's headers, whatever is accepted: a stranger can make us hold it for a moment, once for
/// each stream.
const READ_BYTES: u32 = 256 * 1024;

pub(super) fn read_at_most(settings: &ServerSettings) -> u32 {
    settings.max_header_bytes.max(READ_BYTES)
}

/// The refusal of a gRPC call whose headers are longer than `most` bytes.
pub(super) fn refuse(request: &Request<Body>, most: u32) -> Option<Response<Body>> {
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    if !speaks_grpc(request) || length(request) <= most {
        return None;
    }
    let problem = headers::too_large(most);
    count_refusal(&problem);
    Some(Status::from(problem).into_http())
}

/// gRPC-Web is another protocol under a similar name: its answers are framed by whoever speaks it.
fn speaks_grpc(request: &Request<Body>) -> bool {
    let kind = request.headers().get(header::CONTENT_TYPE).map_or(&b""[..], |kind| kind.as_bytes());
    kind.strip_prefix(b"application/grpc").is_some_and(|rest| !rest.starts_with(b"-"))
}
