//! Definitions and values that are written at the same moment, here and in other replicas.

use crm_proto::customers::Account;
use crm_sandbox::testing;
use crm_server::token::Role;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use super::{Attributed, expected, faults, number, of, string, text, values};
use crate::support::{Service, account, app, database, eventually, tenant};
use crm_proto::attributes::attribute_definition::Type;

/// Whether somebody waits for a lock of another.
async fn is_waiting(url: &str) -> bool {
    let mut owner = PgConnection::connect(url).await.unwrap();
    let waiting = "select exists (select from pg_stat_activity where wait_event_type = 'Lock' and query like '%attribute_sets%' \
                   and datname = current_database())";
    sqlx::query_scalar(waiting).fetch_one(&mut owner).await.unwrap()
}

#[tokio::test]
async fn a_value_waits_for_who_deletes_its_definition_and_is_refused() {
    let it = Attributed::start().await;
    it.define(text("a")).await;
    it.account(values([("a", string("x"))])).await;
    let mut owner = PgConnection::connect(it.database.url()).await.unwrap();
    owner.execute("begin").await.unwrap();
    for change in ["attribute_sets set version = version + 1", "attribute_definitions set delete_time = now()"] {
        let change = format!("update customers.{change} where tenant_id = '{}'", tenant());
        // The owner is bound by the policies as everybody.
        let set = format!("set local crm.tenant = '{}'", tenant());
        owner.execute(AssertSqlSafe(set)).await.unwrap();
        owner.execute(AssertSqlSafe(change)).await.unwrap();
    }
    let agent = it.agent.clone();
    let waiting = tokio::spawn(async move {
        agent.create_account(Account { attributes: values([("a", string("x"))]), ..account("Acme") }).await
    });
    eventually("somebody waits", async || is_waiting(it.database.url()).await).await;
    owner.execute("commit").await.unwrap();
    let refused = waiting.await.unwrap();
    assert_eq!(faults(refused), expected(&[("account.attributes.a", "UNKNOWN_FIELD")]));
}

#[tokio::test]
async fn what_one_replica_defines_others_know_when_a_value_is_written() {
    let (database, redis) = (database().await, testing::redis().await.unwrap());
    let url = database.url_as(app::ROLE, "");
    let (one, other) = (Service::start(&url, &redis).await, Service::start(&url, &redis).await);
    let (admin, agent) = (one.caller("acme", Role::Admin), other.caller("acme", Role::Agent));
    // It knows that there are none.
    agent.create_account(account("Acme")).await.unwrap();
    for key in ["a", "b", "c"] {
        let defined = super::define(&admin, of(key, Type::Number)).await.unwrap();
        let attributes = values([(key, number(1.0))]);
        let created =
            agent.create_account(Account { attributes: attributes.clone(), ..account("Acme") }).await.unwrap();
        assert_eq!(created.attributes, attributes, "at once");
        super::delete(&admin, &defined.id).await.unwrap();
        let refused = agent.create_account(Account { attributes, ..account("Acme") }).await;
        assert_eq!(faults(refused), expected(&[(&format!("account.attributes.{key}"), "UNKNOWN_FIELD")]));
        let shown = async || agent.get_account(&created.id).await.unwrap().attributes;
        eventually("the value is not shown any more", async || shown().await.is_empty()).await;
    }
    // Another tenant has its own.
    let theirs = other.caller("other", Role::Agent);
    let refused = theirs.create_account(Account { attributes: values([("c", number(1.0))]), ..account("Acme") }).await;
    assert_eq!(faults(refused), expected(&[("account.attributes.c", "UNKNOWN_FIELD")]));
}
