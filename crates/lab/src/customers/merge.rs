//! A merge of accounts with many children, whose processes are killed while it goes on, and who reads meanwhile.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use crm_server::token::{Role, tenant_id};
use serde_json::{Value, json};
use tokio::time::sleep;
use uuid::Uuid;

use super::lab::LARGE;
use super::plan::Plan;
use super::replicas::Replicas;
use crate::scratch::{LabError, Part, Stage, as_f64};

/// What is measured.
pub(super) const MERGE: &str = "crm.customers.v1.AccountService/MergeAccount";
const WHOSE: (usize, &str, Role) = (0, LARGE, Role::Manager);
/// Contacts of a page, while they are read again and again.
const PAGE: u32 = 1_000;
/// At which part of the work everything that serves is killed.
const KILLS: [f64; 3] = [0.2, 0.5, 0.8];
const PATIENCE: Duration = Duration::from_secs(300);

/// The account with the fewest contacts of those that have so many, and one with a few: neither is below another one.
const PAIR: &str = "
    select account_id::text from (select account_id, count(*) as many from customers.contacts where tenant_id = $1 group by 1) all_of
        join customers.accounts on accounts.tenant_id = $1 and accounts.id = account_id and parent_id is null
    where many >= $2 order by many, account_id limit 1";
const CONTACTS: &str = "select id::text from customers.contacts where tenant_id = $1 and account_id::text = any($2)";
/// Contacts, activities and subsidiaries that are still the loser's; and moved contacts that have not one entry each.
const LEFT: &str = "
    select (select count(*) from customers.contacts where tenant_id = $1 and account_id = $2::uuid)
        + (select count(*) from customers.activities where tenant_id = $1 and parent_id = $2::uuid)
        + (select count(*) from customers.accounts where tenant_id = $1 and parent_id = $2::uuid),
        (select count(*) from (select from customers.contacts left join customers.journal
            on journal.tenant_id = contacts.tenant_id and resource = 'contacts' and record_id = contacts.id
            where contacts.tenant_id = $1 and contacts.id::text = any($3) group by contacts.id having count(record_id) <> 1) odd)";

pub(super) async fn measure(stage: &Stage, plan: &Plan) -> Result<Part, LabError> {
    let mut part = Part::new(
        "merge",
        "An account with many contacts and activities goes into another one; the contacts of the one that stays are read \
         page by page all the while, and three times everything that serves is killed.",
    );
    let mut owner = stage.owner().await?;
    let account = async |owner: &mut sqlx::PgConnection, least: u32| {
        let found = sqlx::query_scalar(PAIR).bind(tenant_id(LARGE)).bind(i64::from(least));
        Ok::<String, LabError>(found.fetch_one(owner).await?)
    };
    let (winner, loser) = (account(&mut owner, 2).await?, account(&mut owner, plan.children).await?);
    let ids = async |owner: &mut sqlx::PgConnection, of: &[&String]| {
        let of: Vec<String> = of.iter().map(|id| (*id).clone()).collect();
        let found = sqlx::query_scalar(CONTACTS).bind(tenant_id(LARGE)).bind(of);
        Ok::<Vec<String>, LabError>(found.fetch_all(owner).await?)
    };
    let moved = ids(&mut owner, &[&loser]).await?;
    let expected: HashSet<String> = ids(&mut owner, &[&winner, &loser]).await?.into_iter().collect();

    let mut replicas = Replicas::start(stage, 2).await?;
    let request = json!({ "id": winner, "duplicateId": loser, "requestId": Uuid::new_v4() });
    let began = Instant::now();
    let begun = replicas.get(WHOSE, MERGE, &request).await?;
    let operation = begun["id"].clone();
    let (mut reads, mut wrong, mut kills) = (0_u32, 0_u32, 0);
    let mut read = Read::default();
    let ended = loop {
        let state =
            replicas.get(WHOSE, "crm.customers.v1.OperationService/GetOperation", &json!({ "id": operation })).await?;
        if state["done"] == json!(true) && reads > 0 {
            break state;
        }
        if began.elapsed() > PATIENCE {
            return Err(LabError::Call(format!("the merge has not ended: {state}")));
        }
        let number = |of: &str| state["progress"][of].as_str().and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0);
        if kills < KILLS.len() && number("done") > KILLS[kills] * number("total") && number("total") > 0.0 {
            replicas.kill_all().await?;
            kills += 1;
        }
        // Before the first step the duplicate's are its own.
        if number("done") > 0.0 || state["done"] == json!(true) || read.begun() {
            let request =
                json!({ "filter": format!("account_id = \"{winner}\""), "pageSize": PAGE, "pageToken": read.token });
            let page = replicas.get(WHOSE, "crm.customers.v1.ContactService/ListContacts", &request).await?;
            if read.add(&page) {
                reads += 1;
                wrong += u32::from(!read.is(&expected));
                read = Read::default();
            }
        } else {
            sleep(Duration::from_millis(5)).await;
        }
    };
    let took = began.elapsed();
    let (left, odd): (i64, i64) =
        sqlx::query_as(LEFT).bind(tenant_id(LARGE)).bind(&loser).bind(&moved).fetch_one(&mut owner).await?;
    let after: HashSet<String> = ids(&mut owner, &[&winner]).await?.into_iter().collect();
    let missing = expected.symmetric_difference(&after).count();
    part.figure("contacts that were moved", as_f64(moved.len() as u64), "");
    part.figure("time, with the rests after each kill", took.as_secs_f64(), "s");
    part.figure("times that everything was killed", as_f64(kills as u64), "");
    part.figure("whole reads meanwhile", f64::from(reads), "");
    let failed = f64::from(u8::from(ended["state"] != json!("STATE_SUCCEEDED")));
    part.claim("merges that did not succeed", 0.0, Some(failed).filter(|_| kills == KILLS.len()));
    part.claim("children that are still elsewhere, or lost", 0.0, Some(as_f64(left.unsigned_abs() + missing as u64)));
    part.claim("moved contacts that have not one change each in the journal", 0.0, Some(as_f64(odd.unsigned_abs())));
    part.claim("reads that saw a child twice or not at all", 0.0, Some(f64::from(wrong)));
    Ok(part)
}

/// A list that is read page by page.
#[derive(Default)]
struct Read {
    token: String,
    seen: Vec<String>,
}

impl Read {
    fn begun(&self) -> bool {
        !self.token.is_empty()
    }

    /// Whether that was the last page.
    fn add(&mut self, page: &Value) -> bool {
        let contacts = page["contacts"].as_array().into_iter().flatten();
        self.seen.extend(contacts.filter_map(|contact| contact["id"].as_str().map(str::to_owned)));
        self.token = page["nextPageToken"].as_str().unwrap_or_default().to_owned();
        self.token.is_empty()
    }

    /// Whether each of these was seen once, and nothing else.
    fn is(&self, expected: &HashSet<String>) -> bool {
        self.seen.len() == expected.len()
            && self.seen.iter().all(|id| expected.contains(id))
            && self.seen.iter().collect::<HashSet<_>>().len() == self.seen.len()
    }
}
