//! Who is being erased is shown nowhere from the moment on that the call is answered.

use crm_proto::customers::{self as pb, Contact};
use crm_proto::operations::operation;
use crm_proto::tables::ExportTableRequest;
use tokio_stream::StreamExt as _;
use tonic::Code;
use uuid::Uuid;

use super::{EMAIL, Two, ended, erase_once, person};
use crate::support::{Caller, account, as_owner, call, refusal, refused};

/// Nobody works on any operation.
const STOP: &str = "create function public.stop() returns trigger language plpgsql as $$ begin return null; end $$; \
                    create trigger stop before update on customers.operations for each row execute function public.stop()";

async fn deleted_ones(caller: &Caller) -> usize {
    let list = pb::ListContactsRequest { show_deleted: true, ..Default::default() };
    let listed = call!(caller, contacts.list_contacts(list)).unwrap().contacts.len();
    let by_name = "family_name = \"Quoxberry\"".to_owned();
    let list = pb::ListContactsRequest { show_deleted: true, filter: by_name, ..Default::default() };
    assert_eq!(call!(caller, contacts.list_contacts(list)).unwrap().contacts.len(), listed);
    let export = pb::ExportContactsRequest { show_deleted: true, ..Default::default() };
    assert_eq!(call!(caller, contacts.export_contacts(export)).unwrap().collect::<Vec<_>>().await.len(), listed);
    let export = ExportTableRequest { show_deleted: true, ..Default::default() };
    let parts = call!(caller, tables.export_contact_table(export)).unwrap().collect::<Vec<_>>().await;
    let rows: usize =
        parts.into_iter().map(|part| part.unwrap().data.iter().filter(|byte| **byte == b'\n').count()).sum();
    assert_eq!(rows, listed + 1);
    listed
}

#[tokio::test]
async fn no_list_no_export_and_no_history_shows_who_is_being_erased() {
    let two = Two::start().await;
    let account = two.admin.create_account(account("Acme")).await.unwrap().id;
    let somebody =
        two.admin.create_contact(Contact { emails: vec![EMAIL.to_owned()], ..person(&account) }).await.unwrap();
    let other = two.admin.create_contact(crate::support::contact(&account, "Quoxberry")).await.unwrap();
    two.admin.delete_contact(&other.id, "").await.unwrap();
    for caller in [&two.admin, &two.other] {
        caller.get_contact(&somebody.id).await.unwrap();
        assert_eq!(deleted_ones(caller).await, 2);
    }
    as_owner(&two.database, STOP).await;
    let request = Uuid::new_v4();
    let begun = erase_once(&two.admin, &somebody.id, &somebody.etag, request).await.unwrap();
    assert!(!begun.done);
    for caller in [&two.admin, &two.other] {
        assert_eq!(refusal(caller.get_contact(&somebody.id).await), refused(Code::NotFound, "CONTACT_ERASED"));
        assert_eq!(refusal(caller.undelete_contact(&somebody.id).await), refused(Code::NotFound, "CONTACT_ERASED"));
        // The other one is deleted, and no more.
        assert_eq!(deleted_ones(caller).await, 1);
        let history = pb::GetContactHistoryRequest { id: somebody.id.clone(), ..Default::default() };
        let history = call!(caller, contacts.get_contact_history(history)).unwrap().changes;
        assert_eq!(history.len(), 2);
        assert!(history.iter().all(|change| change.erased && change.fields.is_empty()), "{history:?}");
    }
    assert_eq!(erase_once(&two.admin, &somebody.id, &somebody.etag, request).await.unwrap(), begun);
    as_owner(&two.database, "drop trigger stop on customers.operations").await;
    assert_eq!(ended(&two.admin, begun).await.state(), operation::State::Succeeded);
    let left = two.tables_with_marks().await;
    assert!(left.iter().all(|found| found.ends_with("quoxberry")), "{left:?}");
}

#[tokio::test]
async fn a_call_that_is_refused_has_erased_nobody() {
    let two = Two::start().await;
    let account = two.admin.create_account(account("Acme")).await.unwrap().id;
    let [one, other] =
        [EMAIL, "another@vexmoor.example"].map(|email| Contact { emails: vec![email.to_owned()], ..person(&account) });
    let one = two.admin.create_contact(one).await.unwrap();
    let other = Contact { phones: Vec::new(), given_name: "Else".to_owned(), ..other };
    let other = two.admin.create_contact(other).await.unwrap();
    let request = Uuid::new_v4();
    let begun = erase_once(&two.admin, &one.id, &one.etag, request).await.unwrap();
    let again = erase_once(&two.admin, &other.id, &other.etag, request).await;
    assert_eq!(again.unwrap_err().code(), Code::InvalidArgument, "the request id was used");
    assert_eq!(two.other.get_contact(&other.id).await.unwrap(), other);
    assert_eq!(ended(&two.admin, begun).await.state(), operation::State::Succeeded);
}
