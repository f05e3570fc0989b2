//! Creations that ask for the check for duplicates beside those that do not.

use crm_server::token::{Role, tenant_id};
use serde_json::{Value, json};
use uuid::Uuid;

use super::lab::LARGE;
use super::plan::Plan;
use crate::scratch::{Callers, LabError, Part, Replica, Stage, as_f64, quantile, ratio};

const CREATE: &str = "crm.customers.v1.ContactService/CreateContact";
const LIMIT: f64 = 1.5;

/// Given name, family name, account.
pub(super) type Person = (String, String, String);

/// Given names of some, family names of others, and accounts: as likely as they are among those that are there. One that was
/// merged into another has nobody any more.
pub(super) const PEOPLE: &str = "
    select given_name, family_name, account_id::text from
        (select given_name, row_number() over (order by random()) as nth from customers.contacts
            where tenant_id = $1 and length(given_name) > 1) given
        join (select family_name, row_number() over (order by random()) as nth from customers.contacts
            where tenant_id = $1) family using (nth)
        join (select id as account_id, row_number() over (order by random()) as place
            from customers.accounts where tenant_id = $1 and delete_time is null) account
            on place = 1 + nth % (select count(*) from customers.accounts where tenant_id = $1 and delete_time is null)
    limit $2";
/// People who are there, at other accounts.
const NAMESAKES: &str = "
    select given_name, family_name, account_id::text from
        (select given_name, family_name, row_number() over (order by random()) as nth from customers.contacts
            where tenant_id = $1 and length(given_name) > 1) person
        join (select id as account_id, row_number() over (order by random()) as place
            from customers.accounts where tenant_id = $1 and delete_time is null) account
            on place = 1 + nth % (select count(*) from customers.accounts where tenant_id = $1 and delete_time is null)
    limit $2";

pub(super) async fn measure(stage: &Stage, plan: &Plan, replica: &Replica) -> Result<Part, LabError> {
    let mut part = Part::new(
        "duplicates",
        "Contacts are created by one caller, with the check for duplicates and without it in turns: given and family names as \
         people have them, so that there are many like them; and namesakes of people who are there, whose records are read. \
         Addresses and numbers are their own.",
    );
    let mut owner = stage.owner().await?;
    let mut callers = Callers::new(stage, &[replica])?;
    for (name, people) in [("others", PEOPLE), ("namesakes", NAMESAKES)] {
        let people = sqlx::query_as(people).bind(tenant_id(LARGE)).bind(i64::from(2 * plan.pairs));
        let people: Vec<Person> = people.fetch_all(&mut owner).await?;
        let before = replica.statements().await;
        let (mut took_ms, refused) = pairs(&mut callers, &people).await?;
        let after = replica.statements().await;
        let run = |name: &str| after.get(name).copied().unwrap_or(0.0) - before.get(name).copied().unwrap_or(0.0);
        let [without, with] = took_ms.each_mut().map(|took| quantile(took, 0.5));
        part.figure(format!("{name}: pairs"), as_f64(took_ms[0].len() as u64), "");
        part.figure(format!("{name}: refused"), f64::from(refused), "");
        let read = ratio(run("find_contacts"), run("find_terms_around"));
        part.figure(format!("{name}: checks that read records"), read.unwrap_or(0.0), "");
        part.figure(format!("{name}: without, median"), without, "ms");
        part.figure(format!("{name}: with, median"), with, "ms");
        part.figure(format!("{name}: without, 99th percentile"), quantile(&mut took_ms[0], 0.99), "ms");
        part.figure(format!("{name}: with, 99th percentile"), quantile(&mut took_ms[1], 0.99), "ms");
        let claim = format!("{name}: time of a creation with the check, times one without (medians)");
        part.claim(&claim, LIMIT, ratio(with, without));
    }
    Ok(part)
}

/// How long each of a pair took, without and with the check, and how many were refused.
async fn pairs(callers: &mut Callers<'_>, people: &[Person]) -> Result<([Vec<f64>; 2], u32), LabError> {
    let (mut took_ms, mut refused) = ([Vec::new(), Vec::new()], 0);
    for (pair, both) in people.chunks_exact(2).enumerate() {
        let mut took = [None; 2];
        for which in [pair % 2, (pair + 1) % 2] {
            let request = creation(&both[which], which == 1);
            match callers.answer((0, LARGE, Role::Agent), CREATE, &request).await? {
                (Ok(_), time) => took[which] = Some(time.as_secs_f64() * 1e3),
                (Err(code), _) if code == "AlreadyExists" && which == 1 => refused += 1,
                (Err(code), _) => return Err(LabError::Call(format!("{CREATE}: {code}"))),
            }
        }
        // What is refused has written nothing: it is compared with nothing.
        if let [Some(without), Some(with)] = took {
            took_ms[0].push(without);
            took_ms[1].push(with);
        }
    }
    Ok((took_ms, refused))
}

fn creation((given, family, account): &Person, refuses: bool) -> Value {
    let own = Uuid::new_v4().simple().to_string();
    let digits = Uuid::new_v4().as_u128() % 10_000_000;
    json!({
        "requestId": Uuid::new_v4(), "refuseDuplicates": refuses,
        "contact": {
            "accountId": account, "givenName": given, "familyName": family, "emails": [format!("{own}@lab.example")],
            "phones": [format!("+1299{:07}", 2_000_000 + digits % 8_000_000)], "owner": "lab",
        },
    })
}
