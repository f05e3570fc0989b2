//! What keeps tenants apart where they search, whatever the service's statements say.

use crm_database::Error;
use crm_proto::customers as pb;
use crm_resource::testkit::check_walls;
use crm_server::token::Role;
use tonic::Code;
use uuid::Uuid;

use super::{person, search, titles};
use crate::support::{account, call, pool, refusal, refused, tenant, world};

#[tokio::test]
async fn another_tenant_finds_nothing_and_is_no_duplicate() {
    let world = world().await;
    let given = || pb::Account { domain: "acme.example".to_owned(), ..account("Acme") };
    let acme = world.agent.create_account(given()).await.unwrap();
    let ada = person(&acme.id, "Ada", "Love", "ada@acme.example", "+14155550123");
    let contact = world.agent.create_contact(ada.clone()).await.unwrap();
    let theirs = world.service.caller("globex", Role::Admin);
    for query in ["acme", "amce", "love", "ada@", "0123", "acme.example"] {
        assert_eq!(titles(&theirs, query).await, Vec::<String>::new(), "{query}");
        assert!(!titles(&world.agent, query).await.is_empty(), "{query}");
    }
    let draft = pb::FindDuplicateAccountsRequest { account: Some(given()), id: String::new() };
    assert_eq!(call!(theirs, search.find_duplicate_accounts(draft)).unwrap().duplicates, []);
    let draft = pb::FindDuplicateContactsRequest { contact: Some(ada), id: String::new() };
    assert_eq!(call!(theirs, search.find_duplicate_contacts(draft)).unwrap().duplicates, []);
    let at = pb::FindDuplicateAccountsRequest { account: None, id: acme.id };
    let none = call!(theirs, search.find_duplicate_accounts(at));
    assert_eq!(refusal(none), refused(Code::NotFound, "ACCOUNT_NOT_FOUND"));
    let at = pb::FindDuplicateContactsRequest { contact: None, id: contact.id };
    let none = call!(theirs, search.find_duplicate_contacts(at));
    assert_eq!(refusal(none), refused(Code::NotFound, "CONTACT_NOT_FOUND"));
    let request = pb::CreateAccountRequest {
        account: Some(given()),
        request_id: Uuid::new_v4().to_string(),
        refuse_duplicates: true,
    };
    call!(theirs, accounts.create_account(request)).unwrap();
}

#[tokio::test]
async fn postgres_itself_shows_no_terms_of_others() {
    let world = world().await;
    world.agent.create_account(account("Acme")).await.unwrap();
    let pool = pool(&world.database).await;
    let count = "select count(*) from customers.search_terms where term >= 'an' and term < 'ao'";
    let other = Uuid::from_u128(7);
    for (tenant, expected) in [(tenant(), 1), (other, 0)] {
        let mut transaction = pool.begin_read(tenant, None).await.unwrap();
        let terms: i64 = sqlx::query_scalar(count).fetch_one(&mut *transaction).await.unwrap();
        assert_eq!(terms, expected);
    }
    // Not even a statement that names the other tenant.
    let mut transaction = pool.begin(other, None).await.unwrap();
    let foreign = "insert into customers.search_terms values ($1, 'anbeta', $1)";
    let foreign = transaction.execute("insert", sqlx::query(foreign).bind(tenant())).await;
    assert!(matches!(foreign, Err(Error::Fault(fault)) if fault.sqlstate.as_deref() == Some("42501")));
    let mut transaction = pool.begin(other, None).await.unwrap();
    let delete = sqlx::query("delete from customers.search_terms where tenant_id = $1").bind(tenant());
    assert_eq!(transaction.execute("delete", delete).await.unwrap(), 0);
    check_walls(&crm_customers::SERVICE, &world.database).await;
}

#[tokio::test]
async fn who_may_read_may_search_and_nobody_else() {
    let world = world().await;
    world.agent.create_account(account("Acme")).await.unwrap();
    let draft = || pb::FindDuplicateAccountsRequest { account: Some(account("Acme")), id: String::new() };
    for role in [Role::Admin, Role::Manager, Role::Agent, Role::Viewer] {
        let caller = world.service.caller("acme", role);
        assert_eq!(titles(&caller, "acme").await, ["Acme"], "{role:?}");
        assert_eq!(call!(caller, search.find_duplicate_accounts(draft())).unwrap().duplicates.len(), 1, "{role:?}");
    }
    let not_allowed = || refused(Code::PermissionDenied, "ROLE_NOT_ALLOWED");
    for caller in [world.service.caller("acme", Role::Requester), world.service.service("sales", "acme")] {
        assert_eq!(refusal(search(&caller, "acme").await), not_allowed());
        assert_eq!(refusal(call!(caller, search.find_duplicate_accounts(draft()))), not_allowed());
    }
}
