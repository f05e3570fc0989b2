//! What another service may do when no caller waits for it.

use crm_proto::customers as pb;
use tonic::Code;

use crate::support::{account, call, refusal, refused, world};

#[tokio::test]
async fn a_service_reads_the_accounts_of_its_tenant_and_does_nothing_else() {
    let world = world().await;
    let account = world.agent.create_account(account("Acme")).await.unwrap();
    let batch = || pb::BatchGetAccountsRequest { ids: vec![account.id.clone()] };

    let (ours, theirs) = (world.service.service("sales", "acme"), world.service.service("sales", "globex"));
    assert_eq!(call!(ours, accounts.batch_get_accounts(batch())).unwrap().accounts, std::slice::from_ref(&account));
    let none = call!(theirs, accounts.batch_get_accounts(batch()));
    assert_eq!(refusal(none), refused(Code::NotFound, "ACCOUNT_NOT_FOUND"));

    let not_allowed = || refused(Code::PermissionDenied, "ROLE_NOT_ALLOWED");
    assert_eq!(refusal(ours.get_account(&account.id).await), not_allowed());
    assert_eq!(refusal(ours.delete_account(&account.id, "").await), not_allowed());
    assert_eq!(refusal(ours.create_account(account.clone()).await), not_allowed());
    let export = call!(ours, accounts.export_accounts(pb::ExportAccountsRequest::default()));
    assert_eq!(refusal(export.map(|_| ())), not_allowed());
}
