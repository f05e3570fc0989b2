//! REST with JSON: a path becomes a call, and the call's answer JSON again.

mod challenge;
mod media;
mod messages;
mod precondition;
mod refusal;
mod streaming;
pub(crate) mod unary;

use std::{convert::Infallible, sync::Arc};

use bytes::Bytes;
use crm_server::{process::TakeBy, shares};
use crm_telemetry::rpc::write_timeout;
use crm_transcode::{Match, RouteError, Transcoder, frame};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, Uri, header, request::Parts};
use http_body::Body as _;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use tokio::time::{Instant, timeout_at};
use tonic::{Code, Status, body::Body};
use tower::service_fn;

pub(crate) use media::{JSON, is_json};
pub(crate) use refusal::{Refusal, with_hints};

use crate::{
    access::Caller,
    allowance, answer, call,
    gateway::Gateway,
    headers,
    intake::Measured,
    reasons,
    rest::{messages::Messages, streaming::Form},
    table::Routed,
    timeout, trace,
};

const OF_THE_JSON: [HeaderName; 11] = [
    header::CONTENT_LENGTH,
    header::CONTENT_ENCODING,
    header::ACCEPT,
    header::ACCEPT_ENCODING,
    header::HOST,
    header::EXPECT,
    header::IF_MATCH,
    header::IF_NONE_MATCH,
    header::IF_MODIFIED_SINCE,
    header::IF_UNMODIFIED_SINCE,
    header::IF_RANGE,
];

/// Answers one REST call.
pub(crate) async fn answer(gateway: &Gateway, request: Request<Body>) -> Response<Body> {
    let (mut parts, body) = request.into_parts();
    let method = if parts.method == Method::HEAD { Method::GET } else { parts.method.clone() };
    let uri = std::mem::take(&mut parts.uri);
    let table = streaming::table_of(&parts.headers, uri.path());
    let table = table.filter(|table| gateway.transcoder.route(&method, table).is_ok());
    let matched = match gateway.transcoder.route(&method, table.as_deref().unwrap_or(uri.path())) {
        Ok(matched) => matched,
        Err(error) => return not_routed(gateway, uri.path(), error),
    };
    let (Some(routed), Ok(path)) = (gateway.table.find(&matched.rpc.path), Uri::try_from(&matched.rpc.path)) else {
        return not_routed(gateway, uri.path(), RouteError::NotFound);
    };
    // The layer names spans and counts calls by the RPC, so both protocols count as one method.
    parts.uri = path;
    let route = Route { gateway, routed, matched: &matched, query: uri.query() };
    let handler = service_fn(|request: Request<Body>| route.answer(request));
    let mut response = in_json(&gateway.transcoder, gateway.guard(handler, Request::from_parts(parts, body)).await);
    // What told the telemetry layer how the call ended.
    response.headers_mut().remove(Status::GRPC_STATUS);
    response
}

/// What a layer around the call has answered is gRPC's; everything else is JSON already.
fn in_json(transcoder: &Transcoder, response: Response<Body>) -> Response<Body> {
    let is_grpc = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/grpc");
    match Status::from_header_map(response.headers()).filter(|_| is_grpc) {
        Some(status) => refusal::status_response(transcoder, &status),
        None => response,
    }
}

/// A call that has found its RPC.
#[derive(Clone, Copy)]
struct Route<'a> {
    gateway: &'a Gateway,
    routed: &'a Routed,
    matched: &'a Match<'a>,
    query: Option<&'a str>,
}

impl Route<'_> {
    async fn answer(self, request: Request<Body>) -> Result<Response<Body>, Infallible> {
        trace::note_rest(request.method(), self.matched.template());
        let asked = timeout::read(request.headers()).ok().flatten();
        let mut response = match self.call(request).await {
            Ok(response) => response,
            Err(refusal) => refusal.into_response(&self.gateway.transcoder),
        };
        let named = allowance::named(&self.gateway.limits, Some(self.matched.rpc), asked);
        allowance::name(response.headers_mut(), named);
        trace::note_status(response.status());
        if self.gateway.switches.trace_header.is_on() {
            trace::stamp(response.headers_mut());
        }
        Ok(response)
    }

    async fn call(self, request: Request<Body>) -> Result<Response<Body>, Refusal> {
        let rpc = self.matched.rpc;
        let (parts, body) = request.into_parts();
        let most = self.gateway.max_header_bytes;
        headers::check_length(&parts.headers, most).map_err(Refusal::headers_too_large)?;
        headers::check_single(&parts.headers)?;
        let caller = self.gateway.access.admit(self.routed, Some(rpc), &parts.headers)?;
        let deadline = self.deadline(&parts.headers)?;
        media::refuse_packed(&parts.headers)?;
        if self.matched.takes_body() && !body.is_end_stream() {
            media::refuse_other(&parts)?;
        }
        let limits = &self.gateway.limits;
        let mut body = self.gateway.intake.measure(body, caller.holder)?;
        // A stream's request is one message like others.
        let intake_ends = deadline.min(Instant::now() + limits.max_timeout);
        let bytes = read_body(&mut body, limits.max_body_bytes, intake_ends).await?;
        let turn = in_time(intake_ends, self.gateway.desk.turn_to_read(&bytes, caller.holder)).await?;
        let read = || self.gateway.transcoder.request(self.matched, self.query, &parts.headers, &bytes);
        let asked = turn.work(read)?;
        drop(turn);
        let takes_gzip = self.gateway.switches.pack_for(&parts.headers);
        let form = Form::of(rpc, &parts.headers);
        let attempts = Attempts { route: self, caller: &caller, asked: &asked, deadline, takes_gzip, form };
        let sent = attempts.send_in_turn(parts).await;
        let mut response =
            sent.map_err(|refusal| refusal.respell(|message, details| self.matched.respell(&asked, message, details)))?;
        response.extensions_mut().insert(TakeBy(deadline));
        Ok(shares::hold(response, Some(caller.place)))
    }

    fn deadline(self, headers: &HeaderMap) -> Result<Instant, Refusal> {
        let asked = timeout::read(headers).map_err(|timeout::InvalidTimeout| reasons::invalid_timeout())?;
        Ok(Instant::now() + allowance::given(&self.gateway.limits, Some(self.matched.rpc), asked))
    }
}

