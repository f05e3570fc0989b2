//! What a request must be like, seen from the generated client.

use crm_proto::customers as pb;
use crm_proto::google::r#type::Money;
use crm_server::token::Role;
use tonic::Code;
use uuid::Uuid;

use crate::support::{account, call, contact, refusal, refused, violations, world};

#[tokio::test]
async fn an_account_comes_back_as_it_was_created() {
    let world = world().await;
    let given = pb::Account {
        id: "ignored".to_owned(),
        name: "  Acme Ltd ".to_owned(),
        domain: "Acme.EXAMPLE".to_owned(),
        industry: "Retail".to_owned(),
        country: "Germany".to_owned(),
        territory: "dach".to_owned(),
        owner: "ada".to_owned(),
        employees: Some(0),
        annual_revenue: Some(Money { currency_code: "EUR".to_owned(), units: 12, nanos: 340_000_000 }),
        founded_year: Some(1999),
        ..Default::default()
    };
    let created = world.agent.create_account(given.clone()).await.unwrap();
    assert_eq!(Uuid::parse_str(&created.id).unwrap().get_version_num(), 7);
    assert_eq!((created.name.as_str(), created.domain.as_str()), ("Acme Ltd", "acme.example"));
    assert_eq!((created.industry.as_str(), created.employees), ("retail", Some(0)));
    assert_eq!(created.annual_revenue, given.annual_revenue);
    assert_eq!(created.create_time, created.update_time);
    assert!(!created.etag.is_empty() && created.delete_time.is_none());
    assert_eq!(world.agent.get_account(&created.id).await.unwrap(), created);
    // From the cache this time.
    assert_eq!(world.agent.get_account(&created.id).await.unwrap(), created);
    world.service.stop().await;
}

#[tokio::test]
async fn a_contact_comes_back_normalised() {
    let world = world().await;
    let company = world.agent.create_account(account("Acme")).await.unwrap();
    let given = pb::Contact {
        emails: vec![" Ada@ACME.example".to_owned(), "ada@home.example".to_owned(), "Ada@acme.example".to_owned()],
        phones: vec!["+1 (415) 555-0123".to_owned(), "0014155550123".to_owned()],
        ..contact(&company.id, "Love")
    };
    let created = world.agent.create_contact(given).await.unwrap();
    assert_eq!(created.emails, ["Ada@acme.example", "ada@home.example"]);
    assert_eq!(created.phones, ["+14155550123"]);
    assert_eq!(world.agent.get_contact(&created.id).await.unwrap(), created);
}

#[tokio::test]
async fn all_violations_of_a_request_are_told_at_once() {
    let world = world().await;
    let hostile = pb::Account {
        name: "x".repeat(201),
        domain: "not a domain".to_owned(),
        industry: "a\0b".to_owned(),
        country: "x".repeat(61),
        territory: "\n".to_owned(),
        owner: "x".repeat(101),
        employees: Some(-1),
        annual_revenue: Some(Money { currency_code: "EUR".to_owned(), units: 1, nanos: 1 }),
        founded_year: Some(999),
        parent_id: "7".to_owned(),
        ..Default::default()
    };
    let request =
        pb::CreateAccountRequest { account: Some(hostile), request_id: "none".to_owned(), ..Default::default() };
    let answer = call!(world.agent, accounts.create_account(request));
    let fields = [
        "request_id",
        "account.name",
        "account.domain",
        "account.industry",
        "account.country",
        "account.territory",
        "account.owner",
        "account.employees",
        "account.annual_revenue",
        "account.founded_year",
        "account.parent_id",
    ];
    assert_eq!(violations(answer), fields);

    let hostile = pb::Contact {
        emails: vec!["fine@acme.example".to_owned(), "bad".to_owned(), "nul\0@acme.example".to_owned()],
        phones: vec!["12345".to_owned()],
        ..contact("", "")
    };
    let answer = world.agent.create_contact(hostile).await;
    let fields =
        ["contact.account_id", "contact.emails[1]", "contact.emails[2]", "contact.phones[0]", "contact.family_name"];
    assert_eq!(violations(answer), fields);
}

