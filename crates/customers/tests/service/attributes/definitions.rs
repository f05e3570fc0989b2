//! What can be defined, and how much of it.

use crm_proto::attributes::attribute_definition::Type;
use crm_proto::attributes::{AttributeDefinition, Choice};
use tonic::Code;

use super::{Attributed, change, choice, define, delete, expected, faults, get, of, text, tier, undelete};
use crate::support::{refusal, refused};

#[tokio::test]
async fn what_a_definition_lacks_or_cannot_have_is_told_by_field_and_rule() {
    let it = Attributed::start().await;
    let check = async |definition: AttributeDefinition, told: &[(&str, &str)]| {
        let told: Vec<_> =
            told.iter().map(|(field, why)| (format!("attribute_definition.{field}"), (*why).to_owned())).collect();
        assert_eq!(faults(define(&it.admin, definition.clone()).await), told, "{definition:?}");
    };
    let (required, apart, form) = ("FIELD_REQUIRED", "CONTRADICTION", "MALFORMED");
    check(
        AttributeDefinition::default(),
        &[("resource", required), ("key", required), ("type", required), ("display_name", required)],
    )
    .await;
    for key in ["Tier", "1a", "_a", "a-b", "a.b", "ä", &"a".repeat(41)] {
        check(text(key), &[("key", form)]).await;
    }
    for resource in ["account", "products", "Accounts"] {
        check(AttributeDefinition { resource: resource.to_owned(), ..text("a") }, &[("resource", form)]).await;
    }
    check(AttributeDefinition { r#type: 9, ..text("a") }, &[("type", form)]).await;
    check(of("a", Type::Choice), &[("choices", required)]).await;
    check(AttributeDefinition { choices: vec![choice("x")], ..text("a") }, &[("choices", apart)]).await;
    check(AttributeDefinition { max_length: Some(9), ..of("a", Type::Number) }, &[("max_length", apart)]).await;
    for length in [0, 1_001] {
        check(AttributeDefinition { max_length: Some(length), ..text("a") }, &[("max_length", "OUT_OF_RANGE")]).await;
    }
    let of_choices = |choices| AttributeDefinition { choices, ..of("a", Type::Choice) };
    check(
        of_choices(vec![choice("x"), choice(""), choice("x")]),
        &[("choices[1].value", required), ("choices[2].value", apart)],
    )
    .await;
    let too_long = Choice { display_name: "x".repeat(101), ..choice(&"x".repeat(61)) };
    check(of_choices(vec![too_long]), &[("choices[0].value", "TOO_LONG"), ("choices[0].display_name", "TOO_LONG")])
        .await;
    let many: Vec<_> = (0..101).map(|number| choice(&format!("c{number}"))).collect();
    check(of_choices(many.clone()), &[("choices", "TOO_LONG")]).await;
    it.define(of_choices(many[..100].to_vec())).await;
}

#[tokio::test]
async fn what_it_is_stays_and_what_it_is_called_does_not() {
    let it = Attributed::start().await;
    let created = it.define(text("a")).await;
    assert_eq!((created.required, created.filterable, created.filter_ready), (Some(false), Some(false), false));
    for (changed, field) in [
        (AttributeDefinition { key: "b".to_owned(), ..created.clone() }, "key"),
        (AttributeDefinition { resource: "contacts".to_owned(), ..created.clone() }, "resource"),
        (AttributeDefinition { r#type: Type::Number.into(), ..created.clone() }, "type"),
        (AttributeDefinition { filterable: Some(true), ..created.clone() }, "filterable"),
    ] {
        let told = format!("attribute_definition.{field}");
        assert_eq!(faults(change(&it.admin, changed, &[field]).await), expected(&[(&told, "IMMUTABLE")]));
    }
    let changed = AttributeDefinition {
        display_name: "B".to_owned(),
        description: "What it is.\nAnd why.".to_owned(),
        max_length: Some(7),
        required: Some(true),
        ..created.clone()
    };
    let answer = change(&it.admin, changed.clone(), &["*"]).await.unwrap();
    let (etag, update_time) = (answer.etag.clone(), answer.update_time);
    assert_eq!(answer, AttributeDefinition { etag, update_time, ..changed });
    assert_eq!(get(&it.agent, &created.id).await.unwrap(), answer);
}

#[tokio::test]
async fn choices_are_named_anew_and_added_to_and_never_taken_out() {
    let it = Attributed::start().await;
    let created = it.define(tier()).await;
    let with = |choices: Vec<Choice>| AttributeDefinition { choices, ..created.clone() };
    for choices in [vec![choice("gold")], vec![choice("lead"), choice("Gold")], Vec::new()] {
        let told = expected(&[("attribute_definition.choices", "IMMUTABLE")]);
        assert_eq!(faults(change(&it.admin, with(choices), &["choices"]).await)[..1], told);
    }
    let named = Choice { display_name: "Blei".to_owned(), archived: true, ..choice("lead") };
    let choices = vec![choice("silver"), named, choice("gold")];
    let changed = change(&it.admin, with(choices.clone()), &["choices"]).await.unwrap();
    assert_eq!(changed.choices, choices);
}

#[tokio::test]
async fn a_key_belongs_to_one_definition_of_a_resource_deleted_or_not() {
    let it = Attributed::start().await;
    let created = it.define(text("a")).await;
    let taken = refused(Code::AlreadyExists, "ATTRIBUTE_KEY_TAKEN");
    assert_eq!(refusal(define(&it.admin, of("a", Type::Date)).await), taken);
    it.define(AttributeDefinition { resource: "contacts".to_owned(), ..text("a") }).await;
    delete(&it.admin, &created.id).await.unwrap();
    let not_found = refused(Code::NotFound, "ATTRIBUTE_DEFINITION_NOT_FOUND");
    assert_eq!(refusal(get(&it.agent, &created.id).await), not_found);
    assert_eq!(refusal(define(&it.admin, of("a", Type::Date)).await), taken);
    let back = undelete(&it.admin, &created.id).await.unwrap();
    assert_eq!(get(&it.agent, &created.id).await.unwrap(), back);
    let there = refused(Code::AlreadyExists, "ATTRIBUTE_DEFINITION_NOT_DELETED");
    assert_eq!(refusal(undelete(&it.admin, &created.id).await), there);
}

#[tokio::test]
async fn a_resource_has_fifty_of_which_ten_filter() {
    let it = Attributed::start().await;
    let mut all = Vec::new();
    for number in 0..50 {
        let filterable = Some(number < 10);
        all.push(it.define(AttributeDefinition { filterable, ..text(&format!("a{number}")) }).await);
    }
    assert_eq!((all[0].filterable, all[0].filter_ready), (Some(true), true), "nobody has a value of it");
    let too_many = refused(Code::FailedPrecondition, "TOO_MANY_ATTRIBUTES");
    assert_eq!(refusal(define(&it.admin, text("b")).await), too_many);
    // Each resource has its own.
    it.define(AttributeDefinition { resource: "contacts".to_owned(), filterable: Some(true), ..text("b") }).await;
    delete(&it.admin, &all[20].id).await.unwrap();
    let filters = AttributeDefinition { filterable: Some(true), ..text("b") };
    let too_many_filter = refused(Code::FailedPrecondition, "TOO_MANY_FILTERABLE_ATTRIBUTES");
    assert_eq!(refusal(define(&it.admin, filters.clone()).await), too_many_filter);
    let ended = AttributeDefinition { filterable: Some(false), ..all[0].clone() };
    let ended = change(&it.admin, ended, &["filterable"]).await.unwrap();
    assert_eq!((ended.filterable, ended.filter_ready), (Some(false), false));
    it.define(filters).await;
    assert_eq!(refusal(undelete(&it.admin, &all[20].id).await), too_many);
    delete(&it.admin, &all[1].id).await.unwrap();
    undelete(&it.admin, &all[20].id).await.unwrap();
}
