//! The first page of a long timeline beside its thousandth.

use crm_server::token::Role;
use serde_json::{Value, json};

use super::lab::LARGE;
use super::plan::Plan;
use crate::scratch::{Callers, LabError, Part, Replica, Stage, quantile, ratio};

const TIMELINE: &str = "crm.customers.v1.AccountService/GetTimeline";
const DEEP: u32 = 1_000;
/// Items of a page, where there are enough for so many.
const PAGE: u32 = 20;
const LIMIT: f64 = 1.2;

/// The account about which most was done.
const LONGEST: &str = "
    select parent_id::text, count(*) from customers.activities
    where parent_resource = 'accounts' and tenant_id = $1 group by 1 order by 2 desc limit 1";

pub(super) async fn measure(stage: &Stage, plan: &Plan, replica: &Replica) -> Result<Part, LabError> {
    let mut part = Part::new("timeline", "Pages of the longest timeline, the first and the thousandth in turns.");
    let mut owner = stage.owner().await?;
    let longest = sqlx::query_as(LONGEST).bind(crm_server::token::tenant_id(LARGE));
    let (account, items): (String, i64) = longest.fetch_one(&mut owner).await?;
    let page = u32::try_from(items).unwrap_or(u32::MAX).saturating_sub(1) / DEEP;
    let page = page.clamp(1, PAGE);
    let mut callers = Callers::new(stage, &[replica])?;
    let whose = (0, LARGE, Role::Viewer);
    let asked = |token: &Value| json!({ "id": account, "pageSize": page, "pageToken": token });
    let (mut token, mut depth) = (json!(""), 1);
    while depth < DEEP {
        let next = callers.get(whose, TIMELINE, &asked(&token)).await?["nextPageToken"].take();
        if next == json!("") {
            break;
        }
        (token, depth) = (next, depth + 1);
    }
    let pages = [asked(&json!("")), asked(&token)];
    let mut took_ms = [Vec::new(), Vec::new()];
    for round in 0..plan.pairs {
        for which in [round % 2, (round + 1) % 2].map(|which| which as usize) {
            let (answer, took) = callers.answer(whose, TIMELINE, &pages[which]).await?;
            answer.map_err(|code| LabError::Call(format!("{TIMELINE}: {code}")))?;
            took_ms[which].push(took.as_secs_f64() * 1e3);
        }
    }
    let [first, last] = took_ms.each_mut().map(|took| quantile(took, 0.5));
    part.figure("activities of the account", f64::from(u32::try_from(items).unwrap_or(u32::MAX)), "");
    part.figure("items of a page", f64::from(page), "");
    part.figure("pages before the deep one", f64::from(depth - 1), "");
    part.figure("the first page, median", first, "ms");
    part.figure("the deep page, median", last, "ms");
    part.claim(
        "time of the thousandth page, times that of the first (medians)",
        LIMIT,
        ratio(last, first).filter(|_| depth == DEEP),
    );
    Ok(part)
}