#[tokio::test]
async fn missing_parts_and_hostile_ids_are_violations() {
    let world = world().await;
    let empty = pb::CreateAccountRequest::default();
    assert_eq!(violations(call!(world.agent, accounts.create_account(empty))), ["request_id", "account"]);
    let empty = pb::CreateContactRequest::default();
    assert_eq!(violations(call!(world.agent, contacts.create_contact(empty))), ["request_id", "contact"]);
    for id in
        ["", "7", "\0", "{0198c7a2-6d3e-7c51-9c0e-3a4f5b6c7d8e}", "0198c7a26d3e7c519c0e3a4f5b6c7d8e", &"x".repeat(9999)]
    {
        assert_eq!(violations(world.agent.get_account(id).await), ["id"], "{id:?}");
        assert_eq!(violations(world.agent.delete_contact(id, "\0").await), ["id"], "{id:?}");
    }
    assert_eq!(
        violations(world.agent.update_account(account("x"), &["nmae", "name"]).await),
        ["account.id", "update_mask.paths[0]"]
    );
}

#[tokio::test]
async fn hostile_lists_are_violations() {
    let world = world().await;
    let list = |filter: &str, order_by: &str, page_token: &str, page_size| pb::ListAccountsRequest {
        filter: filter.to_owned(),
        order_by: order_by.to_owned(),
        page_token: page_token.to_owned(),
        page_size,
        show_deleted: false,
    };
    for (request, fields) in [
        (list("", "", "", -1), vec!["page_size"]),
        (list("owner", "", "", 0), vec!["filter"]),
        (list("secret = \"x\"", "", "", 0), vec!["filter"]),
        (list("owner = \"a\0b\"", "", "", 0), vec!["filter"]),
        (list("name = \"\0*\"", "", "", 0), vec!["filter"]),
        (list("", "name, update_time", "", 0), vec!["order_by"]),
        (list("", "owner", "", 0), vec!["order_by"]),
        (list("", "", "AAAA", 0), vec!["page_token"]),
        (list("", "", "\0", 0), vec!["page_token"]),
        (list("x", "y", "", -5), vec!["page_size", "filter", "order_by"]),
    ] {
        assert_eq!(violations(call!(world.agent, accounts.list_accounts(request.clone()))), fields, "{request:?}");
    }
}

#[tokio::test]
async fn batches_answer_in_the_order_asked_for() {
    let world = world().await;
    let mut ids = Vec::new();
    for name in ["one", "two", "three"] {
        ids.push(world.agent.create_account(account(name)).await.unwrap().id);
    }
    ids.reverse();
    ids.push(ids[0].clone());
    let batch = |ids: &[String]| pb::BatchGetAccountsRequest { ids: ids.to_vec() };
    for _ in 0..2 {
        let answer = call!(world.agent, accounts.batch_get_accounts(batch(&ids))).unwrap();
        let names: Vec<_> = answer.accounts.iter().map(|account| account.name.as_str()).collect();
        assert_eq!(names, ["three", "two", "one", "three"]);
    }
    let missing = Uuid::now_v7().to_string();
    ids.push(missing.clone());
    let status = call!(world.agent, accounts.batch_get_accounts(batch(&ids))).unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
    let details = tonic_types::StatusExt::get_error_details(&status);
    assert_eq!(details.error_info().unwrap().metadata["id"], missing);

    assert_eq!(violations(call!(world.agent, accounts.batch_get_accounts(batch(&[])))), ["ids"]);
    let many = vec![missing; 101];
    assert_eq!(violations(call!(world.agent, accounts.batch_get_accounts(batch(&many)))), ["ids"]);
    let answer =
        call!(world.agent, contacts.batch_get_contacts(pb::BatchGetContactsRequest { ids: many[..2].to_vec() }));
    assert_eq!(refusal(answer), refused(Code::NotFound, "CONTACT_NOT_FOUND"));
}

#[tokio::test]
async fn who_may_only_read_cannot_write_and_nobody_calls_without_a_token() {
    let world = world().await;
    let created = world.agent.create_account(account("Acme")).await.unwrap();
    let viewer = world.service.caller("acme", Role::Viewer);
    assert_eq!(viewer.get_account(&created.id).await.unwrap(), created);
    assert_eq!(viewer.create_account(account("x")).await.unwrap_err().code(), Code::PermissionDenied);
    assert_eq!(viewer.delete_account(&created.id, "").await.unwrap_err().code(), Code::PermissionDenied);
    let anonymous = tonic::Request::new(pb::GetAccountRequest { id: created.id.clone() });
    let answer = world.agent.accounts.clone().get_account(anonymous).await;
    assert_eq!(answer.unwrap_err().code(), Code::Unauthenticated);

    let stranger = world.service.caller("globex", Role::Admin);
    assert_eq!(refusal(stranger.get_account(&created.id).await), refused(Code::NotFound, "ACCOUNT_NOT_FOUND"));
    let answer = stranger.create_contact(contact(&created.id, "Spy")).await;
    assert_eq!(refusal(answer), refused(Code::FailedPrecondition, "CONTACT_ACCOUNT_NOT_FOUND"));
}
