//! The definitions of a tenant's resource that are not deleted, as records are checked by them.

use crm_cache::Entry;
use crm_proto::standard::Attributes;
use serde::{Deserialize, Serialize};

use super::choices::Choice;

/// What values of an attribute are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Type {
    /// A line of text.
    Text,
    /// A number.
    Number,
    /// A day.
    Date,
    /// One of a few texts.
    Choice,
}

/// One attribute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownAttribute {
    /// Under which its values stand.
    pub key: String,
    /// What they are.
    #[serde(rename = "type")]
    pub kind: Type,
    /// What people call it.
    pub display_name: String,
    /// What there is to choose from, of a choice.
    pub choices: Vec<Choice>,
    /// Whether a new record must have one.
    pub required: bool,
    pub(super) max_length: Option<u16>,
    /// Whether facets are kept.
    pub filterable: bool,
    /// Whether all records have theirs.
    pub ready: bool,
}

/// All of a tenant's resource, in the order of their keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    pub(crate) version: i64,
    attributes: Vec<KnownAttribute>,
}

impl Known {
    /// The version of a resource for which nothing was ever defined.
    pub(super) const NONE: i64 = 1;

    /// Of a resource for which nothing is defined.
    pub(crate) fn none() -> Self {
        Self::new(Self::NONE, Vec::new())
    }

    pub(super) fn new(version: i64, mut attributes: Vec<KnownAttribute>) -> Self {
        attributes.sort_unstable_by(|one, other| one.key.cmp(&other.key));
        Self { version, attributes }
    }

    /// Each, in the order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = &KnownAttribute> {
        self.attributes.iter()
    }

    /// The one with this key.
    pub fn find(&self, key: &str) -> Option<&KnownAttribute> {
        let at = self.attributes.binary_search_by(|attribute| attribute.key.as_str().cmp(key)).ok()?;
        self.attributes.get(at)
    }

    /// Leaves out values of what is not defined any more.
    pub(crate) fn veil(&self, values: &mut Attributes) {
        values.retain(|key, _| self.find(key).is_some());
    }
}

#[cfg(feature = "testkit")]
impl Known {
    /// One of each type, for statements and plans to be looked at.
    pub(crate) fn example() -> Self {
        let of = |key: &str, kind| KnownAttribute {
            key: key.to_owned(),
            kind,
            display_name: String::new(),
            choices: Vec::new(),
            required: false,
            max_length: None,
            filterable: true,
            ready: true,
        };
        Self::new(2, vec![of("text", Type::Text), of("number", Type::Number), of("day", Type::Date)])
    }
}

impl Entry for Known {
    fn version(&self) -> u64 {
        u64::try_from(self.version).unwrap_or_default()
    }

    fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    fn weight(&self) -> u32 {
        let texts = |choice: &Choice| choice.value.len() + choice.display_name.len();
        let one = |attribute: &KnownAttribute| {
            let choices: usize = attribute.choices.iter().map(texts).sum();
            size_of::<KnownAttribute>() + attribute.key.len() + attribute.display_name.len() + choices
        };
        let bytes = size_of::<Self>() + self.attributes.iter().map(one).sum::<usize>();
        u32::try_from(bytes).unwrap_or(u32::MAX)
    }
}
