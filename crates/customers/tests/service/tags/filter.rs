//! Lists by tags say what plain SQL says, whichever way they are found.

use crm_proto::customers as pb;
use uuid::Uuid;

use super::{create, named};
use crate::support::{Caller, as_owner, call, tenant, violations, world};

/// Ids of a list, page by page.
async fn listed(caller: &Caller, filter: &str, order_by: &str, show_deleted: bool, page_size: i32) -> Vec<Uuid> {
    let mut request = pb::ListAccountsRequest {
        filter: filter.to_owned(),
        order_by: order_by.to_owned(),
        show_deleted,
        page_size,
        ..Default::default()
    };
    let mut all = Vec::new();
    loop {
        let answer = call!(caller, accounts.list_accounts(request.clone())).unwrap();
        all.extend(answer.accounts.iter().map(|account| account.id.parse::<Uuid>().unwrap()));
        if answer.next_page_token.is_empty() {
            return all;
        }
        request.page_token = answer.next_page_token;
    }
}

#[tokio::test]
async fn lists_by_tags_are_those_of_plain_sql_in_each_order_on_each_page() {
    let world = world().await;
    let mut tags = Vec::new();
    for name in ["most", "many", "few", "one", "none"] {
        tags.push(create(&world.agent, named(name)).await.unwrap().id);
    }
    // Of 3,500 accounts, 2,800 have the first tag: more than are sorted. One in nine is deleted.
    let fill = format!(
        "insert into customers.accounts (tenant_id, id, name, name_key, owner, owner_key, update_time, delete_time, tag_ids) \
         select '{tenant}', md5('a' || n)::uuid, substr(md5('n' || n), 1, 8), substr(md5('n' || n), 1, 8), 'o', 'o' || n % 2, \
         now() - n * 7 % 1000 * interval '1 minute', case when n % 9 = 0 then now() end, \
         array_remove(array[case when n % 5 > 0 then '{}'::uuid end, case when n % 2 = 0 then '{}'::uuid end, \
         case when n % 100 = 0 then '{}'::uuid end, case when n = 7 then '{}'::uuid end], null) \
         from generate_series(1, 3500) n; \
         insert into customers.facets (tenant_id, resource, facet, value, record_id) \
         select tenant_id, 'accounts', unnest(tag_ids), '', id from customers.accounts",
        tags[0],
        tags[1],
        tags[2],
        tags[3],
        tenant = tenant()
    );
    as_owner(&world.database, &fill).await;
    let pool = crate::support::pool(&world.database).await;
    let [most, many, few, one, none]: [String; 5] = tags.try_into().unwrap();
    let nobody = Uuid::nil().to_string();
    for asked in [
        vec![&most],
        vec![&many],
        vec![&few],
        vec![&one],
        vec![&none],
        vec![&nobody],
        vec![&most, &few],
        vec![&few, &most],
        vec![&most, &many],
        vec![&few, &few],
    ] {
        let filter: Vec<String> = asked.iter().map(|tag| format!("tag_ids:\"{tag}\"")).collect();
        let filter = filter.join(" AND ");
        let tests: String = asked.iter().map(|tag| format!(" and '{tag}' = any(tag_ids)")).collect();
        for (order, sql) in [
            ("name", "name_key, id"),
            ("name desc", "name_key desc, id desc"),
            ("update_time", "update_time, id"),
            ("update_time desc", "update_time desc, id desc"),
        ] {
            for (show_deleted, live) in [(false, " and delete_time is null"), (true, "")] {
                let plain = format!(
                    "select id from customers.accounts where tenant_id = '{}'{tests}{live} order by {sql}",
                    tenant()
                );
                let mut transaction = pool.begin_read(tenant(), None).await.unwrap();
                let plain: Vec<Uuid> =
                    sqlx::query_scalar(sqlx::AssertSqlSafe(plain)).fetch_all(&mut *transaction).await.unwrap();
                let page_size = if plain.len() < 100 { 7 } else { 700 };
                assert_eq!(
                    listed(&world.agent, &filter, order, show_deleted, page_size).await,
                    plain,
                    "{filter} {order}"
                );
            }
        }
    }
    let both = listed(&world.agent, &format!("owner = o1 AND tag_ids:{most}"), "", false, 1000).await;
    let plain = "select count(*) from customers.accounts where owner_key = 'o1' and delete_time is null \
                 and cardinality(tag_ids) > 0 and tag_ids[1] is not null";
    assert!(!both.is_empty() && i64::try_from(both.len()).unwrap() <= super::number(&world.database, plain).await);
    for flawed in ["tag_ids:x", "tag_ids = \"x\"", "tag_ids:", "owner:ada"] {
        let request = pb::ListAccountsRequest { filter: flawed.to_owned(), ..Default::default() };
        assert_eq!(violations(call!(world.agent, accounts.list_accounts(request))), ["filter"], "{flawed}");
    }
    // An export and an operation over many find them as well.
    let request = pb::ExportAccountsRequest { filter: format!("tag_ids:{few}"), ..Default::default() };
    let mut export = call!(world.agent, accounts.export_accounts(request)).unwrap();
    let mut exported = 0;
    while let Some(account) = export.message().await.unwrap() {
        assert!(account.tag_ids.contains(&few));
        exported += 1;
    }
    assert_eq!(exported, listed(&world.agent, &format!("tag_ids:{few}"), "", false, 1000).await.len());
}

#[tokio::test]
async fn facets_are_those_of_the_records_whatever_is_done_to_them() {
    let world = world().await;
    let mut tags = Vec::new();
    for name in ["A", "B", "C"] {
        tags.push(create(&world.agent, named(name)).await.unwrap().id);
    }
    let [a, b, c]: [String; 3] = tags.try_into().unwrap();
    let given = |tags: &[&String]| pb::Account {
        tag_ids: tags.iter().map(|tag| (*tag).clone()).collect(),
        ..crate::support::account("Acme")
    };
    let check = async |what: &str| {
        let strays = "select count(*) from ((select tenant_id, facet, record_id from customers.facets \
                      except select tenant_id, unnest(tag_ids), id from customers.accounts) union all \
                      (select tenant_id, unnest(tag_ids), id from customers.accounts except select tenant_id, facet, \
                      record_id from customers.facets where resource = 'accounts' and value = '')) strays";
        assert_eq!(super::number(&world.database, strays).await, 0, "{what}");
    };
    let created = world.agent.create_account(given(&[&a, &b])).await.unwrap();
    check("created").await;
    let update = |tags: &[&String]| pb::Account { id: created.id.clone(), ..given(tags) };
    for tags in [vec![&b, &c], vec![&b, &c], vec![], vec![&a, &b, &c]] {
        world.agent.update_account(update(&tags), &["tag_ids", "name"]).await.unwrap();
        check("updated").await;
    }
    world.agent.delete_account(&created.id, "").await.unwrap();
    check("deleted").await;
    assert_eq!(listed(&world.agent, &format!("tag_ids:{a}"), "", false, 10).await, Vec::<Uuid>::new());
    assert_eq!(listed(&world.agent, &format!("tag_ids:{a}"), "", true, 10).await.len(), 1);
    world.agent.undelete_account(&created.id).await.unwrap();
    check("undeleted").await;
    assert_eq!(listed(&world.agent, &format!("tag_ids:{a}"), "", false, 10).await.len(), 1);
}
