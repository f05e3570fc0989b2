//! A file of somebody's own with the check for duplicates: killed in the middle, undone, and timed beside plain `copy`.

use std::fmt::Write;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use crm_server::token::{Role, tenant_id};
use serde_json::{Value, json};
use sqlx::PgConnection;
use tokio::time::sleep;
use uuid::Uuid;

use super::duplicates::{PEOPLE, Person};
use super::lab::LARGE;
use super::plain;
use super::plan::Plan;
use super::replicas::{Replicas, number};
use crate::scratch::{LabError, Part, Stage, as_f64, ratio};

const IMPORTS: &str = "crm.customers.v1.ImportService";
const WHOSE: (usize, &str, Role) = (0, LARGE, Role::Manager);
const PART_BYTES: usize = 512 << 10;
/// One row in so many is the one before it once more.
const DOUBLE_EACH: usize = 50;
/// How much longer than plain `copy` an import may take.
const LIMIT: f64 = 1.0 / 0.3;
const PATIENCE: Duration = Duration::from_secs(900);

/// Live contacts of the tenant, and what they are: nothing else is to be changed by an import that is undone.
const LIVE: &str = "
    select count(*), coalesce(sum(hashtextextended(id::text || version, 0)::numeric), 0)::text
    from customers.contacts where tenant_id = $1 and delete_time is null";
/// Contacts of an owner, and how many of them have a different address.
const MADE: &str = "
    select count(*), count(distinct emails[1]) from customers.contacts
    where tenant_id = $1 and owner = $2 and delete_time is null";

pub(super) async fn measure(stage: &Stage, plan: &Plan) -> Result<Part, LabError> {
    let mut part = Part::new(
        "import",
        format!(
            "A file of {} contacts, every fiftieth a double of the one before it, with the check for duplicates; in the middle of \
             one of a quarter everything that serves is killed, and it is undone afterwards.",
            plan.rows
        ),
    );
    let mut owner = stage.owner().await?;
    let people = sqlx::query_as(PEOPLE).bind(tenant_id(LARGE)).bind(i64::from(plan.rows));
    let people: Vec<Person> = people.fetch_all(&mut owner).await?;
    let mut replicas = Replicas::start(stage, 2, plan.waits).await?;

    killed(&mut part, &mut owner, &mut replicas, &people[..people.len() / 4]).await?;

    let id = uploaded(&mut replicas, &file(&people, "lab-import")).await?;
    let began = Instant::now();
    let (ended, _) = run(&mut replicas, "RunImport", &id, false).await?;
    let took = began.elapsed().as_secs_f64();
    drop(replicas);
    let created = number(&ended["response"]["run"]["created"]);
    let of = format!("tenant_id = '{}' and ", tenant_id(LARGE));
    let made = format!("(select id from customers.contacts where {of} owner = 'lab-import')");
    let tables = [
        ("contacts", format!("{of} owner = 'lab-import'")),
        ("contact_emails", format!("{of} contact_id in {made}")),
        ("search_terms", format!("{of} record_id in {made}")),
        ("journal", format!("{of} record_id in {made}")),
    ];
    let copy = plain::copy_again(&stage.servers, &tables).await?;
    part.figure("rows", as_f64(people.len() as u64), "");
    part.figure("contacts created", created, "");
    part.figure("duplicates", number(&ended["response"]["run"]["duplicates"]), "");
    part.figure("rows a second", as_f64(people.len() as u64) / took, "");
    part.figure("time of the import", took, "s");
    part.figure("time of plain copy", copy, "s");
    part.claim(
        "time of the import, times that of plain copy of the same rows",
        LIMIT,
        ratio(took, copy).filter(|_| created > 0.0),
    );
    Ok(part)
}

