//! Which tenants have changes.

use crm_proto::journal as pb;
use crm_server::token::{Role, tenant_id};
use tonic::{Code, Status, Streaming};

use crate::support::{Caller, account, refusal, refused, violations, world};

async fn watch(caller: &Caller, horizon: &str) -> Result<Streaming<pb::WatchTenantsResponse>, Status> {
    let request = caller.request(pb::WatchTenantsRequest { horizon: horizon.to_owned() });
    Ok(caller.changes.clone().watch_tenants(request).await?.into_inner())
}

/// The next message that names a tenant.
async fn next(stream: &mut Streaming<pb::WatchTenantsResponse>) -> pb::WatchTenantsResponse {
    loop {
        let message = stream.message().await.unwrap().unwrap();
        if !message.tenants.is_empty() {
            return message;
        }
    }
}

#[tokio::test]
async fn a_service_hears_which_tenants_have_changes_and_goes_on_from_a_horizon() {
    let world = world().await;
    world.agent.create_account(account("Acme")).await.unwrap();
    let other = world.service.caller("other", Role::Agent);
    let follower = world.service.service("sales", "acme");
    let mut stream = watch(&follower, "").await.unwrap();
    let first = next(&mut stream).await;
    assert_eq!(first.tenants, [tenant_id("acme").to_string()]);
    other.create_account(account("Other")).await.unwrap();
    assert_eq!(next(&mut stream).await.tenants, [tenant_id("other").to_string()]);
    let mut again = watch(&follower, &first.horizon).await.unwrap();
    assert_eq!(next(&mut again).await.tenants, [tenant_id("other").to_string()]);
}

#[tokio::test]
async fn it_is_for_services_alone_and_its_first_message_may_be_a_heart_beat() {
    let world = world().await;
    for role in [Role::Admin, Role::Manager, Role::Agent, Role::Viewer, Role::Requester] {
        let refusal = refusal(watch(&world.service.caller("acme", role), "").await.map(drop));
        assert_eq!(refusal, refused(Code::PermissionDenied, "ROLE_NOT_ALLOWED"));
    }
    let follower = world.service.service("sales", "acme");
    let mut quiet = watch(&follower, "").await.unwrap();
    let beat = quiet.message().await.unwrap().unwrap();
    assert!(beat.tenants.is_empty() && !beat.horizon.is_empty());
    assert_eq!(violations(watch(&follower, "nonsense").await.map(drop)), ["horizon"]);
}
