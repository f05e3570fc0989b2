//! The variables, and the account of those that are not followed.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::ffi::OsString;

use percent_encoding::percent_decode_str;

/// Longest value that is shown in a warning.
const SHOWN_BYTES: usize = 60;
const PREFIX: &str = "OTEL_";

/// A variable that is set and not followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Warning {
    pub(crate) variable: String,
    /// Nothing for what may be a secret.
    pub(crate) value: String,
    /// What happens instead.
    pub(crate) instead: String,
}

/// The environment of a process. Values are trimmed, and an empty one counts as not set.
#[derive(Debug)]
pub(crate) struct Environment {
    variables: BTreeMap<String, Variable>,
    warnings: Vec<Warning>,
}

#[derive(Debug)]
struct Variable {
    value: OsString,
    /// Somebody has asked for it, and follows it or has refused it.
    asked: Cell<bool>,
}

impl Environment {
    pub(crate) fn of_this_process() -> Self {
        let named = std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
        Self::new(named.filter(|(name, _)| name.starts_with(PREFIX) || matches!(&**name, "RUST_LOG" | "CRM_REPLICA")))
    }

    pub(super) fn new(variables: impl IntoIterator<Item = (String, OsString)>) -> Self {
        let variable = |(name, value)| (name, Variable { value, asked: Cell::new(false) });
        Self { variables: variables.into_iter().map(variable).collect(), warnings: Vec::new() }
    }

    pub(crate) fn text(&mut self, name: &str) -> Option<String> {
        let variable = self.variables.get(name)?;
        variable.asked.set(true);
        match variable.value.to_str() {
            Some(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
            None => {
                self.refuse(name, None, "it is not UTF-8: it counts as not set");
                None
            }
        }
    }

    /// The first of several names that is set, with its value.
    pub(super) fn first<'a>(&mut self, names: &[&'a str]) -> Option<(&'a str, String)> {
        // All of them are asked for: the later ones are overruled, which is no reason to name them.
        let found: Vec<_> = names.iter().map(|name| (*name, self.text(name))).collect();
        found.into_iter().find_map(|(name, value)| Some((name, value?)))
    }

    /// A whole number that is not negative, at least `least`.
    pub(super) fn number(&mut self, names: &[&str], least: u64, instead: &str) -> Option<u64> {
        let (name, text) = self.first(names)?;
        let number = text.parse().ok().filter(|number| *number >= least);
        if number.is_none() {
            self.refuse(name, Some(&text), format!("it is no whole number from {least} on: {instead}"));
        }
        number
    }

    /// Whether it is `true`, in any case; anything but `true` and `false` is refused and counts as `false`.
    pub(super) fn is_true(&mut self, names: &[&str]) -> bool {
        let Some((name, text)) = self.first(names) else { return false };
        let is_true = text.eq_ignore_ascii_case("true");
        if !is_true && !text.eq_ignore_ascii_case("false") {
            self.refuse(name, Some(&text), "it is neither true nor false: it counts as false");
        }
        is_true
    }

    /// The entries of a list in lower case, none of them empty; `None` if it is not set.
    pub(crate) fn list(&mut self, name: &str) -> Option<Vec<String>> {
        let text = self.text(name)?.to_ascii_lowercase();
        Some(text.split(',').map(str::trim).filter(|entry| !entry.is_empty()).map(str::to_owned).collect())
    }

    /// Notes what is not done. A value that may hold a secret must not be given.
    pub(crate) fn refuse(&mut self, name: &str, value: Option<&str>, instead: impl Into<String>) {
        let value = value.unwrap_or_default();
        let value = value[..value.floor_char_boundary(SHOWN_BYTES)].to_owned();
        self.warnings.push(Warning { variable: name.to_owned(), value, instead: instead.into() });
    }

    /// All warnings, one for each variable that nobody has asked for among them. Of those the value is not shown: nobody
    /// here knows whether it is a secret.
    pub(super) fn into_warnings(mut self) -> Vec<Warning> {
        let unasked = self.variables.iter().filter(|(name, variable)| {
            name.starts_with(PREFIX)
                && !variable.asked.get()
                && !variable.value.as_encoded_bytes().trim_ascii().is_empty()
        });
        let left: Vec<String> = unasked.map(|(name, _)| name.clone()).collect();
        for name in left {
            self.refuse(&name, None, instead_of(&name));
        }
        self.warnings
    }
}

/// What happens instead of what a variable says that nothing here follows.
fn instead_of(name: &str) -> &'static str {
    const METRICS: &str = "metrics are not pushed: they are read from /metrics of the admin port";
    const LOGS: &str = "logs are not exported: they are written to standard error";
    const KINDS: [(&str, &str); 13] = [
        ("OTEL_EXPORTER_OTLP_METRICS_", METRICS),
        ("OTEL_EXPORTER_PROMETHEUS_", METRICS),
        ("OTEL_METRIC_", METRICS),
        ("OTEL_METRICS_", METRICS),
        ("OTEL_EXPORTER_OTLP_LOGS_", LOGS),
        ("OTEL_BLRP_", LOGS),
        ("OTEL_LOGRECORD_", LOGS),
        ("OTEL_EXPORTER_ZIPKIN_", "spans are exported over OTLP/gRPC only"),
        ("OTEL_EXPORTER_JAEGER_", "spans are exported over OTLP/gRPC only"),
        ("OTEL_LOG_LEVEL", "RUST_LOG says how much is logged"),
        ("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "no value is cut"),
        ("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "no value is cut"),
        ("OTEL_CONFIG_FILE", "the file is not read: the variables are used"),
    ];
    let kind = KINDS.iter().find(|(prefix, _)| name.starts_with(prefix));
    kind.map_or("it is not known here", |(_, instead)| instead)
}

/// Percent-decoded; `None` for what is no UTF-8 then, or a percent sign without two digits.
pub(super) fn percent_decoded(text: &str) -> Option<String> {
    let begins_with_two = |rest: &str| rest.bytes().take_while(u8::is_ascii_hexdigit).take(2).count() == 2;
    let is_whole = text.split('%').skip(1).all(begins_with_two);
    is_whole.then(|| percent_decode_str(text).decode_utf8().ok())?.map(Cow::into_owned)
}
