//! Headers that are not too long, and say one thing.
//!
//! Two lines with two values say two things, and which of them counts would depend on who reads it: a proxy on the way,
//! the gateway or the service. Nobody chooses here; the call is refused. Equal lines say the same thing twice.

use http::{HeaderMap, HeaderValue, Request};
use tonic::Code;

use crate::problem::{Problem, Violation};
use crate::reasons::{CONFLICTING_VALUE, HEADERS_TOO_LARGE};

/// What HTTP/2 counts for a header beside its name and its value (RFC 9113, 6.5.2).
const EACH: usize = 32;

/// Length of a request's headers as HTTP/2 counts them, its method, scheme, authority and path among them.
pub fn length<B>(request: &Request<B>) -> usize {
    let uri = request.uri();
    let path = uri.path_and_query().map_or(0, |path| path.as_str().len());
    let authority = uri.authority().map_or(0, |authority| ":authority".len() + authority.as_str().len() + EACH);
    let scheme = uri.scheme_str().map_or(0, |scheme| ":scheme".len() + scheme.len() + EACH);
    let line = ":method".len() + request.method().as_str().len() + EACH + ":path".len() + path + EACH;
    line + scheme + authority + length_of_map(request.headers())
}

/// The same without what stands in the request line.
pub fn length_of_map(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + EACH).sum()
}

/// The refusal of longer headers, which no waiting makes shorter.
pub fn too_large(most_bytes: usize) -> Problem {
    let message = format!("the headers are longer than {most_bytes} bytes, counting {EACH} for each");
    let problem = Problem::new(Code::ResourceExhausted, HEADERS_TOO_LARGE, message);
    problem.with_metadata("max_bytes", most_bytes.to_string()).of_the_call()
}

/// Those of HTTP and gRPC that somebody here reads and that are no lists. All that begin with `x-crm-` are such, too.
const SINGLE: [&str; 7] =
    ["authorization", "content-encoding", "content-length", "content-type", "grpc-encoding", "grpc-timeout", "host"];

/// Refuses a call of which one of these headers says two things.
pub fn check_single(headers: &HeaderMap) -> Result<(), Problem> {
    let ours = headers.keys().map(http::HeaderName::as_str).filter(|name| name.starts_with("x-crm-"));
    check_same(headers, SINGLE.into_iter().chain(ours), |one, other| one == other)
}

/// Refuses a call where two lines of one of the headers named are not the same.
pub fn check_same<'a>(
    headers: &HeaderMap,
    names: impl IntoIterator<Item = &'a str>,
    is_same: impl Fn(&HeaderValue, &HeaderValue) -> bool,
) -> Result<(), Problem> {
    // As good as every call: no header comes twice.
    if headers.len() == headers.keys_len() {
        return Ok(());
    }
    let differs = |name: &&str| {
        let mut lines = headers.get_all(*name).iter();
        lines.next().is_some_and(|first| lines.any(|line| !is_same(first, line)))
    };
    let violation = |name| Violation::new(name, CONFLICTING_VALUE, "is given more than once, with different values");
    let violations: Vec<Violation> = names.into_iter().filter(differs).map(violation).collect();
    if violations.is_empty() { Ok(()) } else { Err(Problem::invalid(CONFLICTING_VALUE, violations)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(lines: &[(&'static str, &'static str)], expected: Option<&str>) {
        let line = |(name, value): &(&'static str, &'static str)| {
            (http::HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        let refused = check_single(&lines.iter().map(line).collect()).err();
        let message = refused.map(|problem| tonic::Status::from(problem).message().to_owned());
        assert_eq!(message.as_deref(), expected, "{lines:?}");
    }

    #[test]
    fn a_header_of_one_value_says_one_thing() {
        for name in SINGLE.into_iter().chain(["x-crm-timeout", "x-crm-anything"]) {
            check(&[(name, "1")], None);
            check(&[(name, "1"), (name, "1")], None);
            check(&[(name, "1"), (name, "1"), (name, "2")], Some(&format!("invalid: {name}")));
        }
        check(
            &[("accept", "1"), ("accept", "2"), ("if-match", "1"), ("if-match", "2"), ("mine", "1"), ("mine", "2")],
            None,
        );
        check(
            &[("host", "1"), ("host", "2"), ("x-crm-priority", "1"), ("x-crm-priority", "2")],
            Some("invalid: host, x-crm-priority"),
        );
    }
}
