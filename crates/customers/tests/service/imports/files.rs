//! Files as people have them, with all that is wrong with them.

use crm_proto::customers as api;
use crm_proto::imports::run_import_request::Duplicates;
use crm_proto::operations::operation::State;
use tonic::Code;

use super::{counts, desk, faults};
use crate::operations::{error, number};
use crate::support::{as_owner, call};

#[tokio::test]
async fn thousands_of_rows_go_in_whole_and_each_is_as_if_it_had_been_created() {
    let desk = desk().await;
    let rows: String =
        (0..2_600).map(|n| format!("Company {n} Ltd,d{n}.example,Retail,{n},\"{n},50\",eur\r\n")).collect();
    let file = format!("name,domain,industry,employees,annual_revenue,annual_revenue_currency\r\n{rows}");
    let id = desk.with_file("accounts", file.as_bytes()).await;
    // What is missing is cached, and has to be forgotten.
    let row = crm_resource::imports::record_id(id.parse().unwrap(), 2_601, false).to_string();
    assert!(desk.manager.get_account(&row).await.is_err());
    let operation = desk.ended(desk.begin_run(&id, Duplicates::Create, false).await).await;
    let progress = operation.progress.as_ref().unwrap();
    assert_eq!(
        (operation.state(), progress.done, progress.total),
        (State::Succeeded, 2_600, Some(2_600)),
        "{operation:?}"
    );
    let import = desk.get(&id).await;
    assert_eq!(counts(&import.run.unwrap()), (2_600, 2_600, 0, 0));
    assert_eq!(import.state(), crm_proto::imports::import::State::Run);
    let kept = import.expire_time.unwrap().seconds - import.create_time.unwrap().seconds;
    assert!((2_592_000..2_593_000).contains(&kept), "{kept} s");

    let account = desk.manager.get_account(&row).await.unwrap();
    assert_eq!(
        (account.name.as_str(), account.domain.as_str(), account.employees),
        ("Company 2599 Ltd", "d2599.example", Some(2599))
    );
    let revenue = account.annual_revenue.clone().unwrap();
    assert_eq!((revenue.units, revenue.nanos, revenue.currency_code.as_str()), (2599, 500_000_000, "EUR"));
    let search = api::SearchCustomersRequest { query: "company 2599".to_owned(), ..Default::default() };
    assert_eq!(call!(desk.manager, search.search_customers(search)).unwrap().hits[0].id, row);
    let database = &desk.world.database;
    let entries = "select count(distinct (record_id, version)) from customers.journal where kind = 'created' \
                   and subject = 'ada' and role = 'manager' and changes -> 'industry' = '[null, \"retail\"]'";
    assert_eq!(number(database, entries).await, 2_600);
    // A single creation leaves as much behind.
    let created = desk
        .manager
        .create_account(api::Account {
            id: String::new(),
            name: "Company 2599 Ltd".to_owned(),
            domain: "d.example".to_owned(),
            ..account_of(&account)
        })
        .await
        .unwrap();
    let terms = |id: &str| format!("select count(*) from customers.search_terms where record_id = '{id}'");
    assert_eq!(number(database, &terms(&row)).await, number(database, &terms(&created.id)).await);
    assert_eq!(number(database, "select count(*) from customers.import_parts").await, 0, "the file is forgotten");
}

fn account_of(account: &api::Account) -> api::Account {
    api::Account { etag: String::new(), create_time: None, update_time: None, ..account.clone() }
}

