//! Pages: complete, in order, stable while rows change, and bound to what they are pages of.

use crm_database::page::{Scope, encode};
use crm_proto::customers as pb;
use uuid::Uuid;

use crate::support::{Caller, account, call, contact, tenant, violations, world};

async fn page(agent: &Caller, filter: &str, order_by: &str, token: &str) -> pb::ListAccountsResponse {
    let request = pb::ListAccountsRequest {
        page_size: 3,
        page_token: token.to_owned(),
        filter: filter.to_owned(),
        order_by: order_by.to_owned(),
        show_deleted: false,
    };
    call!(agent, accounts.list_accounts(request)).unwrap()
}

async fn names(agent: &Caller, filter: &str, order_by: &str) -> Vec<String> {
    let (mut names, mut token) = (Vec::new(), String::new());
    loop {
        let answer = page(agent, filter, order_by, &token).await;
        names.extend(answer.accounts.into_iter().map(|account| account.name));
        token = answer.next_page_token;
        if token.is_empty() {
            return names;
        }
    }
}

#[tokio::test]
async fn pages_are_complete_and_in_order() {
    let world = world().await;
    let agent = &world.agent;
    let mut created = Vec::new();
    for name in ["delta", "Alpha", "charlie", "Bravo", "alpha", "échelon", "Zulu"] {
        created.push(agent.create_account(account(name)).await.unwrap());
    }
    let by_name = ["Alpha", "alpha", "Bravo", "charlie", "delta", "Zulu", "échelon"];
    assert_eq!(names(agent, "", "").await, by_name);
    let backwards: Vec<&str> = by_name.iter().rev().copied().collect();
    let descending = names(agent, "", "name desc").await;
    assert_eq!(
        descending.iter().map(|name| name.to_lowercase()).collect::<Vec<_>>(),
        backwards.iter().map(|name| name.to_lowercase()).collect::<Vec<_>>()
    );
    let touched = pb::Account { id: created[1].id.clone(), owner: "ada".to_owned(), ..Default::default() };
    agent.update_account(touched, &["owner"]).await.unwrap();
    assert_eq!(
        names(agent, "", "update_time desc").await,
        ["Alpha", "Zulu", "échelon", "alpha", "Bravo", "charlie", "delta"]
    );
    assert_eq!(names(agent, "owner = \"ada\"", "").await, ["Alpha"]);
    let rene = pb::Account { owner: "René".to_owned(), ..account("Decomposed") };
    agent.create_account(rene).await.unwrap();
    assert_eq!(names(agent, "owner = \"Rene\u{301}\"", "").await, ["Decomposed"]);
}

#[tokio::test]
async fn rows_that_come_and_go_neither_hide_nor_repeat_the_others() {
    let world = world().await;
    let agent = &world.agent;
    let mut ids = Vec::new();
    for name in ["b", "d", "f", "h", "j", "l"] {
        ids.push(agent.create_account(account(name)).await.unwrap().id);
    }
    let first = page(agent, "", "", "").await;
    // Before and behind the end of the page: a new one each, and the last row of the page itself goes.
    agent.create_account(account("a")).await.unwrap();
    agent.create_account(account("g")).await.unwrap();
    agent.delete_account(&ids[2], "").await.unwrap();
    let second = page(agent, "", "", &first.next_page_token).await;
    let names: Vec<_> = second.accounts.iter().map(|account| account.name.as_str()).collect();
    assert_eq!(names, ["g", "h", "j"]);
    let third = page(agent, "", "", &second.next_page_token).await;
    assert_eq!((third.accounts[0].name.as_str(), third.next_page_token.as_str()), ("l", ""));
}

#[tokio::test]
async fn tokens_are_valid_for_their_list_only() {
    let world = world().await;
    let agent = &world.agent;
    for number in 0..5 {
        agent.create_account(account(&format!("n{number}"))).await.unwrap();
    }
    let token = page(agent, "", "", "").await.next_page_token;
    let request = |filter: &str, order_by: &str, show_deleted, token: &str| pb::ListAccountsRequest {
        page_size: 2,
        page_token: token.to_owned(),
        filter: filter.to_owned(),
        order_by: order_by.to_owned(),
        show_deleted,
    };
    // Another page size is fine, and so is the default order by its name.
    call!(agent, accounts.list_accounts(request("", "name", false, &token))).unwrap();
    for foreign in [
        request("name = \"n*\"", "", false, &token),
        request("", "name desc", false, &token),
        request("", "update_time", false, &token),
        request("", "", true, &token),
        request("", "", false, &token[1..]),
    ] {
        assert_eq!(violations(call!(agent, accounts.list_accounts(foreign))), ["page_token"]);
    }
    let stranger = world.service.caller("globex", crm_server::token::Role::Agent);
    assert_eq!(violations(call!(stranger, accounts.list_accounts(request("", "", false, &token)))), ["page_token"]);
    let contacts = pb::ListContactsRequest { page_token: token, ..Default::default() };
    assert_eq!(violations(call!(agent, contacts.list_contacts(contacts))), ["page_token"]);
}

