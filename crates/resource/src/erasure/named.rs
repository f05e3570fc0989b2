//! Texts by which a person is named elsewhere.

use std::collections::BTreeSet;

/// What has any of these texts is taken to name the person. So they have to be theirs alone: addresses, numbers and ids are,
/// names are not. In lower case, and ASCII.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named(BTreeSet<String>);

impl Named {
    /// Short texts stand in all kinds of others.
    const SHORTEST: usize = 6;

    /// The text as well, if it can tell anybody.
    pub fn add(&mut self, text: &str) {
        let text = text.trim().to_ascii_lowercase();
        if text.is_ascii() && text.len() >= Self::SHORTEST {
            self.0.insert(text);
        }
    }

    /// These and others.
    #[must_use]
    pub fn and<'t>(&self, others: impl IntoIterator<Item = &'t str>) -> Self {
        let mut all = self.clone();
        others.into_iter().for_each(|text| all.add(text));
        all
    }

    pub(super) fn texts(&self) -> Vec<String> {
        self.0.iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_be_anybody_s_names_nobody() {
        let mut named = Named::default();
        for text in
            ["", " ", "a@b.c", "ADA@acme.example", "ada@ACME.example ", "+14155550123", "\u{e9}\u{e9}\u{e9}\u{e9}"]
        {
            named.add(text);
        }
        assert_eq!(named.texts(), ["+14155550123", "ada@acme.example"]);
        assert_eq!(named.and(["0190a1b2"]).texts().len(), 3);
    }
}
