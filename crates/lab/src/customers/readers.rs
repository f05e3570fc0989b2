//! Who reads what stands under a record page by page, again and again, while it is moved.

use std::collections::HashSet;

use crm_server::token::tenant_id;
use serde_json::{Value, json};
use sqlx::PgConnection;

use super::lab::LARGE;
use super::replicas::Replicas;
use crate::scratch::{LabError, Whose};

const PAGE: u32 = 1_000;

/// What is read.
pub(super) struct Children {
    what: &'static str,
    rpc: &'static str,
    parent: &'static str,
    ids: &'static str,
}

pub(super) const CONTACTS: Children = Children {
    what: "contacts",
    rpc: "crm.customers.v1.ContactService/ListContacts",
    parent: "account_id",
    ids: "select id::text from customers.contacts where tenant_id = $1 and account_id::text = any($2)",
};
pub(super) const ACTIVITIES: Children = Children {
    what: "activities",
    rpc: "crm.customers.v1.ActivityService/ListActivities",
    parent: "parent_id",
    ids: "select id::text from customers.activities where tenant_id = $1 and parent_id::text = any($2)",
};

/// A list that is read, and what has to be in it.
pub(super) struct Reader {
    of: &'static Children,
    parent: String,
    expected: HashSet<String>,
    token: String,
    seen: Vec<String>,
    /// How often it was read from end to end, and how often that was not what has to be there.
    pub(super) reads: u32,
    pub(super) wrong: u32,
}

impl Reader {
    /// Of the first of these parents, under which is to be found what stands under each of them now.
    pub(super) async fn new(
        of: &'static Children,
        owner: &mut PgConnection,
        parents: &[&str],
    ) -> Result<Self, LabError> {
        let expected = ids(of, owner, parents).await?;
        let parent = parents.first().copied().unwrap_or_default().to_owned();
        Ok(Self { of, parent, expected, token: String::new(), seen: Vec::new(), reads: 0, wrong: 0 })
    }

    pub(super) fn what(&self) -> &'static str {
        self.of.what
    }

    pub(super) fn has_read(&self) -> bool {
        self.reads > 0
    }

    /// Reads the next page. Answers whether it was the last one.
    pub(super) async fn read(&mut self, replicas: &mut Replicas<'_>, whose: Whose<'_>) -> Result<bool, LabError> {
        let filter = format!("{} = \"{}\"", self.of.parent, self.parent);
        let request = json!({ "filter": filter, "pageSize": PAGE, "pageToken": self.token });
        let page = replicas.get(whose, self.of.rpc, &request).await?;
        Ok(self.add(&page))
    }

    fn add(&mut self, page: &Value) -> bool {
        let items = page[self.of.what].as_array().into_iter().flatten();
        self.seen.extend(items.filter_map(|item| item["id"].as_str().map(str::to_owned)));
        page["nextPageToken"].as_str().unwrap_or_default().clone_into(&mut self.token);
        let is_last = self.token.is_empty();
        if is_last {
            let seen = std::mem::take(&mut self.seen);
            self.reads += 1;
            // As many as there are, and all of them: then none is there twice.
            let is_right =
                seen.len() == self.expected.len() && seen.into_iter().collect::<HashSet<_>>() == self.expected;
            self.wrong += u32::from(!is_right);
        }
        is_last
    }

    /// How many of them stand elsewhere now than under this record, or nowhere.
    pub(super) async fn lost(&self, owner: &mut PgConnection, parent: &str) -> Result<u64, LabError> {
        Ok(self.expected.symmetric_difference(&ids(self.of, owner, &[parent]).await?).count() as u64)
    }
}

async fn ids(of: &Children, owner: &mut PgConnection, parents: &[&str]) -> Result<HashSet<String>, LabError> {
    let ids = sqlx::query_scalar(of.ids).bind(tenant_id(LARGE)).bind(parents);
    Ok(ids.fetch_all(owner).await?.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_seen_twice_or_not_at_all_is_told() {
        let check = |pages: &[&[&str]], wrong: u32| {
            let expected = ["a", "b", "c"].map(str::to_owned).into_iter().collect();
            let (parent, token, seen) = (String::new(), String::new(), Vec::new());
            let mut reader = Reader { of: &CONTACTS, parent, expected, token, seen, reads: 0, wrong: 0 };
            for (nth, page) in pages.iter().enumerate() {
                let contacts: Vec<Value> = page.iter().map(|id| json!({ "id": id })).collect();
                let is_last = nth + 1 == pages.len();
                let token = if is_last { "" } else { "next" };
                assert_eq!(reader.add(&json!({ "contacts": contacts, "nextPageToken": token })), is_last);
            }
            assert_eq!((reader.reads, reader.wrong), (1, wrong), "{pages:?}");
        };
        check(&[&["a", "b"], &["c"]], 0);
        check(&[&["a", "b"], &["b", "c"]], 1);
        check(&[&["a", "b"], &["b"]], 1);
        check(&[&["a"], &[], &["b"]], 1);
        check(&[&["a", "b"], &["c", "d"]], 1);
    }
}