/// What the attempts of one call have in common; more than one where several states would do.
#[derive(Clone, Copy)]
struct Attempts<'a> {
    route: Route<'a>,
    caller: &'a Caller,
    asked: &'a crm_transcode::Request,
    deadline: Instant,
    takes_gzip: bool,
    /// Of a stream's messages.
    form: Form,
}

impl Attempts<'_> {
    async fn send(self, parts: Parts, message: &[u8]) -> Result<Response<Body>, Refusal> {
        let Route { gateway, routed, matched, .. } = self.route;
        let rpc = matched.rpc;
        let room = unary::reserve(gateway, self.caller.holder)?;
        let request = grpc_request(parts, message, self.deadline)?;
        let response = call::send(gateway, routed, Some(rpc), self.caller, request).await?;
        if rpc.server_streaming {
            // Of an export: it belongs to the whole answer, and no message has a place for it.
            let cursor = response.headers().get(headers::CURSOR).cloned();
            let messages = Messages::new(response, gateway.limits.max_answer_bytes)?;
            let holder = self.caller.holder;
            let mut answer = streaming::answer(gateway, Arc::clone(rpc), self.form, messages, holder).await?;
            answer.headers_mut().extend(cursor.map(|cursor| (headers::CURSOR, cursor)));
            return Ok(answer);
        }
        let wanted = (&self.asked.conditions, self.takes_gzip, self.deadline);
        unary::answer(gateway, rpc, wanted, response, (self.caller.holder, room)).await
    }
}

/// Waits no longer than a call may take.
pub(crate) async fn in_time<T>(deadline: Instant, work: impl Future<Output = T>) -> Result<T, Status> {
    timeout_at(deadline, work).await.map_err(|_| reasons::deadline_exceeded())
}

/// Reads a whole body, which may take as long as the call.
pub(crate) async fn read_body(body: &mut Measured, limit: usize, deadline: Instant) -> Result<Bytes, Refusal> {
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    // What announces that it is too long is not asked for: no `100 Continue` goes out, and nobody waits for the rest.
    if body.size_hint().lower() > limit as u64 {
        return Err(Refusal::too_large(limit));
    }
    match timeout_at(deadline, Limited::new(body, limit).collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Refusal::too_large(limit)),
        Ok(Err(error)) => Err(match error.downcast::<Status>() {
            Ok(status) if matches!(status.code(), Code::ResourceExhausted | Code::InvalidArgument) => (*status).into(),
            _ => Status::cancelled("the request's body broke off").into(),
        }),
        Err(_) => Err(reasons::deadline_exceeded().into()),
    }
}

/// The same call as gRPC: the caller's headers are its metadata, but for those that describe the JSON, and gRPC's own,
/// which would describe a message that the caller has not made.
pub(crate) fn grpc_request(mut parts: Parts, message: &[u8], deadline: Instant) -> Result<Request<Body>, Refusal> {
    let framed = frame::encode(message).ok_or_else(|| Status::out_of_range("the message is too large for gRPC"))?;
    let headers = &mut parts.headers;
    for name in &OF_THE_JSON {
        headers.remove(name);
    }
    headers::remove_starting_with(headers, "grpc-");
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    write_timeout(headers, deadline.saturating_duration_since(Instant::now()));
    parts.method = Method::POST;
    parts.version = http::Version::HTTP_2;
    Ok(Request::from_parts(parts, Body::new(Full::new(framed))))
}

/// The methods that are named are those which this gateway would not refuse.
fn not_routed(gateway: &Gateway, path: &str, error: RouteError) -> Response<Body> {
    let is_routed = |method: &Method| {
        let found = gateway.transcoder.route(method, path);
        found.is_ok_and(|found| gateway.table.find(&found.rpc.path).is_some())
    };
    let error = match error {
        RouteError::MethodNotAllowed { mut allow } => {
            allow.retain(is_routed);
            if allow.is_empty() { RouteError::NotFound } else { RouteError::MethodNotAllowed { allow } }
        }
        RouteError::NotFound => RouteError::NotFound,
    };
    let (status, body) = gateway.transcoder.route_error_json(&error);
    let mut response = answer::json(status, body);
    let allow = error.allow_header().and_then(|allow| HeaderValue::try_from(allow).ok());
    response.headers_mut().extend(allow.map(|allow| (header::ALLOW, allow)));
    response
}