/// Whole by its checksum, which is no secret, and for this list; but its position is one of another order.
#[tokio::test]
async fn a_forged_token_is_damaged() {
    let world = world().await;
    let list = async |order_by: &str, key: serde_json::Value| {
        let field = if order_by.is_empty() { "name" } else { order_by };
        let scope = Scope::new(tenant(), &["accounts", "", field, "asc", "live"]);
        let position = serde_json::json!({ "key": key, "id": Uuid::nil() });
        let (page_token, order_by) = (encode(scope, &position).unwrap(), order_by.to_owned());
        let request = pb::ListAccountsRequest { page_token, order_by, ..Default::default() };
        call!(world.agent, accounts.list_accounts(request))
    };
    let name = || serde_json::json!({ "Name": "a" });
    let time = || serde_json::json!({ "Time": time::OffsetDateTime::UNIX_EPOCH });
    list("", name()).await.unwrap();
    list("update_time", time()).await.unwrap();
    assert_eq!(violations(list("", time()).await), ["page_token"]);
    assert_eq!(violations(list("update_time", name()).await), ["page_token"]);
    assert_eq!(violations(list("", serde_json::json!({ "Name": "a\0" })).await), ["page_token"]);
    // Years that Postgres does not know, or that are none any more in UTC: year, day, time, nanoseconds, offset.
    for strange in [
        [-9999, 1, 0, 0, 0, 0, 23, 59, 59],
        [9999, 365, 23, 59, 59, 999_999_999, -23, -59, -59],
        [-5000, 1, 0, 0, 0, 0, 0, 0, 0],
    ] {
        let answer = list("update_time", serde_json::json!({ "Time": strange })).await;
        assert_eq!(violations(answer), ["page_token"], "{strange:?}");
    }
}

#[tokio::test]
async fn a_token_goes_with_what_its_filter_means() {
    let world = world().await;
    let agent = &world.agent;
    let parent = agent.create_account(account("parent")).await.unwrap().id;
    for number in 0..5 {
        let child = pb::Account { parent_id: parent.clone(), ..account(&format!("n{number}")) };
        agent.create_account(child).await.unwrap();
    }
    let first = page(agent, &format!("parent_id = \"{parent}\""), "", "").await;
    assert_eq!(first.accounts.len(), 3);
    for filter in [format!("parent_id=\"{}\"", parent.to_uppercase()), format!(" ( parent_id = {parent} ) ")] {
        let second = page(agent, &filter, "", &first.next_page_token).await;
        assert_eq!(second.accounts.len(), 2, "{filter}");
    }
}

#[tokio::test]
async fn prefixes_are_taken_literally_and_in_any_case() {
    let world = world().await;
    let agent = &world.agent;
    for name in
        ["100% Real", "100_Real", "1000 Islands", "Éclair", "E\u{301}cole", "STRASSE", "Straße", "ΟΔΟΣ", "Acme", "Acmf"]
    {
        agent.create_account(account(name)).await.unwrap();
    }
    for (filter, expected) in [
        ("name = \"100%*\"", vec!["100% Real"]),
        ("name = \"100_*\"", vec!["100_Real"]),
        ("name = \"100*\"", vec!["100% Real", "1000 Islands", "100_Real"]),
        ("name = \"éc*\"", vec!["Éclair", "E\u{301}cole"]),
        ("name = \"E\u{301}C*\"", vec!["Éclair", "E\u{301}cole"]),
        ("name = \"STRASSE*\"", vec!["STRASSE", "Straße"]),
        ("name = \"straß*\"", vec!["STRASSE", "Straße"]),
        ("name = \"STRAẞE\"", vec!["STRASSE", "Straße"]),
        ("name = \"οδος*\"", vec!["ΟΔΟΣ"]),
        ("name = \"ACME*\"", vec!["Acme"]),
        ("name = \"ACME\"", vec!["Acme"]),
        ("name = \"acm\"", vec![]),
        ("name = \"x' or 1=1 --*\"", vec![]),
    ] {
        assert_eq!(names(agent, filter, "").await, expected, "{filter}");
    }
}

#[tokio::test]
async fn contacts_are_found_by_account_address_and_time() {
    let world = world().await;
    let agent = &world.agent;
    let acme = agent.create_account(account("Acme")).await.unwrap();
    let other = agent.create_account(account("Other")).await.unwrap();
    let ada = pb::Contact { emails: vec!["Ada@acme.example".to_owned()], ..contact(&acme.id, "Love") };
    let ada = agent.create_contact(ada).await.unwrap();
    let bob = agent.create_contact(contact(&other.id, "Lovell")).await.unwrap();
    let (only_ada, no_one) = (vec![ada.id.clone()], Vec::<String>::new());
    let find = async |filter: String, show_deleted| -> Vec<String> {
        let request = pb::ListContactsRequest { filter, show_deleted, ..Default::default() };
        let answer = call!(agent, contacts.list_contacts(request)).unwrap();
        answer.contacts.into_iter().map(|contact| contact.id).collect()
    };
    assert_eq!(find(format!("account_id = \"{}\"", acme.id), false).await, only_ada);
    assert_eq!(find("email = \"ada@ACME.example\"".to_owned(), false).await, only_ada);
    assert_eq!(find("family_name = \"love*\"".to_owned(), false).await, [ada.id.clone(), bob.id.clone()]);
    assert_eq!(find("update_time >= \"2100-01-01T00:00:00Z\"".to_owned(), false).await, no_one);
    // A changed address is found by what it is now.
    let moved = pb::Contact { id: ada.id.clone(), emails: vec!["ada@home.example".to_owned()], ..Default::default() };
    agent.update_contact(moved, &["emails"]).await.unwrap();
    assert_eq!(find("email = \"ada@acme.example\"".to_owned(), false).await, no_one);
    assert_eq!(find("email = \"ada@home.example\"".to_owned(), false).await, only_ada);
    agent.delete_contact(&ada.id, "").await.unwrap();
    assert_eq!(find("email = \"ada@home.example\"".to_owned(), false).await, no_one);
    assert_eq!(find("email = \"ada@home.example\"".to_owned(), true).await, only_ada);
}
