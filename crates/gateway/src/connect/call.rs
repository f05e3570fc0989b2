//! One call on its way to a replica and back.

use crm_server::{framing, headers as shared, process::TakeBy, shares};
use crm_transcode::{Codec, Request as Asked, Rpc};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, request::Parts};
use tokio::time::Instant;
use tonic::{Status, body::Body};

use super::{media, metadata, timeout};
use crate::{
    access::Caller,
    allowance, answer, call,
    gateway::Gateway,
    headers, reasons,
    rest::{self, Refusal, unary},
    table::Routed,
};

/// The only version there is.
pub(super) const VERSION: &str = "connect-protocol-version";

/// A call that has found its RPC.
#[derive(Clone, Copy)]
pub(super) struct Call<'a> {
    pub(super) gateway: &'a Gateway,
    pub(super) routed: &'a Routed,
    pub(super) rpc: &'a Rpc,
    pub(super) codec: Codec,
}

impl Call<'_> {
    pub(super) async fn answer(self, request: Request<Body>) -> Result<Response<Body>, Refusal> {
        let (parts, body) = request.into_parts();
        let Self { gateway, routed, rpc, codec } = self;
        headers::check_length(&parts.headers, gateway.max_header_bytes).map_err(Refusal::headers_too_large)?;
        headers::check_single(&parts.headers)?;
        shared::check_same(&parts.headers, [timeout::TIMEOUT, VERSION], |one, other| one == other)
            .map_err(Status::from)?;
        let caller = gateway.access.admit(routed, Some(rpc), &parts.headers)?;
        if parts.headers.get(VERSION).is_some_and(|version| version != "1") {
            return Err(reasons::unknown_connect_version().into());
        }
        let deadline = self.deadline(&parts.headers)?;
        if headers::is_compressed(&parts.headers) {
            return Err(reasons::unsupported_encoding().into());
        }
        let mut body = gateway.intake.measure(body, caller.holder)?;
        let limit = self.most_bytes();
        let bytes = rest::read_body(&mut body, limit, deadline).await.map_err(|refusal| too_large(refusal, limit))?;
        let turn = rest::in_time(deadline, gateway.desk.turn_to_read(&bytes, caller.holder)).await?;
        let asked = turn.work(|| gateway.transcoder.whole(rpc, codec, &parts.headers, &bytes))?;
        drop(turn);
        let sent = self.send(parts, &caller, &asked, deadline).await;
        let mut response = sent.map_err(|refusal| self.respell(refusal, &asked))?;
        response.extensions_mut().insert(TakeBy(deadline));
        Ok(shares::hold(response, Some(caller.place)))
    }

    fn deadline(self, headers: &HeaderMap) -> Result<Instant, Refusal> {
        let asked = timeout::read(headers).map_err(|timeout::InvalidTimeout| reasons::invalid_connect_timeout())?;
        Ok(Instant::now() + allowance::given(&self.gateway.limits, Some(self.rpc), asked))
    }

    /// JSON is read here, bytes by the service.
    fn most_bytes(self) -> usize {
        match self.codec {
            Codec::Json => self.gateway.limits.max_body_bytes,
            Codec::Proto => self.gateway.limits.max_message_bytes,
        }
    }

    async fn send(
        self,
        mut parts: Parts,
        caller: &Caller,
        asked: &Asked,
        deadline: Instant,
    ) -> Result<Response<Body>, Refusal> {
        let Self { gateway, routed, rpc, codec } = self;
        let mut room = unary::reserve(gateway, caller.holder)?;
        headers::remove_starting_with(&mut parts.headers, "connect-");
        let message = asked.messages.first().map(|message| &**message).unwrap_or_default();
        let request = rest::grpc_request(parts, message, deadline)?;
        let response = call::send(gateway, routed, Some(rpc), caller, request).await?;
        let head = response.headers().clone();
        let (message, trailers) = unary::take(gateway, response, caller.holder).await?;
        let body = match codec {
            Codec::Json => {
                let turn = rest::in_time(deadline, gateway.desk.turn_to_write(&message, caller.holder)).await?;
                let shown = turn.work(|| gateway.transcoder.response_json(rpc, &message));
                shown.map_err(|error| unary::unreadable(&error))?.into()
            }
            Codec::Proto => message,
        };
        unary::hold(gateway, &mut room, body.len())?;
        let mut response = answer::with_type(media::content_type(codec), body);
        let headers = response.headers_mut();
        metadata::lead(headers, &head);
        metadata::trail(headers, &trailers);
        headers.insert(Status::GRPC_STATUS, HeaderValue::from_static("0"));
        Ok(shares::hold(response, Some(room)))
    }

    /// Fields have the names that the caller has written: those of JSON, or none at all.
    fn respell(self, refusal: Refusal, asked: &Asked) -> Refusal {
        match self.codec {
            Codec::Json => {
                refusal.respell(|message, details| self.gateway.transcoder.respell(self.rpc, asked, message, details))
            }
            Codec::Proto => refusal,
        }
    }
}

/// As gRPC says it of a message, under HTTP's own status.
fn too_large(refusal: Refusal, limit: usize) -> Refusal {
    match refusal {
        Refusal::Http(status, _) if status == StatusCode::PAYLOAD_TOO_LARGE => {
            Refusal::Http(status, framing::too_large(limit).into())
        }
        refusal => refusal,
    }
}
