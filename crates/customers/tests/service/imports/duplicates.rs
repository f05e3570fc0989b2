//! Rows that are there already, or twice in the file.

use crm_proto::customers as api;
use crm_proto::imports::run_import_request::Duplicates;

use super::{counts, desk};
use crate::support::{account, contact};

#[tokio::test]
async fn what_is_there_or_stands_twice_is_left_out_and_listed() {
    let desk = desk().await;
    let acme = desk.manager.create_account(account("Acme")).await.unwrap();
    let ada = api::Contact {
        emails: vec!["ada@acme.example".to_owned()],
        given_name: "Ada".to_owned(),
        ..contact(&acme.id, "Love")
    };
    let ada = desk.manager.create_contact(ada).await.unwrap();
    let id = &acme.id;
    // More rows than a step has, so that the same ones stand in different steps.
    let others: String = (0..600).map(|n| format!("{id},G{n},Other{n},o{n}@x{n}.example,\n")).collect();
    let file = format!(
        "account_id,given_name,family_name,emails,phones\n\
         {id},Ada,Lovelace,ADA@acme.example,\n\
         {id},Bob,Builder,bob@b.example,\n\
         {id},Robert,Someone,BOB@b.example,\n\
         {id},Carl,Phone,,+14155550123\n\
         {others}\
         {id},Karl,Fone,,+1 (415) 555-0123\n\
         {id},Bob,Builder,,\n\
         {id},Dora,New,dora@d.example,\n"
    );
    let import = desk.with_file("contacts", file.as_bytes()).await;
    let expected =
        vec![(2, ada.id.clone(), 0), (4, String::new(), 3), (606, String::new(), 5), (607, String::new(), 3)];
    let found = async |with_ids: bool| -> Vec<(i64, String, i64)> {
        let errors = desk.errors(&import).await;
        assert!(errors.iter().all(|error| error.reason == "POSSIBLE_DUPLICATE" && !error.description.is_empty()));
        let id = |error: &crm_proto::imports::RowError| {
            if with_ids || error.other_row == 0 { error.record_id.clone() } else { String::new() }
        };
        errors.iter().map(|error| (error.row, id(error), error.other_row)).collect()
    };
    let check = desk.check(&import, false).await;
    assert_eq!((counts(&check), found(true).await), ((607, 603, 0, 4), expected.clone()));
    let run = desk.run(&import, Duplicates::Skip, false).await;
    assert_eq!((counts(&run), found(false).await), ((607, 603, 0, 4), expected));

    // Who wants them all the same has them all.
    let again = desk.with_file("contacts", file.as_bytes()).await;
    assert_eq!(counts(&desk.check(&again, false).await), (607, 0, 0, 607));
    assert_eq!(counts(&desk.run(&again, Duplicates::Create, false).await), (607, 607, 0, 0));
}

#[tokio::test]
async fn a_domain_that_is_taken_is_an_error_of_its_row() {
    let desk = desk().await;
    desk.manager.create_account(api::Account { domain: "acme.example".to_owned(), ..account("Acme") }).await.unwrap();
    let file = "name,domain\nOther,ACME.example\nOne,one.example\nTwo,one.example\nAcme,\nThree,three.example\n";
    let id = desk.with_file("accounts", file.as_bytes()).await;
    assert_eq!(counts(&desk.check(&id, false).await), (5, 2, 0, 3));
    assert_eq!(counts(&desk.run(&id, Duplicates::Create, false).await), (5, 3, 2, 0));
    let faults = desk.faults(&id).await;
    let taken = |row| (row, String::new(), "ACCOUNT_DOMAIN_TAKEN".to_owned());
    assert_eq!(faults, [taken(2), taken(4)]);
}
