//! Accounts that rows name: by id, by domain, or by name.

use std::collections::{BTreeSet, HashMap, HashSet};

use crm_resource::imports::{Job, Line, REFERENCE_AMBIGUOUS, REFERENCE_NOT_FOUND};
use crm_resource::{Error, Records, Resource, Write};
use crm_values::{Flaw, name_key, parse_domain_name, parse_id};
use uuid::Uuid;

use crate::accounts::Account;

/// What a row says of an account.
#[derive(Debug, Clone, Default)]
pub(super) struct Named {
    pub(super) id: String,
    /// As it is kept; empty if it is none.
    pub(super) domain: String,
    pub(super) name: String,
}

/// Which account that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    One(Uuid),
    Several,
    None,
}

impl Named {
    pub(super) fn new(id: &str, domain: &str, name: &str) -> Self {
        let domain = parse_domain_name(host(domain)).unwrap_or_default();
        Self { id: crm_values::kept(id).to_owned(), domain, name: crm_values::kept(name).to_owned() }
    }

    /// Whether it says nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.id.is_empty() && self.domain.is_empty() && self.name.is_empty()
    }
}

/// The domain that an address of the web is at.
pub(super) fn host(address: &str) -> &str {
    let address = address.trim();
    let address = address.split_once("://").map_or(address, |(_, rest)| rest);
    let host = address.split(['/', '?', '#', ':']).next().unwrap_or_default();
    host.strip_prefix("www.").unwrap_or(host)
}

/// By its domain, which is an account's own.
pub const BY_DOMAIN: &str =
    "select domain, id from customers.accounts where tenant_id = $1 and domain = any($2) and delete_time is null";

/// By its name's key: of each two, which are too many.
pub const BY_NAME: &str = "select wanted.key, found.id from unnest($2::text[]) as wanted (key) cross join lateral (\
     select id from customers.accounts where tenant_id = $1 and name_key = wanted.key and delete_time is null \
     order by id limit 2) found";

/// Which accounts these are. An id decides alone; a domain before a name.
pub(super) async fn find(write: &mut Write, all: &[Named]) -> Result<Vec<Found>, Error> {
    let distinct = |of: fn(&Named) -> String| {
        let all = all.iter().filter(|named| named.id.is_empty()).map(of).filter(|text| !text.is_empty());
        all.collect::<BTreeSet<String>>().into_iter().collect::<Vec<String>>()
    };
    let (domains, names) = (distinct(|named| named.domain.clone()), distinct(|named| name_key(&named.name)));
    let mut by_domain: HashMap<String, Uuid> = HashMap::new();
    if !domains.is_empty() {
        let query = sqlx::query(BY_DOMAIN).bind(write.call.tenant).bind(domains);
        by_domain.extend(write.fetch_all::<(String, Uuid)>("find_accounts_by_domain", query).await?);
    }
    let mut by_name: HashMap<String, Vec<Uuid>> = HashMap::new();
    if !names.is_empty() {
        // Planned anew each time, as there may have been no accounts a moment ago.
        let query = sqlx::query(BY_NAME).bind(write.call.tenant).bind(names).persistent(false);
        for (key, id) in write.fetch_all::<(String, Uuid)>("find_accounts_by_name", query).await? {
            by_name.entry(key).or_default().push(id);
        }
    }
    let one = |named: &Named| {
        if !named.id.is_empty() {
            return parse_id(&named.id).map_or(Found::None, Found::One);
        }
        match (by_domain.get(&named.domain), by_name.get(&name_key(&named.name)).map(Vec::as_slice)) {
            (Some(id), _) | (None, Some([id])) => Found::One(*id),
            (None, Some([_, ..])) => Found::Several,
            (None, _) => Found::None,
        }
    };
    Ok(all.iter().map(one).collect())
}

/// Those that are there; they stay until the transaction ends, unless nothing is to be written.
pub(super) async fn hold(
    accounts: &Records<Account>,
    write: &mut Write,
    job: &Job,
    found: &[Found],
) -> Result<HashSet<Uuid>, Error> {
    let ids: BTreeSet<Uuid> = found.iter().filter_map(|found| found.id()).collect();
    let ids: Vec<Uuid> = ids.into_iter().collect();
    if job.is_dry { accounts.live_many(write, &ids).await } else { accounts.hold_many(write, &ids).await }
}

impl Found {
    pub(super) const fn id(self) -> Option<Uuid> {
        match self {
            Self::One(id) => Some(id),
            Self::Several | Self::None => None,
        }
    }
}

/// Notes that the account is not there, or that it is not known which one is meant.
pub(super) fn note<R: Resource>(line: &mut Line<R>, field: &str, found: Found) {
    let flaw = match found {
        Found::Several => {
            Flaw::new(REFERENCE_AMBIGUOUS, "several accounts have this name: say which by its domain or id")
        }
        Found::One(_) | Found::None => Flaw::new(REFERENCE_NOT_FOUND, "there is no such account"),
    };
    line.add(field, flaw);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_the_web_has_a_domain() {
        for (address, expected) in [
            ("acme.example", "acme.example"),
            ("https://www.acme.example/about?x#y", "acme.example"),
            ("http://acme.example:8080", "acme.example"),
            (" www.acme.example ", "acme.example"),
            ("", ""),
        ] {
            assert_eq!(host(address), expected);
        }
    }
}
