//! Tags, and what a tenant defines: as columns of files, and of exports.

use std::collections::BTreeMap;

use crm_proto::attributes::AttributeDefinition;
use crm_proto::attributes::attribute_definition::Type;
use crm_proto::customers as api;
use crm_proto::google::rpc::BadRequest;
use crm_proto::imports::{ImportSettings, UpdateImportRequest, run_import_request::Duplicates};
use crm_proto::operations::operation::{self, State};
use crm_proto::tables::ExportTableRequest;
use crm_server::token::Role;

use super::{Desk, counts, desk, faults, request_id};
use crate::attributes::{define, number, of, string, text, tier, values};
use crate::support::{account, call, violations};
use crate::tags::tag;

/// A tier that is required, seats by which lists are filtered, and a day.
async fn with_definitions(desk: &Desk) {
    let admin = desk.world.service.caller("acme", Role::Admin);
    for definition in [
        AttributeDefinition { required: Some(true), ..tier() },
        AttributeDefinition { filterable: Some(true), ..of("seats", Type::Number) },
        AttributeDefinition { display_name: "Customer since".to_owned(), ..of("since", Type::Date) },
        text("name2"),
    ] {
        define(&admin, definition).await.unwrap();
    }
}

async fn accounts(desk: &Desk, filter: &str) -> BTreeMap<String, api::Account> {
    let list = api::ListAccountsRequest { filter: filter.to_owned(), ..Default::default() };
    let found = call!(desk.manager, accounts.list_accounts(list)).unwrap().accounts;
    found.into_iter().map(|account| (account.name.clone(), account)).collect()
}

async fn exported(desk: &Desk) -> String {
    let mut parts = call!(desk.manager, tables.export_account_table(ExportTableRequest::default())).unwrap();
    let mut text = Vec::new();
    while let Some(part) = parts.message().await.unwrap() {
        text.extend_from_slice(&part.data);
    }
    String::from_utf8(text).unwrap()
}

const FILE: &str = "name,Tags,Tier,SEATS,Customer since,attributes.name2\n\
                    Acme,\"VIP; key account\",gold,\"1.200,5\",2026-11-27,'=1+1\n\
                    None,,,,,\n\
                    Wrong,\"vip, nobody\",platinum,many,27.11.2026,\n\
                    Comma,\"a, b\",lead,-0.125,,\n\
                    Plain,,lead,,,x\n";

#[tokio::test]
async fn tags_and_attributes_are_columns_that_are_guessed_checked_and_found_by() {
    let desk = desk().await;
    with_definitions(&desk).await;
    let mut tags = Vec::new();
    for name in ["Key Account", "VIP", "A, B"] {
        tags.push(tag(&desk.world.agent, name).await);
    }
    let id = desk.with_file("accounts", FILE.as_bytes()).await;
    let shown = desk.inspect(&id).await;
    let fields = ["name", "tags", "attributes.tier", "attributes.seats", "attributes.since", "attributes.name2"];
    assert_eq!(shown.settings.unwrap().fields, fields);
    assert!(
        fields.iter().all(|field| shown.known_fields.iter().any(|known| known == field)),
        "{:?}",
        shown.known_fields
    );
    assert_eq!(shown.missing_fields, [""; 0]);
    let wrong: Vec<_> = shown.rows.iter().map(|row| row.errors.len()).collect();
    assert_eq!(wrong, [0, 1, 3, 0, 0], "which tags there are is looked up by a check");
    let expected = faults(&[
        (3, "attributes.tier", "FIELD_REQUIRED"),
        (4, "attributes.tier", "MALFORMED"),
        (4, "attributes.seats", "MALFORMED"),
        (4, "attributes.since", "MALFORMED"),
        (4, "tags", "REFERENCE_NOT_FOUND"),
    ]);
    assert_eq!(counts(&desk.check(&id, false).await), (5, 3, 2, 0));
    assert_eq!(desk.faults(&id).await, expected);
    assert_eq!(counts(&desk.run(&id, Duplicates::Skip, false).await), (5, 3, 2, 0));
    assert_eq!(desk.faults(&id).await, expected);
    assert_eq!(desk.errors(&id).await[1].column, "Tier");

    let all = accounts(&desk, "").await;
    let acme = values([
        ("tier", string("gold")),
        ("seats", number(1200.5)),
        ("since", string("2026-11-27")),
        ("name2", string("=1+1")),
    ]);
    assert_eq!(all["Acme"].attributes, acme);
    tags.sort_unstable();
    let mut given = all["Acme"].tag_ids.clone();
    given.extend(all["Comma"].tag_ids.clone());
    given.sort_unstable();
    assert_eq!(given, tags);
    // Lists find them, though nobody has written these records one by one.
    let names = async |filter: &str| accounts(&desk, filter).await.into_keys().collect::<Vec<_>>();
    assert_eq!(names("attributes.seats >= 1200").await, ["Acme"]);
    assert_eq!(names("attributes.seats < 0").await, ["Comma"]);
    assert_eq!(names(&format!("tag_ids:{}", all["Comma"].tag_ids[0])).await, ["Comma"]);

    // What is exported is read as it was kept.
    let table = exported(&desk).await;
    assert!(
        table
            .lines()
            .next()
            .unwrap()
            .ends_with(",tags,attributes.name2,attributes.seats,attributes.since,attributes.tier")
    );
    assert!(table.contains(",Key Account;VIP,") || table.contains(",\"Key Account;VIP\","), "{table}");
    assert!(table.contains(",-0.1250,"), "a number that is no other one elsewhere: {table}");
    let again = desk.with_file("accounts", table.as_bytes()).await;
    assert_eq!(counts(&desk.run(&again, Duplicates::Create, false).await), (3, 3, 0, 0));
    let twice = exported(&desk).await;
    for account in all.values() {
        let list = api::ListAccountsRequest { filter: format!("name = \"{}\"", account.name), ..Default::default() };
        let both = call!(desk.manager, accounts.list_accounts(list)).unwrap().accounts;
        assert_eq!(both.len(), 2);
        assert!(both.iter().all(|it| it.attributes == account.attributes && it.tag_ids == account.tag_ids), "{twice}");
    }
}

