//! Who may erase whom, and what an erasure that was stopped half-way leaves behind.

use crm_proto::activities::Activity;
use crm_proto::activities::activity::Kind;
use crm_proto::customers::{Contact, ReassignAccountsRequest};
use crm_proto::operations::{GetOperationRequest, operation};
use crm_server::token::Role;
use prost::{Message as _, Name as _};
use tonic::Code;
use uuid::Uuid;

use super::{EMAIL, Two, erase, erase_once, person};
use crate::support::{account, as_owner, call, refusal, refused, tenant, violations};

async fn somebody(two: &Two) -> Contact {
    let account = two.admin.create_account(account("Acme")).await.unwrap().id;
    two.admin.create_contact(Contact { emails: vec![EMAIL.to_owned()], ..person(&account) }).await.unwrap()
}

#[tokio::test]
async fn only_an_admin_erases_who_has_looked_at_the_person_as_they_are() {
    let two = Two::start().await;
    let contact = somebody(&two).await;
    for role in [Role::Manager, Role::Agent, Role::Viewer] {
        let caller = two.services[0].caller("acme", role);
        let answer = erase_once(&caller, &contact.id, &contact.etag, Uuid::new_v4()).await;
        assert_eq!(answer.unwrap_err().code(), Code::PermissionDenied, "{role}");
    }
    let erase = async |id: &str, etag: &str| erase_once(&two.admin, id, etag, Uuid::new_v4()).await;
    assert_eq!(violations(erase("nobody", "").await), ["id", "etag"]);
    let unknown = Uuid::now_v7().to_string();
    assert_eq!(refusal(erase(&unknown, "W/\"1\"").await), refused(Code::NotFound, "CONTACT_NOT_FOUND"));
    let changed = Contact { title: "Other".to_owned(), ..contact.clone() };
    two.admin.update_contact(changed, &["title"]).await.unwrap();
    assert_eq!(refusal(erase(&contact.id, &contact.etag).await), refused(Code::Aborted, "ETAG_MISMATCH"));
    assert_eq!(two.other.get_contact(&contact.id).await.unwrap().title, "Other");
}

#[tokio::test]
async fn a_deleted_contact_is_erased_and_more_activities_than_a_step_takes_are() {
    let two = Two::start().await;
    let contact = somebody(&two).await;
    let fill = format!(
        "set crm.tenant = '{0}'; insert into customers.activities (tenant_id, id, kind, parent_resource, parent_id, body, creator) \
         select '{0}', gen_random_uuid(), 'note', 'contacts', '{1}', 'whisperedfjord', 'ada' from generate_series(1, 450)",
        tenant(),
        contact.id
    );
    as_owner(&two.database, &fill).await;
    let deleted = two.admin.delete_contact(&contact.id, "").await.unwrap();
    let done = erase(&two.admin, &contact.id, &deleted.etag).await;
    assert_eq!(done.state(), operation::State::Succeeded, "{done:?}");
    assert_eq!(done.progress.unwrap().done, 450 + 1 + 1, "activities, the kept answer, the contact");
    assert_eq!(two.tables_with_marks().await, [""; 0]);
}

#[tokio::test]
async fn who_is_being_erased_is_not_brought_back_and_the_rest_is_erased_by_another_request() {
    let two = Two::start().await;
    let contact = somebody(&two).await;
    let note = Activity {
        kind: Kind::Note.into(),
        parent_resource: "contacts".to_owned(),
        parent_id: contact.id.clone(),
        body: "Whisperedfjord".to_owned(),
        ..Default::default()
    };
    two.admin.create_activity(note).await.unwrap();
    two.admin.delete_contact(&contact.id, "").await.unwrap();
    // As an erasure leaves it that was cancelled after its first step.
    let begun = format!(
        "insert into customers.erasures (tenant_id, resource, record_id, subject) values ('{}', 'contacts', '{}', 'ada')",
        tenant(),
        contact.id
    );
    as_owner(&two.database, &begun).await;
    let erased = refused(Code::NotFound, "CONTACT_ERASED");
    for caller in [&two.admin, &two.other] {
        assert_eq!(refusal(caller.undelete_contact(&contact.id).await), erased);
        assert_eq!(refusal(caller.get_contact(&contact.id).await), erased);
    }
    assert_ne!(two.tables_with_marks().await, [""; 0]);
    let done = erase(&two.admin, &contact.id, &contact.etag).await;
    assert_eq!(done.state(), operation::State::Succeeded, "{done:?}");
    assert_eq!(two.tables_with_marks().await, [""; 0]);
}

#[tokio::test]
async fn an_operation_at_work_that_names_the_person_ends_and_commits_nothing_more() {
    let two = Two::start().await;
    let contact = somebody(&two).await;
    let asked = ReassignAccountsRequest { filter: format!("name = \"{EMAIL}\""), ..Default::default() };
    let asked = prost_types::Any { type_url: ReassignAccountsRequest::type_url(), value: asked.encode_to_vec() };
    let hexadecimal: String = asked.encode_to_vec().iter().map(|byte| format!("{byte:02x}")).collect();
    let id = Uuid::now_v7();
    // Somebody has it for an hour.
    let at_work = format!(
        "insert into customers.operations (tenant_id, id, kind, unit, subject, role, state, claim, due_time, request, position) \
         values ('{}', '{id}', 'ReassignAccounts', 'accounts', 'ada', 'admin', 'running', 7, now() + interval '1 hour', \
         '\\x{hexadecimal}', '{{\"after\": \"zyxwela\"}}')",
        tenant()
    );
    as_owner(&two.database, &at_work).await;
    erase(&two.admin, &contact.id, &contact.etag).await;
    assert_eq!(two.tables_with_marks().await, [""; 0]);
    let left = call!(two.admin, operations.get_operation(GetOperationRequest { id: id.to_string() })).unwrap();
    assert!(left.done && left.erased);
    assert_eq!(left.state(), operation::State::Cancelled);
    // The claim that it had is none any more.
    let check = "do $$ begin if (select claim from customers.operations where kind = 'ReassignAccounts') <> 8 \
                 then raise 'the old claim would still do'; end if; end $$";
    as_owner(&two.database, check).await;
}
