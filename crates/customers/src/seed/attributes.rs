//! What the tenant has of its own: three attributes of accounts, and values of them for every second one.

use crm_database::{Database, Error};
use crm_resource::attributes::facet;
use crm_resource::seed::Random;
use serde_json::{Value, json};
use uuid::Uuid;

use super::companies;
use super::set::Set;

const KIND: u64 = 0x00a7_7121;
const TIERS: [&str; 3] = ["gold", "silver", "bronze"];
/// 2026-01-01T00:00:00Z, when the definitions were made.
const DEFINED_MS: u64 = 1_767_225_600_000;

const DEFINE: &str = "with set as (insert into customers.attribute_sets as sets (tenant_id, resource, version) \
                      values ($1, 'accounts', 2) on conflict (tenant_id, resource) do update set version = sets.version + 1) \
                      insert into customers.attribute_definitions \
                      (tenant_id, id, resource, key, type, display_name, choices, filterable) \
                      select $1, id, 'accounts', key, type, display_name, choices, true from unnest($2::uuid[], $3::text[], \
                      $4::text[], $5::text[], $6::jsonb[]) as new (id, key, type, display_name, choices) \
                      on conflict do nothing";

// As long as nobody has given them others.
const FILL: &str = "with filled as (update customers.accounts set attributes = new.attributes \
                    from unnest($2::uuid[], $3::jsonb[]) as new (id, attributes) \
                    where tenant_id = $1 and accounts.id = new.id and accounts.attributes = '{}' returning accounts.id) \
                    insert into customers.facets (tenant_id, resource, facet, value, record_id) \
                    select $1, 'accounts', facet, value, id from filled join \
                    unnest($4::uuid[], $5::uuid[], $6::text[]) as come (id, facet, value) using (id) on conflict do nothing";

/// Defines the attributes, and gives values of them to every second account of a set if they were not there before.
pub(super) async fn load(database: &Database, tenant: Uuid, set: Set) -> Result<u64, Error> {
    let mut transaction = database.begin(tenant, None).await?;
    let mut random = Random::new(KIND, 0);
    let choices: Value =
        TIERS.iter().map(|tier| json!({"value": tier, "display_name": "", "archived": false})).collect();
    let all = [
        ("tier", "choice", "Tier", choices),
        ("seats", "number", "Seats", json!([])),
        ("renewal", "date", "Renewal", json!([])),
    ];
    let ids: Vec<Uuid> = all.iter().map(|_| random.id(DEFINED_MS)).collect();
    let of = |pick: fn(&(&'static str, &'static str, &'static str, Value)) -> &'static str| -> Vec<String> {
        all.iter().map(|one| pick(one).to_owned()).collect()
    };
    let query = sqlx::query(DEFINE).bind(tenant).bind(ids).bind(of(|one| one.0)).bind(of(|one| one.1));
    let choices: Vec<Value> = all.iter().map(|one| one.3.clone()).collect();
    let query = query.bind(of(|one| one.2)).bind(choices).persistent(false);
    let defined = transaction.execute("define_seed", query).await?;
    transaction.commit().await?;
    if defined > 0 {
        let accounts = set.size.accounts;
        for first in (0..accounts).step_by(super::ACCOUNTS_A_CHUNK as usize) {
            fill(database, tenant, set, first..accounts.min(first + super::ACCOUNTS_A_CHUNK)).await?;
        }
    }
    Ok(defined)
}

async fn fill(database: &Database, tenant: Uuid, set: Set, numbers: std::ops::Range<u32>) -> Result<(), Error> {
    let (mut ids, mut values) = (Vec::new(), Vec::new());
    let (mut owners, mut facets, mut keys) = (Vec::new(), Vec::new(), Vec::new());
    for number in numbers.filter(|number| number % 2 == 0) {
        let (company, ..) = companies::company(set, number);
        let all = some(number);
        for (key, value) in all.as_object().into_iter().flatten() {
            let (id, value) = facet("accounts", key, value);
            owners.push(company.id);
            facets.push(id);
            keys.push(value);
        }
        ids.push(company.id);
        values.push(all);
    }
    let mut transaction = database.begin(tenant, None).await?;
    let query = sqlx::query(FILL).bind(tenant).bind(ids).bind(values).bind(owners).bind(facets).bind(keys);
    transaction.execute("fill_seed", query.persistent(false)).await?;
    transaction.commit().await
}

fn some(number: u32) -> Value {
    let mut random = Random::new(KIND, number + 1);
    let (month, day) = (1 + random.below(12), 1 + random.below(28));
    json!({
        "tier": random.pick_early(&TIERS),
        "seats": 1 + random.below(500),
        "renewal": format!("2027-{month:02}-{day:02}"),
    })
}
