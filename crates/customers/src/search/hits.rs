//! What fits the letters that somebody has typed.

use std::collections::HashMap;

use crm_proto::customers as pb;
use crm_proto::search::{Hit, hit};
use crm_resource::search::{Candidates, Compared, Searching, rank};
use crm_resource::{Call, Error, Kind, Record, Resource, Violations};
use crm_values::{Flaw, Match, Sought, required};
use tonic::Request;
use uuid::Uuid;

use crate::Customers;
use crate::accounts::{self, Account};
use crate::contacts::Contact;

const USUAL: usize = 10;
const MOST: usize = 50;
const KINDS: [&Kind; 2] = [Account::KIND, Contact::KIND];

/// What is to be found.
#[derive(Debug)]
struct Asked {
    sought: Sought,
    kinds: Vec<&'static Kind>,
    limit: usize,
}

impl Asked {
    fn of(request: &pb::SearchCustomersRequest) -> Result<Self, Error> {
        let mut found = Violations::default();
        let query = found.check("query", required(200).parse(&request.query));
        let limit = match usize::try_from(request.limit) {
            Ok(0) => USUAL,
            Ok(limit) => limit.min(MOST),
            Err(_) => {
                found.add("limit", Flaw::new(Flaw::OUT_OF_RANGE, "must not be negative"));
                USUAL
            }
        };
        if request.resources.len() > KINDS.len() {
            found.add("resources", Flaw::new(Flaw::TOO_LONG, "must have at most 2 items"));
        }
        for (index, name) in request.resources.iter().enumerate().take(KINDS.len()) {
            if !KINDS.iter().any(|kind| kind.plural == name) {
                let flaw = Flaw::malformed("must be \"accounts\" or \"contacts\"");
                found.add(&format!("resources[{index}]"), flaw);
            }
        }
        let is_asked =
            |kind: &&Kind| request.resources.is_empty() || request.resources.iter().any(|name| name == kind.plural);
        let kinds = KINDS.into_iter().filter(is_asked).collect();
        let sought = Sought::of(&query);
        if sought.is_none() && found.is_clear("query") {
            found.add("query", Flaw::missing());
        }
        let found = found.finish(sought)?;
        let sought = found.ok_or(Error::Inconsistent("a query that shows nothing was let through"))?;
        Ok(Self { sought, kinds, limit })
    }
}

/// A hit, and what the order of hits is decided by: the fit, the text that fits, accounts before contacts, the id.
type Ranked = ((Match, String, usize, Uuid), Hit);

pub(super) async fn search(
    customers: &Customers,
    request: Request<pb::SearchCustomersRequest>,
) -> Result<pb::SearchCustomersResponse, Error> {
    let (call, asked) = (Call::of(&request)?, Asked::of(request.get_ref())?);
    let mut searching = customers.store.search(&call).await?;
    let candidates = searching.beginning(&asked.sought, &asked.kinds, asked.limit).await?;
    let mut found = read(customers, &mut searching, &asked, &candidates).await?;
    if found.len() < asked.limit {
        let candidates = searching.nearly(&asked.sought, &asked.kinds, 2 * asked.limit).await?;
        let nearly = read(customers, &mut searching, &asked, &candidates).await?;
        found.extend(nearly.into_iter().filter(|(order, _)| order.0 == Match::Similar));
    }
    searching.end().await?;
    found.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    found.dedup_by_key(|(order, _)| order.3);
    found.truncate(asked.limit);
    Ok(pb::SearchCustomersResponse { hits: found.into_iter().map(|(_, hit)| hit).collect() })
}

/// Reads the candidates, and tells how well they fit. Contacts are told apart by their accounts, which are read along.
async fn read(
    customers: &Customers,
    searching: &mut Searching,
    asked: &Asked,
    candidates: &Candidates,
) -> Result<Vec<Ranked>, Error> {
    let contacts = searching.read(&customers.contacts, candidates.of(Contact::KIND)).await?;
    let contacts: Vec<_> = contacts.into_iter().filter_map(|contact| ranked::<Contact>(asked, contact)).collect();
    let mut ids = candidates.of(Account::KIND).to_vec();
    ids.extend(contacts.iter().map(|(_, contact)| contact.fields.account_id()));
    ids.sort_unstable();
    ids.dedup();
    let accounts = searching.read(&customers.accounts, &ids).await?;
    let names: HashMap<Uuid, String> =
        accounts.iter().map(|account| (account.head.id, Account::title(&account.fields))).collect();
    let contacts = contacts.into_iter().map(|((order, mut hit), contact)| {
        hit.subtitle = names.get(&contact.fields.account_id()).cloned().unwrap_or_default();
        (order, hit)
    });
    let is_candidate = |account: &Record<accounts::Fields>| candidates.of(Account::KIND).contains(&account.head.id);
    let accounts = accounts.into_iter().filter(is_candidate).filter_map(|account| ranked::<Account>(asked, account));
    let accounts = accounts.map(|((order, mut hit), account)| {
        hit.subtitle = account.fields.domain().to_owned();
        (order, hit)
    });
    Ok(accounts.chain(contacts).collect())
}

fn ranked<R: Compared>(asked: &Asked, record: Record<R::Fields>) -> Option<(Ranked, Record<R::Fields>)> {
    let (fit, term) = rank::<R>(&asked.sought, &record.fields)?;
    let id = record.head.id;
    let number = KINDS.iter().position(|kind| kind.plural == R::KIND.plural)?;
    let hit = Hit {
        resource: R::KIND.plural.to_owned(),
        id: id.to_string(),
        title: R::title(&record.fields),
        subtitle: String::new(),
        r#match: match fit {
            Match::Exact => hit::Match::Exact,
            Match::Prefix => hit::Match::Prefix,
            Match::Word => hit::Match::Word,
            Match::Similar => hit::Match::Similar,
        }
        .into(),
        field: term.field.to_owned(),
        text: term.text,
    };
    Some((((fit, term.key, number, id), hit), record))
}
