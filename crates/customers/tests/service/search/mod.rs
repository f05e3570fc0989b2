//! Search and duplicates.

mod creating;
mod duplicates;
mod kept;
mod typing;
mod walls;

use crm_proto::customers as pb;
use crm_proto::search::{Hit, hit::Match};
use tonic::Status;

use crate::support::{Caller, call};

pub async fn search(caller: &Caller, query: &str) -> Result<Vec<Hit>, Status> {
    let request = pb::SearchCustomersRequest { query: query.to_owned(), ..Default::default() };
    Ok(call!(caller, search.search_customers(request))?.hits)
}

/// Titles and how they fit.
pub async fn found(caller: &Caller, query: &str) -> Vec<(String, Match)> {
    let hits = search(caller, query).await.unwrap();
    hits.into_iter().map(|hit| (hit.title.clone(), hit.r#match())).collect()
}

/// Titles alone.
pub async fn titles(caller: &Caller, query: &str) -> Vec<String> {
    found(caller, query).await.into_iter().map(|(title, _)| title).collect()
}

pub fn person(account_id: &str, given: &str, family: &str, email: &str, phone: &str) -> pb::Contact {
    let texts = |text: &str| if text.is_empty() { Vec::new() } else { vec![text.to_owned()] };
    pb::Contact {
        account_id: account_id.to_owned(),
        given_name: given.to_owned(),
        family_name: family.to_owned(),
        emails: texts(email),
        phones: texts(phone),
        ..Default::default()
    }
}
