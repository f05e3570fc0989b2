//! What it costs to forget what is older than is kept.

use std::time::Instant;

use sqlx::{Connection, PgConnection};

use super::counters::rows_read;
use crate::scratch::{LabError, Part, Stage, quantile, ratio};

/// Days that are kept, and rows at a time, as services have it.
const DAYS: i32 = 400;
const AT_ONCE: i32 = 2_000;
/// What a lot may read for each row that it forgets: to find it. The last lot finds none.
const READ_LIMIT: f64 = 1.2;
/// How much longer the last lots may take than the first: those before leave dead rows at the front.
const TIME_LIMIT: f64 = 2.0;

pub(super) async fn measure(stage: &Stage) -> Result<Part, LabError> {
    let mut part =
        Part::new("sweep", format!("What is older than {DAYS} days is forgotten, {AT_ONCE} rows at a time."));
    let mut owner = stage.owner().await?;
    let before = rows_read(&mut owner).await?;
    let mut service = PgConnection::connect(&stage.servers.service_url).await?;
    let (mut swept, mut took_ms) = (0.0, Vec::new());
    loop {
        let began = Instant::now();
        let lot = sqlx::query_scalar("select customers.sweep_journal($1, $2)").bind(DAYS).bind(AT_ONCE);
        let lot: i64 = lot.fetch_one(&mut service).await?;
        if lot == 0 {
            break;
        }
        swept += f64::from(u32::try_from(lot).unwrap_or(u32::MAX));
        took_ms.push(began.elapsed().as_secs_f64() * 1e3);
    }
    service.close().await?;
    let read = rows_read(&mut owner).await? - before;
    let tenth = took_ms.len().div_ceil(10);
    let first = quantile(&mut took_ms[..tenth].to_vec(), 0.5);
    let last = quantile(&mut took_ms[took_ms.len() - tenth..].to_vec(), 0.5);
    let all: f64 = took_ms.iter().sum();
    part.figure("rows forgotten", swept, "");
    part.figure("a lot, median of the first tenth", first, "ms");
    part.figure("a lot, median of the last tenth", last, "ms");
    part.figure("a lot, 99th percentile", quantile(&mut took_ms, 0.99), "ms");
    part.figure("rows a second", ratio(swept, all / 1e3).unwrap_or_default(), "");
    part.claim("rows read for each that is forgotten", READ_LIMIT, ratio(read, swept));
    part.claim("time of the last lots, times that of the first (medians)", TIME_LIMIT, ratio(last, first));
    Ok(part)
}
