//! Texts as they are written, found by what shows of them; rows that are older than a rule or than a key.

use crm_proto::customers as pb;
use crm_proto::google::r#type::Money;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use crate::support::{Caller, World, account, call, contact, tenant, violations, world};

pub async fn accounts(agent: &Caller, filter: &str) -> Vec<String> {
    let request = pb::ListAccountsRequest { filter: filter.to_owned(), ..Default::default() };
    let answer = call!(agent, accounts.list_accounts(request)).unwrap();
    answer.accounts.into_iter().map(|account| account.name).collect()
}

pub async fn contacts(agent: &Caller, filter: &str) -> Vec<String> {
    let request = pb::ListContactsRequest { filter: filter.to_owned(), ..Default::default() };
    let answer = call!(agent, contacts.list_contacts(request)).unwrap();
    answer.contacts.into_iter().map(|contact| contact.family_name).collect()
}

/// Runs statements as the owner, which sees all rows.
async fn as_owner(world: &World, statements: &str) {
    let mut owner = PgConnection::connect(world.database.url()).await.unwrap();
    owner.execute(AssertSqlSafe(statements.replace("{tenant}", &tenant().to_string()))).await.unwrap();
    owner.close().await.unwrap();
}

#[tokio::test]
async fn text_comes_back_as_it_was_written_and_is_found_by_what_shows() {
    let world = world().await;
    let agent = &world.agent;
    let written = "\u{fa10} می\u{200c}خواهم e\u{301}\u{1f469}\u{200d}\u{1f4bb}";
    let given = pb::Account {
        industry: written.to_owned(),
        country: written.to_owned(),
        territory: written.to_owned(),
        owner: written.to_owned(),
        ..account(written)
    };
    let created = agent.create_account(given).await.unwrap();
    let texts = [&created.name, &created.industry, &created.country, &created.territory, &created.owner];
    assert_eq!(texts, [written; 5]);
    let given = pb::Contact {
        given_name: written.to_owned(),
        title: written.to_owned(),
        owner: written.to_owned(),
        ..contact(&created.id, written)
    };
    let person = agent.create_contact(given).await.unwrap();
    let texts = [&person.given_name, &person.family_name, &person.title, &person.owner];
    assert_eq!(texts, [written; 4]);

    let sought = "\u{585a} میخواهم é\u{1f469}\u{200b}\u{1f4bb}";
    for field in ["name", "industry", "territory", "owner"] {
        assert_eq!(accounts(agent, &format!("{field} = \"{sought}\"")).await, [written], "{field}");
        assert_eq!(accounts(agent, &format!("{field} = \"{sought}x\"")).await, Vec::<String>::new(), "{field}");
    }
    for field in ["family_name", "owner"] {
        assert_eq!(contacts(agent, &format!("{field} = \"{sought}\"")).await, [written], "{field}");
    }
    // Changed texts are found by what they are now.
    let change = pb::Account {
        id: created.id.clone(),
        name: "İstanbul".to_owned(),
        industry: "Straßenbau".to_owned(),
        territory: "Emea".to_owned(),
        owner: "Zoe\u{308}".to_owned(),
        ..Default::default()
    };
    agent.update_account(change, &[]).await.unwrap();
    for filter in
        ["name = \"istanbul*\"", "industry = \"STRASSENBAU\"", "territory = \"Emea\"", "owner = \"Zo\u{eb}\u{200e}\""]
    {
        assert_eq!(accounts(agent, filter).await, ["İstanbul"], "{filter}");
    }
    for filter in ["territory = \"emea\"", "owner = \"zo\u{eb}\"", &format!("owner = \"{sought}\"")] {
        assert_eq!(accounts(agent, filter).await, Vec::<String>::new(), "{filter}");
    }
    let change = pb::Contact { id: person.id, owner: "Zoe\u{308}".to_owned(), ..Default::default() };
    agent.update_contact(change, &[]).await.unwrap();
    assert_eq!(contacts(agent, "owner = \"Zo\u{eb}\"").await, [written]);
}

#[tokio::test]
async fn text_that_shows_nothing_or_turns_its_line_is_refused_or_none() {
    let world = world().await;
    let agent = &world.agent;
    for name in ["\u{200b}", "\u{feff}\u{a0}", "\u{202e}", "\u{3164}", "a\u{202e}b", "a\u{2066}b"] {
        assert_eq!(violations(agent.create_account(account(name)).await), ["account.name"], "{name:?}");
    }
    let turned = "a\u{202e}b".to_owned();
    let given = pb::Account {
        industry: turned.clone(),
        country: turned.clone(),
        territory: turned.clone(),
        owner: turned.clone(),
        ..account("\u{feff}Acme")
    };
    let fields = ["account.industry", "account.country", "account.territory", "account.owner"];
    assert_eq!(violations(agent.create_account(given).await), fields);
    let empty =
        pb::Account { industry: "\u{200b}".to_owned(), owner: "\u{2800}".to_owned(), ..account("\u{feff}Acme") };
    let created = agent.create_account(empty).await.unwrap();
    assert_eq!((created.name.as_str(), created.industry.as_str(), created.owner.as_str()), ("Acme", "", ""));
    let given = pb::Contact { given_name: "\u{200d}".to_owned(), ..contact(&created.id, "\u{200b}") };
    assert_eq!(violations(agent.create_contact(given).await), ["contact.family_name"]);
    let given = pb::Contact {
        given_name: turned.clone(),
        title: turned.clone(),
        owner: turned.clone(),
        ..contact(&created.id, "b")
    };
    let fields = ["contact.given_name", "contact.title", "contact.owner"];
    assert_eq!(violations(agent.create_contact(given).await), fields);
}

