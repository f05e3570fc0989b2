//! Demo data.

use crm_customers::seed::{self, SeedSize, Seeded};
use crm_proto::activities::{ListActivitiesRequest, ListOpenTasksRequest, UpdateActivityRequest};
use crm_proto::customers as pb;
use crm_resource::seed::Loaded;
use sqlx::{Connection, PgConnection};

use crate::support::{account, call, field_mask, pool, tenant, world};

#[tokio::test]
async fn a_second_run_creates_nothing_and_a_taken_domain_is_left_alone() {
    let world = world().await;
    let size = SeedSize { accounts: 2_300, contacts: 6_000 };
    let pool = pool(&world.database).await;
    // Somebody has the domain of the third company.
    let taken = pb::Account { domain: "polarframe.example".to_owned(), ..account("Mine") };
    let mine = world.agent.create_account(taken).await.unwrap();
    let mut told = Vec::new();
    let Seeded { accounts, contacts } =
        seed::demo(&pool, tenant(), size, |progress| told.push((progress.what, progress.done))).await.unwrap();
    assert_eq!(accounts, 2_299, "all but the third");
    assert!((5_001..6_000).contains(&contacts), "all but those of the third: {contacts}");
    assert_eq!(
        (&told[..2], told.last()),
        (&[("accounts", 2_000), ("accounts", 2_300)][..], Some(&("contacts", 6_000)))
    );
    assert_eq!(seed::demo(&pool, tenant(), size, |_| ()).await.unwrap(), Seeded::default());
    assert_eq!(world.agent.get_account(&mine.id).await.unwrap(), mine);
}

#[tokio::test]
async fn a_larger_set_continues_a_smaller_one() {
    let database = crate::support::database().await;
    let pool = pool(&database).await;
    let (small, large) = (SeedSize { accounts: 100, contacts: 400 }, SeedSize { accounts: 300, contacts: 3_000 });
    let first = seed::demo(&pool, tenant(), small, |_| ()).await.unwrap();
    let second = seed::demo(&pool, tenant(), large, |_| ()).await.unwrap();
    assert_eq!((first.accounts, second.accounts), (100, 200));
    assert!(first.contacts + second.contacts >= 3_000, "contacts have no account: {first:?} {second:?}");
}

#[tokio::test]
async fn seeded_rows_are_like_those_that_are_created() {
    let world = world().await;
    let size = SeedSize { accounts: 2_500, contacts: 9_000 };
    seed::demo(&pool(&world.database).await, tenant(), size, |_| ()).await.unwrap();
    let answer =
        call!(world.agent, accounts.list_accounts(pb::ListAccountsRequest { page_size: 150, ..Default::default() }));
    for seeded in answer.unwrap().accounts {
        // An update of everything with what is there passes all checks and changes nothing.
        let same = world.agent.update_account(seeded.clone(), &["*"]).await.unwrap();
        assert_eq!(same, seeded);
    }
    // But for their history, which begins later.
    let request = pb::ListAccountsRequest { page_size: 1, ..Default::default() };
    let seeded = call!(world.agent, accounts.list_accounts(request)).unwrap().accounts.remove(0);
    let request = pb::GetAccountHistoryRequest { id: seeded.id.clone(), ..Default::default() };
    let history = call!(world.agent, accounts.get_account_history(request.clone())).unwrap();
    assert_eq!(history, pb::GetAccountHistoryResponse::default());
    let changed =
        world.agent.update_account(pb::Account { owner: "bo".to_owned(), ..seeded }, &["owner"]).await.unwrap();
    let history = call!(world.agent, accounts.get_account_history(request)).unwrap();
    assert_eq!((history.changes.len(), history.complete, history.begin_time), (1, false, changed.update_time));
    let request = pb::ListContactsRequest { page_size: 100, ..Default::default() };
    for seeded in call!(world.agent, contacts.list_contacts(request)).unwrap().contacts {
        assert_eq!(world.agent.update_contact(seeded.clone(), &["*"]).await.unwrap(), seeded);
    }
    let mut owner = PgConnection::connect(world.database.url()).await.unwrap();
    let (largest, smallest, subsidiaries): (i64, i64, i64) = sqlx::query_as(
        "select max(people), min(people), (select count(*) from customers.accounts where parent_id is not null) \
         from (select count(*) people from customers.contacts group by account_id) sizes",
    )
    .fetch_one(&mut owner)
    .await
    .unwrap();
    assert!(largest > 500 && smallest < 5 && subsidiaries > 5, "{largest} {smallest} {subsidiaries}");
}

