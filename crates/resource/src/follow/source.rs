//! What a follower asks of the service that it follows.

use std::time::Duration;

use crm_proto::journal::{ListChangesRequest, ListChangesResponse, WatchTenantsRequest, WatchTenantsResponse};
use crm_server::token::{ServiceSigner, tenant_id};
use http::uri::PathAndQuery;
use tonic::client::Grpc;
use tonic::codec::Streaming;
use tonic::{Request, Status};
use tonic_prost::ProstCodec;
use uuid::Uuid;

use super::Follower;
use crate::feed::NOW;
use crate::peers::{Asking, PeerCall, PeerClient};
use crate::{Call, Error, Store};

/// For one answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// For a stream, which is then asked for again.
const STREAM: Duration = Duration::from_secs(30 * 60);

/// The service that is followed, asked for one tenant.
#[derive(Clone, Debug)]
pub struct Source {
    follower: &'static Follower,
    client: PeerClient,
    signer: ServiceSigner,
    tenant: Uuid,
}

impl Source {
    pub(super) fn new(store: &Store, signer: &ServiceSigner, follower: &'static Follower) -> Self {
        // Whose changes there are is asked for nobody, and a token is for somebody: a tenant that there is not.
        let tenant = tenant_id(signer.subject());
        Self { follower, client: store.peer(&follower.source), signer: signer.clone(), tenant }
    }

    pub(super) fn of(&self, tenant: Uuid) -> Self {
        Self { tenant, ..self.clone() }
    }

    /// For whom it is asked.
    pub fn tenant(&self) -> Uuid {
        self.tenant
    }

    /// What a generated client of the source is made of, for one call that takes so long at most.
    ///
    /// # Errors
    /// No token can be made.
    pub fn ask(&self, time: Duration) -> Result<PeerCall, Error> {
        Ok(self.client.ask(Asking::without_caller(&self.signer, self.tenant, time)?))
    }

    /// A call for the tenant, of one who reads what is its own.
    ///
    /// # Errors
    /// No tenant is named.
    pub fn call(&self, time: Duration) -> Result<Call, Error> {
        Call::without_caller(&self.signer, self.tenant, time)
    }

    /// A cursor after all that has been. What is read of the source afterwards is at least as new.
    ///
    /// # Errors
    /// The source's.
    pub async fn present(&self) -> Result<String, Error> {
        Ok(self.changes(NOW, 1).await?.cursor)
    }

    /// What comes next after a cursor.
    pub(super) async fn changes(&self, cursor: &str, page_size: u32) -> Result<ListChangesResponse, Status> {
        let request = ListChangesRequest {
            resources: self.follower.resources.iter().map(|name| (*name).to_owned()).collect(),
            cursor: cursor.to_owned(),
            page_size: i32::try_from(page_size).unwrap_or(i32::MAX),
        };
        let path = self.path("ListChanges")?;
        let mut client = Grpc::new(self.ask(PATIENCE)?);
        Ok(client.unary(Request::new(request), path, ProstCodec::default()).await?.into_inner())
    }

    /// Which tenants have something new, as it comes.
    pub(super) async fn tenants(&self, horizon: String) -> Result<Streaming<WatchTenantsResponse>, Status> {
        let request = Request::new(WatchTenantsRequest { horizon });
        let path = self.path("WatchTenants")?;
        let mut client = Grpc::new(self.ask(STREAM)?);
        Ok(client.server_streaming(request, path, ProstCodec::default()).await?.into_inner())
    }

    /// A method of the service that each service has under its own name.
    fn path(&self, method: &str) -> Result<PathAndQuery, Error> {
        let path = format!("/crm.{}.v1.ChangeService/{method}", self.follower.source.name);
        path.parse().map_err(|_| Error::Inconsistent("the name of a peer is no word"))
    }
}
