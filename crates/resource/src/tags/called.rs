//! Tags by their names, as files have them.

use std::collections::{BTreeSet, HashMap};
use std::iter::once;

use crm_values::name_key;
use uuid::Uuid;

use crate::{Error, Store, Write};

/// Tags that are there, by the keys of their names.
#[derive(Debug, Default)]
pub(crate) struct Called(HashMap<String, Uuid>);

impl Called {
    /// Those that are called so, or by what stands between commas. They stay until the transaction ends.
    pub(crate) async fn find<'n>(
        store: &Store,
        write: &mut Write,
        names: impl Iterator<Item = &'n str>,
    ) -> Result<Self, Error> {
        let keys: BTreeSet<String> =
            names.flat_map(|name| once(name).chain(name.split(','))).map(|name| name_key(name.trim())).collect();
        if keys.is_empty() {
            return Ok(Self::default());
        }
        let keys: Vec<String> = keys.into_iter().collect();
        let query = sqlx::query(store.tags.by_name.clone()).bind(write.call.tenant).bind(keys);
        let found: Vec<(String, Uuid)> = write.fetch_all("hold_tags_by_name", query).await?;
        Ok(Self(found.into_iter().collect()))
    }

    /// The tag of this name, or the tags of the names that it is made of: a name may have a comma in it. None, if one is not
    /// there.
    pub(crate) fn ids(&self, name: &str) -> Option<Vec<Uuid>> {
        if let Some(id) = self.0.get(&name_key(name)) {
            return Some(vec![*id]);
        }
        let parts = name.split(',').map(str::trim).filter(|part| !part.is_empty());
        parts.map(|part| self.0.get(&name_key(part)).copied()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_have_a_comma_in_it() {
        let [a, b, both] = [1, 2, 3].map(Uuid::from_u128);
        let called = Called(HashMap::from([(name_key("A"), a), (name_key("b"), b), (name_key("C, D"), both)]));
        for (name, ids) in [
            ("a", Some(vec![a])),
            ("a, B", Some(vec![a, b])),
            ("a,", Some(vec![a])),
            ("c, d", Some(vec![both])),
            ("c", None),
            ("a, c", None),
        ] {
            assert_eq!(called.ids(name), ids, "{name}");
        }
    }
}
