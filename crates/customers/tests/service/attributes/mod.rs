//! Attributes that a tenant defines. What all resources have in common is tried through the gateway.

mod definitions;
mod filters;
mod hidden;
mod rules;
mod together;
mod values;

use std::collections::BTreeMap;

use crm_proto::attributes::attribute_definition::Type;
use crm_proto::attributes::{self as pb, AttributeDefinition, Choice};
use crm_proto::customers::{self, Account};
use crm_server::token::Role;
use prost_types::Value;
use prost_types::value::Kind;
use tonic::Status;
use tonic_types::StatusExt;
use uuid::Uuid;

use crate::support::{Caller, World, account, call, field_mask, world};

pub(crate) type Attributes = BTreeMap<String, Value>;

/// A world in which somebody may define attributes.
struct Attributed {
    world: World,
    admin: Caller,
}

impl std::ops::Deref for Attributed {
    type Target = World;

    fn deref(&self) -> &World {
        &self.world
    }
}

impl Attributed {
    async fn start() -> Self {
        let world = world().await;
        let admin = world.service.caller("acme", Role::Admin);
        Self { world, admin }
    }

    /// With one attribute of each type for accounts, all of which filter.
    async fn with_all() -> Self {
        let it = Self::start().await;
        for definition in [text("name2"), of("seats", Type::Number), of("since", Type::Date), tier()] {
            it.define(AttributeDefinition { filterable: Some(true), ..definition }).await;
        }
        it
    }

    async fn define(&self, definition: AttributeDefinition) -> AttributeDefinition {
        define(&self.admin, definition).await.unwrap()
    }

    async fn account(&self, attributes: Attributes) -> Account {
        self.agent.create_account(Account { attributes, ..account("Acme") }).await.unwrap()
    }
}

pub(crate) fn of(key: &str, kind: Type) -> AttributeDefinition {
    AttributeDefinition {
        resource: "accounts".to_owned(),
        key: key.to_owned(),
        r#type: kind.into(),
        display_name: key.to_uppercase(),
        ..Default::default()
    }
}

pub(crate) fn text(key: &str) -> AttributeDefinition {
    of(key, Type::Text)
}

pub(crate) fn tier() -> AttributeDefinition {
    AttributeDefinition { choices: vec![choice("gold"), choice("lead")], ..of("tier", Type::Choice) }
}

fn choice(value: &str) -> Choice {
    Choice { value: value.to_owned(), ..Default::default() }
}

pub(crate) fn string(text: &str) -> Value {
    Value { kind: Some(Kind::StringValue(text.to_owned())) }
}

pub(crate) fn number(number: f64) -> Value {
    Value { kind: Some(Kind::NumberValue(number)) }
}

fn null() -> Value {
    Value { kind: Some(Kind::NullValue(0)) }
}

pub(crate) fn values<const N: usize>(pairs: [(&str, Value); N]) -> Attributes {
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

/// One of each type.
fn all() -> Attributes {
    values([
        ("name2", string("Ärger & Söhne")),
        ("seats", number(12.5)),
        ("since", string("2026-11-27")),
        ("tier", string("gold")),
    ])
}

pub(crate) async fn define(caller: &Caller, definition: AttributeDefinition) -> Result<AttributeDefinition, Status> {
    let (attribute_definition, request_id) = (Some(definition), Uuid::new_v4().to_string());
    call!(
        caller,
        definitions
            .create_attribute_definition(pb::CreateAttributeDefinitionRequest { attribute_definition, request_id })
    )
}

async fn get(caller: &Caller, id: &str) -> Result<AttributeDefinition, Status> {
    call!(caller, definitions.get_attribute_definition(pb::GetAttributeDefinitionRequest { id: id.to_owned() }))
}

async fn change(
    caller: &Caller,
    definition: AttributeDefinition,
    mask: &[&str],
) -> Result<AttributeDefinition, Status> {
    let (attribute_definition, update_mask) = (Some(definition), field_mask(mask));
    call!(
        caller,
        definitions
            .update_attribute_definition(pb::UpdateAttributeDefinitionRequest { attribute_definition, update_mask })
    )
}

async fn delete(caller: &Caller, id: &str) -> Result<AttributeDefinition, Status> {
    let request = pb::DeleteAttributeDefinitionRequest { id: id.to_owned(), etag: String::new() };
    call!(caller, definitions.delete_attribute_definition(request))
}

async fn undelete(caller: &Caller, id: &str) -> Result<AttributeDefinition, Status> {
    let request = pb::UndeleteAttributeDefinitionRequest { id: id.to_owned(), etag: String::new() };
    call!(caller, definitions.undelete_attribute_definition(request))
}

/// The fields at fault with their reasons.
fn faults<T: std::fmt::Debug>(answer: Result<T, Status>) -> Vec<(String, String)> {
    let details = answer.unwrap_err().get_error_details();
    let faults = details.bad_request().map(|bad| bad.field_violations.clone()).unwrap_or_default();
    faults.into_iter().map(|fault| (fault.field, fault.reason)).collect()
}

fn expected(faults: &[(&str, &str)]) -> Vec<(String, String)> {
    faults.iter().map(|(field, why)| ((*field).to_owned(), (*why).to_owned())).collect()
}

/// Ids of the accounts that a filter finds.
async fn found(caller: &Caller, filter: &str) -> Result<Vec<String>, Status> {
    let request = customers::ListAccountsRequest { filter: filter.to_owned(), page_size: 1_000, ..Default::default() };
    let answer = call!(caller, accounts.list_accounts(request))?;
    Ok(answer.accounts.into_iter().map(|account| account.id).collect())
}