/// One that is killed and goes on, and is undone.
async fn killed(
    part: &mut Part,
    owner: &mut PgConnection,
    replicas: &mut Replicas<'_>,
    people: &[Person],
) -> Result<(), LabError> {
    const OWNER: &str = "lab-killed";
    let before = live(owner).await?;
    let id = uploaded(replicas, &file(people, OWNER)).await?;
    let (ended, was_killed) = run(replicas, "RunImport", &id, true).await?;
    let (made, different) = made(owner, OWNER).await?;
    let [told, duplicates, invalid] =
        ["created", "duplicates", "invalid"].map(|what| number(&ended["response"]["run"][what]));
    let rows = as_f64(people.len() as u64);
    part.figure("killed: rows", rows, "");
    part.figure("killed: contacts created", made, "");
    part.figure("killed: duplicates", duplicates, "");
    let has_failed = f64::from(u8::from(ended["state"] != json!("STATE_SUCCEEDED")));
    let told_of = Some(has_failed).filter(|_| was_killed);
    part.claim("killed and resumed: imports that did not succeed, of one that was killed", 0.0, told_of);
    let odd = (made - different) + (made - told).abs() + (rows - told - duplicates - invalid).abs();
    part.claim("killed and resumed: contacts that are there twice, or not as it tells", 0.0, Some(odd));
    let (undone, _) = run(replicas, "UndoImport", &id, false).await?;
    let after = live(owner).await?;
    let is_as_before = undone["state"] == json!("STATE_SUCCEEDED") && after == before;
    let odd = (after.0 - before.0).abs() + f64::from(u8::from(!is_as_before));
    part.claim("undone: contacts that are not as before", 0.0, Some(odd));
    Ok(())
}

async fn live(owner: &mut PgConnection) -> Result<(f64, String), LabError> {
    let (count, hash): (i64, String) = sqlx::query_as(LIVE).bind(tenant_id(LARGE)).fetch_one(owner).await?;
    Ok((as_f64(count.unsigned_abs()), hash))
}

async fn made(owner: &mut PgConnection, by: &str) -> Result<(f64, f64), LabError> {
    let made: (i64, i64) = sqlx::query_as(MADE).bind(tenant_id(LARGE)).bind(by).fetch_one(owner).await?;
    Ok((as_f64(made.0.unsigned_abs()), as_f64(made.1.unsigned_abs())))
}

/// The file of these people, whose owner is `owner`.
fn file(people: &[Person], owner: &str) -> String {
    let mut text = "account_id,given_name,family_name,email,phone,owner\n".to_owned();
    for (nth, _) in people.iter().enumerate() {
        let nth = if nth % DOUBLE_EACH == DOUBLE_EACH - 1 { nth - 1 } else { nth };
        let (given, family, account) = &people[nth];
        // Writing to a string does not fail.
        let _ =
            writeln!(text, "{account},{given},{family},{owner}{nth}@lab.example,+1399{:07},{owner}", 2_000_000 + nth);
    }
    text
}

async fn uploaded(replicas: &mut Replicas<'_>, file: &str) -> Result<String, LabError> {
    let request = json!({ "resource": "contacts", "fileName": "lab.csv", "requestId": Uuid::new_v4() });
    let import = replicas.get(WHOSE, &format!("{IMPORTS}/CreateImport"), &request).await?;
    let id = import["id"].as_str().unwrap_or_default().to_owned();
    for (nth, part) in file.as_bytes().chunks(PART_BYTES).enumerate() {
        let request = json!({ "id": id, "offset": nth * PART_BYTES, "content": BASE64.encode(part) });
        replicas.get(WHOSE, &format!("{IMPORTS}/UploadImport"), &request).await?;
    }
    Ok(id)
}

/// Begins what is asked of an import, and waits for its end; kills everything once, in the middle, if that is asked for. Answers
/// whether it did.
async fn run(replicas: &mut Replicas<'_>, what: &str, id: &str, kill: bool) -> Result<(Value, bool), LabError> {
    const LOOK_EVERY: Duration = Duration::from_millis(50);
    let began = Instant::now();
    let request = json!({ "id": id, "requestId": Uuid::new_v4() });
    let operation = replicas.get(WHOSE, &format!("{IMPORTS}/{what}"), &request).await?["id"].take();
    let mut was_killed = false;
    loop {
        let get = "crm.customers.v1.OperationService/GetOperation";
        let state = replicas.get(WHOSE, get, &json!({ "id": operation })).await?;
        if state["done"] == json!(true) {
            return Ok((state, was_killed));
        }
        if began.elapsed() > PATIENCE {
            return Err(LabError::Call(format!("{what} has not ended: {state}")));
        }
        if kill
            && !was_killed
            && number(&state["progress"]["done"]) > 0.3 * number(&state["progress"]["total"]).max(1.0)
        {
            replicas.kill_all().await?;
            was_killed = true;
        }
        sleep(LOOK_EVERY).await;
    }
}
