//! The public API as this program calls it: through the gateway, with a token, like anybody else.

use std::time::Duration;

use crm_balance::{Client, RetrySettings};
use crm_lab::load::client;
use crm_proto::customers::account_service_client::AccountServiceClient;
use crm_server::token::Role;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;

use crate::failure::Failure;
use crate::places::Places;
use crate::{token, up};

/// Gateways to call, if not those of the platform in the folder: `host:port`, several joined by commas.
const GATEWAYS: &str = "CRM_GATEWAY";

/// The API on behalf of one tenant's administrator.
pub(crate) struct Api {
    accounts: AccountServiceClient<InterceptedService<Client, Authorize>>,
    gateways: Vec<String>,
}

impl Api {
    pub(crate) async fn connect(places: &Places, tenant: &str) -> Result<Self, Failure> {
        let gateways = gateways(places).await?;
        let token = token::sign(places, tenant, "import", Role::Admin, Duration::from_secs(3600))?;
        let authorize = Authorize::new(&token)?;
        let client = client(gateways.iter().map(String::as_str), RetrySettings::default());
        Ok(Self { accounts: AccountServiceClient::with_interceptor(client, authorize), gateways })
    }

    pub(crate) fn accounts(&mut self) -> &mut AccountServiceClient<InterceptedService<Client, Authorize>> {
        &mut self.accounts
    }

    /// What to tell somebody whose call failed.
    pub(crate) fn failure(&self, status: &tonic::Status) -> Failure {
        let (gateways, code, message) = (self.gateways.join(","), status.code(), status.message());
        Failure::Check(format!("the gateway at {gateways} answered {code:?}: {message}"))
    }
}

/// The gateways to call: `CRM_GATEWAY`, or those of the platform that runs in the folder.
pub(crate) async fn gateways(places: &Places) -> Result<Vec<String>, Failure> {
    match std::env::var(GATEWAYS) {
        Ok(list) => Ok(list.split(',').map(|gateway| gateway.trim().to_owned()).collect()),
        Err(_) => Ok(up::status(places).await?.gateways),
    }
}

/// Puts the token on each call.
#[derive(Clone)]
pub(crate) struct Authorize(MetadataValue<Ascii>);

impl Authorize {
    fn new(token: &str) -> Result<Self, Failure> {
        let value = format!("Bearer {token}").parse().map_err(|_| Failure::Usage("the token is not ASCII".into()))?;
        Ok(Self(value))
    }
}

impl Interceptor for Authorize {
    fn call(&mut self, mut request: tonic::Request<()>) -> Result<tonic::Request<()>, tonic::Status> {
        request.metadata_mut().insert("authorization", self.0.clone());
        Ok(request)
    }
}
