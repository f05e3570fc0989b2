//! Lists by attributes: what a filter finds is what plain SQL finds.

use crm_proto::attributes::AttributeDefinition;
use crm_proto::attributes::attribute_definition::Type;
use crm_proto::customers as pb;
use crm_proto::operations as ops;
use crm_sandbox::testing::TestDatabase;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tonic::{Code, Status};
use uuid::Uuid;

use super::{
    Attributed, Attributes, change, delete, expected, faults, found, number, of, string, text, undelete, values,
};
use crate::support::{account, as_owner, call, eventually, refusal, refused, tenant};

/// Ids of accounts for which a condition of SQL holds, in the order in which lists have them.
async fn by_sql(database: &TestDatabase, condition: &str) -> Vec<String> {
    let mut owner = PgConnection::connect(database.url()).await.unwrap();
    sqlx::query("select set_config('crm.tenant', $1, false)")
        .bind(tenant().to_string())
        .execute(&mut owner)
        .await
        .unwrap();
    let select = format!(
        "select id from customers.accounts where tenant_id = '{}' and delete_time is null and {condition} \
         order by name_key, id",
        tenant()
    );
    let ids: Vec<Uuid> = sqlx::query_scalar(AssertSqlSafe(select)).fetch_all(&mut owner).await.unwrap();
    ids.iter().map(Uuid::to_string).collect()
}

const TEXTS: [&str; 5] = ["x", "X", "é", "sha256:00", "a b"];
const DAYS: [&str; 5] = ["0001-01-01", "2026-02-28", "2026-03-01", "2028-02-29", "9999-12-31"];
const NUMBERS: [f64; 9] = [-1e14, -10.0, -9.5, -1e-9, 0.0, 1e-9, 9.5, 10.0, 999_999_999_999_999.0];

fn pick<T: Copy>(random: &mut StdRng, all: &[T]) -> T {
    all[random.random_range(0..all.len())]
}

fn some_values(random: &mut StdRng) -> Attributes {
    let long = "é".repeat(random.random_range(199..=200));
    let text = if random.random_bool(0.2) { long.as_str() } else { pick(random, &TEXTS) };
    let mut all = values([
        ("name2", string(text)),
        ("seats", number(pick(random, &NUMBERS))),
        ("since", string(pick(random, &DAYS))),
        ("tier", string(pick(random, &["gold", "lead"]))),
    ]);
    all.retain(|_, _| random.random_bool(0.7));
    all
}

/// A comparison, as a filter and as SQL.
fn some_condition(random: &mut StdRng) -> (String, String) {
    let operator = pick(random, &["=", "<", "<=", ">", ">="]);
    match random.random_range(0..4) {
        0 => {
            let text = pick(random, &TEXTS);
            (format!("attributes.name2 = \"{text}\""), format!("attributes ->> 'name2' = '{text}'"))
        }
        1 => {
            let number = pick(random, &NUMBERS);
            let sql = format!("(attributes ->> 'seats')::numeric {operator} {number}::numeric");
            (format!("attributes.seats {operator} {number}"), sql)
        }
        2 => {
            let day = pick(random, &DAYS);
            let sql = format!("(attributes ->> 'since')::date {operator} '{day}'::date");
            (format!("attributes.since {operator} {day}"), sql)
        }
        _ => {
            let tier = pick(random, &["gold", "lead"]);
            (format!("attributes.tier = {tier}"), format!("attributes ->> 'tier' = '{tier}'"))
        }
    }
}

async fn check_some(it: &Attributed, random: &mut StdRng, count: usize) {
    for _ in 0..count {
        let conditions: Vec<_> = (0..random.random_range(1..=3)).map(|_| some_condition(random)).collect();
        let (filters, sql): (Vec<_>, Vec<_>) = conditions.into_iter().unzip();
        let (filter, sql) = (filters.join(" AND "), sql.join(" and "));
        assert_eq!(found(&it.agent, &filter).await.unwrap(), by_sql(&it.database, &sql).await, "{filter}");
    }
}

