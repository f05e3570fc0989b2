//! Lists that are only ever read and written whole: JSON in a column of their row.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// What such a column holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listed<T>(pub(crate) Vec<T>);

impl<T> Default for Listed<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Serialize> Listed<T> {
    /// As it is stored.
    pub(crate) fn written(&self) -> String {
        serde_json::to_string(&self.0).unwrap_or_default()
    }
}

impl<T: DeserializeOwned> TryFrom<String> for Listed<T> {
    type Error = serde_json::Error;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        serde_json::from_str(&text).map(Self)
    }
}
