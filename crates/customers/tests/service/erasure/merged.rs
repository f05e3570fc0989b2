//! A person who stands in two records, one of which was merged into the other.

use crm_proto::customers::{Contact, EraseContactResponse, GetContactHistoryRequest};
use crm_proto::merges::{MergeRequest, UnmergeRequest};
use crm_proto::operations::operation;
use prost::Message as _;
use tonic::Code;
use uuid::Uuid;

use super::{Two, ended, erase, erase_once, person};
use crate::support::{account, as_owner, call, contact, field_mask, refusal, refused, tenant};

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

#[tokio::test]
async fn what_a_winner_took_in_a_merge_that_was_undone_is_erased_from_its_history_and_nothing_else() {
    let two = Two::start().await;
    let account = two.admin.create_account(account("Acme")).await.unwrap().id;
    let mine = vec!["plain@x.example".to_owned()];
    let winner =
        two.admin.create_contact(Contact { emails: mine.clone(), ..contact(&account, "Plain") }).await.unwrap();
    let loser = two.admin.create_contact(person(&account)).await.unwrap();
    let (id, duplicate_id, request_id) = (winner.id.clone(), loser.id.clone(), Uuid::new_v4().to_string());
    let take = field_mask(&["emails", "phones"]);
    let merge = MergeRequest { id, duplicate_id, request_id, take, ..Default::default() };
    let begun = call!(two.admin, contacts.merge_contact(merge)).unwrap();
    assert_eq!(ended(&two.admin, begun).await.state(), operation::State::Succeeded);
    assert_eq!(two.admin.get_contact(&winner.id).await.unwrap().emails.len(), 2);
    let unmerge = UnmergeRequest { id: loser.id.clone(), request_id: Uuid::new_v4().to_string() };
    let begun = call!(two.admin, contacts.unmerge_contact(unmerge)).unwrap();
    assert_eq!(ended(&two.admin, begun).await.state(), operation::State::Succeeded);
    assert_eq!(two.admin.get_contact(&winner.id).await.unwrap().emails, mine);

    let loser = two.admin.get_contact(&loser.id).await.unwrap();
    let done = erase(&two.admin, &loser.id, &loser.etag).await;
    assert_eq!(done.state(), operation::State::Succeeded, "{done:?}");
    assert_eq!(two.tables_with_marks().await, [""; 0]);
    let history = GetContactHistoryRequest { id: winner.id.clone(), ..Default::default() };
    let history = call!(two.other, contacts.get_contact_history(history)).unwrap().changes;
    let erased: Vec<_> = history.iter().map(|change| change.erased).collect();
    assert_eq!(erased, [true, true, false], "the merge and its undoing, and not the creation");
    assert_eq!(two.other.get_contact(&winner.id).await.unwrap().emails, mine);
}
