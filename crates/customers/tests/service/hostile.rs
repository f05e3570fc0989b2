//! Whatever comes in: no panic, no text that Postgres could not store, and what is kept is kept as it is.

use crm_customers::accounts::Account;
use crm_customers::contacts::Contact;
use crm_proto::customers as pb;
use crm_proto::google::r#type::Money;
use crm_proto::standard::Create;
use crm_resource::testkit::{call, show};
use crm_resource::{Call, Change, Error, Head, New, Resource};
use proptest::prelude::*;
use time::OffsetDateTime;
use uuid::Uuid;

fn own() -> Call {
    call(Uuid::nil())
}
const HEAD: Head = Head {
    id: Uuid::nil(),
    version: 1,
    create_time: OffsetDateTime::UNIX_EPOCH,
    update_time: OffsetDateTime::UNIX_EPOCH,
    delete_time: None,
};

fn create<R: Resource>(request: impl Create<Resource = R::Message>) -> Result<R::Fields, Error> {
    New::<R>::read(own(), request).map(|new| new.fields)
}

const ID: &str = "0198c7a2-6d3e-7c51-9c0e-3a4f5b6c7d8e";

/// Texts from harmless to hostile.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[A-Za-z0-9 .@+-]{0,30}",
        "\\PC{0,30}",
        any::<String>(),
        Just("x".repeat(5_000)),
        Just("a\0b".to_owned()),
        Just("acme.example".to_owned()),
        Just(ID.to_owned()),
    ]
}

prop_compose! {
    fn money()(currency_code in prop_oneof![Just("EUR".to_owned()), Just("JPY".to_owned()), text()],
               units in any::<i64>(), nanos in prop_oneof![Just(0), Just(10_000_000), any::<i32>()]) -> Money {
        Money { currency_code, units, nanos }
    }
}

prop_compose! {
    fn account()(texts in prop::array::uniform7(text()), employees in any::<Option<i32>>(),
                 annual_revenue in prop::option::of(money()), founded_year in any::<Option<i32>>()) -> pb::Account {
        let [name, domain, industry, country, territory, owner, parent_id] = texts;
        pb::Account {
            name, domain, industry, country, territory, owner, parent_id, employees, annual_revenue, founded_year,
            ..pb::Account::default()
        }
    }
}

prop_compose! {
    fn contact()(texts in prop::array::uniform4(text()), account_id in prop_oneof![Just(ID.to_owned()), text()],
                 emails in prop::collection::vec(prop_oneof![text(), "[a-z.]{1,9}@[A-Z]{1,9}\\.example"], 0..12),
                 phones in prop::collection::vec(prop_oneof![text(), "(\\+|00)[0-9 ().-]{6,20}"], 0..12)) -> pb::Contact {
        let [given_name, family_name, title, owner] = texts;
        pb::Contact { given_name, family_name, title, owner, account_id, emails, phones, ..pb::Contact::default() }
    }
}

proptest! {
    #[test]
    fn accounts_are_refused_or_kept_as_they_are(account in account(), request_id in text()) {
        let request = pb::CreateAccountRequest { account: Some(account.clone()), request_id, ..Default::default() };
        let _ = create::<Account>(request);
        let request = pb::CreateAccountRequest { account: Some(account), request_id: ID.to_owned(), ..Default::default() };
        if let Ok(fields) = create::<Account>(request) {
            let message = show::<Account>(fields.clone(), &HEAD).unwrap();
            let shown = format!("{fields:?}");
            prop_assert!(!shown.contains("\\0"), "{}", shown);
            let again = pb::CreateAccountRequest { account: Some(message), request_id: ID.to_owned(), ..Default::default() };
            prop_assert_eq!(create::<Account>(again).unwrap(), fields);
        }
    }

    #[test]
    fn contacts_are_refused_or_kept_as_they_are(contact in contact()) {
        let request = pb::CreateContactRequest { contact: Some(contact), request_id: ID.to_owned(), ..Default::default() };
        if let Ok(fields) = create::<Contact>(request) {
            let message = show::<Contact>(fields.clone(), &HEAD).unwrap();
            let shown = format!("{fields:?}");
            prop_assert!(!shown.contains("\\0"), "{}", shown);
            let again = pb::CreateContactRequest { contact: Some(message), request_id: ID.to_owned(), ..Default::default() };
            prop_assert_eq!(create::<Contact>(again).unwrap(), fields);
        }
    }

    #[test]
    fn no_mask_panics(account in account(), paths in prop::collection::vec(text(), 0..8)) {
        let update_mask = Some(prost_types::FieldMask { paths });
        let _ = Change::<Account>::read(own(), pb::UpdateAccountRequest { account: Some(account), update_mask });
    }
}
