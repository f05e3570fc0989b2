//! What the messages of standard methods have in common (AIP-131 to 135, 158, 164, 231), as traits.
//!
//! The impls are written by `build.rs` from the descriptors: a resource's message is what a `Get…` answers, and a request
//! is told by its method's name and by its fields. `tests/golden/standard.rs` shows them all.

use std::collections::BTreeMap;

use prost::Message;
use prost_types::{FieldMask, Timestamp};
use serde_json::Value;

use crate::journal::Change;
use crate::merges::Redirect;

/// Values of what a tenant has defined, by their keys.
pub type Attributes = BTreeMap<String, prost_types::Value>;

/// The message of a resource.
pub trait Resource: Message + Default + Clone + PartialEq + 'static {
    /// What requests call it, such as `account`.
    const NAME: &'static str;
    /// Fields that callers may set, and those that they may set once.
    const FIELDS: &'static [&'static str];
    /// Of these, the ones that are fixed at creation.
    const IMMUTABLE: &'static [&'static str];
    /// Fields that the service sets. Masks may name them and nothing happens (AIP-161).
    const OUTPUT_ONLY: &'static [&'static str];
    /// Fields that say something of a person.
    const PERSONAL: &'static [&'static str];

    /// Its id.
    fn id(&self) -> &str;
    /// The state that is meant, if one in particular.
    fn etag(&self) -> &str;
    /// Ids of other resources that it holds.
    fn references(&mut self) -> Vec<&mut String>;
    /// Values of what the tenant has defined, if the resource can have some.
    fn attributes(&self) -> Option<&Attributes> {
        None
    }
    /// The same, to be changed.
    fn attributes_mut(&mut self) -> Option<&mut Attributes> {
        None
    }
    /// Whether the field has a value: a text or list that is not empty, a number or message that is present.
    fn is_set(&self, field: &str) -> bool;
    /// Whether the field has the same value in `other`.
    fn is_same(&self, other: &Self, field: &str) -> bool;
    /// The field's value as JSON has it; null if it has none.
    fn value(&self, field: &str) -> Value;
    /// Takes the field's value from `other`; of a list, what it has not yet, behind its own.
    fn adopt(&mut self, other: &Self, field: &str);
}

/// What the service itself says of every record, on a resource's message.
pub trait Head {
    /// Sets the id, the etag, and the times of creation, last change and deletion.
    fn set_head(&mut self, id: String, etag: String, times: [Option<Timestamp>; 3]);
}

/// Creates one.
pub trait Create: Message {
    /// What is created.
    type Resource: Resource;
    /// The method, such as `customers.CreateAccount`: request ids are a method's own.
    const METHOD: &'static str;

    /// What is to be created.
    fn resource(&mut self) -> &mut Option<Self::Resource>;
    /// The caller's name for this creation (AIP-155).
    fn request_id(&mut self) -> &mut String;
}

/// Reads one.
pub trait Get {
    /// What is read.
    type Resource: Resource;

    /// Which one.
    fn id(&self) -> &str;
}

/// Reads several.
pub trait BatchGet {
    /// What is read.
    type Resource: Resource;
    /// What is answered.
    type Answer;

    /// Which ones.
    fn ids(&self) -> &[String];
    /// The answer that holds these, and which of them stand for others.
    fn answer(found: Vec<Self::Resource>, redirects: Vec<Redirect>) -> Self::Answer;
}

/// Reads a page.
pub trait List {
    /// What is read.
    type Resource: Resource;
    /// What is answered.
    type Answer;

    /// Which page.
    fn page(self) -> Page;
    /// The answer that holds these, and where the next page begins.
    fn answer(found: Vec<Self::Resource>, next_page_token: String) -> Self::Answer;
}

/// Changes one.
pub trait Update {
    /// What is changed.
    type Resource: Resource;

    /// The new values, and which of them are meant.
    fn parts(self) -> (Option<Self::Resource>, Option<FieldMask>);
}

/// Names one, and the state that is meant.
pub trait At {
    /// What is named.
    type Resource: Resource;

