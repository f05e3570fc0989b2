//! The media types of unary calls.

use crm_transcode::{Codec, Rpc};
use http::{HeaderMap, HeaderValue, header};
use tonic::Status;

use crate::{reasons, rest::is_json};

/// What the path of a unary RPC takes, whoever answers it.
const OF_UNARY: &str = "application/json, application/proto, application/grpc, application/grpc-web, \
    application/grpc-web+proto, application/grpc-web-text, application/grpc-web-text+proto";
/// What that of another takes: streams are spoken over gRPC, gRPC-Web and REST.
const OF_STREAMS: &str = "application/grpc, application/grpc-web, application/grpc-web+proto, \
    application/grpc-web-text, application/grpc-web-text+proto";

/// For `Accept-Post`.
pub(super) fn accepted(rpc: &Rpc) -> &'static str {
    if streams(rpc) { OF_STREAMS } else { OF_UNARY }
}

fn streams(rpc: &Rpc) -> bool {
    rpc.server_streaming || rpc.client_streaming
}

/// How the messages of a request are written, or why it is not taken.
pub(super) fn codec(rpc: &Rpc, headers: &HeaderMap) -> Result<Codec, Status> {
    if streams(rpc) {
        return Err(reasons::unsupported_stream());
    }
    match headers.get(header::CONTENT_TYPE) {
        Some(kind) if is_json(kind) => Ok(Codec::Json),
        Some(kind) if is_proto(kind) => Ok(Codec::Proto),
        _ => Err(reasons::unsupported_codec()),
    }
}

pub(super) fn content_type(codec: Codec) -> &'static str {
    match codec {
        Codec::Json => "application/json",
        Codec::Proto => "application/proto",
    }
}

/// Parameters tell nothing more.
fn is_proto(kind: &HeaderValue) -> bool {
    let kind = kind.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
    kind.trim().eq_ignore_ascii_case("application/proto")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_known_by_any_spelling_of_their_name() {
        for proto in ["application/proto", "Application/Proto ; version=1"] {
            assert!(is_proto(&HeaderValue::from_static(proto)), "{proto}");
        }
        for other in ["", "application/protobuf", "application/connect+proto", "x; application/proto"] {
            assert!(!is_proto(&HeaderValue::from_static(other)), "{other}");
        }
    }
}
