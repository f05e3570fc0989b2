//! How many views there may be.

use crm_proto::views::saved_view::Visibility::{Private, Shared};
use crm_server::token::Role;
use tonic::Code;

use super::{create, delete, undelete, view};
use crate::support::{as_owner, refusal, refused, tenant, world};

/// As many views as that, made without the service.
fn some(count: u32, owner: &str, visibility: &str) -> String {
    let reader = if visibility == "private" { owner } else { "" };
    format!(
        "insert into customers.saved_views (tenant_id, id, resource, name, name_key, visibility, owner, reader) \
         select '{}', gen_random_uuid(), 'accounts', 'x', 'x', '{visibility}', '{owner}', '{reader}' \
         from generate_series(1, {count});",
        tenant()
    )
}

#[tokio::test]
async fn a_caller_has_a_hundred_views_and_a_tenant_two_hundred_shared_ones() {
    let world = world().await;
    let eve = world.service.caller_as("eve", "acme", Role::Agent);
    let set = format!("set crm.tenant = '{}';", tenant());
    let fill = [some(90, "ada", "private"), some(8, "ada", "shared"), some(190, "somebody", "shared")].concat();
    as_owner(&world.database, &(set.clone() + &fill)).await;

    // Two at once for the last place but one, and four more for what is left.
    let own = || create(&world.agent, view(Private, "One more"));
    let (a, b, c, d) = tokio::join!(own(), own(), own(), own());
    let (made, refusals): (Vec<_>, Vec<_>) = [a, b, c, d].into_iter().partition(Result::is_ok);
    assert_eq!(made.len(), 2);
    let too_many = refused(Code::FailedPrecondition, "TOO_MANY_SAVED_VIEWS");
    assert!(refusals.into_iter().all(|answer| refusal(answer) == too_many));
    let made = made.into_iter().next().unwrap().unwrap();
    delete(&world.agent, &made.id).await.unwrap();
    own().await.unwrap();
    assert_eq!(refusal(undelete(&world.agent, &made.id).await), too_many);

    // 198 are shared.
    for _ in 0..2 {
        create(&eve, view(Shared, "Shared")).await.unwrap();
    }
    let full = refused(Code::FailedPrecondition, "TOO_MANY_SHARED_VIEWS");
    assert_eq!(refusal(create(&eve, view(Shared, "Shared")).await), full);
    create(&eve, view(Private, "Private")).await.unwrap();
    let stranger = world.service.caller("other", Role::Agent);
    create(&stranger, view(Shared, "Elsewhere")).await.unwrap();
}