#[tokio::test]
async fn what_is_required_is_asked_of_the_file_before_any_row_is_read() {
    let desk = desk().await;
    with_definitions(&desk).await;
    let id = desk.with_file("accounts", b"name\nAcme\n").await;
    assert_eq!(desk.inspect(&id).await.missing_fields, ["attributes.tier"]);
    let check =
        crm_proto::imports::CheckImportRequest { id: id.clone(), create_accounts: false, request_id: request_id() };
    for begun in
        [call!(desk.manager, imports.check_import(check)).unwrap(), desk.begin_run(&id, Duplicates::Skip, false).await]
    {
        let ended = desk.ended(begun).await;
        assert_eq!(ended.state(), State::Failed);
        let Some(operation::Result::Error(error)) = &ended.result else { panic!("{ended:?}") };
        let bad: Option<BadRequest> = error.details.iter().find_map(|any| any.to_msg().ok());
        let told: Vec<_> = bad.unwrap().field_violations.into_iter().map(|it| (it.field, it.description)).collect();
        assert_eq!(told, [("settings.fields".to_owned(), "no column is attributes.tier".to_owned())]);
    }
    // An account that is made along has none, either.
    let people = desk.with_file("contacts", b"family_name,company\nLove,New\nByron,Acme\n").await;
    desk.manager
        .create_account(api::Account { attributes: values([("tier", string("lead"))]), ..account("Acme") })
        .await
        .unwrap();
    for tally in [desk.check(&people, true).await, desk.run(&people, Duplicates::Skip, true).await] {
        assert_eq!((counts(&tally), tally.created_accounts), ((2, 1, 1, 0), 0));
        assert_eq!(desk.faults(&people).await, faults(&[(2, "account_name", "FIELD_REQUIRED")]));
    }
}

#[tokio::test]
async fn columns_are_said_to_be_attributes_that_there_are() {
    let desk = desk().await;
    with_definitions(&desk).await;
    let id = desk.with_file("accounts", b"a,b,c\nAcme,gold,x\n").await;
    let say = async |fields: &[&str]| {
        let fields = fields.iter().map(|field| (*field).to_owned()).collect();
        let settings = Some(ImportSettings { fields, has_header: Some(true), ..Default::default() });
        call!(desk.manager, imports.update_import(UpdateImportRequest { id: id.clone(), settings, update_mask: None }))
    };
    assert_eq!(violations(say(&["name", "attributes.nobody"]).await), ["settings.fields[1]"]);
    assert_eq!(violations(say(&["name", "attributes.tier", "attributes.tier"]).await), ["settings.fields[2]"]);
    say(&["name", "attributes.tier", "tags"]).await.unwrap();
    assert_eq!(counts(&desk.check(&id, false).await), (1, 0, 1, 0));
    tag(&desk.world.agent, "X").await;
    assert_eq!(counts(&desk.run(&id, Duplicates::Skip, false).await), (1, 1, 0, 0));
    assert_eq!(accounts(&desk, "").await["Acme"].attributes, values([("tier", string("gold"))]));
}