#[tokio::test]
async fn tags_are_those_of_the_records_but_for_one_whose_name_is_taken() {
    let world = world().await;
    let pool = pool(&world.database).await;
    let mine = crate::tags::tag(&world.agent, "key ACCOUNT").await;
    let size = SeedSize { accounts: 300, contacts: 900 };
    seed::demo(&pool, tenant(), size, |_| ()).await.unwrap();
    seed::demo(&pool, tenant(), size, |_| ()).await.unwrap();
    let number = async |select: &str| {
        let mut owner = PgConnection::connect(world.database.url()).await.unwrap();
        sqlx::query_scalar::<_, i64>(sqlx::AssertSqlSafe(select.to_owned())).fetch_one(&mut owner).await.unwrap()
    };
    assert_eq!(number("select count(*) from customers.tags").await, 12);
    let of = |table: &str| format!("select count(*) from customers.{table} where cardinality(tag_ids) > 0");
    let (accounts, contacts) = (number(&of("accounts")).await, number(&of("contacts")).await);
    assert!((75..200).contains(&accounts) && (90..250).contains(&contacts), "{accounts} {contacts}");
    let strays = "select count(*) from ((select resource, facet, record_id from customers.facets except \
                  (select 'accounts', unnest(tag_ids), id from customers.accounts union all \
                  select 'contacts', unnest(tag_ids), id from customers.contacts)) union all \
                  ((select 'accounts', unnest(tag_ids), id from customers.accounts union all \
                  select 'contacts', unnest(tag_ids), id from customers.contacts) \
                  except select resource, facet, record_id from customers.facets) union all \
                  select 'accounts', facet, record_id from customers.facets where facet not in (select id from customers.tags)) strays";
    assert_eq!(number(strays).await, 0);
    assert_eq!(number(&format!("select count(*) from customers.facets where facet = '{mine}'")).await, 0);
}

#[tokio::test]
async fn activities_are_loaded_once_on_what_is_there_and_are_like_those_that_are_created() {
    let world = world().await;
    let (pool, size) = (pool(&world.database).await, SeedSize { accounts: 300, contacts: 900 });
    assert_eq!(seed::activities(&pool, tenant(), size, 100, |_| ()).await.unwrap(), 0, "nothing is there to be about");
    seed::demo(&pool, tenant(), size, |_| ()).await.unwrap();
    assert_eq!(seed::activities(&pool, tenant(), size, 2_000, |_| ()).await.unwrap(), 2_000);
    assert_eq!(seed::activities(&pool, tenant(), size, 2_000, |_| ()).await.unwrap(), 0);
    let request = ListActivitiesRequest { page_size: 150, ..Default::default() };
    for seeded in call!(world.agent, activities.list_activities(request)).unwrap().activities {
        let request = UpdateActivityRequest { activity: Some(seeded.clone()), update_mask: field_mask(&["*"]) };
        assert_eq!(call!(world.agent, activities.update_activity(request)).unwrap(), seeded);
    }
    let request = ListOpenTasksRequest { page_size: 1_000, ..Default::default() };
    let tasks = call!(world.agent, activities.list_open_tasks(request)).unwrap().activities;
    assert!(tasks.len() > 3, "ada has {} open tasks", tasks.len());
}

