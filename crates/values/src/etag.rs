//! Entity tags (AIP-154): the version of a row, in a form that invites nobody to do arithmetic with it.

/// What state of a row a caller saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Etag(i64);

impl Etag {
    /// The tag of a row in its `version`th state.
    pub fn of(version: i64) -> Self {
        Self(version)
    }

    /// The version of a row whose tag this is, as the service that keeps the row told it.
    pub fn version_of(text: &str) -> Option<i64> {
        let version = i64::from_str_radix(text.strip_prefix('v')?, 16).ok()?;
        (Self(version).to_string() == text).then_some(version)
    }

    /// Whether `text`, as a caller sent it, names this state. No text asks for no particular state.
    pub fn admits(self, text: &str) -> bool {
        text.is_empty() || text == self.to_string()
    }
}

impl std::fmt::Display for Etag {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "v{:x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_tells_its_version_and_no_other_text_tells_any() {
        for version in [0, 1, 26, i64::MAX] {
            assert_eq!(Etag::version_of(&Etag::of(version).to_string()), Some(version));
        }
        for text in ["", "v", "26", "v01", "vX", "v+1", "vffffffffffffffff"] {
            assert_eq!(Etag::version_of(text), None, "{text}");
        }
    }

    #[test]
    fn only_the_current_tag_or_none_is_admitted() {
        let current = Etag::of(26);
        for (text, admitted) in [("v1a", true), ("", true), ("v19", false), ("1a", false), ("\0", false), ("*", false)]
        {
            assert_eq!(current.admits(text), admitted, "{text:?}");
        }
    }
}