#[tokio::test]
async fn names_are_equal_beyond_what_a_key_holds() {
    let world = world().await;
    let agent = &world.agent;
    // Each of these letters unfolds to eighteen.
    let (one, other) = (format!("{}a", "\u{fdfa}".repeat(199)), format!("{}b", "\u{fdfa}".repeat(199)));
    agent.create_account(account(&one)).await.unwrap();
    agent.create_account(account(&other)).await.unwrap();
    assert_eq!(accounts(agent, &format!("name = \"{one}\"")).await, std::slice::from_ref(&one));
    assert_eq!(accounts(agent, &format!("name = \"{}*\"", "\u{fdfa}".repeat(20))).await.len(), 2);
}

#[tokio::test]
async fn filters_that_would_list_everything_are_refused() {
    let world = world().await;
    world.agent.create_account(account("Acme")).await.unwrap();
    let long = format!("name = \"{}*\"", "x".repeat(800));
    for filter in ["name = \"*\"", "name = \" *\"", "name = \"\u{a0}\u{3000}*\"", "name = \"\u{200b}*\"", &long] {
        let request = pb::ListAccountsRequest { filter: filter.to_owned(), ..Default::default() };
        assert_eq!(violations(call!(world.agent, accounts.list_accounts(request))), ["filter"], "{filter:?}");
    }
}

#[tokio::test]
async fn a_nanosecond_after_the_last_change_nothing_has_changed() {
    let world = world().await;
    let created = world.agent.create_account(account("Acme")).await.unwrap();
    let time = created.update_time.unwrap();
    let since =
        |nanos: i32| format!("update_time >= \"{}\"", prost_types::Timestamp { nanos: time.nanos + nanos, ..time });
    assert_eq!(accounts(&world.agent, &since(0)).await, ["Acme"]);
    assert_eq!(accounts(&world.agent, &since(1)).await, Vec::<String>::new());
}

/// Rows that no rule of today would let in.
const OLD_ROWS: &str = "
    insert into customers.accounts (tenant_id, id, name, name_key, domain, industry, annual_revenue_minor,
        annual_revenue_currency) values ('{tenant}', '00000000-0000-7000-8000-000000000001', U&'\\200b', '',
        'acme.123', E'old\\ntrade', 1234, 'BGN');
    insert into customers.contacts (tenant_id, id, account_id, family_name, title, emails, phones) values ('{tenant}',
        '00000000-0000-7000-8000-000000000002', '00000000-0000-7000-8000-000000000001', U&'L\\202eove', E'a\\nb',
        array['ada at home', ''], array['+44020794600', 'call me'])";
const OLD_ACCOUNT: &str = "00000000-0000-7000-8000-000000000001";
const OLD_CONTACT: &str = "00000000-0000-7000-8000-000000000002";

#[tokio::test]
async fn an_update_checks_what_it_changes_and_nothing_else() {
    let world = world().await;
    let agent = &world.agent;
    as_owner(&world, OLD_ROWS).await;
    let old = agent.get_account(OLD_ACCOUNT).await.unwrap();
    assert_eq!(old.annual_revenue, Some(Money { currency_code: "BGN".to_owned(), units: 12, nanos: 340_000_000 }));
    let owned = pb::Account { id: old.id.clone(), owner: "ada".to_owned(), ..Default::default() };
    let owned = agent.update_account(owned, &["owner"]).await.unwrap();
    // What was read is sent back whole, with one field changed.
    let back = pb::Account { country: "Italy".to_owned(), ..owned.clone() };
    let back = agent.update_account(back, &["*"]).await.unwrap();
    assert_eq!((back.country.as_str(), &back.domain, &back.industry), ("Italy", &old.domain, &old.industry));
    let worse = pb::Account { domain: "acme.456".to_owned(), name: "a\u{202e}".to_owned() + "b", ..back.clone() };
    assert_eq!(violations(agent.update_account(worse, &["*"]).await), ["account.name", "account.domain"]);
    let more = Some(Money { currency_code: "BGN".to_owned(), units: 13, nanos: 0 });
    let more = pb::Account { annual_revenue: more, ..back };
    assert_eq!(violations(agent.update_account(more, &["*"]).await), ["account.annual_revenue"]);
    agent.delete_contact(OLD_CONTACT, "").await.unwrap();
    agent.undelete_contact(OLD_CONTACT).await.unwrap();

    let old = agent.get_contact(OLD_CONTACT).await.unwrap();
    let owned = pb::Contact { id: old.id.clone(), owner: "ada".to_owned(), ..Default::default() };
    let owned = agent.update_contact(owned, &["owner"]).await.unwrap();
    let mut phones = old.phones.clone();
    phones.push("+14155550123".to_owned());
    let back = pb::Contact { phones: phones.clone(), ..owned };
    let back = agent.update_contact(back, &["*"]).await.unwrap();
    assert_eq!((&back.phones, &back.title, &back.emails), (&phones, &old.title, &old.emails));
    let worse =
        pb::Contact { phones: vec!["call me".to_owned(), "call her".to_owned()], title: "a\nb\nc".to_owned(), ..back };
    assert_eq!(violations(agent.update_contact(worse, &["*"]).await), ["contact.title", "contact.phones[1]"]);
}
