//! Merging accounts and contacts: redirects, what moves with them, who sees what meanwhile.

mod fields;
mod hierarchy;
mod moving;
mod races;
mod redirects;
mod refusals;
mod site;
mod undo;

use crm_proto::merges::MergeRequest;
use crm_proto::operations::{self as ops, operation::State};
use crm_server::token::Role;
use tonic::Status;
use uuid::Uuid;

use crate::support::{Caller, World, call, field_mask};

/// Who may merge.
fn manager(world: &World) -> Caller {
    world.service.caller("acme", Role::Manager)
}

fn of(winner: &str, loser: &str, take: &[&str]) -> MergeRequest {
    let (id, duplicate_id, request_id) = (winner.to_owned(), loser.to_owned(), Uuid::new_v4().to_string());
    MergeRequest { id, duplicate_id, take: field_mask(take), request_id, ..Default::default() }
}

async fn ended(caller: &Caller, begun: Result<ops::Operation, Status>) -> ops::Operation {
    let wait = ops::WaitOperationRequest { id: begun.unwrap().id, timeout: None };
    for _ in 0..20 {
        let operation = call!(caller, operations.wait_operation(wait.clone())).unwrap();
        if operation.done {
            return operation;
        }
    }
    panic!("a merge has not ended");
}

async fn merge_accounts(caller: &Caller, request: MergeRequest) -> ops::Operation {
    let begun = call!(caller, accounts.merge_account(request));
    ended(caller, begun).await
}

async fn merge_contacts(caller: &Caller, request: MergeRequest) -> ops::Operation {
    let begun = call!(caller, contacts.merge_contact(request));
    ended(caller, begun).await
}

/// What it answered.
fn response<M: prost::Message + prost::Name + Default>(operation: &ops::Operation) -> M {
    assert_eq!(operation.state(), State::Succeeded, "{operation:?}");
    let Some(ops::operation::Result::Response(response)) = &operation.result else { panic!("{operation:?}") };
    response.to_msg().unwrap()
}

/// The reason of what a call or an operation is refused with, and what it names by `merged_into`.
fn named(status: &Status) -> (String, String) {
    use tonic_types::StatusExt;
    let details = status.get_error_details();
    let info = details.error_info().unwrap();
    (info.reason.clone(), info.metadata.get("merged_into").cloned().unwrap_or_default())
}

fn reason(operation: &ops::Operation) -> String {
    crate::operations::error(operation).1
}
