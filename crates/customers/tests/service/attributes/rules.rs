//! What values may be, and what becomes of those that a later rule would refuse.

use crm_proto::attributes::attribute_definition::Type;
use crm_proto::attributes::{AttributeDefinition, Choice};
use crm_proto::customers as pb;
use prost_types::Value;
use prost_types::value::Kind;

use super::{Attributed, change, choice, expected, faults, null, number, of, string, text, tier, values};
use crate::support::account;

#[tokio::test]
async fn every_violation_is_told_at_once_by_key_and_rule() {
    let it = Attributed::with_all().await;
    it.define(AttributeDefinition { required: Some(true), ..text("wanted") }).await;
    let attributes = values([
        ("name2", number(7.0)),
        ("nobody", string("x")),
        ("seats", string("12")),
        ("since", string("2026-02-30")),
        ("tier", string("Gold")),
        ("Not a key", string("x")),
    ]);
    let wrong = pb::Account { name: String::new(), attributes, ..Default::default() };
    let mut told = faults(it.agent.create_account(wrong).await);
    told.sort_unstable();
    assert_eq!(
        told,
        expected(&[
            ("account.attributes", "MALFORMED"),
            ("account.attributes.name2", "MALFORMED"),
            ("account.attributes.nobody", "UNKNOWN_FIELD"),
            ("account.attributes.seats", "MALFORMED"),
            ("account.attributes.since", "MALFORMED"),
            ("account.attributes.tier", "MALFORMED"),
            ("account.attributes.wanted", "FIELD_REQUIRED"),
            ("account.name", "FIELD_REQUIRED"),
        ])
    );
}

#[tokio::test]
async fn values_have_the_form_of_their_type() {
    let it = Attributed::with_all().await;
    let of_kind = |kind| Value { kind };
    let list = of_kind(Some(Kind::ListValue(prost_types::ListValue { values: vec![string("x")] })));
    let of_any = [of_kind(None), of_kind(Some(Kind::BoolValue(true))), list];
    for (key, wrong) in [
        ("name2", vec![number(1.0), string("a\nb"), string("a\0"), string(&"x".repeat(201))]),
        (
            "seats",
            vec![string("1"), number(1e15), number(0.1 + 0.2), number(9_007_199_254_740_992.0), number(f64::NAN)],
        ),
        ("since", vec![number(20.0), string("27.11.2026"), string("2026-11-27T00:00:00Z"), string("0000-01-01")]),
        ("tier", vec![number(1.0), string("Gold"), string(" gold")]),
    ] {
        for value in wrong.into_iter().chain(of_any.clone()) {
            let refused =
                it.agent.create_account(pb::Account { attributes: values([(key, value.clone())]), ..account("A") });
            let told = faults(refused.await);
            assert_eq!(
                (told.len(), told[0].0.clone()),
                (1, format!("account.attributes.{key}")),
                "{value:?}: {told:?}"
            );
        }
    }
    let edge = values([
        ("name2", string(&"é".repeat(200))),
        ("seats", number(-999_999_999_999_999.0)),
        ("since", string("2028-02-29")),
    ]);
    assert_eq!(it.account(edge.clone()).await.attributes, edge);
    // What says nothing is nothing; what does not show is left out, as everywhere.
    let none = values([("name2", string(" ")), ("seats", null()), ("since", string("")), ("tier", string(""))]);
    assert_eq!(it.account(none).await.attributes, values([]));
    let zero = it.account(values([("seats", number(-0.0)), ("name2", string(" x "))])).await;
    assert_eq!(zero.attributes, values([("name2", string("x")), ("seats", number(0.0))]));
}

#[tokio::test]
async fn all_values_together_have_a_bound() {
    let it = Attributed::start().await;
    let keys: Vec<String> = (0..10).map(|number| format!("a{number}")).collect();
    for key in &keys {
        it.define(AttributeDefinition { max_length: Some(1_000), ..text(key) }).await;
    }
    let filled = |count: usize| keys[..count].iter().map(|key| (key.clone(), string(&"é".repeat(1_000)))).collect();
    // Each has 2,000 bytes.
    let most: super::Attributes = filled(8);
    let created = it.account(most).await;
    let too_much = pb::Account { attributes: filled(9), ..account("Acme") };
    assert_eq!(faults(it.agent.create_account(too_much).await), expected(&[("account.attributes", "TOO_LONG")]));
    let more = pb::Account { id: created.id, attributes: filled(9), ..Default::default() };
    let refused = it.agent.update_account(more, &["attributes.a8"]).await;
    assert_eq!(faults(refused), expected(&[("account.attributes", "TOO_LONG")]));
}

/// A rule that is tightened later makes no stored record one that cannot be changed.
#[tokio::test]
async fn what_is_stored_stays_as_it_is_when_a_rule_is_tightened() {
    let it = Attributed::start().await;
    let long = it.define(text("long")).await;
    let tier = it.define(tier()).await;
    let wanted = it.define(of("wanted", Type::Number)).await;
    let old = values([("long", string("a long text")), ("tier", string("lead"))]);
    let created = it.account(old.clone()).await;
    change(&it.admin, AttributeDefinition { max_length: Some(3), ..long }, &["max_length"]).await.unwrap();
    let choices = vec![choice("gold"), Choice { archived: true, ..choice("lead") }];
    change(&it.admin, AttributeDefinition { choices, ..tier }, &["choices"]).await.unwrap();
    change(&it.admin, AttributeDefinition { required: Some(true), ..wanted }, &["required"]).await.unwrap();

    let with =
        |attributes| pb::Account { id: created.id.clone(), owner: "eve".to_owned(), attributes, ..Default::default() };
    let update = async |attributes, mask: &[&str]| it.agent.update_account(with(attributes), mask).await;
    assert_eq!(update(values([]), &["owner"]).await.unwrap().attributes, old);
    assert_eq!(update(old.clone(), &["attributes"]).await.unwrap().attributes, old);
    assert_eq!(update(old.clone(), &[]).await.unwrap().attributes, old);
    let new = values([("long", string("abcd")), ("tier", string("lead"))]);
    assert_eq!(faults(update(new, &["attributes"]).await), expected(&[("account.attributes.long", "TOO_LONG")]));
    let filled = update(values([("wanted", number(1.0)), ("tier", string("gold"))]), &[]).await.unwrap();
    assert_eq!(filled.attributes["long"], string("a long text"));
    // What is required cannot be taken away again, and nobody goes back to what is archived.
    let emptied = update(values([("tier", string("lead"))]), &["attributes.wanted", "attributes.tier"]).await;
    assert_eq!(
        faults(emptied),
        expected(&[("account.attributes.wanted", "FIELD_REQUIRED"), ("account.attributes.tier", "MALFORMED"),])
    );
    let without = it.agent.create_account(account("New")).await;
    assert_eq!(faults(without), expected(&[("account.attributes.wanted", "FIELD_REQUIRED")]));
}