#[tokio::test]
async fn each_error_has_its_row_as_the_spreadsheet_shows_it_its_field_and_its_rule() {
    let desk = desk().await;
    let big = "x".repeat(1 << 20);
    let file = format!(
        "Name,Domain,Employees,Country\r\n\
         \"Two\nlines\",,,\r\n\
         \r\n\
         ,empty-name.example,1,\r\n\
         =SUM(A1:A9),formula.example,12,\"a \"\"quoted\"\" word\"\r\n\
         Too Many,many.example,1,x,y\r\n\
         Too Many But Empty,empty.example,1,x,, \r\n\
         Too Few\r\n\
         Bad,nonsense,1.5,x\r\n\
         ,,,\r\n\
         Nul\0Byte,nul.example,,\r\n\
         {big},big.example,,\r\n\
         Lost M\u{fffd}ller,lost.example,,\r\n\
         Last,last.example,1.200,x"
    );
    let id = desk.with_file("accounts", file.as_bytes()).await;
    let expected = faults(&[
        (2, "name", "FORBIDDEN_CHARACTER"),
        (4, "name", "FIELD_REQUIRED"),
        (6, "", "TOO_MANY_CELLS"),
        (9, "employees", "MALFORMED"),
        (9, "domain", "MALFORMED"),
        (11, "name", "FORBIDDEN_CHARACTER"),
        (12, "name", "TOO_LONG"),
        (13, "name", "NOT_IN_ENCODING"),
    ]);
    let check = desk.check(&id, false).await;
    assert_eq!(counts(&check), (11, 4, 7, 0));
    assert_eq!(desk.faults(&id).await, expected);
    assert_eq!(
        number(&desk.world.database, "select count(*) from customers.accounts").await,
        0,
        "a check writes nothing"
    );
    let errors = desk.errors(&id).await;
    assert_eq!((errors[0].column.as_str(), errors[1].description.as_str()), ("Name", "is required"));
    // As often as one likes, and the run says the same.
    assert_eq!(desk.check(&id, false).await, check);
    assert_eq!(desk.run(&id, Duplicates::Skip, false).await, check);
    assert_eq!(desk.faults(&id).await, expected);
    let list = api::ListAccountsRequest::default();
    let accounts = call!(desk.manager, accounts.list_accounts(list)).unwrap().accounts;
    let names: Vec<&str> = accounts.iter().map(|account| account.name.as_str()).collect();
    assert_eq!(names, ["=SUM(A1:A9)", "Last", "Too Few", "Too Many But Empty"]);
    assert_eq!((accounts[0].country.as_str(), accounts[1].employees), ("a \"quoted\" word", Some(1200)));
}

#[tokio::test]
async fn a_file_without_rows_or_columns_or_ends_is_refused_as_a_whole() {
    let desk = desk().await;
    let fails = async |resource: &str, file: &[u8]| {
        let id = desk.with_file(resource, file).await;
        let operation = desk.ended(desk.begin_run(&id, Duplicates::Skip, false).await).await;
        assert_eq!(operation.state(), State::Failed);
        assert_eq!(desk.get(&id).await.state(), crm_proto::imports::import::State::Open);
        // There are ten places.
        as_owner(&desk.world.database, &format!("delete from customers.imports where id = '{id}'")).await;
        let (code, reason, _) = error(&operation);
        let Some(crm_proto::operations::operation::Result::Error(error)) = operation.result else { panic!() };
        let bad: Option<crm_proto::google::rpc::BadRequest> = error.details.iter().find_map(|any| any.to_msg().ok());
        let field = bad.map(|bad| bad.field_violations[0].field.clone()).unwrap_or_default();
        (code, reason, field)
    };
    let empty = || (Code::FailedPrecondition, "IMPORT_EMPTY".to_owned(), String::new());
    assert_eq!(fails("accounts", b"").await, empty());
    assert_eq!(fails("accounts", b"\r\n\r\n").await, empty());
    assert_eq!(fails("accounts", b"name,domain\r\n").await, empty());
    assert_eq!(fails("accounts", b"\xef\xbb\xbfname").await, empty());
    let invalid = |field: &str| (Code::InvalidArgument, "FIELDS_INVALID".to_owned(), field.to_owned());
    assert_eq!(fails("accounts", b"domain,country\nacme.example,x\n").await, invalid("settings.fields"));
    let open = [b"name,country\nAcme,x\nBroken,\"".to_vec(), b"y\n".repeat(2 << 20)].concat();
    assert_eq!(fails("accounts", &open).await, invalid("rows[3]"));
    assert_eq!(number(&desk.world.database, "select count(*) from customers.accounts").await, 0);
}

#[tokio::test]
async fn two_columns_of_one_name_are_one_list_or_the_first_of_them() {
    let desk = desk().await;
    let account = desk.manager.create_account(crate::support::account("Acme")).await.unwrap();
    let file = format!(
        "account_id,Nachname,Nachname,E-Mail,E-Mail,Telefon\n{0},Love,Hate,a@x.example,b@x.example; c@x.example,+1 415 555 0123\n",
        account.id
    );
    let id = desk.with_file("contacts", file.as_bytes()).await;
    assert_eq!(counts(&desk.run(&id, Duplicates::Skip, false).await), (1, 1, 0, 0));
    let list = api::ListContactsRequest::default();
    let contact = call!(desk.manager, contacts.list_contacts(list)).unwrap().contacts.remove(0);
    assert_eq!((contact.family_name.as_str(), contact.phones), ("Love", vec!["+14155550123".to_owned()]));
    assert_eq!(contact.emails, ["a@x.example", "b@x.example", "c@x.example"]);
    let filter = "email = \"C@x.example\"".to_owned();
    let found = call!(desk.manager, contacts.list_contacts(api::ListContactsRequest { filter, ..Default::default() }));
    assert_eq!(found.unwrap().contacts.len(), 1);
}
