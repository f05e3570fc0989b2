//! Accounts as rows of a table.

use crm_proto::customers as pb;
use crm_resource::csv::{Column, Tabular};

use super::Account;

impl Tabular for Account {
    const COLUMNS: &'static [Column<pb::Account>] = &[
        Column::told("id", |it| it.id.clone()),
        Column::text("name", |it| &mut it.name),
        Column::text("domain", |it| &mut it.domain),
        Column::text("industry", |it| &mut it.industry),
        Column::text("country", |it| &mut it.country),
        Column::text("territory", |it| &mut it.territory),
        Column::text("owner", |it| &mut it.owner),
        Column::number("employees", |it| &mut it.employees),
        Column::amount("annual_revenue", |it| &mut it.annual_revenue),
        Column::currency("annual_revenue_currency", |it| &mut it.annual_revenue),
        Column::number("founded_year", |it| &mut it.founded_year),
        Column::text("parent_id", |it| &mut it.parent_id),
        Column::told("create_time", |it| it.create_time.map(|time| time.to_string()).unwrap_or_default()),
        Column::told("update_time", |it| it.update_time.map(|time| time.to_string()).unwrap_or_default()),
    ];

    fn tag_ids(account: &mut pb::Account) -> Option<&mut Vec<String>> {
        Some(&mut account.tag_ids)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_read_as_it_was_written() {
        let mut account = pb::Account {
            name: "Acme; \"Ltd\"".to_owned(),
            domain: "acme.example".to_owned(),
            industry: "retail".to_owned(),
            country: "Germany".to_owned(),
            territory: "west".to_owned(),
            owner: "ada".to_owned(),
            employees: Some(1_200),
            annual_revenue: Some(crm_proto::google::r#type::Money {
                currency_code: "KWD".to_owned(),
                units: 1_200,
                nanos: 345_000_000,
            }),
            founded_year: Some(1999),
            parent_id: "7".to_owned(),
            ..Default::default()
        };
        let mut read = pb::Account::default();
        for column in Account::COLUMNS {
            let cell = column.show(&mut account);
            assert_eq!(cell.is_empty(), !column.is_read(), "{column:?}");
            column.read(&mut read, &cell).unwrap();
        }
        assert_eq!(read, account);
    }
}
