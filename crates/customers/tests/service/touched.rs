//! One write of many records: after its commit all caches forget all of them.

use crm_cache::Redis;
use crm_customers::accounts::Account;
use crm_customers::contacts::Contact;
use crm_proto::customers as pb;
use crm_resource::testkit::call;
use crm_resource::{Records, Store, StoreConfig};
use crm_sandbox::testing;
use crm_server::token::Role;
use tonic::Code;
use uuid::Uuid;

use crate::support::{Service, account, app, contact, database, eventually, pool, refusal, refused, tenant};

#[tokio::test]
async fn a_write_that_touches_two_kinds_has_all_replicas_forget_both() {
    let (own, redis_url) = (database().await, testing::redis().await.unwrap());
    let url = own.url_as(app::ROLE, "");
    let mut config = StoreConfig::new(url.parse().unwrap(), redis_url.parse().unwrap());
    // Longer than the test waits for anything: what is seen was told, and has not merely expired.
    config.first_tier_ttl = std::time::Duration::from_secs(3_600);
    let replica = Service::start_as(config.clone().into()).await;
    let agent = replica.caller("acme", Role::Agent);
    let company = agent.create_account(account("Acme")).await.unwrap();
    let person = agent.create_contact(contact(&company.id, "Love")).await.unwrap();
    agent.get_account(&company.id).await.unwrap();
    agent.get_contact(&person.id).await.unwrap();

    let redis = Redis::connect("customers", &redis_url).unwrap();
    eventually("Redis", async || redis.is_up()).await;
    let store = Store::new(pool(&own).await, redis, app::SCHEMA, &config).unwrap();
    let (accounts, contacts) = (Records::<Account>::new(&store), Records::<Contact>::new(&store));
    let [company_id, person_id] = [&company.id, &person.id].map(|id| Uuid::parse_str(id).unwrap());
    let mut write = accounts.begin(call(tenant())).await.unwrap();
    contacts.lock_live(&mut write, person_id, "").await.unwrap();
    contacts.set_deleted(&mut write, person_id, true).await.unwrap();
    accounts.lock_live(&mut write, company_id, "").await.unwrap();
    accounts.set_deleted(&mut write, company_id, true).await.unwrap();
    // Nothing has happened yet.
    assert_eq!(agent.get_account(&company.id).await.unwrap(), company);
    write.commit().await.unwrap();
    eventually("the account is forgotten", async || agent.get_account(&company.id).await.is_err()).await;
    eventually("the contact is forgotten", async || agent.get_contact(&person.id).await.is_err()).await;
    assert_eq!(refusal(agent.get_contact(&person.id).await), refused(Code::NotFound, "CONTACT_NOT_FOUND"));
    let renamed = pb::Account { id: company.id.clone(), ..account("x") };
    assert_eq!(refusal(agent.update_account(renamed, &["name"]).await), refused(Code::NotFound, "ACCOUNT_NOT_FOUND"));
}