    /// Its id, and its etag.
    fn parts(self) -> (String, String);
}

/// Deletes one.
pub trait Delete: At {}

/// Brings one back.
pub trait Undelete: At {}

/// Streams all.
pub trait Export {
    /// What is streamed.
    type Resource: Resource;

    /// The filter, and whether deleted ones are wanted.
    fn parts(self) -> (String, bool);
}

/// Reads what was changed of one.
pub trait History {
    /// What was changed.
    type Resource: Resource;
    /// What is answered.
    type Answer;

    /// Which one, how many changes, and after which.
    fn parts(self) -> (String, i32, String);
    /// The answer that holds these.
    fn answer(found: Past) -> Self::Answer;
}

/// A page of what was changed.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs, reason = "documented in the answers' protos")]
pub struct Past {
    pub changes: Vec<Change>,
    pub next_page_token: String,
    pub begin_time: Option<Timestamp>,
    pub complete: bool,
}

/// Lets a list have what is in another one, too.
fn unite<T: Clone + PartialEq>(list: &mut Vec<T>, other: &[T]) {
    for item in other {
        if !list.contains(item) {
            list.push(item.clone());
        }
    }
}

/// A value as proto3 JSON has it.
trait Json {
    fn json(&self) -> Value;
}

/// Those that JSON has as they are.
macro_rules! plain {
    ($($type:ty),*) => {$(
        impl Json for $type {
            fn json(&self) -> Value {
                Value::from(self.clone())
            }
        }
    )*};
}
plain!(String, bool, i32, u32, f32, f64);

/// Those that it has as texts.
macro_rules! text {
    ($($type:ty),*) => {$(
        impl Json for $type {
            fn json(&self) -> Value {
                Value::from(self.to_string())
            }
        }
    )*};
}
text!(i64, u64, Timestamp, prost_types::Duration);

impl<T: Json> Json for Option<T> {
    fn json(&self) -> Value {
        self.as_ref().map_or(Value::Null, Json::json)
    }
}

impl<T: Json> Json for Vec<T> {
    fn json(&self) -> Value {
        self.iter().map(Json::json).collect()
    }
}

impl Json for Attributes {
    fn json(&self) -> Value {
        self.iter().map(|(key, value)| (key.clone(), value.json())).collect()
    }
}

impl Json for prost_types::Value {
    fn json(&self) -> Value {
        any_json(self)
    }
}

/// The JSON that a value of any kind stands for. What is whole is written so.
pub fn any_json(value: &prost_types::Value) -> Value {
    use prost_types::value::Kind;
    match &value.kind {
        None | Some(Kind::NullValue(_)) => Value::Null,
        Some(Kind::BoolValue(truth)) => Value::Bool(*truth),
        Some(Kind::NumberValue(number)) => number_json(*number),
        Some(Kind::StringValue(text)) => Value::String(text.clone()),
        Some(Kind::ListValue(list)) => list.values.iter().map(any_json).collect(),
        Some(Kind::StructValue(fields)) => {
            fields.fields.iter().map(|(name, value)| (name.clone(), any_json(value))).collect()
        }
    }
}

/// Up to where each whole number is a double of its own.
const WHOLE: f64 = 9_007_199_254_740_992.0;

fn number_json(number: f64) -> Value {
    if number.fract() == 0.0 && number.abs() < WHOLE {
        #[allow(clippy::cast_possible_truncation, reason = "it is whole and within what an i64 holds")]
        return Value::from(number as i64);
    }
    Value::from(number)
}

/// Which page is asked for, as it is written in a request.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs, reason = "documented in the requests' protos")]
pub struct Page {
    pub page_size: i32,
    pub page_token: String,
    pub filter: String,
    pub order_by: String,
    pub show_deleted: bool,
}

include!(concat!(env!("OUT_DIR"), "/standard.rs"));

/// The impls as they were written.
#[doc(hidden)]
pub const GENERATED: &str = include_str!(concat!(env!("OUT_DIR"), "/standard.rs"));
