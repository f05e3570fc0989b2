//! Values there and back, and which of them a change means.

use std::slice::from_ref;

use crm_proto::attributes::AttributeDefinition;
use crm_proto::attributes::attribute_definition::Type;
use crm_proto::customers as pb;
use prost_types::Value;
use uuid::Uuid;

use super::{Attributed, all, null, number, of, string, text, values};
use crate::support::{account, call, contact};

#[tokio::test]
async fn values_of_each_type_come_back_wherever_the_record_does() {
    let it = Attributed::with_all().await;
    let created = it.account(all()).await;
    assert_eq!(created.attributes, all());
    assert_eq!(it.agent.get_account(&created.id).await.unwrap(), created);
    let ids = vec![created.id.clone()];
    let batch = call!(it.agent, accounts.batch_get_accounts(pb::BatchGetAccountsRequest { ids })).unwrap();
    assert_eq!(batch.accounts, from_ref(&created));
    let list = call!(it.agent, accounts.list_accounts(pb::ListAccountsRequest::default())).unwrap();
    assert_eq!(list.accounts, from_ref(&created));
    let mut export = call!(it.agent, accounts.export_accounts(pb::ExportAccountsRequest::default())).unwrap();
    assert_eq!(export.message().await.unwrap(), Some(created));
}

#[tokio::test]
async fn contacts_have_their_own() {
    let it = Attributed::start().await;
    it.define(AttributeDefinition { resource: "contacts".to_owned(), ..of("shoe", Type::Number) }).await;
    let at = it.account(values([])).await;
    let attributes = values([("shoe", number(42.0))]);
    let person = pb::Contact { attributes: attributes.clone(), ..contact(&at.id, "Love") };
    let created = it.agent.create_contact(person).await.unwrap();
    assert_eq!(created.attributes, attributes);
    assert_eq!(it.agent.get_contact(&created.id).await.unwrap(), created);
    let changed = pb::Contact { attributes: values([("shoe", number(43.0))]), ..created.clone() };
    let changed = it.agent.update_contact(changed, &["attributes"]).await.unwrap();
    assert_eq!(changed.attributes, values([("shoe", number(43.0))]));
}

#[tokio::test]
async fn a_mask_means_all_values_or_some() {
    let it = Attributed::with_all().await;
    let created = it.account(all()).await;
    let with = |attributes| pb::Account { id: created.id.clone(), attributes, ..Default::default() };
    let update = async |attributes, mask: &[&str]| it.agent.update_account(with(attributes), mask).await.unwrap();

    let one = update(values([("tier", string("lead")), ("seats", number(1.0))]), &["attributes.tier"]).await;
    assert_eq!(one.attributes["tier"], string("lead"));
    assert_eq!((one.attributes.len(), &one.attributes["seats"]), (4, &number(12.5)));
    let gone = update(values([]), &["attributes.tier", "attributes.since"]).await;
    assert_eq!(gone.attributes.keys().collect::<Vec<_>>(), ["name2", "seats"]);
    // Without a mask the values that are given are meant, and null takes one away.
    let given = update(values([("seats", null()), ("tier", string("gold"))]), &[]).await;
    assert_eq!(given.attributes, values([("name2", string("Ärger & Söhne")), ("tier", string("gold"))]));
    let same = update(given.attributes.clone(), &["attributes"]).await;
    assert_eq!(same.etag, given.etag, "a change that changes nothing");
    let whole = update(values([("seats", number(3.0)), ("tier", null())]), &["attributes"]).await;
    assert_eq!(whole.attributes, values([("seats", number(3.0))]));
    let other = update(values([("seats", number(4.0))]), &["owner"]).await;
    assert_eq!(other.attributes, whole.attributes);
    let everything = pb::Account { attributes: values([("seats", string(""))]), ..account("Acme") };
    let everything = pb::Account { id: created.id.clone(), ..everything };
    let refused = it.agent.update_account(everything, &["*"]).await;
    assert_eq!(super::faults(refused), super::expected(&[("account.attributes.seats", "MALFORMED")]));
    assert_eq!(update(values([]), &["attributes"]).await.attributes, values([]));
}

#[tokio::test]
async fn the_same_request_has_the_same_answer_in_whichever_order_values_were_sent() {
    let it = Attributed::start().await;
    let keys: Vec<String> = (0..20).map(|number| format!("a{number}")).collect();
    for key in &keys {
        it.define(text(key)).await;
    }
    let request_id = Uuid::new_v4().to_string();
    let attributes: super::Attributes = keys.iter().map(|key| (key.clone(), string(key))).collect();
    let account = Some(pb::Account { attributes, ..account("Acme") });
    let request = pb::CreateAccountRequest { account, request_id, ..Default::default() };
    let first = call!(it.agent, accounts.create_account(request.clone())).unwrap();
    for _ in 0..3 {
        assert_eq!(call!(it.agent, accounts.create_account(request.clone())).unwrap(), first);
    }
}

#[tokio::test]
async fn a_history_tells_of_each_attribute() {
    let it = Attributed::with_all().await;
    let created = it.account(values([("seats", number(5.0)), ("tier", string("gold"))])).await;
    let changed = values([("seats", number(0.1)), ("tier", string("gold")), ("since", string("2026-11-27"))]);
    let changed = pb::Account { id: created.id.clone(), attributes: changed, ..Default::default() };
    it.agent.update_account(changed, &["attributes"]).await.unwrap();
    let request = pb::GetAccountHistoryRequest { id: created.id, ..Default::default() };
    let history = call!(it.agent, accounts.get_account_history(request)).unwrap();
    let fields: Vec<(String, Option<Value>, Option<Value>)> =
        history.changes[0].fields.iter().map(|it| (it.field.clone(), it.from.clone(), it.to.clone())).collect();
    let field = |key: &str, from, to| (format!("attributes.{key}"), Some(from), Some(to));
    assert_eq!(fields, [field("seats", number(5.0), number(0.1)), field("since", null(), string("2026-11-27")),]);
    assert_eq!(history.changes[1].fields.len(), 3, "the name and two attributes");
}
