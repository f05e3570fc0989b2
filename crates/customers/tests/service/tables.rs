//! Exports for spreadsheets.

use crm_customers::accounts::Account;
use crm_customers::contacts::Contact;
use crm_proto::customers as pb;
use crm_proto::google::api::HttpBody;
use crm_proto::tables::ExportTableRequest;
use crm_resource::csv::{Column, Tabular};
use crm_server::token::Role;
use tonic::Status;

use crate::support::{account, call, violations, world};

/// The whole file.
async fn text(mut parts: tonic::Streaming<HttpBody>) -> Result<String, Status> {
    let mut text = Vec::new();
    while let Some(HttpBody { content_type, data, .. }) = parts.message().await? {
        assert_eq!(content_type, "text/csv; charset=utf-8; header=present");
        text.extend_from_slice(&data);
    }
    Ok(String::from_utf8(text).unwrap())
}

/// What is read of a table, as somebody's program would.
fn read<M: Default>(columns: &[Column<M>], text: &str) -> Vec<M> {
    let mut rows = csv::Reader::from_reader(text.as_bytes());
    let names: Vec<_> = columns.iter().map(|column| column.name).collect();
    // Behind them is what a tenant has on top.
    let headers: Vec<&str> = rows.headers().unwrap().iter().collect();
    assert_eq!((&headers[..names.len()], &headers[names.len()..]), (names.as_slice(), &["tags"][..]));
    let row = |row: csv::StringRecord| {
        let mut message = M::default();
        for (column, cell) in columns.iter().zip(&row) {
            column.read(&mut message, cell).unwrap();
        }
        message
    };
    rows.records().map(|record| row(record.unwrap())).collect()
}

/// What of a message can be read of a table.
fn cells<M>(columns: &[Column<M>], message: &mut M) -> Vec<String> {
    columns.iter().filter(|column| column.is_read()).map(|column| column.show(message)).collect()
}

#[tokio::test]
async fn accounts_and_contacts_are_read_as_they_were_kept() {
    let world = world().await;
    let agent = &world.agent;
    let names = [
        "Acme",
        "=HYPERLINK(\"http://x.example\")",
        "'=1",
        "@home",
        "-12",
        "say \"hi\", twice; or not",
        "\u{dc}bel & S\u{f6}hne",
    ];
    let mut accounts = Vec::new();
    for (number, name) in names.iter().enumerate() {
        let revenue = crm_proto::google::r#type::Money { currency_code: "EUR".to_owned(), units: 1_200, nanos: 0 };
        let employees = Some(i32::try_from(number).unwrap());
        let new = pb::Account { employees, annual_revenue: Some(revenue), ..account(name) };
        accounts.push(agent.create_account(new).await.unwrap());
    }
    let request = ExportTableRequest { byte_order_mark: true, ..Default::default() };
    let table = text(call!(agent, tables.export_account_table(request)).unwrap()).await.unwrap();
    let table = table.strip_prefix('\u{feff}').expect("a byte order mark");
    assert!(table.ends_with("\r\n") && table.matches("\r\n").count() == names.len() + 1, "{table}");
    assert!(table.lines().skip(1).all(|line| !line.contains(",=") && !line.contains(",@")), "{table}");
    let columns = Account::COLUMNS;
    let found: Vec<_> = read(columns, table).iter_mut().map(|account| cells(columns, account)).collect();
    let kept: Vec<_> = accounts.iter_mut().map(|account| cells(columns, account)).collect();
    assert_eq!(found, kept);

    let phones = vec!["+4930123456".to_owned(), "+14155550123".to_owned()];
    let new = pb::Contact {
        account_id: accounts[0].id.clone(),
        given_name: "Ada".to_owned(),
        family_name: "+Love".to_owned(),
        title: "Head, of Purchasing".to_owned(),
        emails: vec!["ada@acme.example".to_owned()],
        phones,
        ..Default::default()
    };
    let request_id = uuid::Uuid::new_v4().to_string();
    let request = pb::CreateContactRequest { contact: Some(new), request_id, ..Default::default() };
    let mut contact = call!(agent, contacts.create_contact(request)).unwrap();
    let table = text(call!(agent, tables.export_contact_table(ExportTableRequest::default())).unwrap()).await.unwrap();
    assert!(table.starts_with("id,account_id,given_name,"), "{table}");
    // Numbers stay what they are for every other program.
    assert!(table.contains(",\"+4930123456;+14155550123\",") && table.contains(",'+Love,"), "{table}");
    let columns = Contact::COLUMNS;
    let found: Vec<_> = read(columns, &table).iter_mut().map(|contact| cells(columns, contact)).collect();
    assert_eq!(found, [cells(columns, &mut contact)]);
}

#[tokio::test]
async fn a_table_has_what_matches_of_the_tenant_and_says_what_it_cannot_read() {
    let world = world().await;
    for number in 0..150 {
        let name = if number == 75 { "Other".to_owned() } else { format!("Acme {number}") };
        world.agent.create_account(account(&name)).await.unwrap();
    }
    let ask = |filter: &str| ExportTableRequest { filter: filter.to_owned(), ..Default::default() };
    let lines =
        async |answer: Result<tonic::Streaming<HttpBody>, Status>| text(answer.unwrap()).await.unwrap().lines().count();
    assert_eq!(lines(call!(world.agent, tables.export_account_table(ask("")))).await, 151);
    assert_eq!(lines(call!(world.agent, tables.export_account_table(ask("name = \"Other\"")))).await, 2);
    let stranger = world.service.caller("globex", Role::Viewer);
    assert_eq!(lines(call!(stranger, tables.export_account_table(ask("")))).await, 1);
    let wrong = call!(world.agent, tables.export_account_table(ask("secret = 1")));
    assert_eq!(violations(wrong.map(drop)), ["filter"]);
}
