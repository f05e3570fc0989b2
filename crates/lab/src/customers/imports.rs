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
use super::replicas::Replicas;
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
            "A file of {} contacts, every fiftieth a double of the one before it, with the check for duplicates; one of a tenth \
             is killed in the middle and undone afterwards.",
            plan.rows
        ),
    );
    let mut owner = stage.owner().await?;
    let people = sqlx::query_as(PEOPLE).bind(tenant_id(LARGE)).bind(i64::from(plan.rows));
    let people: Vec<Person> = people.fetch_all(&mut owner).await?;
    let mut replicas = Replicas::start(stage, 2).await?;

    let before = live(&mut owner).await?;
    let few = &people[..people.len() / 10];
    let id = uploaded(&mut replicas, &file(few, "lab-killed")).await?;
    let killed = run(&mut replicas, "RunImport", &id, true).await?;
    let (made, different) = made(&mut owner, "lab-killed").await?;
    let told = number(&killed["response"]["run"]["created"]);
    let failed = [&killed].iter().filter(|operation| operation["state"] != json!("STATE_SUCCEEDED")).count();
    part.figure("killed: rows", as_f64(few.len() as u64), "");
    part.figure("killed: contacts created", made, "");
    part.figure("killed: duplicates", number(&killed["response"]["run"]["duplicates"]), "");
    part.claim("killed and resumed: imports that did not succeed", 0.0, Some(as_f64(failed as u64)));
    part.claim(
        "killed and resumed: contacts that are there twice, or are not those that it tells of",
        0.0,
        Some((made - different) + (made - told).abs()),
    );
    let undone = run(&mut replicas, "UndoImport", &id, false).await?;
    let after = live(&mut owner).await?;
    let as_before = undone["state"] == json!("STATE_SUCCEEDED") && after == before;
    part.claim(
        "undone: contacts that are not as before",
        0.0,
        Some((after.0 - before.0).abs() + f64::from(u8::from(!as_before))),
    );

    let id = uploaded(&mut replicas, &file(&people, "lab-import")).await?;
    let began = Instant::now();
    let ended = run(&mut replicas, "RunImport", &id, false).await?;
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
    let copy = plain::copy(&stage.servers, &tables, 1).await?;
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

/// Begins what is asked of an import, and waits for its end; kills everything once, in the middle, if that is asked for.
async fn run(replicas: &mut Replicas<'_>, what: &str, id: &str, mut kill: bool) -> Result<Value, LabError> {
    const LOOK_EVERY: Duration = Duration::from_millis(50);
    let began = Instant::now();
    let request = json!({ "id": id, "requestId": Uuid::new_v4() });
    let operation = replicas.get(WHOSE, &format!("{IMPORTS}/{what}"), &request).await?["id"].take();
    loop {
        let get = "crm.customers.v1.OperationService/GetOperation";
        let state = replicas.get(WHOSE, get, &json!({ "id": operation })).await?;
        if state["done"] == json!(true) {
            return Ok(state);
        }
        if began.elapsed() > PATIENCE {
            return Err(LabError::Call(format!("{what} has not ended: {state}")));
        }
        if kill && number(&state["progress"]["done"]) > 0.3 * number(&state["progress"]["total"]).max(1.0) {
            replicas.kill_all().await?;
            kill = false;
        }
        sleep(LOOK_EVERY).await;
    }
}

/// As JSON has whole numbers of 64 bits.
fn number(value: &Value) -> f64 {
    value.as_str().and_then(|text| text.parse().ok()).or_else(|| value.as_f64()).unwrap_or(0.0)
}
