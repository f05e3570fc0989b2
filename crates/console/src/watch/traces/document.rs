//! Traces in Jaeger's JSON, as far as they matter here.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value;

use crate::room::Call;

/// The answer to a search.
#[derive(Debug, Deserialize)]
pub(super) struct Found {
    data: Vec<Trace>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Trace {
    #[serde(rename = "traceID")]
    id: String,
    spans: Vec<Span>,
    processes: HashMap<String, Process>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Span {
    operation_name: String,
    start_time: u64,
    duration: u64,
    #[serde(default)]
    tags: Vec<Tag>,
    #[serde(rename = "processID")]
    process: String,
}

#[derive(Debug, Deserialize)]
struct Tag {
    key: String,
    value: Value,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Process {
    service_name: String,
}

impl Found {
    /// Each trace as the call that it is; those that did not pass a gateway are left out.
    pub(super) fn calls(self) -> Vec<Call> {
        self.data.iter().filter_map(Trace::call).collect()
    }
}

impl Trace {
    fn call(&self) -> Option<Call> {
        let is_ours = self.id.len() <= 32 && self.id.bytes().all(|byte| byte.is_ascii_hexdigit());
        let root = self.of_gateway("server").min_by_key(|span| span.start_time).filter(|_| is_ours)?;
        let mut attempts: Vec<&Span> =
            self.of_gateway("client").filter(|span| span.tag("crm.replica").is_some()).collect();
        attempts.sort_by_key(|span| span.start_time);
        let tried = attempts.into_iter().filter_map(|span| Some((span.tag("crm.replica")?, span.status() != "OK")));
        Some(Call {
            trace: self.id.clone(),
            name: short(&root.operation_name).to_owned(),
            // A call of a hundred days is none.
            took_ms: f64::from(u32::try_from(root.duration).unwrap_or(u32::MAX)) / 1e3,
            status: root.status(),
            tried: tried.take(8).collect(),
            started_us: root.start_time,
        })
    }

    fn of_gateway(&self, kind: &str) -> impl Iterator<Item = &Span> {
        let is_gateway = |id: &str| self.processes.get(id).is_some_and(|process| process.service_name == "gateway");
        let spans = self.spans.iter().filter(move |span| is_gateway(&span.process));
        spans.filter(move |span| span.tag("span.kind").as_deref() == Some(kind))
    }
}

impl Span {
    fn tag(&self, key: &str) -> Option<String> {
        let tag = self.tags.iter().find(|tag| tag.key == key)?;
        Some(tag.value.as_str().map_or_else(|| tag.value.to_string(), str::to_owned))
    }

    fn status(&self) -> String {
        let failed = || self.tag("error").is_some_and(|error| error == "true");
        self.tag("rpc.status_code").unwrap_or_else(|| if failed() { "error".to_owned() } else { "OK".to_owned() })
    }
}

/// `AccountService/GetAccount` of a full method's name; anything else as it is.
fn short(name: &str) -> &str {
    match name.split_once('/') {
        Some((service, _)) if !name.contains(' ') => {
            let start = service.rfind('.').map_or(0, |dot| dot + 1);
            &name[start..]
        }
        _ => name,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_becomes_a_call_with_its_attempts() {
        let span = |name: &str, kind: &str, start: u64, more: &str| {
            format!(
                r#"{{"traceID":"ab","spanID":"1","operationName":"{name}","startTime":{start},"duration":55346,"processID":"p3","tags":[{{"key":"span.kind","type":"string","value":"{kind}"}}{more}]}}"#
            )
        };
        let tags = |replica: u32, code: &str| {
            format!(r#",{{"key":"crm.replica","value":"{replica}"}},{{"key":"rpc.status_code","value":"{code}"}}"#)
        };
        let name = "crm.customers.v1.AccountService/ListAccounts";
        let spans = [
            span(name, "client", 12, &tags(1, "OK")),
            span(name, "client", 11, &tags(0, "UNAVAILABLE")),
            span(name, "server", 10, r#",{"key":"rpc.status_code","value":"OK"}"#),
        ];
        let text = format!(
            r#"{{"data":[{{"traceID":"ab","spans":[{}],"processes":{{"p3":{{"serviceName":"gateway"}}}}}},{{"traceID":"cd","spans":[],"processes":{{}}}}]}}"#,
            spans.join(",")
        );
        let calls = serde_json::from_str::<Found>(&text).unwrap().calls();
        let [call] = &calls[..] else { panic!("{calls:?}") };
        assert_eq!(
            (call.name.as_str(), call.took_ms, call.status.as_str()),
            ("AccountService/ListAccounts", 55.346, "OK")
        );
        assert_eq!(call.tried, [("0".to_owned(), true), ("1".to_owned(), false)]);
        assert!(call.was_saved() && !call.failed());
    }

    #[test]
    fn names_are_short() {
        for (name, expected) in [("a.b.S/M", "S/M"), ("S/M", "S/M"), ("GET /v1/a/{id}", "GET /v1/a/{id}"), ("x", "x")] {
            assert_eq!(short(name), expected);
        }
    }
}
