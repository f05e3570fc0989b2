//! Terms follow their records: through changes, deletion and return, demo data, and releases that had none.

use crm_customers::SERVICE;
use crm_customers::seed::{self, SeedSize};
use crm_proto::customers as pb;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use super::{person, titles};
use crate::support::{World, account, pool, tenant, world};

async fn stored(world: &World) -> Vec<String> {
    let mut owner = PgConnection::connect(world.database.url()).await.unwrap();
    let terms = "select term from customers.search_terms order by term";
    sqlx::query_scalar(terms).fetch_all(&mut owner).await.unwrap()
}

#[tokio::test]
async fn what_a_record_is_found_by_is_what_it_has_now() {
    let world = world().await;
    let agent = &world.agent;
    let mine =
        agent.create_account(pb::Account { domain: "acme.example".to_owned(), ..account("Acme Gear") }).await.unwrap();
    assert_eq!(stored(&world).await, ["aaacme.example", "anacme gear", "awgear"]);
    let change = pb::Account { id: mine.id.clone(), name: "Beta Gear".to_owned(), ..Default::default() };
    agent.update_account(change, &[]).await.unwrap();
    assert_eq!(stored(&world).await, ["aaacme.example", "anbeta gear", "awgear"]);
    assert_eq!(titles(agent, "beta").await, ["Beta Gear"]);
    assert_eq!(titles(agent, "acme g").await, Vec::<String>::new());
    // A change of something else leaves them alone.
    let change = pb::Account { id: mine.id.clone(), owner: "ada".to_owned(), ..Default::default() };
    agent.update_account(change, &[]).await.unwrap();

    let given = person(&mine.id, "Ada", "Love", "ada@x.example", "+14155550123");
    let ada = agent.create_contact(given).await.unwrap();
    assert_eq!(titles(agent, "love").await, ["Ada Love"]);
    agent.delete_contact(&ada.id, "").await.unwrap();
    for query in ["love", "ada@x", "4155550123", "lvoe"] {
        assert_eq!(titles(agent, query).await, Vec::<String>::new(), "{query}");
    }
    assert_eq!(stored(&world).await.len(), 3);
    agent.undelete_contact(&ada.id).await.unwrap();
    assert_eq!(titles(agent, "lvoe").await, ["Ada Love"]);
    let change = pb::Contact { id: ada.id.clone(), ..Default::default() };
    agent.update_contact(change, &["emails", "phones"]).await.unwrap();
    assert_eq!(stored(&world).await, ["aaacme.example", "anbeta gear", "awgear", "cnada love", "cnlove ada"]);
    agent.delete_contact(&ada.id, "").await.unwrap();
    agent.delete_account(&mine.id, "").await.unwrap();
    assert_eq!(stored(&world).await, Vec::<String>::new());
    agent.undelete_account(&mine.id).await.unwrap();
    assert_eq!(titles(agent, "beta").await, ["Beta Gear"]);
}

#[tokio::test]
async fn a_term_that_is_left_over_finds_nothing() {
    let world = world().await;
    let acme = world.agent.create_account(account("Acme")).await.unwrap();
    let stale = format!(
        "insert into customers.search_terms values ('{}', 'anbeta', '{}'), ('{0}', 'angamma', '{0}')",
        tenant(),
        acme.id
    );
    let mut owner = PgConnection::connect(world.database.url()).await.unwrap();
    owner.execute(AssertSqlSafe(stale)).await.unwrap();
    for query in ["beta", "gamma", "btea"] {
        assert_eq!(titles(&world.agent, query).await, Vec::<String>::new(), "{query}");
    }
    assert_eq!(titles(&world.agent, "acme").await, ["Acme"]);
}

#[tokio::test]
async fn rows_that_were_there_before_are_found_after_the_migration() {
    let world = world().await;
    let acme = world.agent.create_account(account("Acme Ltd")).await.unwrap();
    let gone = world.agent.create_account(account("Gone")).await.unwrap();
    world.agent.create_contact(person(&acme.id, "Ada", "Love", "ada@x.example", "+14155550123")).await.unwrap();
    world.agent.delete_account(&gone.id, "").await.unwrap();
    let before = stored(&world).await;
    let mut owner = PgConnection::connect(world.database.url()).await.unwrap();
    let older = "delete from customers.search_terms where term like 'c%'; update customers.key_state set version = 2; \
                 update customers.search_terms set term = term || 'x'";
    owner.execute(older).await.unwrap();
    SERVICE.migrate(world.database.url(), None).await.unwrap();
    assert_eq!(stored(&world).await, before);
    assert_eq!(titles(&world.agent, "love").await, ["Ada Love"]);
}

#[tokio::test]
async fn demo_data_are_found_as_what_is_created_is() {
    let world = world().await;
    seed::demo(&pool(&world.database).await, tenant(), SeedSize { accounts: 20, contacts: 60 }, |_| ()).await.unwrap();
    let seeded = stored(&world).await;
    assert!(seeded.len() > 60 * 4, "{}", seeded.len());
    let mut owner = PgConnection::connect(world.database.url()).await.unwrap();
    owner.execute("update customers.key_state set version = 2").await.unwrap();
    SERVICE.migrate(world.database.url(), None).await.unwrap();
    assert_eq!(stored(&world).await, seeded);
}