#[tokio::test]
async fn what_a_filter_finds_is_what_sql_finds_whatever_is_changed() {
    let it = Attributed::with_all().await;
    let seed = rand::random();
    println!("seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let mut ids = Vec::new();
    for _ in 0..60 {
        ids.push(it.account(some_values(&mut random)).await.id);
    }
    check_some(&it, &mut random, 40).await;
    for id in &ids {
        match random.random_range(0..4) {
            0 => drop(it.agent.delete_account(id, "").await.unwrap()),
            1 => {
                it.agent.delete_account(id, "").await.unwrap();
                it.agent.undelete_account(id).await.unwrap();
            }
            _ => {
                let attributes = some_values(&mut random);
                let changed = pb::Account { id: id.clone(), attributes, ..Default::default() };
                it.agent.update_account(changed, &["attributes"]).await.unwrap();
            }
        }
    }
    check_some(&it, &mut random, 40).await;
    // Too many have it for the table of facets to tell which: a walk along the order meets them.
    as_owner(
        &it.database,
        &format!(
            "insert into customers.accounts (tenant_id, id, name, name_key, attributes) \
             select '{0}', gen_random_uuid(), 'x', 'x', '{{\"seats\": 10, \"since\": \"2026-03-01\", \"name2\": \"x\", \
             \"tier\": \"gold\"}}' from generate_series(1, 2100); \
             insert into customers.facets (tenant_id, resource, facet, value, record_id) \
             select tenant_id, resource, facet, value, accounts.id from customers.facets join customers.accounts \
             using (tenant_id) where name = 'x' and record_id = '{1}'",
            tenant(),
            gold_at_ten(&it).await
        ),
    )
    .await;
    for (filter, sql) in [
        ("attributes.seats > 9.5 AND attributes.seats <= 10", "(attributes ->> 'seats')::numeric = 10"),
        (
            "attributes.since < 2028-02-29 AND attributes.tier = gold",
            "(attributes ->> 'since')::date < '2028-02-29' and attributes ->> 'tier' = 'gold'",
        ),
        ("attributes.name2 = x", "attributes ->> 'name2' = 'x'"),
    ] {
        let expected = by_sql(&it.database, sql).await;
        assert!(expected.len() > 2_000, "{filter}");
        assert_eq!(found(&it.agent, filter).await.unwrap(), expected[..1_000], "{filter}");
    }
}

/// An account with the values that thousands are to have.
async fn gold_at_ten(it: &Attributed) -> String {
    let attributes = values([
        ("seats", number(10.0)),
        ("since", string("2026-03-01")),
        ("name2", string("x")),
        ("tier", string("gold")),
    ]);
    it.account(attributes).await.id
}

#[tokio::test]
async fn what_cannot_be_filtered_by_is_told_with_its_place() {
    let it = Attributed::with_all().await;
    it.define(text("plain")).await;
    let check = async |filter: &str, told: &str| {
        let status = found(&it.agent, filter).await.unwrap_err();
        let description = violation(&status);
        assert!(description.contains(told), "{filter}: {description}");
        assert_eq!(faults::<()>(Err(status)), expected(&[("filter", "FILTER_INVALID")]));
    };
    check("attributes.nobody = 1", "attributes.nobody is no attribute that is filterable; these are: name2, seats")
        .await;
    check("attributes.plain = x", "attributes.plain is not filterable: MakeAttributeFilterable makes it so").await;
    check("attributes.tier = brass", "attributes.tier must be one of gold, lead (at character 19)").await;
    check("attributes.tier > gold", "attributes.tier is compared by = (at character 19)").await;
    check("attributes.name2 < x", "attributes.name2 is compared by =").await;
    check("attributes.seats = many", "attributes.seats must be a number").await;
    check("attributes.seats = 9007199254740993", "attributes.seats must be a number of at most 15 digits").await;
    check("attributes.since >= 2026-02-30", "attributes.since must be a day").await;
    check("attributes.since != 2026-02-28", "attributes is compared by =, <, <=, > or >=").await;
    check("attributes = 1", "only by").await;
    check("attributes.name2 = \"x*\"", "cannot be compared with a prefix").await;
}

fn violation(status: &Status) -> String {
    use tonic_types::StatusExt;
    status.get_error_details().bad_request().unwrap().field_violations[0].description.clone()
}

/// The operation that makes a definition filterable, once it has ended.
async fn make_filterable(it: &Attributed, id: &str) -> ops::Operation {
    let request_id = Uuid::new_v4().to_string();
    let request = super::pb::MakeAttributeFilterableRequest { id: id.to_owned(), request_id };
    let begun = call!(it.admin, definitions.make_attribute_filterable(request)).unwrap();
    let get = async || {
        let request = ops::GetOperationRequest { id: begun.id.clone() };
        call!(it.admin, operations.get_operation(request)).unwrap()
    };
    eventually("the end of the operation", async || get().await.done).await;
    get().await
}

#[tokio::test]
async fn records_that_were_there_before_are_found_once_all_were_looked_at() {
    let it = Attributed::start().await;
    let (seats, plain) = (it.define(of("seats", Type::Number)).await, it.define(text("plain")).await);
    let mut random = StdRng::seed_from_u64(7);
    let some = |random: &mut StdRng| {
        let mut all = values([("seats", number(pick(random, &NUMBERS))), ("plain", string(pick(random, &TEXTS)))]);
        all.retain(|_, _| random.random_bool(0.8));
        all
    };
    let mut ids = Vec::new();
    for _ in 0..20 {
        ids.push(it.account(some(&mut random)).await.id);
    }
    // More than a step has, most of which have none.
    as_owner(
        &it.database,
        &format!(
            "insert into customers.accounts (tenant_id, id, name, name_key) \
             select '{}', gen_random_uuid(), 'x', 'x' from generate_series(1, 600)",
            tenant()
        ),
    )
    .await;
    let check = async || {
        for (operator, number) in [("=", 10.0), ("<", 0.0), (">=", -9.5)] {
            let sql = format!("(attributes ->> 'seats')::numeric {operator} {number}");
            let filter = format!("attributes.seats {operator} {number}");
            assert_eq!(found(&it.agent, &filter).await.unwrap(), by_sql(&it.database, &sql).await, "{filter}");
        }
    };
    let ended = make_filterable(&it, &seats.id).await;
    assert_eq!(ended.progress.unwrap().done, 620);
    assert!(matches!(ended.result, Some(ops::operation::Result::Response(_))), "{:?}", ended.result);
    let made = super::get(&it.agent, &seats.id).await.unwrap();
    assert_eq!((made.filterable, made.filter_ready), (Some(true), true));
    check().await;

    // While there is no filter values change, and when there is one again it is right.
    let without = AttributeDefinition { filterable: Some(false), ..made };
    change(&it.admin, without, &["filterable"]).await.unwrap();
    for id in &ids {
        let changed = pb::Account { id: id.clone(), attributes: some(&mut random), ..Default::default() };
        it.agent.update_account(changed, &["attributes"]).await.unwrap();
    }
    make_filterable(&it, &seats.id).await;
    check().await;
    delete(&it.admin, &seats.id).await.unwrap();
    undelete(&it.admin, &seats.id).await.unwrap();
    assert_eq!(faults(found(&it.agent, "attributes.seats = 1").await), expected(&[("filter", "FILTER_INVALID")]));
    make_filterable(&it, &seats.id).await;
    check().await;

    delete(&it.admin, &plain.id).await.unwrap();
    let request = super::pb::MakeAttributeFilterableRequest { id: plain.id, request_id: Uuid::new_v4().to_string() };
    let gone = call!(it.admin, definitions.make_attribute_filterable(request));
    assert_eq!(refusal(gone), refused(Code::NotFound, "ATTRIBUTE_DEFINITION_NOT_FOUND"));
}

#[tokio::test]
async fn until_all_were_looked_at_the_filter_is_refused() {
    let it = Attributed::start().await;
    let definition = it.define(text("plain")).await;
    as_owner(
        &it.database,
        &format!(
            "update customers.attribute_definitions set filterable = true, filling = id where id = '{}'",
            definition.id
        ),
    )
    .await;
    let not_ready = refused(Code::FailedPrecondition, "ATTRIBUTE_FILTER_NOT_READY");
    assert_eq!(refusal(found(&it.agent, "attributes.plain = x").await), not_ready);
    let request = pb::ExportAccountsRequest { filter: "attributes.plain = x".to_owned(), ..Default::default() };
    assert_eq!(refusal(call!(it.agent, accounts.export_accounts(request)).map(drop)), not_ready);
    // Who writes a value meanwhile writes its facet as well.
    let created = it.account(values([("plain", string("x"))])).await;
    make_filterable(&it, &definition.id).await;
    assert_eq!(found(&it.agent, "attributes.plain = x").await.unwrap(), [created.id]);
    assert_eq!(found(&it.agent, "attributes.plain = y").await.unwrap(), Vec::<String>::new());
    assert!(it.agent.create_account(account("Acme")).await.is_ok());
}
