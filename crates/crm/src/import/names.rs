//! Records by their names: as they are written or, where only one can be meant, however they are spelt.

use std::collections::HashMap;

use crm_values::{name_key, text_key};

use super::report::Report;

/// A name without its case and its blanks: `GTXPro` is `GTX Pro`.
pub(super) fn loose_key(name: &str) -> String {
    name_key(name).replace(' ', "")
}

/// What has names.
#[derive(Debug)]
pub(super) struct Names<T> {
    exact: HashMap<String, T>,
    /// The exact key; none where two names differ in nothing else.
    loose: HashMap<String, Option<String>>,
}

impl<T> Names<T> {
    /// The first of two that have the same name.
    pub(super) fn of(named: impl IntoIterator<Item = (String, T)>) -> Self {
        let (mut exact, mut loose) = (HashMap::new(), HashMap::new());
        for (name, it) in named {
            let key = text_key(&name);
            if exact.contains_key(&key) {
                continue;
            }
            loose.entry(loose_key(&name)).and_modify(|one| *one = None).or_insert_with(|| Some(key.clone()));
            exact.insert(key, it);
        }
        Self { exact, loose }
    }

    /// Whose name this is; a use of the rule is counted where it is spelt otherwise.
    pub(super) fn find(&self, name: &str, rule: &'static str, report: &mut Report) -> Option<&T> {
        if let Some(it) = self.exact.get(&text_key(name)) {
            return Some(it);
        }
        let it = self.loose.get(&loose_key(name))?.as_ref().and_then(|key| self.exact.get(key))?;
        report.repaired(rule);
        Some(it)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_however_it_is_spelt_unless_two_may_be_meant() {
        let named = ["GTX Pro", "GTX Plus Pro", "Acme", "ACME", "GTX Pro"];
        let names = Names::of(named.into_iter().enumerate().map(|(index, name)| (name.to_owned(), index)));
        let mut report = Report::default();
        for (name, found) in [
            ("GTX Pro", Some(0)),
            ("GTXPro", Some(0)),
            ("gtx  pro", Some(0)),
            ("GTX Plus Pro", Some(1)),
            ("GTX", None),
            ("ACME", Some(3)),
            ("acme", None),
            ("", None),
        ] {
            assert_eq!(names.find(name, "rule", &mut report).copied(), found, "{name}");
        }
        assert_eq!(report.repaired, [("rule", 2)].into());
    }
}
