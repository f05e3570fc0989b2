//! How many statements a page of a list takes.

use std::collections::HashMap;

use crm_server::token::Role;
use serde_json::{Value, json};

use super::lab::LARGE;
use crate::scratch::{Callers, LabError, Part, Replica, Stage};

/// Statements of a page at most, none of them twice.
const LIMIT: f64 = 4.0;
/// What a replica does by itself may fall into a look, and not into three.
const LOOKS: usize = 3;

pub(super) async fn measure(stage: &Stage, replica: &Replica) -> Result<Part, LabError> {
    let mut part = Part::new("lists", "Statements of a page of 50, as the service counts them.");
    let mut callers = Callers::new(stage, &[replica])?;
    let whose = (0, LARGE, Role::Agent);
    let contacts =
        callers.get(whose, "crm.customers.v1.ContactService/ListContacts", &json!({ "pageSize": 1 })).await?;
    let (contact, account) = (&contacts["contacts"][0]["id"], &contacts["contacts"][0]["accountId"]);
    let of_account = format!("account_id = \"{}\"", account.as_str().unwrap_or_default());
    let of_parent = format!("parent_id = \"{}\"", account.as_str().unwrap_or_default());
    let lists = [
        ("accounts", "AccountService/ListAccounts", json!({})),
        (
            "accounts of an owner",
            "AccountService/ListAccounts",
            json!({ "filter": "owner = \"ada\"", "orderBy": "update_time desc" }),
        ),
        ("history of an account", "AccountService/GetAccountHistory", json!({ "id": account })),
        ("timeline of an account", "AccountService/GetTimeline", json!({ "id": account })),
        ("contacts", "ContactService/ListContacts", json!({})),
        ("contacts of an account", "ContactService/ListContacts", json!({ "filter": of_account })),
        ("timeline of a contact", "ContactService/GetTimeline", json!({ "id": contact })),
        ("activities", "ActivityService/ListActivities", json!({})),
        ("activities on an account", "ActivityService/ListActivities", json!({ "filter": of_parent })),
        ("open tasks", "ActivityService/ListOpenTasks", json!({})),
        ("changes", "ChangeService/ListChanges", json!({})),
        ("operations", "OperationService/ListOperations", json!({})),
    ];
    let (mut most, mut often) = (0.0, 0.0);
    for (what, rpc, mut request) in lists {
        request["pageSize"] = Value::from(50);
        let rpc = format!("crm.customers.v1.{rpc}");
        let mut least = (f64::MAX, f64::MAX);
        for _ in 0..LOOKS {
            let before = replica.statements().await;
            callers.get(whose, &rpc, &request).await?;
            let (all, one) = run(&before, &replica.statements().await);
            least = (all.min(least.0), one.min(least.1));
        }
        part.figure(what, least.0, "");
        (most, often) = (least.0.max(most), least.1.max(often));
    }
    part.claim("statements of the page that takes most", LIMIT, Some(most).filter(|most| *most > 0.0));
    part.claim("times that a statement is run for one page", 1.0, Some(often).filter(|often| *often > 0.0));
    Ok(part)
}

/// Statements between two looks: all, and the most of one.
fn run(before: &HashMap<String, f64>, after: &HashMap<String, f64>) -> (f64, f64) {
    let run = after.iter().map(|(name, count)| count - before.get(name).copied().unwrap_or_default());
    run.fold((0.0, 0.0), |(all, most), run| (all + run, f64::max(most, run)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_run_in_between_is_counted() {
        let counts = |pairs: &[(&str, f64)]| pairs.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect();
        let (before, after) = (counts(&[("a", 1.0), ("b", 2.0)]), counts(&[("a", 2.0), ("b", 2.0), ("c", 3.0)]));
        assert_eq!(run(&before, &after), (4.0, 3.0));
    }
}
