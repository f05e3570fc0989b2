//! `{"delay_ms", "error_rate", "code", "hang", "fail_fast", "for_s"}`, every fault of it told at once.

use crm_proto::server as pb;
use crm_server::{faults::Fault, problem::Violation};
use crm_telemetry::rpc::status_text;
use serde_json::{Map, Value};
use tonic::Code;

const FIELDS: &str = "there are delay_ms, error_rate, code, hang, fail_fast and for_s";

/// Reads the body; what is absent or null is not set.
pub(super) fn parse(fields: &Map<String, Value>) -> Result<pb::Fault, Vec<Violation>> {
    let (mut fault, mut violations) = (pb::Fault::default(), Vec::new());
    for (name, value) in fields.iter().filter(|(_, value)| !value.is_null()) {
        if let Err(rule) = take(&mut fault, name, value) {
            violations.push(violation(name, rule));
        }
    }
    let unread = !violations.is_empty();
    let broken = Fault::from_proto(&fault).err().unwrap_or_default();
    // With a field unread, nobody knows whether nothing was asked for.
    violations.extend(broken.into_iter().filter(|violation| !unread || violation.field != "fault"));
    if violations.is_empty() { Ok(fault) } else { Err(violations) }
}

fn take(fault: &mut pb::Fault, name: &str, value: &Value) -> Result<(), &'static str> {
    match name {
        "delay_ms" => {
            let whole = whole(value).ok_or("must be a whole number of milliseconds, 0 or more")?;
            fault.delay_ms = u32::try_from(whole).unwrap_or(u32::MAX);
        }
        "error_rate" => fault.error_rate = value.as_f64().ok_or("must be a number from 0 to 1")?,
        "code" => {
            fault.code = value.as_str().and_then(code).ok_or("must be a gRPC code such as UNAVAILABLE, not OK")?;
        }
        "hang" => fault.hang = value.as_bool().ok_or("must be true or false")?,
        "fail_fast" => fault.fail_fast = value.as_bool().ok_or("must be true or false")?,
        "for_s" => fault.remaining_ms = Some(value.as_f64().map(milliseconds).ok_or("must be a number of seconds")?),
        _ => return Err(FIELDS),
    }
    Ok(())
}

/// `100.0` and `1e2` are whole, too.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
fn whole(value: &Value) -> Option<u64> {
    let whole = |number: &f64| number.fract() == 0.0 && *number >= 0.0;
    value.as_u64().or_else(|| value.as_f64().filter(whole).map(|number| number as u64))
}

fn code(name: &str) -> Option<i32> {
    (1..=16).find(|number| status_text(Code::from_i32(*number)) == name)
}

/// Casts saturate: what is less than nothing is 0, which is refused by the rules.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
fn milliseconds(seconds: f64) -> u64 {
    (seconds * 1_000.0).ceil() as u64
}

fn violation(field: &str, rule: &str) -> Violation {
    let reason = if rule == FIELDS { "UNKNOWN_FIELD" } else { "INVALID_VALUE" };
    Violation::new(field, reason, rule)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(body: &Value) -> Result<pb::Fault, Vec<Violation>> {
        super::parse(body.as_object().unwrap())
    }

    #[test]
    fn what_the_contract_names_is_read() {
        let body = json!({"delay_ms": 1e2, "error_rate": 0.3, "code": "ABORTED", "hang": false, "fail_fast": false, "for_s": 1.5});
        let expected =
            pb::Fault { delay_ms: 100, error_rate: 0.3, code: 10, remaining_ms: Some(1_500), ..Default::default() };
        assert_eq!(parse(&body), Ok(expected));
        assert_eq!(parse(&json!({"hang": true, "for_s": null})), Ok(pb::Fault { hang: true, ..Default::default() }));
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let check = |body: Value, expected: &[&str]| {
            let violations = parse(&body).expect_err("refused");
            let fields: Vec<&str> = violations.iter().map(|violation| violation.field.as_str()).collect();
            assert_eq!(fields, expected, "{body}");
        };
        check(json!({}), &["fault"]);
        check(
            json!({"delay_ms": -1, "code": "OK", "hang": 1, "colour": "red"}),
            &["code", "colour", "delay_ms", "hang"],
        );
        check(json!({"delay_ms": 0.5}), &["delay_ms"]);
        check(json!({"delay_ms": 1e9, "error_rate": "x"}), &["error_rate", "delay_ms"]);
        check(json!({"delay_ms": 99_999_999_999_u64}), &["delay_ms"]);
        check(json!({"error_rate": 1.1, "for_s": -1}), &["error_rate", "for_s"]);
        check(json!({"hang": true, "for_s": 0}), &["for_s"]);
        check(json!({"hang": true, "for_s": 1e300}), &["for_s"]);
    }
}
