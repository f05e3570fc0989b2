//! Contacts as rows of a table.

use crm_proto::customers as pb;
use crm_resource::csv::{Column, Tabular};

use super::Contact;

impl Tabular for Contact {
    const COLUMNS: &'static [Column<pb::Contact>] = &[
        Column::told("id", |it| it.id.clone()),
        Column::text("account_id", |it| &mut it.account_id),
        Column::text("given_name", |it| &mut it.given_name),
        Column::text("family_name", |it| &mut it.family_name),
        Column::text("title", |it| &mut it.title),
        Column::texts("emails", |it| &mut it.emails),
        Column::texts("phones", |it| &mut it.phones),
        Column::text("owner", |it| &mut it.owner),
        Column::told("create_time", |it| it.create_time.map(|time| time.to_string()).unwrap_or_default()),
        Column::told("update_time", |it| it.update_time.map(|time| time.to_string()).unwrap_or_default()),
    ];

    fn tag_ids(contact: &mut pb::Contact) -> Option<&mut Vec<String>> {
        Some(&mut contact.tag_ids)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contact_is_read_as_it_was_written() {
        let mut contact = pb::Contact {
            account_id: "7".to_owned(),
            given_name: "Ada".to_owned(),
            family_name: "=Love".to_owned(),
            title: "Head, of\nPurchasing".to_owned(),
            emails: vec!["ada@acme.example".to_owned(), "a@b.example".to_owned()],
            phones: vec!["+14155550123".to_owned()],
            owner: "ada".to_owned(),
            ..Default::default()
        };
        let mut read = pb::Contact::default();
        for column in Contact::COLUMNS {
            let cell = column.show(&mut contact);
            assert_eq!(cell.is_empty(), !column.is_read(), "{column:?}");
            column.read(&mut read, &cell).unwrap();
        }
        assert_eq!(read, contact);
    }
}
