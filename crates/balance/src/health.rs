//! Asking an endpoint whether it serves: `grpc.health.v1.Health/Check`, written by hand, for the two messages have one field
//! each.

use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use crm_telemetry::rpc::code_of;
use http::uri::Authority;
use http::{HeaderValue, Method, Request, Response, Version, header};
use http_body_util::{BodyExt, Full, Limited};
use tonic::Code;
use tonic::body::Body;

use crate::connection::Connection;

/// What a check found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Serving,
    NotServing,
    /// It does not implement the service, or something else answers there: it is taken as healthy and not asked again.
    NoHealthService,
    /// Nothing came in time, or the endpoint could not be asked.
    Silence,
}

/// The response has one enum in it; whatever is longer is no health service.
const LARGEST_ANSWER: usize = 1024;
const SERVING: u8 = 1;

/// Asks once.
pub(crate) async fn check(link: &dyn Connection, authority: &Authority, service: &str, timeout: Duration) -> Answer {
    let asked = async {
        match link.send(request(authority, service)).await {
            Ok(response) => read(response).await,
            Err(_) => Answer::Silence,
        }
    };
    tokio::time::timeout(timeout, asked).await.unwrap_or(Answer::Silence)
}

fn request(authority: &Authority, service: &str) -> Request<Body> {
    let uri =
        http::Uri::builder().scheme("http").authority(authority.clone()).path_and_query("/grpc.health.v1.Health/Check");
    let mut request = Request::new(Body::new(Full::new(message(service))));
    *request.method_mut() = Method::POST;
    *request.version_mut() = Version::HTTP_2;
    *request.uri_mut() = uri.build().unwrap_or_default();
    request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    request.headers_mut().insert(header::TE, HeaderValue::from_static("trailers"));
    request
}

/// `HealthCheckRequest { string service = 1 }` behind gRPC's five bytes. Names that need a longer length are cut.
fn message(service: &str) -> Bytes {
    let service = &service.as_bytes()[..service.len().min(127)];
    let length = u8::try_from(service.len()).unwrap_or(0);
    let field = if length == 0 { 0 } else { u32::from(length) + 2 };
    let mut message = BytesMut::with_capacity(7 + service.len());
    message.put_u8(0);
    message.put_u32(field);
    if length > 0 {
        message.put_slice(&[0x0a, length]);
        message.put_slice(service);
    }
    message.freeze()
}

async fn read(response: Response<Body>) -> Answer {
    if !response.status().is_success() {
        return Answer::NoHealthService;
    }
    if let Some(code) = code_of(response.headers()) {
        return answer_of(code);
    }
    let Ok(body) = Limited::new(response.into_body(), LARGEST_ANSWER).collect().await else {
        return Answer::Silence;
    };
    let code = body.trailers().and_then(code_of).unwrap_or(Code::Ok);
    if code == Code::Ok { decode(&body.to_bytes()) } else { answer_of(code) }
}

const fn answer_of(code: Code) -> Answer {
    match code {
        Code::Unimplemented | Code::NotFound | Code::PermissionDenied | Code::Unauthenticated => {
            Answer::NoHealthService
        }
        _ => Answer::Silence,
    }
}

/// `HealthCheckResponse { ServingStatus status = 1 }`; an absent field is UNKNOWN, which is not serving.
fn decode(body: &[u8]) -> Answer {
    match body {
        [0, 0, 0, 0, 2, 0x08, SERVING] => Answer::Serving,
        [0, 0, 0, 0, 2, 0x08, status] if *status <= 3 => Answer::NotServing,
        [0, 0, 0, 0, 0] => Answer::NotServing,
        _ => Answer::NoHealthService,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_and_strange_ones_mean_no_health_service() {
        let cases: [(&[u8], Answer); 6] = [
            (&[0, 0, 0, 0, 2, 8, 1], Answer::Serving),
            (&[0, 0, 0, 0, 2, 8, 2], Answer::NotServing),
            (&[0, 0, 0, 0, 0], Answer::NotServing),
            (&[0, 0, 0, 0, 2, 8, 77], Answer::NoHealthService),
            (b"<html>", Answer::NoHealthService),
            (&[], Answer::NoHealthService),
        ];
        for (body, expected) in cases {
            assert_eq!(decode(body), expected, "{body:?}");
        }
    }

    #[test]
    fn request_names_the_service() {
        assert_eq!(&message("")[..], [0, 0, 0, 0, 0]);
        assert_eq!(&message("a.B")[..], [0, 0, 0, 0, 5, 0x0a, 3, b'a', b'.', b'B']);
    }
}
