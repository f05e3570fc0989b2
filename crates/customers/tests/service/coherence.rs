//! Two replicas, one Redis.

use std::time::Duration;

use crate::support::app;
use crm_proto::customers as pb;
use crm_resource::StoreConfig;
use crm_sandbox::{Redis, RedisSettings, TemporaryFolder};
use crm_server::token::Role;
use tonic::Code;
use uuid::Uuid;

use crate::support::{Service, account, database, eventually, refusal, refused};

fn renamed(id: &str, name: &str) -> pb::Account {
    pb::Account { id: id.to_owned(), ..account(name) }
}

#[tokio::test]
async fn a_write_at_one_replica_is_seen_at_the_other() {
    let own = database().await;
    let folder = TemporaryFolder::new("crm-coherence").unwrap();
    let redis = Redis::start(&folder.path().join("redis"), RedisSettings::for_tests()).unwrap();
    let url = own.url_as(app::ROLE, "");
    // Longer than the test waits for anything: what is seen was told, and has not merely expired.
    let config = || {
        let config = StoreConfig::new(url.parse().unwrap(), redis.url().parse().unwrap());
        StoreConfig { first_tier_ttl: Duration::from_secs(3_600), ..config }.into()
    };
    let (one, two) = (Service::start_as(config()).await, Service::start_as(config()).await);
    let (here, there) = (one.caller("acme", Role::Agent), two.caller("acme", Role::Agent));
    let created = here.create_account(account("Acme")).await.unwrap();
    for round in 0..5 {
        // Both have it in their first tier.
        here.get_account(&created.id).await.unwrap();
        there.get_account(&created.id).await.unwrap();
        let name = format!("Acme {round}");
        here.update_account(renamed(&created.id, &name), &["name"]).await.unwrap();
        assert_eq!(here.get_account(&created.id).await.unwrap().name, name, "one reads what it wrote");
        eventually("the other replica sees the change", async || {
            there.get_account(&created.id).await.unwrap().name == name
        })
        .await;
    }
    there.delete_account(&created.id, "").await.unwrap();
    let gone = refused(Code::NotFound, "ACCOUNT_NOT_FOUND");
    eventually("the deletion", async || here.get_account(&created.id).await.is_err()).await;
    assert_eq!(refusal(there.get_account(&created.id).await), gone);
    here.undelete_account(&created.id).await.unwrap();
    eventually("the undeletion", async || there.get_account(&created.id).await.is_ok()).await;
    redis.stop();
}

#[tokio::test]
async fn without_redis_everything_works() {
    let own = database().await;
    let folder = TemporaryFolder::new("crm-no-redis").unwrap();
    let redis = Redis::start(&folder.path().join("redis"), RedisSettings::for_tests()).unwrap();
    let service = Service::start(&own.url_as(app::ROLE, ""), &redis.url()).await;
    let agent = service.caller("acme", Role::Agent);
    let created = agent.create_account(account("Acme")).await.unwrap();
    agent.get_account(&created.id).await.unwrap();
    redis.stop();
    for round in 0..10 {
        let name = format!("Acme {round}");
        agent.update_account(renamed(&created.id, &name), &["name"]).await.unwrap();
        assert_eq!(agent.get_account(&created.id).await.unwrap().name, name);
        let nobody = Uuid::now_v7().to_string();
        assert_eq!(agent.get_account(&nobody).await.unwrap_err().code(), Code::NotFound);
    }
    service.stop().await;
}
