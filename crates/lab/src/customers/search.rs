//! What somebody waits who types, at thirty hundredths of what can be answered.

use std::time::Duration;

use crm_server::token::Role;
use serde_json::json;
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use super::lab::{Filled, LARGE, SMALL, named};
use super::plan::Plan;
use crate::load::LatencyMs;
use crate::scratch::{Callers, LabError, Part, Servers, Stage, as_f64, ratio, settled};

const GET: &str = "crm.customers.v1.AccountService/GetAccount";
const SEARCH: &str = "crm.customers.v1.SearchService/SearchCustomers";
const KINDS: [&str; 3] = ["GetAccount, uncached", "type-ahead", "type-ahead, a tenth of the data"];
/// How many times as long as the read a search may take, and as long as one among a tenth.
const READ_LIMIT: f64 = 10.0;
const SIZE_LIMIT: f64 = 1.3;
/// The load, as a part of what can be answered.
const LOAD: f64 = 0.3;
/// Who asks at once when it is found out how much that is, and for how long.
const AT_ONCE: usize = 8;
const FLAT_OUT: Duration = Duration::from_secs(5);
/// Longest that is typed.
const LETTERS: usize = 12;

/// Names, addresses and numbers of contacts and names of accounts, as many of each tenant's as it has.
const TEXTS: &str = "
    (select tenant_id, case (random() * 5)::int when 0 then given_name when 1 then family_name when 2 then emails[1]
            when 3 then substr(phones[1], 3) when 4 then family_name || ' ' || given_name else given_name || ' ' || family_name end
        from customers.contacts where given_name <> '' and cardinality(phones) > 0 order by random() limit $1)
    union all (select tenant_id, name from customers.accounts order by random() limit $1 / 3)";
const ACCOUNTS: &str = "select tenant_id, id::text from customers.accounts order by random() limit $1";
/// Scans of whole tables so far, and rows that were read from the index of terms.
const READS: &str = "
    select (select sum(seq_scan) from pg_stat_user_tables
            where schemaname = 'customers' and relname in ('search_terms', 'accounts', 'contacts'))::float8,
        (select idx_tup_read from pg_stat_user_indexes where indexrelname = 'search_terms_pkey')::float8";

pub(super) async fn measure(stage: &Stage, plan: &Plan, filled: &Filled, seed: u64) -> Result<Part, LabError> {
    let mut part = Part::new(
        "search",
        "2 to 12 letters of names, addresses and numbers that there are, every tenth time with two letters that have changed \
         places; in turns with a read of an account that no cache has, and with the same among a tenth of the data.",
    );
    let (typed, beside) = (typed(&stage.servers).await?, typed(&filled.small).await?);
    let mut owner = stage.owner().await?;
    let accounts: Vec<(Uuid, String)> = sqlx::query_as(ACCOUNTS).bind(100_000_i64).fetch_all(&mut owner).await?;
    let before = settled(&mut owner, READS).await?;
    let replicas = [stage.replica().await?, stage.replica_of(&filled.small).await?];
    let mut callers = Callers::new(stage, &[&replicas[0], &replicas[1]])?;
    let mut calls = Vec::new();
    for ((account, text), other) in accounts.iter().zip(typed.iter().cycle()).zip(beside.iter().cycle()) {
        calls.push(callers.ask((0, &named(LARGE, account.0), Role::Viewer), 0, GET, &json!({ "id": account.1 }))?);
        for (at, first, (tenant, text)) in [(0, LARGE, text), (1, SMALL, other)] {
            let whose = (at, &*named(first, *tenant), Role::Viewer);
            calls.push(callers.ask(whose, at + 1, SEARCH, &json!({ "query": text }))?);
        }
    }
    let mut rest = calls.split_off(calls.len() / 2);
    let capacity = Callers::saturate(calls, AT_ONCE, FLAT_OUT).await;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some thousands")]
    let rate = (capacity * LOAD).max(10.0) as u32;
    rest.truncate(rate as usize * plan.seconds as usize);
    let (asked, searches) = (rest.len(), rest.iter().filter(|call| call.index() == 1).count());
    let tally = callers.play(rest, KINDS.len(), rate, plan.seconds, seed).await?;
    part.figure("capacity, all kinds together", capacity, "calls/s");
    part.figure("load", f64::from(rate), "calls/s");
    part.figure("calls", as_f64(asked as u64), "");
    let mut p99 = [0.0; 3];
    for ((name, series), p99) in KINDS.iter().zip(&tally.per_call).zip(&mut p99) {
        let latency = LatencyMs::of(series);
        part.figure(format!("{name}: failed"), as_f64(series.failed), "");
        part.figure(format!("{name}: median"), latency.p50, "ms");
        part.figure(format!("{name}: 99th percentile"), latency.p99, "ms");
        *p99 = latency.p99;
    }
    part.figure("calls started late, 99th percentile", tally.lag_ms_p99(), "ms");
    drop((callers, replicas));
    let after = settled(&mut owner, READS).await?;
    part.figure(
        "rows of the index read for a search",
        ratio(after.1 - before.1, as_f64(searches as u64)).unwrap_or(0.0),
        "",
    );
    let [get, search, small] = p99;
    part.claim("99th percentile of type-ahead, times that of an uncached GetAccount", READ_LIMIT, ratio(search, get));
    part.claim("the same, times that among a tenth of the data", SIZE_LIMIT, ratio(search, small));
    part.claim("scans of a whole table, by the service's role", 0.0, Some(after.0 - before.0));
    part.claim("calls that failed", 0.0, Some(as_f64(tally.all.failed)));
    Ok(part)
}

/// What is typed, and in which tenant.
async fn typed(servers: &Servers) -> Result<Vec<(Uuid, String)>, LabError> {
    let mut owner = PgConnection::connect(&servers.owner_url).await?;
    let texts: Vec<(Uuid, String)> = sqlx::query_as(TEXTS).bind(15_000_i64).fetch_all(&mut owner).await?;
    let texts = texts.into_iter().enumerate().map(|(nth, (tenant, text))| (tenant, letters(nth, &text)));
    let mut typed: Vec<_> = texts.filter(|(_, text)| text.chars().count() > 1).collect();
    // Accounts among contacts.
    let half = typed.len() / 2;
    typed.rotate_left(half);
    let (one, other) = typed.split_at(half);
    Ok(one.iter().zip(other).flat_map(|(one, other)| [one.clone(), other.clone()]).collect())
}

/// The beginning of a text, as somebody types it.
fn letters(nth: usize, text: &str) -> String {
    let mut letters: Vec<char> = text.chars().take(2 + nth % (LETTERS - 1)).collect();
    if nth.is_multiple_of(10) && letters.len() > 3 {
        letters.swap(1, 2);
    }
    letters.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_to_twelve_letters_are_typed_and_some_are_mistyped() {
        let text = "abcdefghijklmnop";
        assert_eq!([1, 3, 9].map(|nth| letters(nth, text)), ["abc", "abcde", "abcdefghijk"]);
        assert_eq!((letters(10, text), letters(20, text)), ("acbdefghijkl".to_owned(), "acbdefghijk".to_owned()));
        assert_eq!(letters(11, text), "ab");
    }
}
