//! Changes, as readers ask for them and as they are told of them.

mod list;
mod tenants;

use crm_proto::journal as pb;
use tonic::Status;

use crate::support::{Caller, call};

/// A page of changes, of all resources.
async fn list(caller: &Caller, cursor: &str, page_size: i32) -> Result<pb::ListChangesResponse, Status> {
    list_of(caller, &[], cursor, page_size).await
}

async fn list_of(
    caller: &Caller,
    resources: &[&str],
    cursor: &str,
    page_size: i32,
) -> Result<pb::ListChangesResponse, Status> {
    let resources = resources.iter().map(|name| (*name).to_owned()).collect();
    let request = pb::ListChangesRequest { resources, cursor: cursor.to_owned(), page_size };
    call!(caller, changes.list_changes(request))
}

/// Which record, since which version.
fn told(changes: &[pb::Change]) -> Vec<(String, i64)> {
    changes.iter().map(|change| (change.id.clone(), change.version)).collect()
}
