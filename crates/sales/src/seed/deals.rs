//! Opportunities: each walks through its pipeline until it is decided, or the data end.

use crm_resource::seed::{BEGIN_MS, DEMO_ACCOUNTS, Known, Random, SPAN_MS, USERS, account, time};
use serde_json::{Value, json};

use super::pipelines::Way;
use super::products;
use crate::listed::Listed;
use crate::opportunities::{Line, sum};
use crate::pipelines::{Stage, StageKind};

const DEAL: u64 = 0x0000_dea1;
const HOUR_MS: u64 = 3_600_000;
const DAY_MS: u64 = 24 * HOUR_MS;
const END_MS: u64 = BEGIN_MS + SPAN_MS;
const NONE: &str = "\\N";

/// The commonest first.
const CURRENCIES: [&str; 4] = ["EUR", "EUR", "USD", "GBP"];
const WHAT: [&str; 10] = [
    "Seats",
    "Sensors",
    "Support",
    "Extension",
    "Pilot",
    "Replacement",
    "Training",
    "Archive",
    "Gateways",
    "Second site",
];
const WHY: [&str; 10] = [
    "for the new line",
    "for the north",
    "for field service",
    "for the warehouse",
    "for head office",
    "after the merger",
    "for the partner network",
    "for the call centre",
    "before the audit",
    "for next year",
];
const REASONS: [&str; 6] = ["Price", "No budget", "A competitor", "No decision", "Missing feature", "No answer"];
const STEPS: [&str; 6] =
    ["Send the offer", "Call back", "Arrange a visit", "Ask for the budget", "Send references", "Agree on terms"];

/// Where a deal stands, and how it came there.
struct Walk {
    stage: Stage,
    entered: u64,
    stays: Vec<Value>,
}

/// A line of `copy` for the `number`th opportunity.
pub(super) fn row(number: u32) -> String {
    let mut random = Random::new(DEAL, number);
    let Known { id: account, created: known } = account(0, random.skewed(DEMO_ACCOUNTS)).0;
    let created = known + random.below(END_MS - DAY_MS - known);
    let id = random.id(created);
    let way = Way::of(u32::from(random.chance(20)));
    let name = format!("{} {}", random.pick_early(&WHAT), random.pick(&WHY));
    let owner = random.pick_early(&USERS);
    let (amount, lines, value, currency) = worth(&mut random);
    let Walk { stage, entered, stays } = walk(&way, created, &mut random);
    let is_open = stage.kind == StageKind::Open;
    let closing = if is_open { END_MS + random.below(365) * DAY_MS } else { entered };
    let probability = if is_open && random.chance(15) { (random.below(20) * 5).to_string() } else { NONE.to_owned() };
    let (step, due) = if is_open && random.chance(70) {
        (*random.pick(&STEPS), day(END_MS - 20 * DAY_MS + random.below(80) * DAY_MS))
    } else {
        ("", String::new())
    };
    let reason = if stage.kind == StageKind::Lost { *random.pick_early(&REASONS) } else { "" };
    let closed = if is_open { NONE.to_owned() } else { time(entered) };
    format!(
        "{id}\t{name}\t{account}\t{}\t{}\t{}\t{amount}\t{lines}\t{value}\t{currency}\t{probability}\t{}\t{owner}\t{step}\t{due}\t\
         {reason}\t{}\t{closed}\t{}\t{}\t{}\n",
        way.id,
        stage.id,
        stage.kind.as_str(),
        day(closing),
        time(entered),
        time(created),
        time(entered),
        Value::from(stays),
    )
}

/// Its own amount or none, its lines, what it counts as, in minor units, and the currency.
fn worth(random: &mut Random) -> (String, String, i64, String) {
    let currency = *random.pick_early(&CURRENCIES);
    if random.chance(30) {
        let lines: Vec<Line> = (0..=random.below(3))
            .map(|_| {
                let (product, name, price) = products::any(random);
                let pieces = i64::from(1 + random.skewed(60));
                Line::of(product, name, pieces, price, currency)
            })
            .collect();
        let (value, currency) = sum(&lines).unwrap_or_default();
        return (NONE.to_owned(), Listed(lines).written(), value, currency);
    }
    // Most are small, and a few are fifty times as large.
    let amount = 100_000 + 25_000 * i64::from(random.skewed(400));
    (amount.to_string(), "[]".to_owned(), amount, currency.to_owned())
}

/// From stage to stage, some days in each. Some are lost on the way, two thirds of those that come to the end are won.
fn walk(way: &Way, created: u64, random: &mut Random) -> Walk {
    let stay =
        |stage: &Stage, from, to| json!({"stage": stage.id, "name": stage.name, "entered": time(from), "left": to});
    let lost_after = (1..way.open.len()).find(|_| random.chance(14));
    let end = if lost_after.is_some() || random.chance(33) { &way.lost } else { &way.won };
    let (mut at, mut stays) = (created, Vec::new());
    for (stage, days) in way.open.iter().take(lost_after.unwrap_or(way.open.len())) {
        let leaves = at + HOUR_MS + random.below(days * DAY_MS);
        if leaves >= END_MS {
            stays.push(stay(stage, at, Value::Null));
            return Walk { stage: stage.clone(), entered: at, stays };
        }
        stays.push(stay(stage, at, time(leaves).into()));
        at = leaves;
    }
    stays.push(stay(end, at, Value::Null));
    Walk { stage: end.clone(), entered: at, stays }
}

fn day(milliseconds: u64) -> String {
    time(milliseconds).chars().take(10).collect()
}
