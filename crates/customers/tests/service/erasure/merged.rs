//! A person who stands in two records, one of which was merged into the other.

use crm_proto::customers::{Contact, EraseContactResponse};
use crm_proto::merges::{MergeRequest, UnmergeRequest};
use crm_proto::operations::operation;
use prost::Message as _;
use tonic::Code;
use uuid::Uuid;

use super::{Two, ended, erase, erase_once, person};
use crate::support::{account, as_owner, call, contact, refusal, refused, tenant};

/// One that stays, and one that was merged into it.
async fn merged(two: &Two) -> (Contact, Contact) {
    let account = two.admin.create_account(account("Acme")).await.unwrap().id;
    let winner = two.admin.create_contact(contact(&account, "Plain")).await.unwrap();
    let loser = two.admin.create_contact(person(&account)).await.unwrap();
    let (id, duplicate_id, request_id) = (winner.id.clone(), loser.id.clone(), Uuid::new_v4().to_string());
    let merge = MergeRequest { id, duplicate_id, request_id, ..Default::default() };
    let begun = call!(two.admin, contacts.merge_contact(merge)).unwrap();
    assert_eq!(ended(&two.admin, begun).await.state(), operation::State::Succeeded);
    (winner, loser)
}

#[tokio::test]
async fn what_was_merged_into_a_person_is_erased_with_them_and_never_in_their_place() {
    let two = Two::start().await;
    let (winner, loser) = merged(&two).await;
    // Whoever reads the one is answered the other, with its etag.
    let shown = two.other.get_contact(&loser.id).await.unwrap();
    assert_eq!(shown.id, winner.id);
    let alone = erase_once(&two.admin, &loser.id, &shown.etag, Uuid::new_v4()).await;
    assert_eq!(refusal(alone), refused(Code::FailedPrecondition, "MERGED_INTO"));
    assert_eq!(two.other.get_contact(&winner.id).await.unwrap(), shown);

    let done = erase(&two.admin, &winner.id, &shown.etag).await;
    let Some(operation::Result::Response(response)) = &done.result else { panic!("{done:?}") };
    let mut erased = EraseContactResponse::decode(response.value.as_slice()).unwrap().contact_ids;
    erased.sort_unstable();
    assert_eq!(erased, [winner.id, loser.id]);
    assert_eq!(two.tables_with_marks().await, [""; 0]);
}

#[tokio::test]
async fn who_is_being_erased_is_not_parted_from_whom_they_were_merged_into() {
    let two = Two::start().await;
    let (winner, loser) = merged(&two).await;
    // As an erasure leaves it after its first step.
    let begun: String = [&winner.id, &loser.id]
        .map(|id| {
            format!(
                "insert into customers.erasures (tenant_id, resource, record_id, subject) \
                 values ('{}', 'contacts', '{id}', 'ada');",
                tenant()
            )
        })
        .concat();
    as_owner(&two.database, &begun).await;
    let unmerge = UnmergeRequest { id: loser.id.clone(), request_id: Uuid::new_v4().to_string() };
    let begun = call!(two.admin, contacts.unmerge_contact(unmerge)).unwrap();
    assert_eq!(crate::operations::error(&ended(&two.admin, begun).await).1, "CONTACT_ERASED");

    let done = erase(&two.admin, &winner.id, &winner.etag).await;
    assert_eq!(done.state(), operation::State::Succeeded, "{done:?}");
    assert_eq!(two.tables_with_marks().await, [""; 0]);
}
