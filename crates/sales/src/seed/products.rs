//! What is sold.

use crm_resource::seed::{BEGIN_MS, Random, Table};
use crm_values::{name_key, text_key};
use uuid::Uuid;

const PRODUCT: u64 = 0x0000_970d;

/// Name, unit and price in whole units of any currency; what is sold most first.
const ALL: [(&str, &str, i64); 12] = [
    ("Seat, yearly", "seat", 240),
    ("Support, standard", "year", 1_800),
    ("Onboarding", "day", 1_100),
    ("Sensor S1", "piece", 85),
    ("Gateway G2", "piece", 640),
    ("Support, around the clock", "year", 7_500),
    ("Training", "day", 950),
    ("Sensor S2, outdoors", "piece", 145),
    ("Interface to accounting", "piece", 3_200),
    ("Rack", "piece", 2_400),
    ("Audit", "day", 1_400),
    ("Archive, 10 years", "piece", 5_600),
];

/// One of them: its id, name, and price in minor units.
pub(super) fn any(random: &mut Random) -> (Uuid, &'static str, i64) {
    let numbers: [u32; ALL.len()] = std::array::from_fn(|number| u32::try_from(number).unwrap_or_default());
    let number = *random.pick_early(&numbers);
    let (name, _, price) = ALL[number as usize];
    (id(number), name, price * 100)
}

fn id(number: u32) -> Uuid {
    Random::new(PRODUCT, number).id(BEGIN_MS)
}

/// Lines of `copy`.
pub(super) fn rows() -> impl Iterator<Item = String> {
    (0..).zip(ALL).map(|(number, (name, unit, price))| {
        let sku = format!("BW-{:03}", number + 1);
        format!("{}\t{name}\t{}\t{sku}\t{}\t{unit}\t{}\n", id(number), name_key(name), text_key(&sku), price * 100)
    })
}

pub(super) static TABLE: Table = Table {
    schema: "sales",
    names: &["products"],
    find: "select id from sales.products where tenant_id = $1 and id = $2",
    create: "create temporary table seed on commit drop as \
             select id, name, name_key, sku, sku_key, unit, price_minor from sales.products with no data",
    insert: "with created as (insert into sales.products \
             (tenant_id, id, name, name_key, sku, sku_key, unit, price_minor, price_currency) \
             select $1, id, name, name_key, sku, sku_key, unit, price_minor, 'EUR' from seed on conflict do nothing returning id) \
             select array[(select count(*) from created)]",
};
