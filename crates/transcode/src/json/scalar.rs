//! Scalars: JSON or text to value. An error is what the value must be; it never holds the value.

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use prost_reflect::{EnumDescriptor, Kind, MapKey, Value};

use super::{Json, number};

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_allow_trailing_bits(true)
    .with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// Reads a scalar from JSON: integers also from decimal strings, enums by name or number, bytes from either base64.
pub(super) fn from_json(kind: &Kind, json: &Json<'_>) -> Result<Value, &'static str> {
    match kind {
        Kind::Bool => boolean(json).map(Value::Bool).ok_or("must be true or false"),
        Kind::String => json.as_str().map(|text| Value::String(text.to_owned())).ok_or("must be a string"),
        Kind::Bytes => json.as_str().and_then(bytes).ok_or("must be a string of base64"),
        Kind::Enum(names) => enumerated(names, json).ok_or("must be the name of a value, or its number"),
        Kind::Double => double(json).map(Value::F64).ok_or("must be a number"),
        Kind::Float => float(json).map(Value::F32).ok_or("must be a number that fits 32 bits"),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => {
            narrow(json).map(Value::I32).ok_or("must be an integer from -2147483648 to 2147483647")
        }
        Kind::Uint32 | Kind::Fixed32 => narrow(json).map(Value::U32).ok_or("must be an integer from 0 to 4294967295"),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => {
            narrow(json).map(Value::I64).ok_or("must be an integer of 64 bits, as a number or a string")
        }
        Kind::Uint64 | Kind::Fixed64 => {
            narrow(json).map(Value::U64).ok_or("must be an integer of 64 bits without a sign, as a number or a string")
        }
        Kind::Message(_) => Err("must be an object"),
    }
}

/// Reads a scalar from the text of a path variable or query parameter.
pub(super) fn from_text(kind: &Kind, text: &str) -> Result<Value, &'static str> {
    let json = match (kind, text) {
        (Kind::Bool, "true") => Json::Bool(true),
        (Kind::Bool, "false") => Json::Bool(false),
        (Kind::Enum(_), _) if number::integer(text).is_some() => Json::Number(text.into()),
        _ => Json::String(text.into()),
    };
    from_json(kind, &json)
}

/// Reads the key of a map, which JSON always writes as a string.
pub(super) fn map_key(kind: &Kind, text: &str) -> Result<MapKey, &'static str> {
    from_text(kind, text)?.into_map_key().ok_or("must be a key")
}

fn boolean(json: &Json<'_>) -> Option<bool> {
    if let Json::Bool(value) = json { Some(*value) } else { None }
}

/// Integers may be written with a fraction or exponent, in a string, too, as long as they are whole: `1.0`, `"1e3"`.
fn narrow<T: TryFrom<i128>>(json: &Json<'_>) -> Option<T> {
    let (Json::Number(text) | Json::String(text)) = json else { return None };
    T::try_from(number::integer(text)?).ok()
}

fn double(json: &Json<'_>) -> Option<f64> {
    match json {
        Json::Number(text) => number::double(text),
        Json::String(text) => named_double(text).or_else(|| number::double(text)),
        _ => None,
    }
}

fn named_double(text: &str) -> Option<f64> {
    match text {
        "NaN" => Some(f64::NAN),
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        _ => None,
    }
}

fn float(json: &Json<'_>) -> Option<f32> {
    let value = double(json)?;
    #[allow(clippy::cast_possible_truncation, reason = "the nearest float is meant; overflow is refused below")]
    let nearest = value as f32;
    (nearest.is_finite() || !value.is_finite()).then_some(nearest)
}

fn bytes(text: &str) -> Option<Value> {
    STANDARD.decode(text).or_else(|_| URL_SAFE.decode(text)).ok().map(|bytes| Value::Bytes(bytes.into()))
}

fn enumerated(names: &EnumDescriptor, json: &Json<'_>) -> Option<Value> {
    match json {
        Json::String(name) => names.get_value_by_name(name).map(|value| Value::EnumNumber(value.number())),
        Json::Null if names.full_name() == "google.protobuf.NullValue" => Some(Value::EnumNumber(0)),
        _ => narrow(json).map(Value::EnumNumber),
    }
}
