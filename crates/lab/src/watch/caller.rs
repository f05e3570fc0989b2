//! A connection, and who speaks over it.

use crm_proto::customers::account_service_client::AccountServiceClient;
use crm_proto::customers::change_service_client::ChangeServiceClient;
use crm_server::token::Role;
use http::Uri;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tonic::Request;
use tonic::body::Body;

use crate::scratch::{LabError, Replica, Stage};

type Http = Client<HttpConnector, Body>;

/// An agent of the tenant, with a connection of its own.
#[derive(Clone)]
pub(super) struct Caller {
    pub(super) accounts: AccountServiceClient<Http>,
    pub(super) changes: ChangeServiceClient<Http>,
    authorization: String,
}

impl Caller {
    pub(super) fn new(stage: &Stage, replica: &Replica) -> Result<Self, LabError> {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let http = Client::builder(TokioExecutor::new()).http2_only(true).build(connector);
        let origin = format!("http://{}", replica.address()).parse::<Uri>();
        let origin = origin.map_err(|error| LabError::Start(error.to_string()))?;
        let accounts = AccountServiceClient::with_origin(http.clone(), origin.clone());
        let changes = ChangeServiceClient::with_origin(http, origin);
        Ok(Self { accounts, changes, authorization: format!("Bearer {}", stage.token("acme", Role::Agent)?) })
    }

    pub(super) fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        if let Ok(value) = self.authorization.parse() {
            request.metadata_mut().insert("authorization", value);
        }
        request
    }
}
