//! Message types of `google.protobuf` that JSON writes in a form of their own.

use prost_reflect::{DynamicMessage, MessageDescriptor, Value};

use super::{Json, scalar};

/// What a well-known type looks like in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WellKnown {
    Any,
    Timestamp,
    Duration,
    FieldMask,
    /// `StringValue`, `Int32Value`, …: the value itself, or null.
    Wrapper,
    /// `Struct`, `ListValue` and `Value`: any JSON.
    Struct,
    ListValue,
    Value,
}

impl WellKnown {
    pub(crate) fn of(message: &MessageDescriptor) -> Option<Self> {
        Some(match message.full_name().strip_prefix("google.protobuf.")? {
            "Any" => Self::Any,
            "Timestamp" => Self::Timestamp,
            "Duration" => Self::Duration,
            "FieldMask" => Self::FieldMask,
            "Struct" => Self::Struct,
            "ListValue" => Self::ListValue,
            "Value" => Self::Value,
            "DoubleValue" | "FloatValue" | "Int64Value" | "UInt64Value" | "Int32Value" | "UInt32Value"
            | "BoolValue" | "StringValue" | "BytesValue" => Self::Wrapper,
            _ => return None,
        })
    }

    /// What the JSON must be, for a violation.
    pub(super) fn expectation(self) -> &'static str {
        match self {
            Self::Any => "must be an object whose @type names a message known here, and its fields",
            Self::Timestamp => "must be a time of RFC 3339, such as \"2026-01-31T09:30:00Z\"",
            Self::Duration => "must be seconds with the letter s, such as \"1.5s\"",
            Self::FieldMask => "must be field paths joined by commas, such as \"name,annualRevenue\"",
            Self::Wrapper => "must be a scalar",
            Self::Struct => "must be an object",
            Self::ListValue => "must be an array",
            Self::Value => "must be JSON",
        }
    }

    /// Reads the JSON form; the error is what it must be.
    pub(super) fn read(self, message: &MessageDescriptor, json: &Json<'_>) -> Result<DynamicMessage, &'static str> {
        match (self, json) {
            (Self::Wrapper, _) => read_wrapper(message, |kind| scalar::from_json(kind, json)),
            (Self::FieldMask, Json::String(text)) => read_mask(message, text).ok_or(self.expectation()),
            (Self::Duration, Json::String(text)) if !is_duration(text) => Err(self.expectation()),
            (Self::FieldMask, _) => Err(self.expectation()),
            // Their numbers are doubles: another one than was written would be kept, and nobody told.
            (Self::Struct | Self::ListValue | Self::Value, _) if !json.fits_doubles() => Err(TOO_MANY_DIGITS),
            _ => {
                let value = json.to_value().ok_or(self.expectation())?;
                DynamicMessage::deserialize(message.clone(), value).map_err(|_| self.expectation())
            }
        }
    }

    /// Reads what a query parameter says; types that are not one text are refused.
    pub(super) fn read_text(self, message: &MessageDescriptor, text: &str) -> Result<DynamicMessage, &'static str> {
        match self {
            Self::Wrapper => read_wrapper(message, |kind| scalar::from_text(kind, text)),
            Self::Timestamp | Self::Duration | Self::FieldMask => self.read(message, &Json::String(text.into())),
            Self::Any | Self::Struct | Self::ListValue | Self::Value => Err("cannot be given in the query"),
        }
    }
}

const TOO_MANY_DIGITS: &str =
    "must have no number of more digits than a double keeps, which are 15 always and 17 at most";

/// Whether null is a value of the message, and nowhere else.
pub(crate) fn holds_null(message: &MessageDescriptor) -> bool {
    WellKnown::of(message) == Some(WellKnown::Value)
}

/// Digits, at most nine of them behind a point, and `s`; within what `google.protobuf.Duration` can be, ten thousand
/// years either way.
fn is_duration(text: &str) -> bool {
    const MOST_SECONDS: u64 = 315_576_000_000;
    let Some(number) = text.strip_suffix('s') else { return false };
    let number = number.strip_prefix('-').unwrap_or(number);
    let (seconds, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_within =
        |seconds: u64| seconds < MOST_SECONDS || (seconds == MOST_SECONDS && fraction.bytes().all(|b| b == b'0'));
    is_digits(seconds) && is_digits(fraction) && fraction.len() <= 9 && seconds.parse().is_ok_and(is_within)
}

fn read_wrapper(
    message: &MessageDescriptor,
    read: impl FnOnce(&prost_reflect::Kind) -> Result<Value, &'static str>,
) -> Result<DynamicMessage, &'static str> {
    let field = message.get_field(1).ok_or("cannot be read")?;
    let mut wrapper = DynamicMessage::new(message.clone());
    wrapper.try_set_field(&field, read(&field.kind())?).map_err(|_| "cannot be read")?;
    Ok(wrapper)
}

/// Paths in either spelling; they are kept in the original one, as gRPC callers write them. An empty text is a mask
/// without paths; a path that is missing beside a comma is none, and was hardly meant so.
fn read_mask(message: &MessageDescriptor, text: &str) -> Option<DynamicMessage> {
    let paths = text.split(',').filter(|_| !text.is_empty()).map(str::trim);
    let paths: Option<Vec<Value>> = paths.map(|path| original_spelling(path).map(Value::String)).collect();
    let mut mask = DynamicMessage::new(message.clone());
    mask.try_set_field(&message.get_field(1)?, Value::List(paths?)).ok()?;
    Some(mask)
}

fn original_spelling(path: &str) -> Option<String> {
    if path.is_empty() {
        return None;
    }
    let mut original = String::with_capacity(path.len() + 4);
    for character in path.chars() {
        match character {
            'A'..='Z' => original.extend(['_', character.to_ascii_lowercase()]),
            'a'..='z' | '0'..='9' | '_' | '.' | '*' => original.push(character),
            _ => return None,
        }
    }
    Some(original)
}

/// `annual_revenue.units` as JSON spells it.
pub(super) fn json_spelling(path: &str) -> String {
    let (mut out, mut upper) = (String::with_capacity(path.len()), false);
    for character in path.chars() {
        match character {
            '_' => upper = true,
            _ if upper => {
                out.push(character.to_ascii_uppercase());
                upper = false;
            }
            _ => out.push(character),
        }
    }
    out
}
