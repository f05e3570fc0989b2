//! Tags, and who has them. They are drawn beside everything else, which is as it was before there were any.

use std::fmt::Write;

use crm_database::{Database, Error};
use crm_resource::seed::{BEGIN_MS, Chunk, Random, Table, fill, time};
use crm_values::name_key;
use uuid::Uuid;

use super::set::Set;

const KIND: u64 = 0x007a_9141;
const OF_ACCOUNT: u64 = 0x007a_9ac0;
const OF_CONTACT: u64 = 0x007a_9c07;

const COUNT: u32 = 12;
/// The commonest first.
const TAGS: [(&str, &str, &str); COUNT as usize] = [
    ("Key account", "#1f6feb", "Visited every quarter"),
    ("Newsletter", "#2da44e", ""),
    ("Partner", "#8250df", "Sells what we make"),
    ("Trade fair", "#bf8700", "Met at a stand"),
    ("Reference", "#0969da", "Others may call them"),
    ("At risk", "#cf222e", "Has complained, or is silent"),
    ("Public sector", "#57606a", ""),
    ("Beta tester", "#bc4c00", ""),
    ("Churned", "#6e7781", "Was a customer once"),
    ("Prospect", "#1a7f37", ""),
    ("Speaker", "#a475f9", "At one of our events"),
    ("VIP", "#d4a72c", ""),
];

/// Loads the tags, but for those whose name somebody else's tag has.
pub(super) async fn tags(database: &Database, tenant: Uuid) -> Result<(), Error> {
    let mut rows = String::new();
    for (number, (name, colour, description)) in (0..).zip(TAGS) {
        let (id, key, time) = (id(number), name_key(name), time(BEGIN_MS));
        // Writing to a string does not fail.
        let _ = writeln!(rows, "{id}\t{name}\t{key}\t{colour}\t{description}\t{time}");
    }
    let chunk = Chunk { tenant, rows, count: COUNT };
    fill(database, &TABLE, (std::iter::once(chunk), COUNT), 1, |_| ()).await.map(drop)
}

/// Those of the `number`th account: half of the accounts have one or two.
pub(super) fn of_account(set: Set, number: u32) -> String {
    let mut random = Random::new(OF_ACCOUNT, number);
    if !set.is_large() && random.chance(50) { some(&mut random) } else { "{}".to_owned() }
}

/// Those of the `number`th contact: a fifth of the contacts have one or two.
pub(super) fn of_contact(set: Set, number: u32) -> String {
    let mut random = Random::new(OF_CONTACT, number);
    if !set.is_large() && random.chance(20) { some(&mut random) } else { "{}".to_owned() }
}

/// As an array, in its order.
fn some(random: &mut Random) -> String {
    let numbers: [u32; COUNT as usize] = std::array::from_fn(|number| u32::try_from(number).unwrap_or_default());
    let mut ids = vec![id(*random.pick_early(&numbers)), id(*random.pick_early(&numbers))];
    ids.truncate(if random.chance(30) { 2 } else { 1 });
    ids.sort_unstable();
    ids.dedup();
    let ids: Vec<String> = ids.iter().map(Uuid::to_string).collect();
    format!("{{{}}}", ids.join(","))
}

fn id(number: u32) -> Uuid {
    Random::new(KIND, number).id(BEGIN_MS)
}

static TABLE: Table = Table {
    schema: "customers",
    names: &["tags"],
    find: "select id from customers.tags where tenant_id = $1 and id = $2",
    create: "create temporary table seed on commit drop as \
             select id, name, name_key, colour, description, create_time from customers.tags with no data",
    insert: "with created as (insert into customers.tags (tenant_id, id, name, name_key, colour, description, create_time, update_time) \
             select $1, id, name, name_key, colour, description, create_time, create_time from seed on conflict do nothing \
             returning id) select array[(select count(*) from created)]",
};
