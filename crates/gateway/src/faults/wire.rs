//! Calls of a replica's `FaultService`, on a connection of their own: the one that carries traffic may be ejected or full.

use std::fmt::Display;

use crm_proto::server::{self as pb, fault_service_client::FaultServiceClient};
use http::{Request, Response, Uri};
use hyper::{body::Incoming, client::conn::http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tonic::{Status, body::Body, metadata::MetadataValue};
use tower::util::BoxCloneService;

type Connection = BoxCloneService<Request<Body>, Response<Incoming>, hyper::Error>;

/// Says that whoever asks does not sample this: a look every second would bury the traces that people look for.
const UNSAMPLED: &str = "00-00000000000000000000000000000001-0000000000000001-00";

pub(super) async fn get(address: &str) -> Result<Option<pb::Fault>, Status> {
    let mut request = tonic::Request::new(pb::GetFaultRequest {});
    request.metadata_mut().insert("traceparent", MetadataValue::from_static(UNSAMPLED));
    Ok(connect(address).await?.get_fault(request).await?.into_inner().fault)
}

pub(super) async fn set(address: &str, fault: pb::Fault) -> Result<Option<pb::Fault>, Status> {
    let request = pb::SetFaultRequest { fault: Some(fault) };
    Ok(connect(address).await?.set_fault(request).await?.into_inner().fault)
}

pub(super) async fn clear(address: &str) -> Result<(), Status> {
    connect(address).await?.clear_fault(pb::ClearFaultRequest {}).await.map(drop)
}

async fn connect(address: &str) -> Result<FaultServiceClient<Connection>, Status> {
    let origin: Uri = format!("http://{address}").parse().map_err(unreachable)?;
    let stream = TcpStream::connect(address).await.map_err(unreachable)?;
    let handshake = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await;
    let (sender, connection) = handshake.map_err(unreachable)?;
    // Ends with the client.
    tokio::spawn(connection);
    let service = tower::service_fn(move |request| {
        let mut sender = sender.clone();
        async move { sender.send_request(request).await }
    });
    Ok(FaultServiceClient::with_origin(BoxCloneService::new(service), origin))
}

fn unreachable(error: impl Display) -> Status {
    Status::unavailable(error.to_string())
}
