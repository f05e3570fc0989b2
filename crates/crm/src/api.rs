//! The public API as this program calls it: through the gateway, with a token, like anybody else.

use std::time::Duration;

use crm_balance::{Client, RetrySettings};
use crm_lab::load::client;
use crm_server::token::Role;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use uuid::Uuid;

use crate::failure::Failure;
use crate::places::Places;
use crate::{token, up};

/// Gateways to call, if not those of the platform in the folder: `host:port`, several joined by commas.
const GATEWAYS: &str = "CRM_GATEWAY";

/// How calls go out.
pub(crate) type Channel = InterceptedService<Client, Authorize>;

/// The API on behalf of one tenant's administrator.
pub(crate) struct Api {
    channel: Channel,
    gateways: Vec<String>,
}

impl Api {
    pub(crate) async fn connect(places: &Places, tenant: &str) -> Result<Self, Failure> {
        let gateways = gateways(places).await?;
        let token = token::sign(places, tenant, "import", Role::Admin, Duration::from_secs(3600))?;
        let authorize = Authorize::new(&token)?;
        let client = client(gateways.iter().map(String::as_str), RetrySettings::default());
        Ok(Self { channel: InterceptedService::new(client, authorize), gateways })
    }

    /// For the client of any service; cheap to make, as many as there are calls at a time.
    pub(crate) fn channel(&self) -> Channel {
        self.channel.clone()
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

/// Puts the token on each call, and has none of them traced: thousands of one kind would bury the traces that people look for.
#[derive(Clone)]
pub(crate) struct Authorize {
    token: MetadataValue<Ascii>,
    /// One trace for all, which is not sampled.
    trace: MetadataValue<Ascii>,
}

impl Authorize {
    fn new(token: &str) -> Result<Self, Failure> {
        let ascii = |text: String| {
            text.parse::<MetadataValue<Ascii>>().map_err(|_| Failure::Usage("the token is not ASCII".into()))
        };
        let trace = Uuid::new_v5(&Uuid::NAMESPACE_URL, token.as_bytes()).simple();
        Ok(Self { token: ascii(format!("Bearer {token}"))?, trace: ascii(format!("00-{trace}-0000000000000001-00"))? })
    }
}

impl Interceptor for Authorize {
    fn call(&mut self, mut request: tonic::Request<()>) -> Result<tonic::Request<()>, tonic::Status> {
        request.metadata_mut().insert("authorization", self.token.clone());
        request.metadata_mut().insert("traceparent", self.trace.clone());
        Ok(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_bear_the_token_and_a_trace_that_is_not_sampled() {
        let request = Authorize::new("a.b.c").unwrap().call(tonic::Request::new(())).unwrap();
        let header = |name: &str| request.metadata().get(name).unwrap().to_str().unwrap();
        assert_eq!(header("authorization"), "Bearer a.b.c");
        let parts: Vec<&str> = header("traceparent").split('-').collect();
        assert_eq!((parts[0], parts[1].len(), parts[2].len(), parts[3]), ("00", 32, 16, "00"));
        assert!(Authorize::new("a\nb").is_err());
    }
}