#[tokio::test]
async fn a_large_set_is_in_forty_tenants_is_the_same_in_every_run_and_has_doubles_that_are_found() {
    let world = world().await;
    let pool = pool(&world.database).await;
    let rows = |loaded: &[Loaded]| loaded.iter().map(|loaded| (loaded.table, loaded.rows)).collect::<Vec<_>>();
    let loaded = rows(&seed::large(&pool, "acme", 1_000, |_| ()).await.unwrap());
    let tables = ["accounts", "search_terms", "contacts", "contact_emails", "search_terms", "activities"];
    assert_eq!(loaded.iter().map(|(table, _)| *table).collect::<Vec<_>>(), tables);
    assert_eq!((loaded[2].1, loaded[5].1), (1_000, 3_000));
    assert!(loaded[3].1 > 1_000 && loaded[4].1 > 4_000, "{loaded:?}");
    let again = rows(&seed::large(&pool, "acme", 1_000, |_| ()).await.unwrap());
    assert!(again.iter().all(|(_, rows)| *rows == 0), "{again:?}");

    let mut owner = PgConnection::connect(world.database.url()).await.unwrap();
    let tenants = "select count(*) from customers.contacts group by tenant_id order by 1 desc";
    let tenants: Vec<i64> = sqlx::query_scalar(tenants).fetch_all(&mut owner).await.unwrap();
    assert_eq!((tenants.len(), tenants[0], tenants.iter().sum::<i64>()), (40, 500, 1_000));
    let everything = "select md5(string_agg(concat_ws('|', tenant_id, id, account_id, given_name, family_name, emails, phones, \
                      extract(epoch from create_time)), ',' order by tenant_id, id)) from customers.contacts";
    let hash: String = sqlx::query_scalar(everything).fetch_one(&mut owner).await.unwrap();
    assert_eq!(hash, "a33e974cd155951f654552bb4a95956c", "the rows are the same as ever");

    let request = pb::ListContactsRequest { page_size: 500, ..Default::default() };
    let mut alike = 0;
    for contact in call!(world.agent, contacts.list_contacts(request)).unwrap().contacts {
        let request = pb::FindDuplicateContactsRequest { contact: None, id: contact.id };
        let found = call!(world.agent, search.find_duplicate_contacts(request)).unwrap().duplicates;
        alike += usize::from(found.iter().any(|found| found.score >= 35));
    }
    // Ten pairs, of which one in four may have too little in common, and some namesakes.
    assert!((14..60).contains(&alike), "{alike} have somebody like them");
}

#[tokio::test]
#[ignore = "for measuring, by hand: the whole demo set"]
async fn the_demo_set_is_loaded() {
    let database = crate::support::database().await;
    let pool = pool(&database).await;
    for run in ["first", "second"] {
        let begin = std::time::Instant::now();
        let seeded = seed::demo(&pool, tenant(), SeedSize::DEMO, |_| ()).await.unwrap();
        println!("{run} run: {seeded:?} in {:?}", begin.elapsed());
    }
}

#[tokio::test]
async fn half_of_the_accounts_have_attributes_and_lists_are_filtered_by_them() {
    let world = world().await;
    let pool = pool(&world.database).await;
    let size = SeedSize { accounts: 300, contacts: 0 };
    let created = seed::demo(&pool, tenant(), size, |_| ()).await.unwrap().accounts;
    assert_eq!(seed::attributes(&pool, tenant(), size).await.unwrap(), 3);
    assert_eq!(seed::attributes(&pool, tenant(), size).await.unwrap(), 0, "a second run defines nothing");
    let count = async |filter: &str| {
        let request = pb::ListAccountsRequest { filter: filter.to_owned(), page_size: 1_000, ..Default::default() };
        let page = call!(world.agent, accounts.list_accounts(request)).unwrap();
        assert!(page.accounts.iter().all(|account| filter.is_empty() || account.attributes.len() == 3));
        page.accounts.len()
    };
    let half = usize::try_from(created).unwrap() / 2;
    assert_eq!(count("attributes.seats >= 1 AND attributes.renewal >= 2027-01-01").await, half);
    let tiers = [count("attributes.tier = gold").await, count("attributes.tier = silver").await];
    assert!(tiers.iter().all(|tier| (1..half).contains(tier)), "{tiers:?}");
}
