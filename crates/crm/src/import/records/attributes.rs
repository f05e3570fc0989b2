//! What the files say of a record and the API has no field for: attributes of the tenant.

use std::collections::HashSet;

use crm_proto::attributes as pb;
use crm_proto::attributes::attribute_definition::Type;
use crm_proto::sales::attribute_definition_service_client::AttributeDefinitionServiceClient;
use prost_types::Value;
use prost_types::value::Kind;

use super::{all, id_of, patiently};
use crate::api::Api;
use crate::failure::Failure;

/// Of a product: in which series it is sold.
pub(crate) const SERIES: &str = "series";
/// Of an opportunity: what its row is called. By this a later import finds it, whatever it is called then.
pub(crate) const ROW_ID: &str = "opportunity_id";
/// Of an opportunity: since when somebody has dealt with it.
pub(crate) const ENGAGE_DATE: &str = "engage_date";

/// Resource, key, type and name of each, and whether lists are filtered by it: that costs a row for each value.
const DEFINED: [(&str, &str, Type, &str, bool); 3] = [
    ("products", SERIES, Type::Text, "Series", true),
    ("opportunities", ROW_ID, Type::Text, "Opportunity ID", true),
    ("opportunities", ENGAGE_DATE, Type::Date, "Engage date", false),
];

/// Keys of those that values are kept of. One that a user deleted stays deleted, and its values are not kept.
pub(crate) type Attributes = HashSet<&'static str>;

/// Defines what the tenant has not defined itself.
pub(crate) async fn keep(api: &Api) -> Result<Attributes, Failure> {
    let mut client = AttributeDefinitionServiceClient::new(api.channel());
    let request = pb::ExportAttributeDefinitionsRequest { show_deleted: true, ..Default::default() };
    let stream = patiently(async || client.export_attribute_definitions(request.clone()).await).await;
    let there = all(api, stream).await?;
    let mut kept = Attributes::new();
    for (resource, key, r#type, name, filterable) in DEFINED {
        let found = there.iter().find(|it| it.resource == resource && it.key == key);
        if found.is_some_and(|it| it.delete_time.is_some()) {
            continue;
        }
        if found.is_none() {
            let request = pb::CreateAttributeDefinitionRequest {
                attribute_definition: Some(definition(resource, key, r#type, name, filterable)),
                request_id: id_of("attributes", &format!("{resource}/{key}")),
            };
            let answer = patiently(async || client.create_attribute_definition(request.clone()).await).await;
            answer.map_err(|status| api.failure(&status))?;
        }
        kept.insert(key);
    }
    Ok(kept)
}

fn definition(resource: &str, key: &str, r#type: Type, name: &str, filterable: bool) -> pb::AttributeDefinition {
    pb::AttributeDefinition {
        resource: resource.into(),
        key: key.into(),
        r#type: r#type.into(),
        display_name: name.into(),
        filterable: Some(filterable),
        ..Default::default()
    }
}

/// A text or a date as a value.
pub(crate) fn value(text: &str) -> Value {
    Value { kind: Some(Kind::StringValue(text.to_owned())) }
}
