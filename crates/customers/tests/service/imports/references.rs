//! What rows refer to: accounts of contacts, parents of accounts.

use crm_proto::customers as api;
use crm_proto::imports::run_import_request::Duplicates;

use super::{counts, desk, faults};
use crate::support::{account, call};

#[tokio::test]
async fn contacts_name_their_account_by_id_domain_or_name() {
    let desk = desk().await;
    let with_domain = |name: &str, domain: &str| api::Account { domain: domain.to_owned(), ..account(name) };
    let acme = desk.manager.create_account(with_domain("Acme GmbH", "acme.example")).await.unwrap();
    let other = desk.manager.create_account(with_domain("Other", "other.example")).await.unwrap();
    for _ in 0..2 {
        desk.manager.create_account(account("Twin")).await.unwrap();
    }
    let gone = desk.manager.create_account(with_domain("Gone", "gone.example")).await.unwrap();
    desk.manager.delete_account(&gone.id, "").await.unwrap();
    let file = format!(
        "name,account_id,domain,company\n\
         A One,{},,\n\
         B Two,,https://www.other.example/x,Acme GmbH\n\
         C Three,,,ACME gmbh\n\
         D Four,,unknown.example,Acme GmbH\n\
         E Five,,,Twin\n\
         F Six,,,Nobody\n\
         G Seven,{},,\n\
         H Eight,,gone.example,\n\
         I Nine,nonsense,,\n\
         J Ten,,,\n",
        acme.id, gone.id
    );
    let id = desk.with_file("contacts", file.as_bytes()).await;
    let expected = faults(&[
        (6, "account_id", "REFERENCE_AMBIGUOUS"),
        (7, "account_id", "REFERENCE_NOT_FOUND"),
        (8, "account_id", "REFERENCE_NOT_FOUND"),
        (9, "account_id", "REFERENCE_NOT_FOUND"),
        (10, "account_id", "MALFORMED"),
        (11, "account_id", "FIELD_REQUIRED"),
    ]);
    assert_eq!(counts(&desk.check(&id, false).await), (10, 4, 6, 0));
    assert_eq!(desk.faults(&id).await, expected);
    assert_eq!(counts(&desk.run(&id, Duplicates::Skip, false).await), (10, 4, 6, 0));
    assert_eq!(desk.faults(&id).await, expected);
    let list = api::ListContactsRequest::default();
    let contacts = call!(desk.manager, contacts.list_contacts(list)).unwrap().contacts;
    let found: Vec<_> =
        contacts.iter().map(|it| (it.given_name.as_str(), it.family_name.as_str(), it.account_id.as_str())).collect();
    assert_eq!(
        found,
        [("D", "Four", acme.id.as_str()), ("A", "One", &acme.id), ("C", "Three", &acme.id), ("B", "Two", &other.id)]
    );
}

#[tokio::test]
async fn accounts_that_are_not_there_are_made_along_once_each() {
    let desk = desk().await;
    desk.manager.create_account(account("Acme")).await.unwrap();
    // More rows than a step has: those of one account stand in two steps.
    let rows: String = (0..700).map(|n| format!("G{n},F{n},New {},new{}.example\n", n % 3, n % 3)).collect();
    let file = format!(
        "given_name,family_name,company,companydomain\nA,Acme Person,acme,\n{rows}X,Long,{},\nY,Z,new 1,\n",
        "x".repeat(201)
    );
    let id = desk.with_file("contacts", file.as_bytes()).await;
    assert_eq!(counts(&desk.check(&id, false).await), (703, 1, 702, 0));
    let error = desk.errors(&id).await.swap_remove(0);
    let told = (error.field.as_str(), error.column.as_str(), error.reason.as_str());
    assert_eq!(told, ("account_id", "company", "REFERENCE_NOT_FOUND"), "the column that told which account");
    let check = desk.check(&id, true).await;
    assert_eq!((counts(&check), check.created_accounts), ((703, 702, 1, 0), 3));
    let run = desk.run(&id, Duplicates::Skip, true).await;
    assert_eq!((counts(&run), run.created_accounts), ((703, 702, 1, 0), 3));
    assert_eq!(desk.faults(&id).await, faults(&[(703, "account_name", "MALFORMED")]));
    let accounts = call!(desk.manager, accounts.list_accounts(api::ListAccountsRequest::default())).unwrap().accounts;
    let found: Vec<_> = accounts.iter().map(|it| (it.name.as_str(), it.domain.as_str())).collect();
    assert_eq!(found, [("Acme", ""), ("New 0", "new0.example"), ("New 1", "new1.example"), ("New 2", "new2.example")]);
    let filter = format!("account_id = \"{}\"", accounts[2].id);
    let list = api::ListContactsRequest { filter, page_size: 1_000, ..Default::default() };
    assert_eq!(call!(desk.manager, contacts.list_contacts(list)).unwrap().contacts.len(), 234);
}

#[tokio::test]
async fn parents_are_those_that_were_there_before_and_no_hierarchy_gets_too_deep() {
    let desk = desk().await;
    let mut above = String::new();
    let mut first = String::new();
    for level in 0..33 {
        let created = api::Account { parent_id: above, ..account(&format!("Level {level}")) };
        let created = desk.manager.create_account(created).await.unwrap();
        if level == 0 {
            first.clone_from(&created.id);
        }
        above = created.id;
    }
    let file = format!(
        "name,parent_id,parent account\nA,{first},\nB,,level 31\nC,,Level 32\nD,,A\nE,{above},\nF,,\nG,nonsense,\n"
    );
    let id = desk.with_file("accounts", file.as_bytes()).await;
    let expected = faults(&[
        (4, "parent_id", "ACCOUNT_PARENT_TOO_DEEP"),
        (5, "parent_id", "REFERENCE_NOT_FOUND"),
        (6, "parent_id", "ACCOUNT_PARENT_TOO_DEEP"),
        (8, "parent_id", "MALFORMED"),
    ]);
    assert_eq!(counts(&desk.check(&id, false).await), (7, 3, 4, 0));
    assert_eq!(desk.faults(&id).await, expected);
    assert_eq!(counts(&desk.run(&id, Duplicates::Create, false).await), (7, 3, 4, 0));
    assert_eq!(desk.faults(&id).await, expected);
    let filter = format!("parent_id = \"{first}\"");
    let list = api::ListAccountsRequest { filter, ..Default::default() };
    let below = call!(desk.manager, accounts.list_accounts(list)).unwrap().accounts;
    assert_eq!(below.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["A", "Level 1"]);
}
