//! `crm fault`: breaks and heals replicas through the control API, wherever they run.

use ::http::Method;
use serde_json::{Value, json};

use crate::cli::FaultRequest;
use crate::failure::Failure;
use crate::http::{self, Answer};
use crate::places::Places;
use crate::status;

pub(crate) async fn run(places: &Places, options: &FaultRequest) -> Result<(), Failure> {
    let control = status::control(places).await?;
    for (service, replica) in targets(&control, &options.target).await? {
        let path = format!("/upstreams/{service}/replicas/{replica}/fault");
        let (method, body) = if options.heal { (Method::DELETE, Value::Null) } else { (Method::PUT, body(options)) };
        let answer = http::send(&control, method, &path, body).await?;
        if !answer.status.is_success() {
            return Err(failure(&answer));
        }
        println!("{service}/{replica}: {}", if options.heal { "healed".to_owned() } else { words(options) });
    }
    Ok(())
}

/// Service and replica of each path to be called.
async fn targets(control: &str, target: &str) -> Result<Vec<(String, String)>, Failure> {
    if target == "all" {
        let answer = http::send(control, Method::GET, "/upstreams", Value::Null).await?;
        let document: Value = serde_json::from_slice(&answer.body).map_err(anyhow::Error::from)?;
        let names = document["upstreams"].as_array().into_iter().flatten().filter_map(|one| one["name"].as_str());
        return Ok(names.map(|name| (name.to_owned(), "all".to_owned())).collect());
    }
    let (service, replica) = target.split_once('/').unwrap_or((target, "all"));
    let is_name = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c));
    if is_name(service) && is_name(replica) {
        Ok(vec![(service.to_owned(), replica.to_owned())])
    } else {
        Err(Failure::Usage(format!("{target}: give a replica such as customers/0, a service, or all")))
    }
}

fn body(options: &FaultRequest) -> Value {
    json!({
        "delay_ms": options.delay.map(|delay| u64::try_from(delay.as_millis()).unwrap_or(u64::MAX)),
        "error_rate": options.error_rate,
        "code": options.code,
        "hang": options.hang,
        "fail_fast": options.fail_fast,
        "for_s": options.lasts.map(|lasts| lasts.as_secs_f64()),
    })
}

/// `answers 100 ms late, fails 30 % with UNAVAILABLE, for 30 s`
fn words(options: &FaultRequest) -> String {
    let code = options.code.as_deref().unwrap_or("UNAVAILABLE");
    let parts = [
        options.delay.map(|delay| format!("answers {} ms late", delay.as_millis())),
        options.error_rate.map(|rate| format!("fails {:.1} % of its calls with {code}", rate * 100.0)),
        options.hang.then(|| "answers no call".to_owned()),
        options.fail_fast.then(|| format!("fails every call at once with {code}")),
        Some(options.lasts.map_or("until healed".to_owned(), |lasts| format!("for {} s", lasts.as_secs_f64()))),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn failure(answer: &Answer) -> Failure {
    let message = format!("{}{}", answer.message(), violations(answer));
    if answer.status.is_client_error() { Failure::Usage(message) } else { Failure::Check(message) }
}

/// A line for each rule that was broken.
fn violations(answer: &Answer) -> String {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let details = body["details"].as_array().into_iter().flatten();
    let violations = details.filter_map(|detail| detail["fieldViolations"].as_array()).flatten();
    let line = |one: &Value| Some(format!("\n  {}: {}", one["field"].as_str()?, one["description"].as_str()?));
    violations.filter_map(line).collect()
}
