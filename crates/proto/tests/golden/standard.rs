// Written by build.rs from the descriptors.

impl Create for crate::crm::customers::v1::CreateAccountRequest {
    type Resource = crate::crm::customers::v1::Account;
    const METHOD: &'static str = "customers.CreateAccount";
    fn resource(&mut self) -> &mut Option<crate::crm::customers::v1::Account> { &mut self.account }
    fn request_id(&mut self) -> &mut String { &mut self.request_id }
}

impl Resource for crate::crm::customers::v1::Account {
    const NAME: &'static str = "account";
    const FIELDS: &'static [&'static str] = &["name", "domain", "industry", "country", "territory", "owner", "employees", "annual_revenue", "founded_year", "parent_id", "tag_ids", "attributes"];
    const IMMUTABLE: &'static [&'static str] = &[];
    const OUTPUT_ONLY: &'static [&'static str] = &["id", "etag", "create_time", "update_time", "delete_time"];
    const PERSONAL: &'static [&'static str] = &[];
    fn id(&self) -> &str { &self.id }
    fn etag(&self) -> &str { &self.etag }
    fn references(&mut self) -> Vec<&mut String> { vec![&mut self.parent_id].into_iter().chain(&mut self.tag_ids).collect() }
    fn attributes(&self) -> Option<&Attributes> { Some(&self.attributes) }
    fn attributes_mut(&mut self) -> Option<&mut Attributes> { Some(&mut self.attributes) }
    fn is_set(&self, field: &str) -> bool {
        match field {
            "name" => !self.name.is_empty(),
            "domain" => !self.domain.is_empty(),
            "industry" => !self.industry.is_empty(),
            "country" => !self.country.is_empty(),
            "territory" => !self.territory.is_empty(),
            "owner" => !self.owner.is_empty(),
            "employees" => self.employees.is_some(),
            "annual_revenue" => self.annual_revenue.is_some(),
            "founded_year" => self.founded_year.is_some(),
            "parent_id" => !self.parent_id.is_empty(),
            "tag_ids" => !self.tag_ids.is_empty(),
            "attributes" => !self.attributes.is_empty(),
            _ => false,
        }
    }
    fn is_same(&self, other: &Self, field: &str) -> bool {
        match field {
            "name" => self.name == other.name,
            "domain" => self.domain == other.domain,
            "industry" => self.industry == other.industry,
            "country" => self.country == other.country,
            "territory" => self.territory == other.territory,
            "owner" => self.owner == other.owner,
            "employees" => self.employees == other.employees,
            "annual_revenue" => self.annual_revenue == other.annual_revenue,
            "founded_year" => self.founded_year == other.founded_year,
            "parent_id" => self.parent_id == other.parent_id,
            "tag_ids" => self.tag_ids == other.tag_ids,
            "attributes" => self.attributes == other.attributes,
            _ => false,
        }
    }
    fn value(&self, field: &str) -> Value {
        match field {
            "name" => if !self.name.is_empty() { self.name.json() } else { Value::Null },
            "domain" => if !self.domain.is_empty() { self.domain.json() } else { Value::Null },
            "industry" => if !self.industry.is_empty() { self.industry.json() } else { Value::Null },
            "country" => if !self.country.is_empty() { self.country.json() } else { Value::Null },
            "territory" => if !self.territory.is_empty() { self.territory.json() } else { Value::Null },
            "owner" => if !self.owner.is_empty() { self.owner.json() } else { Value::Null },
            "employees" => self.employees.json(),
            "annual_revenue" => self.annual_revenue.json(),
            "founded_year" => self.founded_year.json(),
            "parent_id" => if !self.parent_id.is_empty() { self.parent_id.json() } else { Value::Null },
            "tag_ids" => if !self.tag_ids.is_empty() { self.tag_ids.json() } else { Value::Null },
            "attributes" => if !self.attributes.is_empty() { self.attributes.json() } else { Value::Null },
            _ => Value::Null,
        }
    }
    fn adopt(&mut self, other: &Self, field: &str) {
        match field {
            "name" => self.name.clone_from(&other.name),
            "domain" => self.domain.clone_from(&other.domain),
            "industry" => self.industry.clone_from(&other.industry),
            "country" => self.country.clone_from(&other.country),
            "territory" => self.territory.clone_from(&other.territory),
            "owner" => self.owner.clone_from(&other.owner),
            "employees" => self.employees.clone_from(&other.employees),
            "annual_revenue" => self.annual_revenue.clone_from(&other.annual_revenue),
            "founded_year" => self.founded_year.clone_from(&other.founded_year),
            "parent_id" => self.parent_id.clone_from(&other.parent_id),
            "tag_ids" => unite(&mut self.tag_ids, &other.tag_ids),
            "attributes" => self.attributes.extend(other.attributes.clone()),
            _ => {},
        }
    }
}

impl Head for crate::crm::customers::v1::Account {
    fn set_head(&mut self, id: String, etag: String, times: [Option<Timestamp>; 3]) {
        (self.id, self.etag) = (id, etag);
        [self.create_time, self.update_time, self.delete_time] = times;
    }
}

impl Get for crate::crm::customers::v1::GetAccountRequest {
    type Resource = crate::crm::customers::v1::Account;
    fn id(&self) -> &str { &self.id }
}

impl BatchGet for crate::crm::customers::v1::BatchGetAccountsRequest {
    type Resource = crate::crm::customers::v1::Account;
    type Answer = crate::crm::customers::v1::BatchGetAccountsResponse;
    fn ids(&self) -> &[String] { &self.ids }
    fn answer(accounts: Vec<crate::crm::customers::v1::Account>, redirects: Vec<Redirect>) -> crate::crm::customers::v1::BatchGetAccountsResponse {
        crate::crm::customers::v1::BatchGetAccountsResponse { accounts, redirects }
    }
}

impl List for crate::crm::customers::v1::ListAccountsRequest {
    type Resource = crate::crm::customers::v1::Account;
    type Answer = crate::crm::customers::v1::ListAccountsResponse;
    fn page(self) -> Page { let Self { page_size, page_token, filter, order_by, show_deleted } = self; Page { page_size, page_token, filter, order_by, show_deleted } }
    fn answer(accounts: Vec<crate::crm::customers::v1::Account>, next_page_token: String) -> crate::crm::customers::v1::ListAccountsResponse { crate::crm::customers::v1::ListAccountsResponse { accounts, next_page_token } }
}

impl Update for crate::crm::customers::v1::UpdateAccountRequest {
    type Resource = crate::crm::customers::v1::Account;
    fn parts(self) -> (Option<crate::crm::customers::v1::Account>, Option<prost_types::FieldMask>) { (self.account, self.update_mask) }
}

impl At for crate::crm::customers::v1::DeleteAccountRequest {
    type Resource = crate::crm::customers::v1::Account;
    fn parts(self) -> (String, String) { (self.id, self.etag) }
}

impl Delete for crate::crm::customers::v1::DeleteAccountRequest {}

impl At for crate::crm::customers::v1::UndeleteAccountRequest {
    type Resource = crate::crm::customers::v1::Account;
    fn parts(self) -> (String, String) { (self.id, self.etag) }
}

impl Undelete for crate::crm::customers::v1::UndeleteAccountRequest {}

impl Export for crate::crm::customers::v1::ExportAccountsRequest {
    type Resource = crate::crm::customers::v1::Account;
    fn parts(self) -> (String, bool) { (self.filter, self.show_deleted) }
}

impl History for crate::crm::customers::v1::GetAccountHistoryRequest {
    type Resource = crate::crm::customers::v1::Account;
    type Answer = crate::crm::customers::v1::GetAccountHistoryResponse;
    fn parts(self) -> (String, i32, String) { (self.id, self.page_size, self.page_token) }
    fn answer(found: Past) -> crate::crm::customers::v1::GetAccountHistoryResponse {
        let Past { changes, next_page_token, begin_time, complete } = found;
        crate::crm::customers::v1::GetAccountHistoryResponse { changes, next_page_token, begin_time, complete }
    }
}

impl Create for crate::crm::activities::v1::CreateActivityRequest {
    type Resource = crate::crm::activities::v1::Activity;
    const METHOD: &'static str = "activities.CreateActivity";
    fn resource(&mut self) -> &mut Option<crate::crm::activities::v1::Activity> { &mut self.activity }
    fn request_id(&mut self) -> &mut String { &mut self.request_id }
}

impl Resource for crate::crm::activities::v1::Activity {
    const NAME: &'static str = "activity";
    const FIELDS: &'static [&'static str] = &["kind", "parent_resource", "parent_id", "subject", "body", "owner", "due_time", "done", "start_time", "duration_seconds"];
    const IMMUTABLE: &'static [&'static str] = &["kind", "parent_resource", "parent_id"];
    const OUTPUT_ONLY: &'static [&'static str] = &["id", "done_time", "creator", "etag", "create_time", "update_time", "delete_time"];
    const PERSONAL: &'static [&'static str] = &["subject", "body"];
    fn id(&self) -> &str { &self.id }
    fn etag(&self) -> &str { &self.etag }
    fn references(&mut self) -> Vec<&mut String> { vec![&mut self.parent_id] }
    fn is_set(&self, field: &str) -> bool {
        match field {
            "kind" => self.kind != 0,
            "parent_resource" => !self.parent_resource.is_empty(),
            "parent_id" => !self.parent_id.is_empty(),
            "subject" => !self.subject.is_empty(),
            "body" => !self.body.is_empty(),
            "owner" => !self.owner.is_empty(),
            "due_time" => self.due_time.is_some(),
            "done" => self.done.is_some(),
            "start_time" => self.start_time.is_some(),
            "duration_seconds" => self.duration_seconds.is_some(),
            _ => false,
        }
    }
    fn is_same(&self, other: &Self, field: &str) -> bool {
        match field {
            "kind" => self.kind == other.kind,
            "parent_resource" => self.parent_resource == other.parent_resource,
            "parent_id" => self.parent_id == other.parent_id,
            "subject" => self.subject == other.subject,
            "body" => self.body == other.body,
            "owner" => self.owner == other.owner,
            "due_time" => self.due_time == other.due_time,
            "done" => self.done == other.done,
            "start_time" => self.start_time == other.start_time,
            "duration_seconds" => self.duration_seconds == other.duration_seconds,
            _ => false,
        }
    }
    fn value(&self, field: &str) -> Value {
        match field {
            "kind" => if self.kind != 0 { crate::crm::activities::v1::activity::Kind::try_from(self.kind).map_or(Value::Null, |it| it.as_str_name().into()) } else { Value::Null },
            "parent_resource" => if !self.parent_resource.is_empty() { self.parent_resource.json() } else { Value::Null },
            "parent_id" => if !self.parent_id.is_empty() { self.parent_id.json() } else { Value::Null },
            "subject" => if !self.subject.is_empty() { self.subject.json() } else { Value::Null },
            "body" => if !self.body.is_empty() { self.body.json() } else { Value::Null },
            "owner" => if !self.owner.is_empty() { self.owner.json() } else { Value::Null },
            "due_time" => self.due_time.json(),
            "done" => self.done.json(),
            "start_time" => self.start_time.json(),
            "duration_seconds" => self.duration_seconds.json(),
            _ => Value::Null,
        }
    }
    fn adopt(&mut self, other: &Self, field: &str) {
        match field {
            "kind" => self.kind.clone_from(&other.kind),
            "parent_resource" => self.parent_resource.clone_from(&other.parent_resource),
            "parent_id" => self.parent_id.clone_from(&other.parent_id),
            "subject" => self.subject.clone_from(&other.subject),
            "body" => self.body.clone_from(&other.body),
            "owner" => self.owner.clone_from(&other.owner),
            "due_time" => self.due_time.clone_from(&other.due_time),
            "done" => self.done.clone_from(&other.done),
            "start_time" => self.start_time.clone_from(&other.start_time),
            "duration_seconds" => self.duration_seconds.clone_from(&other.duration_seconds),
            _ => {},
        }
    }
}

impl Head for crate::crm::activities::v1::Activity {
    fn set_head(&mut self, id: String, etag: String, times: [Option<Timestamp>; 3]) {
        (self.id, self.etag) = (id, etag);
        [self.create_time, self.update_time, self.delete_time] = times;
    }
}

impl Get for crate::crm::activities::v1::GetActivityRequest {
    type Resource = crate::crm::activities::v1::Activity;
    fn id(&self) -> &str { &self.id }
}

impl BatchGet for crate::crm::activities::v1::BatchGetActivitiesRequest {
    type Resource = crate::crm::activities::v1::Activity;
    type Answer = crate::crm::activities::v1::BatchGetActivitiesResponse;
    fn ids(&self) -> &[String] { &self.ids }
    fn answer(activities: Vec<crate::crm::activities::v1::Activity>, _redirects: Vec<Redirect>) -> crate::crm::activities::v1::BatchGetActivitiesResponse {
        crate::crm::activities::v1::BatchGetActivitiesResponse { activities }
    }
}

impl List for crate::crm::activities::v1::ListActivitiesRequest {
    type Resource = crate::crm::activities::v1::Activity;
    type Answer = crate::crm::activities::v1::ListActivitiesResponse;
    fn page(self) -> Page { let Self { page_size, page_token, filter, order_by, show_deleted } = self; Page { page_size, page_token, filter, order_by, show_deleted } }
    fn answer(activities: Vec<crate::crm::activities::v1::Activity>, next_page_token: String) -> crate::crm::activities::v1::ListActivitiesResponse { crate::crm::activities::v1::ListActivitiesResponse { activities, next_page_token } }
}

impl Update for crate::crm::activities::v1::UpdateActivityRequest {
    type Resource = crate::crm::activities::v1::Activity;
    fn parts(self) -> (Option<crate::crm::activities::v1::Activity>, Option<prost_types::FieldMask>) { (self.activity, self.update_mask) }
}

impl At for crate::crm::activities::v1::DeleteActivityRequest {
    type Resource = crate::crm::activities::v1::Activity;
    fn parts(self) -> (String, String) { (self.id, self.etag) }
}

impl Delete for crate::crm::activities::v1::DeleteActivityRequest {}

impl At for crate::crm::activities::v1::UndeleteActivityRequest {
    type Resource = crate::crm::activities::v1::Activity;
    fn parts(self) -> (String, String) { (self.id, self.etag) }
}

impl Undelete for crate::crm::activities::v1::UndeleteActivityRequest {}

impl Export for crate::crm::activities::v1::ExportActivitiesRequest {
    type Resource = crate::crm::activities::v1::Activity;
    fn parts(self) -> (String, bool) { (self.filter, self.show_deleted) }
}

impl History for crate::crm::activities::v1::GetActivityHistoryRequest {
    type Resource = crate::crm::activities::v1::Activity;
    type Answer = crate::crm::activities::v1::GetActivityHistoryResponse;
    fn parts(self) -> (String, i32, String) { (self.id, self.page_size, self.page_token) }
    fn answer(found: Past) -> crate::crm::activities::v1::GetActivityHistoryResponse {
        let Past { changes, next_page_token, begin_time, complete } = found;
        crate::crm::activities::v1::GetActivityHistoryResponse { changes, next_page_token, begin_time, complete }
    }
}

impl Create for crate::crm::attributes::v1::CreateAttributeDefinitionRequest {
    type Resource = crate::crm::attributes::v1::AttributeDefinition;
    const METHOD: &'static str = "attributes.CreateAttributeDefinition";
    fn resource(&mut self) -> &mut Option<crate::crm::attributes::v1::AttributeDefinition> { &mut self.attribute_definition }
    fn request_id(&mut self) -> &mut String { &mut self.request_id }
}

impl Resource for crate::crm::attributes::v1::AttributeDefinition {
    const NAME: &'static str = "attribute_definition";
    const FIELDS: &'static [&'static str] = &["resource", "key", "type", "display_name", "description", "choices", "required", "max_length", "filterable"];
    const IMMUTABLE: &'static [&'static str] = &["resource", "key", "type"];
    const OUTPUT_ONLY: &'static [&'static str] = &["id", "filter_ready", "etag", "create_time", "update_time", "delete_time"];
    const PERSONAL: &'static [&'static str] = &[];
    fn id(&self) -> &str { &self.id }
    fn etag(&self) -> &str { &self.etag }
    fn references(&mut self) -> Vec<&mut String> { vec![] }
    fn is_set(&self, field: &str) -> bool {
        match field {
            "resource" => !self.resource.is_empty(),
            "key" => !self.key.is_empty(),
            "type" => self.r#type != 0,
            "display_name" => !self.display_name.is_empty(),
            "description" => !self.description.is_empty(),
            "choices" => !self.choices.is_empty(),
            "required" => self.required.is_some(),
            "max_length" => self.max_length.is_some(),
            "filterable" => self.filterable.is_some(),
            _ => false,
        }
    }
    fn is_same(&self, other: &Self, field: &str) -> bool {
        match field {
            "resource" => self.resource == other.resource,
            "key" => self.key == other.key,
            "type" => self.r#type == other.r#type,
            "display_name" => self.display_name == other.display_name,
            "description" => self.description == other.description,
            "choices" => self.choices == other.choices,
            "required" => self.required == other.required,
            "max_length" => self.max_length == other.max_length,
            "filterable" => self.filterable == other.filterable,
            _ => false,
        }
    }
    fn value(&self, field: &str) -> Value {
        match field {
            "resource" => if !self.resource.is_empty() { self.resource.json() } else { Value::Null },
            "key" => if !self.key.is_empty() { self.key.json() } else { Value::Null },
            "type" => if self.r#type != 0 { crate::crm::attributes::v1::attribute_definition::Type::try_from(self.r#type).map_or(Value::Null, |it| it.as_str_name().into()) } else { Value::Null },
            "display_name" => if !self.display_name.is_empty() { self.display_name.json() } else { Value::Null },
            "description" => if !self.description.is_empty() { self.description.json() } else { Value::Null },
            "choices" => if !self.choices.is_empty() { self.choices.json() } else { Value::Null },
            "required" => self.required.json(),
            "max_length" => self.max_length.json(),
            "filterable" => self.filterable.json(),
            _ => Value::Null,
        }
    }
    fn adopt(&mut self, other: &Self, field: &str) {
        match field {
            "resource" => self.resource.clone_from(&other.resource),
            "key" => self.key.clone_from(&other.key),
            "type" => self.r#type.clone_from(&other.r#type),
            "display_name" => self.display_name.clone_from(&other.display_name),
            "description" => self.description.clone_from(&other.description),
            "choices" => unite(&mut self.choices, &other.choices),
            "required" => self.required.clone_from(&other.required),
            "max_length" => self.max_length.clone_from(&other.max_length),
            "filterable" => self.filterable.clone_from(&other.filterable),
            _ => {},
        }
    }
}

impl Head for crate::crm::attributes::v1::AttributeDefinition {
    fn set_head(&mut self, id: String, etag: String, times: [Option<Timestamp>; 3]) {
        (self.id, self.etag) = (id, etag);
        [self.create_time, self.update_time, self.delete_time] = times;
    }
}

impl Get for crate::crm::attributes::v1::GetAttributeDefinitionRequest {
    type Resource = crate::crm::attributes::v1::AttributeDefinition;
    fn id(&self) -> &str { &self.id }
}

impl BatchGet for crate::crm::attributes::v1::BatchGetAttributeDefinitionsRequest {
    type Resource = crate::crm::attributes::v1::AttributeDefinition;
    type Answer = crate::crm::attributes::v1::BatchGetAttributeDefinitionsResponse;
    fn ids(&self) -> &[String] { &self.ids }
    fn answer(attribute_definitions: Vec<crate::crm::attributes::v1::AttributeDefinition>, _redirects: Vec<Redirect>) -> crate::crm::attributes::v1::BatchGetAttributeDefinitionsResponse {
        crate::crm::attributes::v1::BatchGetAttributeDefinitionsResponse { attribute_definitions }
    }
}

impl List for crate::crm::attributes::v1::ListAttributeDefinitionsRequest {
    type Resource = crate::crm::attributes::v1::AttributeDefinition;
    type Answer = crate::crm::attributes::v1::ListAttributeDefinitionsResponse;
    fn page(self) -> Page { let Self { page_size, page_token, filter, order_by, show_deleted } = self; Page { page_size, page_token, filter, order_by, show_deleted } }
    fn answer(attribute_definitions: Vec<crate::crm::attributes::v1::AttributeDefinition>, next_page_token: String) -> crate::crm::attributes::v1::ListAttributeDefinitionsResponse { crate::crm::attributes::v1::ListAttributeDefinitionsResponse { attribute_definitions, next_page_token } }
}

impl Update for crate::crm::attributes::v1::UpdateAttributeDefinitionRequest {
    type Resource = crate::crm::attributes::v1::AttributeDefinition;
    fn parts(self) -> (Option<crate::crm::attributes::v1::AttributeDefinition>, Option<prost_types::FieldMask>) { (self.attribute_definition, self.update_mask) }
}

impl At for crate::crm::attributes::v1::DeleteAttributeDefinitionRequest {
    type Resource = crate::crm::attributes::v1::AttributeDefinition;
    fn parts(self) -> (String, String) { (self.id, self.etag) }
}

impl Delete for crate::crm::attributes::v1::DeleteAttributeDefinitionRequest {}

impl At for crate::crm::attributes::v1::UndeleteAttributeDefinitionRequest {
    type Resource = crate::crm::attributes::v1::AttributeDefinition;
    fn parts(self) -> (String, String) { (self.id, self.etag) }
}

impl Undelete for crate::crm::attributes::v1::UndeleteAttributeDefinitionRequest {}

impl Export for crate::crm::attributes::v1::ExportAttributeDefinitionsRequest {
    type Resource = crate::crm::attributes::v1::AttributeDefinition;
    fn parts(self) -> (String, bool) { (self.filter, self.show_deleted) }
}

impl History for crate::crm::attributes::v1::GetAttributeDefinitionHistoryRequest {
    type Resource = crate::crm::attributes::v1::AttributeDefinition;
    type Answer = crate::crm::attributes::v1::GetAttributeDefinitionHistoryResponse;
    fn parts(self) -> (String, i32, String) { (self.id, self.page_size, self.page_token) }
    fn answer(found: Past) -> crate::crm::attributes::v1::GetAttributeDefinitionHistoryResponse {
        let Past { changes, next_page_token, begin_time, complete } = found;
        crate::crm::attributes::v1::GetAttributeDefinitionHistoryResponse { changes, next_page_token, begin_time, complete }
    }
}

impl Create for crate::crm::customers::v1::CreateContactRequest {
    type Resource = crate::crm::customers::v1::Contact;
    const METHOD: &'static str = "customers.CreateContact";
    fn resource(&mut self) -> &mut Option<crate::crm::customers::v1::Contact> { &mut self.contact }
    fn request_id(&mut self) -> &mut String { &mut self.request_id }
}

impl Resource for crate::crm::customers::v1::Contact {
    const NAME: &'static str = "contact";
    const FIELDS: &'static [&'static str] = &["account_id", "given_name", "family_name", "title", "emails", "phones", "owner", "tag_ids", "attributes"];
    const IMMUTABLE: &'static [&'static str] = &["account_id"];
    const OUTPUT_ONLY: &'static [&'static str] = &["id", "etag", "create_time", "update_time", "delete_time"];
    const PERSONAL: &'static [&'static str] = &["given_name", "family_name", "title", "emails", "phones", "attributes"];
    fn id(&self) -> &str { &self.id }
    fn etag(&self) -> &str { &self.etag }
    fn references(&mut self) -> Vec<&mut String> { vec![&mut self.account_id].into_iter().chain(&mut self.tag_ids).collect() }
    fn attributes(&self) -> Option<&Attributes> { Some(&self.attributes) }
    fn attributes_mut(&mut self) -> Option<&mut Attributes> { Some(&mut self.attributes) }
    fn is_set(&self, field: &str) -> bool {
        match field {
            "account_id" => !self.account_id.is_empty(),
            "given_name" => !self.given_name.is_empty(),
            "family_name" => !self.family_name.is_empty(),
            "title" => !self.title.is_empty(),
            "emails" => !self.emails.is_empty(),
            "phones" => !self.phones.is_empty(),
            "owner" => !self.owner.is_empty(),
            "tag_ids" => !self.tag_ids.is_empty(),
            "attributes" => !self.attributes.is_empty(),
            _ => false,
        }
    }
    fn is_same(&self, other: &Self, field: &str) -> bool {
        match field {
            "account_id" => self.account_id == other.account_id,
            "given_name" => self.given_name == other.given_name,
            "family_name" => self.family_name == other.family_name,
            "title" => self.title == other.title,
            "emails" => self.emails == other.emails,
            "phones" => self.phones == other.phones,
            "owner" => self.owner == other.owner,
            "tag_ids" => self.tag_ids == other.tag_ids,
            "attributes" => self.attributes == other.attributes,
            _ => false,
        }
    }
    fn value(&self, field: &str) -> Value {
        match field {
            "account_id" => if !self.account_id.is_empty() { self.account_id.json() } else { Value::Null },
            "given_name" => if !self.given_name.is_empty() { self.given_name.json() } else { Value::Null },
            "family_name" => if !self.family_name.is_empty() { self.family_name.json() } else { Value::Null },
            "title" => if !self.title.is_empty() { self.title.json() } else { Value::Null },
            "emails" => if !self.emails.is_empty() { self.emails.json() } else { Value::Null },
            "phones" => if !self.phones.is_empty() { self.phones.json() } else { Value::Null },
            "owner" => if !self.owner.is_empty() { self.owner.json() } else { Value::Null },
            "tag_ids" => if !self.tag_ids.is_empty() { self.tag_ids.json() } else { Value::Null },
            "attributes" => if !self.attributes.is_empty() { self.attributes.json() } else { Value::Null },
            _ => Value::Null,
        }
    }
    fn adopt(&mut self, other: &Self, field: &str) {
        match field {
            "account_id" => self.account_id.clone_from(&other.account_id),
            "given_name" => self.given_name.clone_from(&other.given_name),
            "family_name" => self.family_name.clone_from(&other.family_name),
            "title" => self.title.clone_from(&other.title),
            "emails" => unite(&mut self.emails, &other.emails),
            "phones" => unite(&mut self.phones, &other.phones),
            "owner" => self.owner.clone_from(&other.owner),
            "tag_ids" => unite(&mut self.tag_ids, &other.tag_ids),
            "attributes" => self.attributes.extend(other.attributes.clone()),
            _ => {},
        }
    }
}

impl Head for crate::crm::customers::v1::Contact {
    fn set_head(&mut self, id: String, etag: String, times: [Option<Timestamp>; 3]) {
        (self.id, self.etag) = (id, etag);
        [self.create_time, self.update_time, self.delete_time] = times;
    }
}

impl Get for crate::crm::customers::v1::GetContactRequest {
    type Resource = crate::crm::customers::v1::Contact;
    fn id(&self) -> &str { &self.id }
}

impl BatchGet for crate::crm::customers::v1::BatchGetContactsRequest {
    type Resource = crate::crm::customers::v1::Contact;
    type Answer = crate::crm::customers::v1::BatchGetContactsResponse;
    fn ids(&self) -> &[String] { &self.ids }
    fn answer(contacts: Vec<crate::crm::customers::v1::Contact>, redirects: Vec<Redirect>) -> crate::crm::customers::v1::BatchGetContactsResponse {
        crate::crm::customers::v1::BatchGetContactsResponse { contacts, redirects }
    }
}

impl List for crate::crm::customers::v1::ListContactsRequest {
    type Resource = crate::crm::customers::v1::Contact;
    type Answer = crate::crm::customers::v1::ListContactsResponse;
    fn page(self) -> Page { let Self { page_size, page_token, filter, order_by, show_deleted } = self; Page { page_size, page_token, filter, order_by, show_deleted } }
    fn answer(contacts: Vec<crate::crm::customers::v1::Contact>, next_page_token: String) -> crate::crm::customers::v1::ListContactsResponse { crate::crm::customers::v1::ListContactsResponse { contacts, next_page_token } }
}

impl Update for crate::crm::customers::v1::UpdateContactRequest {
    type Resource = crate::crm::customers::v1::Contact;
    fn parts(self) -> (Option<crate::crm::customers::v1::Contact>, Option<prost_types::FieldMask>) { (self.contact, self.update_mask) }
}

impl At for crate::crm::customers::v1::DeleteContactRequest {
    type Resource = crate::crm::customers::v1::Contact;
    fn parts(self) -> (String, String) { (self.id, self.etag) }
}

impl Delete for crate::crm::customers::v1::DeleteContactRequest {}

impl At for crate::crm::customers::v1::UndeleteContactRequest {
    type Resource = crate::crm::customers::v1::Contact;
    fn parts(self) -> (String, String) { (self.id, self.etag) }
}

impl Undelete for crate::crm::customers::v1::UndeleteContactRequest {}

impl Export for crate::crm::customers::v1::ExportContactsRequest {
    type Resource = crate::crm::customers::v1::Contact;
    fn parts(self) -> (String, bool) { (self.filter, self.show_deleted) }
}

impl History for crate::crm::customers::v1::GetContactHistoryRequest {
    type Resource = crate::crm::customers::v1::Contact;
    type Answer = crate::crm::customers::v1::GetContactHistoryResponse;
    fn parts(self) -> (String, i32, String) { (self.id, self.page_size, self.page_token) }
    fn answer(found: Past) -> crate::crm::customers::v1::GetContactHistoryResponse {
        let Past { changes, next_page_token, begin_time, complete } = found;
        crate::crm::customers::v1::GetContactHistoryResponse { changes, next_page_token, begin_time, complete }
    }
}

impl Create for crate::crm::views::v1::CreateSavedViewRequest {
    type Resource = crate::crm::views::v1::SavedView;
    const METHOD: &'static str = "views.CreateSavedView";
    fn resource(&mut self) -> &mut Option<crate::crm::views::v1::SavedView> { &mut self.saved_view }
    fn request_id(&mut self) -> &mut String { &mut self.request_id }
}

impl Resource for crate::crm::views::v1::SavedView {
    const NAME: &'static str = "saved_view";
    const FIELDS: &'static [&'static str] = &["resource", "name", "filter", "order_by", "columns", "visibility"];
    const IMMUTABLE: &'static [&'static str] = &["resource", "visibility"];
    const OUTPUT_ONLY: &'static [&'static str] = &["id", "owner", "flaws", "etag", "create_time", "update_time", "delete_time"];
    const PERSONAL: &'static [&'static str] = &["name", "filter"];
    fn id(&self) -> &str { &self.id }
    fn etag(&self) -> &str { &self.etag }
    fn references(&mut self) -> Vec<&mut String> { vec![] }
    fn is_set(&self, field: &str) -> bool {
        match field {
            "resource" => !self.resource.is_empty(),
            "name" => !self.name.is_empty(),
            "filter" => !self.filter.is_empty(),
            "order_by" => !self.order_by.is_empty(),
            "columns" => !self.columns.is_empty(),
            "visibility" => self.visibility != 0,
            _ => false,
        }
    }
    fn is_same(&self, other: &Self, field: &str) -> bool {
        match field {
            "resource" => self.resource == other.resource,
            "name" => self.name == other.name,
            "filter" => self.filter == other.filter,
            "order_by" => self.order_by == other.order_by,
            "columns" => self.columns == other.columns,
            "visibility" => self.visibility == other.visibility,
            _ => false,
        }
    }
    fn value(&self, field: &str) -> Value {
        match field {
            "resource" => if !self.resource.is_empty() { self.resource.json() } else { Value::Null },
            "name" => if !self.name.is_empty() { self.name.json() } else { Value::Null },
            "filter" => if !self.filter.is_empty() { self.filter.json() } else { Value::Null },
            "order_by" => if !self.order_by.is_empty() { self.order_by.json() } else { Value::Null },
            "columns" => if !self.columns.is_empty() { self.columns.json() } else { Value::Null },
            "visibility" => if self.visibility != 0 { crate::crm::views::v1::saved_view::Visibility::try_from(self.visibility).map_or(Value::Null, |it| it.as_str_name().into()) } else { Value::Null },
            _ => Value::Null,
        }
    }
    fn adopt(&mut self, other: &Self, field: &str) {
        match field {
            "resource" => self.resource.clone_from(&other.resource),
            "name" => self.name.clone_from(&other.name),
            "filter" => self.filter.clone_from(&other.filter),
            "order_by" => self.order_by.clone_from(&other.order_by),
            "columns" => unite(&mut self.columns, &other.columns),
            "visibility" => self.visibility.clone_from(&other.visibility),
            _ => {},
        }
    }
}

impl Head for crate::crm::views::v1::SavedView {
    fn set_head(&mut self, id: String, etag: String, times: [Option<Timestamp>; 3]) {
        (self.id, self.etag) = (id, etag);
        [self.create_time, self.update_time, self.delete_time] = times;
    }
}

impl Get for crate::crm::views::v1::GetSavedViewRequest {
    type Resource = crate::crm::views::v1::SavedView;
    fn id(&self) -> &str { &self.id }
}

impl BatchGet for crate::crm::views::v1::BatchGetSavedViewsRequest {
    type Resource = crate::crm::views::v1::SavedView;
    type Answer = crate::crm::views::v1::BatchGetSavedViewsResponse;
    fn ids(&self) -> &[String] { &self.ids }
    fn answer(saved_views: Vec<crate::crm::views::v1::SavedView>, _redirects: Vec<Redirect>) -> crate::crm::views::v1::BatchGetSavedViewsResponse {
        crate::crm::views::v1::BatchGetSavedViewsResponse { saved_views }
    }
}

impl List for crate::crm::views::v1::ListSavedViewsRequest {
    type Resource = crate::crm::views::v1::SavedView;
    type Answer = crate::crm::views::v1::ListSavedViewsResponse;
    fn page(self) -> Page { let Self { page_size, page_token, filter, order_by, show_deleted } = self; Page { page_size, page_token, filter, order_by, show_deleted } }
    fn answer(saved_views: Vec<crate::crm::views::v1::SavedView>, next_page_token: String) -> crate::crm::views::v1::ListSavedViewsResponse { crate::crm::views::v1::ListSavedViewsResponse { saved_views, next_page_token } }
}

impl Update for crate::crm::views::v1::UpdateSavedViewRequest {
    type Resource = crate::crm::views::v1::SavedView;
    fn parts(self) -> (Option<crate::crm::views::v1::SavedView>, Option<prost_types::FieldMask>) { (self.saved_view, self.update_mask) }
}

impl At for crate::crm::views::v1::DeleteSavedViewRequest {
    type Resource = crate::crm::views::v1::SavedView;
    fn parts(self) -> (String, String) { (self.id, self.etag) }
}

impl Delete for crate::crm::views::v1::DeleteSavedViewRequest {}

impl At for crate::crm::views::v1::UndeleteSavedViewRequest {
    type Resource = crate::crm::views::v1::SavedView;
    fn parts(self) -> (String, String) { (self.id, self.etag) }
}

impl Undelete for crate::crm::views::v1::UndeleteSavedViewRequest {}

impl Export for crate::crm::views::v1::ExportSavedViewsRequest {
    type Resource = crate::crm::views::v1::SavedView;
    fn parts(self) -> (String, bool) { (self.filter, self.show_deleted) }
}

impl History for crate::crm::views::v1::GetSavedViewHistoryRequest {
    type Resource = crate::crm::views::v1::SavedView;
    type Answer = crate::crm::views::v1::GetSavedViewHistoryResponse;
    fn parts(self) -> (String, i32, String) { (self.id, self.page_size, self.page_token) }
    fn answer(found: Past) -> crate::crm::views::v1::GetSavedViewHistoryResponse {
        let Past { changes, next_page_token, begin_time, complete } = found;
        crate::crm::views::v1::GetSavedViewHistoryResponse { changes, next_page_token, begin_time, complete }
    }
}

impl Create for crate::crm::tags::v1::CreateTagRequest {
    type Resource = crate::crm::tags::v1::Tag;
    const METHOD: &'static str = "tags.CreateTag";
    fn resource(&mut self) -> &mut Option<crate::crm::tags::v1::Tag> { &mut self.tag }
    fn request_id(&mut self) -> &mut String { &mut self.request_id }
}

impl Resource for crate::crm::tags::v1::Tag {
    const NAME: &'static str = "tag";
    const FIELDS: &'static [&'static str] = &["name", "colour", "description"];
    const IMMUTABLE: &'static [&'static str] = &[];
    const OUTPUT_ONLY: &'static [&'static str] = &["id", "merged_into", "etag", "create_time", "update_time", "delete_time"];
    const PERSONAL: &'static [&'static str] = &[];
    fn id(&self) -> &str { &self.id }
    fn etag(&self) -> &str { &self.etag }
    fn references(&mut self) -> Vec<&mut String> { vec![] }
    fn is_set(&self, field: &str) -> bool {
        match field {
            "name" => !self.name.is_empty(),
            "colour" => !self.colour.is_empty(),
            "description" => !self.description.is_empty(),
            _ => false,
        }
    }
    fn is_same(&self, other: &Self, field: &str) -> bool {
        match field {
            "name" => self.name == other.name,
            "colour" => self.colour == other.colour,
            "description" => self.description == other.description,
            _ => false,
        }
    }
    fn value(&self, field: &str) -> Value {
        match field {
            "name" => if !self.name.is_empty() { self.name.json() } else { Value::Null },
            "colour" => if !self.colour.is_empty() { self.colour.json() } else { Value::Null },
            "description" => if !self.description.is_empty() { self.description.json() } else { Value::Null },
            _ => Value::Null,
        }
    }
    fn adopt(&mut self, other: &Self, field: &str) {
        match field {
            "name" => self.name.clone_from(&other.name),
            "colour" => self.colour.clone_from(&other.colour),
            "description" => self.description.clone_from(&other.description),
            _ => {},
        }
    }
}

impl Head for crate::crm::tags::v1::Tag {
    fn set_head(&mut self, id: String, etag: String, times: [Option<Timestamp>; 3]) {
        (self.id, self.etag) = (id, etag);
        [self.create_time, self.update_time, self.delete_time] = times;
    }
}

impl Get for crate::crm::tags::v1::GetTagRequest {
    type Resource = crate::crm::tags::v1::Tag;
    fn id(&self) -> &str { &self.id }
}

impl BatchGet for crate::crm::tags::v1::BatchGetTagsRequest {
    type Resource = crate::crm::tags::v1::Tag;
    type Answer = crate::crm::tags::v1::BatchGetTagsResponse;
    fn ids(&self) -> &[String] { &self.ids }
    fn answer(tags: Vec<crate::crm::tags::v1::Tag>, _redirects: Vec<Redirect>) -> crate::crm::tags::v1::BatchGetTagsResponse {
        crate::crm::tags::v1::BatchGetTagsResponse { tags }
    }
}

impl List for crate::crm::tags::v1::ListTagsRequest {
    type Resource = crate::crm::tags::v1::Tag;
    type Answer = crate::crm::tags::v1::ListTagsResponse;
    fn page(self) -> Page { let Self { page_size, page_token, filter, order_by, show_deleted } = self; Page { page_size, page_token, filter, order_by, show_deleted } }
    fn answer(tags: Vec<crate::crm::tags::v1::Tag>, next_page_token: String) -> crate::crm::tags::v1::ListTagsResponse { crate::crm::tags::v1::ListTagsResponse { tags, next_page_token } }
}

impl Update for crate::crm::tags::v1::UpdateTagRequest {
    type Resource = crate::crm::tags::v1::Tag;
    fn parts(self) -> (Option<crate::crm::tags::v1::Tag>, Option<prost_types::FieldMask>) { (self.tag, self.update_mask) }
}

impl At for crate::crm::tags::v1::DeleteTagRequest {
    type Resource = crate::crm::tags::v1::Tag;
    fn parts(self) -> (String, String) { (self.id, self.etag) }
}

impl Delete for crate::crm::tags::v1::DeleteTagRequest {}

impl At for crate::crm::tags::v1::UndeleteTagRequest {
    type Resource = crate::crm::tags::v1::Tag;
    fn parts(self) -> (String, String) { (self.id, self.etag) }
}

impl Undelete for crate::crm::tags::v1::UndeleteTagRequest {}

impl Export for crate::crm::tags::v1::ExportTagsRequest {
    type Resource = crate::crm::tags::v1::Tag;
    fn parts(self) -> (String, bool) { (self.filter, self.show_deleted) }
}

impl History for crate::crm::tags::v1::GetTagHistoryRequest {
    type Resource = crate::crm::tags::v1::Tag;
    type Answer = crate::crm::tags::v1::GetTagHistoryResponse;
    fn parts(self) -> (String, i32, String) { (self.id, self.page_size, self.page_token) }
    fn answer(found: Past) -> crate::crm::tags::v1::GetTagHistoryResponse {
        let Past { changes, next_page_token, begin_time, complete } = found;
        crate::crm::tags::v1::GetTagHistoryResponse { changes, next_page_token, begin_time, complete }
    }
}

impl Create for crate::crm::sales::v1::CreateExchangeRateRequest {
    type Resource = crate::crm::sales::v1::ExchangeRate;
    const METHOD: &'static str = "sales.CreateExchangeRate";
    fn resource(&mut self) -> &mut Option<crate::crm::sales::v1::ExchangeRate> { &mut self.exchange_rate }
    fn request_id(&mut self) -> &mut String { &mut self.request_id }
}

impl Resource for crate::crm::sales::v1::ExchangeRate {
    const NAME: &'static str = "exchange_rate";
    const FIELDS: &'static [&'static str] = &["base_currency", "quote_currency", "start_date", "rate"];
    const IMMUTABLE: &'static [&'static str] = &[];
    const OUTPUT_ONLY: &'static [&'static str] = &["id", "etag", "create_time", "update_time", "delete_time"];
    const PERSONAL: &'static [&'static str] = &[];
    fn id(&self) -> &str { &self.id }
    fn etag(&self) -> &str { &self.etag }
    fn references(&mut self) -> Vec<&mut String> { vec![] }
    fn is_set(&self, field: &str) -> bool {
        match field {
            "base_currency" => !self.base_currency.is_empty(),
            "quote_currency" => !self.quote_currency.is_empty(),
            "start_date" => !self.start_date.is_empty(),
            "rate" => !self.rate.is_empty(),
            _ => false,
        }
    }
    fn is_same(&self, other: &Self, field: &str) -> bool {
        match field {
            "base_currency" => self.base_currency == other.base_currency,
            "quote_currency" => self.quote_currency == other.quote_currency,
            "start_date" => self.start_date == other.start_date,
            "rate" => self.rate == other.rate,
            _ => false,
        }
    }
    fn value(&self, field: &str) -> Value {
        match field {
            "base_currency" => if !self.base_currency.is_empty() { self.base_currency.json() } else { Value::Null },
            "quote_currency" => if !self.quote_currency.is_empty() { self.quote_currency.json() } else { Value::Null },
            "start_date" => if !self.start_date.is_empty() { self.start_date.json() } else { Value::Null },
            "rate" => if !self.rate.is_empty() { self.rate.json() } else { Value::Null },
            _ => Value::Null,
        }
    }
    fn adopt(&mut self, other: &Self, field: &str) {
        match field {
            "base_currency" => self.base_currency.clone_from(&other.base_currency),
            "quote_currency" => self.quote_currency.clone_from(&other.quote_currency),
            "start_date" => self.start_date.clone_from(&other.start_date),
            "rate" => self.rate.clone_from(&other.rate),
            _ => {},
        }
    }
}

impl Head for crate::crm::sales::v1::ExchangeRate {
    fn set_head(&mut self, id: String, etag: String, times: [Option<Timestamp>; 3]) {
        (self.id, self.etag) = (id, etag);
        [self.create_time, self.update_time, self.delete_time] = times;
    }
}

impl Get for crate::crm::sales::v1::GetExchangeRateRequest {
    type Resource = crate::crm::sales::v1::ExchangeRate;
    fn id(&self) -> &str { &self.id }
}

impl BatchGet for crate::crm::sales::v1::BatchGetExchangeRatesRequest {
    type Resource = crate::crm::sales::v1::ExchangeRate;
    type Answer = crate::crm::sales::v1::BatchGetExchangeRatesResponse;
    fn ids(&self) -> &[String] { &self.ids }
    fn answer(exchange_rates: Vec<crate::crm::sales::v1::ExchangeRate>, _redirects: Vec<Redirect>) -> crate::crm::sales::v1::BatchGetExchangeRatesResponse {
        crate::crm::sales::v1::BatchGetExchangeRatesResponse { exchange_rates }
    }
}

impl List for crate::crm::sales::v1::ListExchangeRatesRequest {
    type Resource = crate::crm::sales::v1::ExchangeRate;
    type Answer = crate::crm::sales::v1::ListExchangeRatesResponse;
    fn page(self) -> Page { let Self { page_size, page_token, filter, order_by, show_deleted } = self; Page { page_size, page_token, filter, order_by, show_deleted } }
    fn answer(exchange_rates: Vec<crate::crm::sales::v1::ExchangeRate>, next_page_token: String) -> crate::crm::sales::v1::ListExchangeRatesResponse { crate::crm::sales::v1::ListExchangeRatesResponse { exchange_rates, next_page_token } }
}

impl Update for crate::crm::sales::v1::UpdateExchangeRateRequest {
    type Resource = crate::crm::sales::v1::ExchangeRate;
    fn parts(self) -> (Option<crate::crm::sales::v1::ExchangeRate>, Option<prost_types::FieldMask>) { (self.exchange_rate, self.update_mask) }
}

impl At for crate::crm::sales::v1::DeleteExchangeRateRequest {
    type Resource = crate::crm::sales::v1::ExchangeRate;
    fn parts(self) -> (String, String) { (self.id, self.etag) }
}

impl Delete for crate::crm::sales::v1::DeleteExchangeRateRequest {}

impl At for crate::crm::sales::v1::UndeleteExchangeRateRequest {
    type Resource = crate::crm::sales::v1::ExchangeRate;
    fn parts(self) -> (String, String) { (self.id, self.etag) }
}

impl Undelete for crate::crm::sales::v1::UndeleteExchangeRateRequest {}

impl Export for crate::crm::sales::v1::ExportExchangeRatesRequest {
    type Resource = crate::crm::sales::v1::ExchangeRate;
    fn parts(self) -> (String, bool) { (self.filter, self.show_deleted) }
}

impl History for crate::crm::sales::v1::GetExchangeRateHistoryRequest {
    type Resource = crate::crm::sales::v1::ExchangeRate;
    type Answer = crate::crm::sales::v1::GetExchangeRateHistoryResponse;
    fn parts(self) -> (String, i32, String) { (self.id, self.page_size, self.page_token) }
    fn answer(found: Past) -> crate::crm::sales::v1::GetExchangeRateHistoryResponse {
        let Past { changes, next_page_token, begin_time, complete } = found;
        crate::crm::sales::v1::GetExchangeRateHistoryResponse { changes, next_page_token, begin_time, complete }
    }
}

impl Create for crate::crm::sales::v1::CreateOpportunityRequest {
    type Resource = crate::crm::sales::v1::Opportunity;
    const METHOD: &'static str = "sales.CreateOpportunity";
    fn resource(&mut self) -> &mut Option<crate::crm::sales::v1::Opportunity> { &mut self.opportunity }
    fn request_id(&mut self) -> &mut String { &mut self.request_id }
}

impl Resource for crate::crm::sales::v1::Opportunity {
    const NAME: &'static str = "opportunity";
    const FIELDS: &'static [&'static str] = &["name", "account_id", "contacts", "pipeline_id", "stage_id", "amount", "lines", "probability", "close_date", "owner", "next_step", "next_step_date", "lost_reason", "tag_ids", "attributes"];
    const IMMUTABLE: &'static [&'static str] = &[];
    const OUTPUT_ONLY: &'static [&'static str] = &["id", "state", "value", "stage_time", "close_time", "etag", "create_time", "update_time", "delete_time", "account_name", "account_deleted"];
    const PERSONAL: &'static [&'static str] = &[];
    fn id(&self) -> &str { &self.id }
    fn etag(&self) -> &str { &self.etag }
    fn references(&mut self) -> Vec<&mut String> { vec![&mut self.account_id, &mut self.pipeline_id, &mut self.stage_id].into_iter().chain(&mut self.tag_ids).collect() }
    fn attributes(&self) -> Option<&Attributes> { Some(&self.attributes) }
    fn attributes_mut(&mut self) -> Option<&mut Attributes> { Some(&mut self.attributes) }
    fn is_set(&self, field: &str) -> bool {
        match field {
            "name" => !self.name.is_empty(),
            "account_id" => !self.account_id.is_empty(),
            "contacts" => !self.contacts.is_empty(),
            "pipeline_id" => !self.pipeline_id.is_empty(),
            "stage_id" => !self.stage_id.is_empty(),
            "amount" => self.amount.is_some(),
            "lines" => !self.lines.is_empty(),
            "probability" => self.probability.is_some(),
            "close_date" => !self.close_date.is_empty(),
            "owner" => !self.owner.is_empty(),
            "next_step" => !self.next_step.is_empty(),
            "next_step_date" => !self.next_step_date.is_empty(),
            "lost_reason" => !self.lost_reason.is_empty(),
            "tag_ids" => !self.tag_ids.is_empty(),
            "attributes" => !self.attributes.is_empty(),
            _ => false,
        }
    }
    fn is_same(&self, other: &Self, field: &str) -> bool {
        match field {
            "name" => self.name == other.name,
            "account_id" => self.account_id == other.account_id,
            "contacts" => self.contacts == other.contacts,
            "pipeline_id" => self.pipeline_id == other.pipeline_id,
            "stage_id" => self.stage_id == other.stage_id,
            "amount" => self.amount == other.amount,
            "lines" => self.lines == other.lines,
            "probability" => self.probability == other.probability,
            "close_date" => self.close_date == other.close_date,
            "owner" => self.owner == other.owner,
            "next_step" => self.next_step == other.next_step,
            "next_step_date" => self.next_step_date == other.next_step_date,
            "lost_reason" => self.lost_reason == other.lost_reason,
            "tag_ids" => self.tag_ids == other.tag_ids,
            "attributes" => self.attributes == other.attributes,
            _ => false,
        }
    }
    fn value(&self, field: &str) -> Value {
        match field {
            "name" => if !self.name.is_empty() { self.name.json() } else { Value::Null },
            "account_id" => if !self.account_id.is_empty() { self.account_id.json() } else { Value::Null },
            "contacts" => if !self.contacts.is_empty() { self.contacts.json() } else { Value::Null },
            "pipeline_id" => if !self.pipeline_id.is_empty() { self.pipeline_id.json() } else { Value::Null },
            "stage_id" => if !self.stage_id.is_empty() { self.stage_id.json() } else { Value::Null },
            "amount" => self.amount.json(),
            "lines" => if !self.lines.is_empty() { self.lines.json() } else { Value::Null },
            "probability" => self.probability.json(),
            "close_date" => if !self.close_date.is_empty() { self.close_date.json() } else { Value::Null },
            "owner" => if !self.owner.is_empty() { self.owner.json() } else { Value::Null },
            "next_step" => if !self.next_step.is_empty() { self.next_step.json() } else { Value::Null },
            "next_step_date" => if !self.next_step_date.is_empty() { self.next_step_date.json() } else { Value::Null },
            "lost_reason" => if !self.lost_reason.is_empty() { self.lost_reason.json() } else { Value::Null },
            "tag_ids" => if !self.tag_ids.is_empty() { self.tag_ids.json() } else { Value::Null },
            "attributes" => if !self.attributes.is_empty() { self.attributes.json() } else { Value::Null },
            _ => Value::Null,
        }
    }
    fn adopt(&mut self, other: &Self, field: &str) {
        match field {
            "name" => self.name.clone_from(&other.name),
            "account_id" => self.account_id.clone_from(&other.account_id),
            "contacts" => unite(&mut self.contacts, &other.contacts),
            "pipeline_id" => self.pipeline_id.clone_from(&other.pipeline_id),
            "stage_id" => self.stage_id.clone_from(&other.stage_id),
            "amount" => self.amount.clone_from(&other.amount),
            "lines" => unite(&mut self.lines, &other.lines),
            "probability" => self.probability.clone_from(&other.probability),
            "close_date" => self.close_date.clone_from(&other.close_date),
            "owner" => self.owner.clone_from(&other.owner),
            "next_step" => self.next_step.clone_from(&other.next_step),
            "next_step_date" => self.next_step_date.clone_from(&other.next_step_date),
            "lost_reason" => self.lost_reason.clone_from(&other.lost_reason),
            "tag_ids" => unite(&mut self.tag_ids, &other.tag_ids),
            "attributes" => self.attributes.extend(other.attributes.clone()),
            _ => {},
        }
    }
}

impl Head for crate::crm::sales::v1::Opportunity {
    fn set_head(&mut self, id: String, etag: String, times: [Option<Timestamp>; 3]) {
        (self.id, self.etag) = (id, etag);
        [self.create_time, self.update_time, self.delete_time] = times;
    }
}

impl Get for crate::crm::sales::v1::GetOpportunityRequest {
    type Resource = crate::crm::sales::v1::Opportunity;
    fn id(&self) -> &str { &self.id }
}

impl BatchGet for crate::crm::sales::v1::BatchGetOpportunitiesRequest {
    type Resource = crate::crm::sales::v1::Opportunity;
    type Answer = crate::crm::sales::v1::BatchGetOpportunitiesResponse;
    fn ids(&self) -> &[String] { &self.ids }
    fn answer(opportunities: Vec<crate::crm::sales::v1::Opportunity>, _redirects: Vec<Redirect>) -> crate::crm::sales::v1::BatchGetOpportunitiesResponse {
        crate::crm::sales::v1::BatchGetOpportunitiesResponse { opportunities }
    }
}

impl List for crate::crm::sales::v1::ListOpportunitiesRequest {
    type Resource = crate::crm::sales::v1::Opportunity;
    type Answer = crate::crm::sales::v1::ListOpportunitiesResponse;
    fn page(self) -> Page { let Self { page_size, page_token, filter, order_by, show_deleted } = self; Page { page_size, page_token, filter, order_by, show_deleted } }
    fn answer(opportunities: Vec<crate::crm::sales::v1::Opportunity>, next_page_token: String) -> crate::crm::sales::v1::ListOpportunitiesResponse { crate::crm::sales::v1::ListOpportunitiesResponse { opportunities, next_page_token } }
}

impl Update for crate::crm::sales::v1::UpdateOpportunityRequest {
    type Resource = crate::crm::sales::v1::Opportunity;
    fn parts(self) -> (Option<crate::crm::sales::v1::Opportunity>, Option<prost_types::FieldMask>) { (self.opportunity, self.update_mask) }
}

impl At for crate::crm::sales::v1::DeleteOpportunityRequest {
    type Resource = crate::crm::sales::v1::Opportunity;
    fn parts(self) -> (String, String) { (self.id, self.etag) }
}

impl Delete for crate::crm::sales::v1::DeleteOpportunityRequest {}

impl At for crate::crm::sales::v1::UndeleteOpportunityRequest {
    type Resource = crate::crm::sales::v1::Opportunity;
    fn parts(self) -> (String, String) { (self.id, self.etag) }
}

impl Undelete for crate::crm::sales::v1::UndeleteOpportunityRequest {}

impl Export for crate::crm::sales::v1::ExportOpportunitiesRequest {
    type Resource = crate::crm::sales::v1::Opportunity;
    fn parts(self) -> (String, bool) { (self.filter, self.show_deleted) }
}

impl History for crate::crm::sales::v1::GetOpportunityHistoryRequest {
    type Resource = crate::crm::sales::v1::Opportunity;
    type Answer = crate::crm::sales::v1::GetOpportunityHistoryResponse;
    fn parts(self) -> (String, i32, String) { (self.id, self.page_size, self.page_token) }
    fn answer(found: Past) -> crate::crm::sales::v1::GetOpportunityHistoryResponse {
        let Past { changes, next_page_token, begin_time, complete } = found;
        crate::crm::sales::v1::GetOpportunityHistoryResponse { changes, next_page_token, begin_time, complete }
    }
}

impl Create for crate::crm::sales::v1::CreatePipelineRequest {
    type Resource = crate::crm::sales::v1::Pipeline;
    const METHOD: &'static str = "sales.CreatePipeline";
    fn resource(&mut self) -> &mut Option<crate::crm::sales::v1::Pipeline> { &mut self.pipeline }
    fn request_id(&mut self) -> &mut String { &mut self.request_id }
}

impl Resource for crate::crm::sales::v1::Pipeline {
    const NAME: &'static str = "pipeline";
    const FIELDS: &'static [&'static str] = &["name", "stages"];
    const IMMUTABLE: &'static [&'static str] = &[];
    const OUTPUT_ONLY: &'static [&'static str] = &["id", "etag", "create_time", "update_time", "delete_time"];
    const PERSONAL: &'static [&'static str] = &[];
    fn id(&self) -> &str { &self.id }
    fn etag(&self) -> &str { &self.etag }
    fn references(&mut self) -> Vec<&mut String> { vec![] }
    fn is_set(&self, field: &str) -> bool {
        match field {
            "name" => !self.name.is_empty(),
            "stages" => !self.stages.is_empty(),
            _ => false,
        }
    }
    fn is_same(&self, other: &Self, field: &str) -> bool {
        match field {
            "name" => self.name == other.name,
            "stages" => self.stages == other.stages,
            _ => false,
        }
    }
    fn value(&self, field: &str) -> Value {
        match field {
            "name" => if !self.name.is_empty() { self.name.json() } else { Value::Null },
            "stages" => if !self.stages.is_empty() { self.stages.json() } else { Value::Null },
            _ => Value::Null,
        }
    }
    fn adopt(&mut self, other: &Self, field: &str) {
        match field {
            "name" => self.name.clone_from(&other.name),
            "stages" => unite(&mut self.stages, &other.stages),
            _ => {},
        }
    }
}

impl Head for crate::crm::sales::v1::Pipeline {
    fn set_head(&mut self, id: String, etag: String, times: [Option<Timestamp>; 3]) {
        (self.id, self.etag) = (id, etag);
        [self.create_time, self.update_time, self.delete_time] = times;
    }
}

impl Get for crate::crm::sales::v1::GetPipelineRequest {
    type Resource = crate::crm::sales::v1::Pipeline;
    fn id(&self) -> &str { &self.id }
}

impl BatchGet for crate::crm::sales::v1::BatchGetPipelinesRequest {
    type Resource = crate::crm::sales::v1::Pipeline;
    type Answer = crate::crm::sales::v1::BatchGetPipelinesResponse;
    fn ids(&self) -> &[String] { &self.ids }
    fn answer(pipelines: Vec<crate::crm::sales::v1::Pipeline>, _redirects: Vec<Redirect>) -> crate::crm::sales::v1::BatchGetPipelinesResponse {
        crate::crm::sales::v1::BatchGetPipelinesResponse { pipelines }
    }
}

impl List for crate::crm::sales::v1::ListPipelinesRequest {
    type Resource = crate::crm::sales::v1::Pipeline;
    type Answer = crate::crm::sales::v1::ListPipelinesResponse;
    fn page(self) -> Page { let Self { page_size, page_token, filter, order_by, show_deleted } = self; Page { page_size, page_token, filter, order_by, show_deleted } }
    fn answer(pipelines: Vec<crate::crm::sales::v1::Pipeline>, next_page_token: String) -> crate::crm::sales::v1::ListPipelinesResponse { crate::crm::sales::v1::ListPipelinesResponse { pipelines, next_page_token } }
}

impl Update for crate::crm::sales::v1::UpdatePipelineRequest {
    type Resource = crate::crm::sales::v1::Pipeline;
    fn parts(self) -> (Option<crate::crm::sales::v1::Pipeline>, Option<prost_types::FieldMask>) { (self.pipeline, self.update_mask) }
}

impl At for crate::crm::sales::v1::DeletePipelineRequest {
    type Resource = crate::crm::sales::v1::Pipeline;
    fn parts(self) -> (String, String) { (self.id, self.etag) }
}

impl Delete for crate::crm::sales::v1::DeletePipelineRequest {}

impl At for crate::crm::sales::v1::UndeletePipelineRequest {
    type Resource = crate::crm::sales::v1::Pipeline;
    fn parts(self) -> (String, String) { (self.id, self.etag) }
}

impl Undelete for crate::crm::sales::v1::UndeletePipelineRequest {}

impl Export for crate::crm::sales::v1::ExportPipelinesRequest {
    type Resource = crate::crm::sales::v1::Pipeline;
    fn parts(self) -> (String, bool) { (self.filter, self.show_deleted) }
}

impl History for crate::crm::sales::v1::GetPipelineHistoryRequest {
    type Resource = crate::crm::sales::v1::Pipeline;
    type Answer = crate::crm::sales::v1::GetPipelineHistoryResponse;
    fn parts(self) -> (String, i32, String) { (self.id, self.page_size, self.page_token) }
    fn answer(found: Past) -> crate::crm::sales::v1::GetPipelineHistoryResponse {
        let Past { changes, next_page_token, begin_time, complete } = found;
        crate::crm::sales::v1::GetPipelineHistoryResponse { changes, next_page_token, begin_time, complete }
    }
}

impl Create for crate::crm::sales::v1::CreateProductRequest {
    type Resource = crate::crm::sales::v1::Product;
    const METHOD: &'static str = "sales.CreateProduct";
    fn resource(&mut self) -> &mut Option<crate::crm::sales::v1::Product> { &mut self.product }
    fn request_id(&mut self) -> &mut String { &mut self.request_id }
}

impl Resource for crate::crm::sales::v1::Product {
    const NAME: &'static str = "product";
    const FIELDS: &'static [&'static str] = &["name", "sku", "unit", "price", "active", "tag_ids", "attributes"];
    const IMMUTABLE: &'static [&'static str] = &[];
    const OUTPUT_ONLY: &'static [&'static str] = &["id", "etag", "create_time", "update_time", "delete_time"];
    const PERSONAL: &'static [&'static str] = &[];
    fn id(&self) -> &str { &self.id }
    fn etag(&self) -> &str { &self.etag }
    fn references(&mut self) -> Vec<&mut String> { vec![].into_iter().chain(&mut self.tag_ids).collect() }
    fn attributes(&self) -> Option<&Attributes> { Some(&self.attributes) }
    fn attributes_mut(&mut self) -> Option<&mut Attributes> { Some(&mut self.attributes) }
    fn is_set(&self, field: &str) -> bool {
        match field {
            "name" => !self.name.is_empty(),
            "sku" => !self.sku.is_empty(),
            "unit" => !self.unit.is_empty(),
            "price" => self.price.is_some(),
            "active" => self.active.is_some(),
            "tag_ids" => !self.tag_ids.is_empty(),
            "attributes" => !self.attributes.is_empty(),
            _ => false,
        }
    }
    fn is_same(&self, other: &Self, field: &str) -> bool {
        match field {
            "name" => self.name == other.name,
            "sku" => self.sku == other.sku,
            "unit" => self.unit == other.unit,
            "price" => self.price == other.price,
            "active" => self.active == other.active,
            "tag_ids" => self.tag_ids == other.tag_ids,
            "attributes" => self.attributes == other.attributes,
            _ => false,
        }
    }
    fn value(&self, field: &str) -> Value {
        match field {
            "name" => if !self.name.is_empty() { self.name.json() } else { Value::Null },
            "sku" => if !self.sku.is_empty() { self.sku.json() } else { Value::Null },
            "unit" => if !self.unit.is_empty() { self.unit.json() } else { Value::Null },
            "price" => self.price.json(),
            "active" => self.active.json(),
            "tag_ids" => if !self.tag_ids.is_empty() { self.tag_ids.json() } else { Value::Null },
            "attributes" => if !self.attributes.is_empty() { self.attributes.json() } else { Value::Null },
            _ => Value::Null,
        }
    }
    fn adopt(&mut self, other: &Self, field: &str) {
        match field {
            "name" => self.name.clone_from(&other.name),
            "sku" => self.sku.clone_from(&other.sku),
            "unit" => self.unit.clone_from(&other.unit),
            "price" => self.price.clone_from(&other.price),
            "active" => self.active.clone_from(&other.active),
            "tag_ids" => unite(&mut self.tag_ids, &other.tag_ids),
            "attributes" => self.attributes.extend(other.attributes.clone()),
            _ => {},
        }
    }
}

impl Head for crate::crm::sales::v1::Product {
    fn set_head(&mut self, id: String, etag: String, times: [Option<Timestamp>; 3]) {
        (self.id, self.etag) = (id, etag);
        [self.create_time, self.update_time, self.delete_time] = times;
    }
}

impl Get for crate::crm::sales::v1::GetProductRequest {
    type Resource = crate::crm::sales::v1::Product;
    fn id(&self) -> &str { &self.id }
}

impl BatchGet for crate::crm::sales::v1::BatchGetProductsRequest {
    type Resource = crate::crm::sales::v1::Product;
    type Answer = crate::crm::sales::v1::BatchGetProductsResponse;
    fn ids(&self) -> &[String] { &self.ids }
    fn answer(products: Vec<crate::crm::sales::v1::Product>, _redirects: Vec<Redirect>) -> crate::crm::sales::v1::BatchGetProductsResponse {
        crate::crm::sales::v1::BatchGetProductsResponse { products }
    }
}

impl List for crate::crm::sales::v1::ListProductsRequest {
    type Resource = crate::crm::sales::v1::Product;
    type Answer = crate::crm::sales::v1::ListProductsResponse;
    fn page(self) -> Page { let Self { page_size, page_token, filter, order_by, show_deleted } = self; Page { page_size, page_token, filter, order_by, show_deleted } }
    fn answer(products: Vec<crate::crm::sales::v1::Product>, next_page_token: String) -> crate::crm::sales::v1::ListProductsResponse { crate::crm::sales::v1::ListProductsResponse { products, next_page_token } }
}

impl Update for crate::crm::sales::v1::UpdateProductRequest {
    type Resource = crate::crm::sales::v1::Product;
    fn parts(self) -> (Option<crate::crm::sales::v1::Product>, Option<prost_types::FieldMask>) { (self.product, self.update_mask) }
}

impl At for crate::crm::sales::v1::DeleteProductRequest {
    type Resource = crate::crm::sales::v1::Product;
    fn parts(self) -> (String, String) { (self.id, self.etag) }
}

impl Delete for crate::crm::sales::v1::DeleteProductRequest {}

impl At for crate::crm::sales::v1::UndeleteProductRequest {
    type Resource = crate::crm::sales::v1::Product;
    fn parts(self) -> (String, String) { (self.id, self.etag) }
}

impl Undelete for crate::crm::sales::v1::UndeleteProductRequest {}

impl Export for crate::crm::sales::v1::ExportProductsRequest {
    type Resource = crate::crm::sales::v1::Product;
    fn parts(self) -> (String, bool) { (self.filter, self.show_deleted) }
}

impl History for crate::crm::sales::v1::GetProductHistoryRequest {
    type Resource = crate::crm::sales::v1::Product;
    type Answer = crate::crm::sales::v1::GetProductHistoryResponse;
    fn parts(self) -> (String, i32, String) { (self.id, self.page_size, self.page_token) }
    fn answer(found: Past) -> crate::crm::sales::v1::GetProductHistoryResponse {
        let Past { changes, next_page_token, begin_time, complete } = found;
        crate::crm::sales::v1::GetProductHistoryResponse { changes, next_page_token, begin_time, complete }
    }
}

impl Resource for crate::crm::sales::v1::SalesSettings {
    const NAME: &'static str = "sales_settings";
    const FIELDS: &'static [&'static str] = &["reporting_currency"];
    const IMMUTABLE: &'static [&'static str] = &[];
    const OUTPUT_ONLY: &'static [&'static str] = &["id", "etag", "create_time", "update_time", "delete_time"];
    const PERSONAL: &'static [&'static str] = &[];
    fn id(&self) -> &str { &self.id }
    fn etag(&self) -> &str { &self.etag }
    fn references(&mut self) -> Vec<&mut String> { vec![] }
    fn is_set(&self, field: &str) -> bool {
        match field {
            "reporting_currency" => !self.reporting_currency.is_empty(),
            _ => false,
        }
    }
    fn is_same(&self, other: &Self, field: &str) -> bool {
        match field {
            "reporting_currency" => self.reporting_currency == other.reporting_currency,
            _ => false,
        }
    }
    fn value(&self, field: &str) -> Value {
        match field {
            "reporting_currency" => if !self.reporting_currency.is_empty() { self.reporting_currency.json() } else { Value::Null },
            _ => Value::Null,
        }
    }
    fn adopt(&mut self, other: &Self, field: &str) {
        match field {
            "reporting_currency" => self.reporting_currency.clone_from(&other.reporting_currency),
            _ => {},
        }
    }
}

impl Head for crate::crm::sales::v1::SalesSettings {
    fn set_head(&mut self, id: String, etag: String, times: [Option<Timestamp>; 3]) {
        (self.id, self.etag) = (id, etag);
        [self.create_time, self.update_time, self.delete_time] = times;
    }
}

impl Update for crate::crm::sales::v1::UpdateSalesSettingsRequest {
    type Resource = crate::crm::sales::v1::SalesSettings;
    fn parts(self) -> (Option<crate::crm::sales::v1::SalesSettings>, Option<prost_types::FieldMask>) { (self.sales_settings, self.update_mask) }
}

impl Create for crate::crm::sales::v1::CreateSalesTeamRequest {
    type Resource = crate::crm::sales::v1::SalesTeam;
    const METHOD: &'static str = "sales.CreateSalesTeam";
    fn resource(&mut self) -> &mut Option<crate::crm::sales::v1::SalesTeam> { &mut self.sales_team }
    fn request_id(&mut self) -> &mut String { &mut self.request_id }
}

impl Resource for crate::crm::sales::v1::SalesTeam {
    const NAME: &'static str = "sales_team";
    const FIELDS: &'static [&'static str] = &["name", "members", "manager", "office"];
    const IMMUTABLE: &'static [&'static str] = &[];
    const OUTPUT_ONLY: &'static [&'static str] = &["id", "etag", "create_time", "update_time", "delete_time"];
    const PERSONAL: &'static [&'static str] = &[];
    fn id(&self) -> &str { &self.id }
    fn etag(&self) -> &str { &self.etag }
    fn references(&mut self) -> Vec<&mut String> { vec![] }
    fn is_set(&self, field: &str) -> bool {
        match field {
            "name" => !self.name.is_empty(),
            "members" => !self.members.is_empty(),
            "manager" => !self.manager.is_empty(),
            "office" => !self.office.is_empty(),
            _ => false,
        }
    }
    fn is_same(&self, other: &Self, field: &str) -> bool {
        match field {
            "name" => self.name == other.name,
            "members" => self.members == other.members,
            "manager" => self.manager == other.manager,
            "office" => self.office == other.office,
            _ => false,
        }
    }
    fn value(&self, field: &str) -> Value {
        match field {
            "name" => if !self.name.is_empty() { self.name.json() } else { Value::Null },
            "members" => if !self.members.is_empty() { self.members.json() } else { Value::Null },
            "manager" => if !self.manager.is_empty() { self.manager.json() } else { Value::Null },
            "office" => if !self.office.is_empty() { self.office.json() } else { Value::Null },
            _ => Value::Null,
        }
    }
    fn adopt(&mut self, other: &Self, field: &str) {
        match field {
            "name" => self.name.clone_from(&other.name),
            "members" => unite(&mut self.members, &other.members),
            "manager" => self.manager.clone_from(&other.manager),
            "office" => self.office.clone_from(&other.office),
            _ => {},
        }
    }
}

impl Head for crate::crm::sales::v1::SalesTeam {
    fn set_head(&mut self, id: String, etag: String, times: [Option<Timestamp>; 3]) {
        (self.id, self.etag) = (id, etag);
        [self.create_time, self.update_time, self.delete_time] = times;
    }
}

impl Get for crate::crm::sales::v1::GetSalesTeamRequest {
    type Resource = crate::crm::sales::v1::SalesTeam;
    fn id(&self) -> &str { &self.id }
}

impl BatchGet for crate::crm::sales::v1::BatchGetSalesTeamsRequest {
    type Resource = crate::crm::sales::v1::SalesTeam;
    type Answer = crate::crm::sales::v1::BatchGetSalesTeamsResponse;
    fn ids(&self) -> &[String] { &self.ids }
    fn answer(sales_teams: Vec<crate::crm::sales::v1::SalesTeam>, _redirects: Vec<Redirect>) -> crate::crm::sales::v1::BatchGetSalesTeamsResponse {
        crate::crm::sales::v1::BatchGetSalesTeamsResponse { sales_teams }
    }
}

impl List for crate::crm::sales::v1::ListSalesTeamsRequest {
    type Resource = crate::crm::sales::v1::SalesTeam;
    type Answer = crate::crm::sales::v1::ListSalesTeamsResponse;
    fn page(self) -> Page { let Self { page_size, page_token, filter, order_by, show_deleted } = self; Page { page_size, page_token, filter, order_by, show_deleted } }
    fn answer(sales_teams: Vec<crate::crm::sales::v1::SalesTeam>, next_page_token: String) -> crate::crm::sales::v1::ListSalesTeamsResponse { crate::crm::sales::v1::ListSalesTeamsResponse { sales_teams, next_page_token } }
}

impl Update for crate::crm::sales::v1::UpdateSalesTeamRequest {
    type Resource = crate::crm::sales::v1::SalesTeam;
    fn parts(self) -> (Option<crate::crm::sales::v1::SalesTeam>, Option<prost_types::FieldMask>) { (self.sales_team, self.update_mask) }
}

impl At for crate::crm::sales::v1::DeleteSalesTeamRequest {
    type Resource = crate::crm::sales::v1::SalesTeam;
    fn parts(self) -> (String, String) { (self.id, self.etag) }
}

impl Delete for crate::crm::sales::v1::DeleteSalesTeamRequest {}

impl At for crate::crm::sales::v1::UndeleteSalesTeamRequest {
    type Resource = crate::crm::sales::v1::SalesTeam;
    fn parts(self) -> (String, String) { (self.id, self.etag) }
}

impl Undelete for crate::crm::sales::v1::UndeleteSalesTeamRequest {}

impl Export for crate::crm::sales::v1::ExportSalesTeamsRequest {
    type Resource = crate::crm::sales::v1::SalesTeam;
    fn parts(self) -> (String, bool) { (self.filter, self.show_deleted) }
}

impl History for crate::crm::sales::v1::GetSalesTeamHistoryRequest {
    type Resource = crate::crm::sales::v1::SalesTeam;
    type Answer = crate::crm::sales::v1::GetSalesTeamHistoryResponse;
    fn parts(self) -> (String, i32, String) { (self.id, self.page_size, self.page_token) }
    fn answer(found: Past) -> crate::crm::sales::v1::GetSalesTeamHistoryResponse {
        let Past { changes, next_page_token, begin_time, complete } = found;
        crate::crm::sales::v1::GetSalesTeamHistoryResponse { changes, next_page_token, begin_time, complete }
    }
}

impl Create for crate::crm::sales::v1::CreateTargetRequest {
    type Resource = crate::crm::sales::v1::Target;
    const METHOD: &'static str = "sales.CreateTarget";
    fn resource(&mut self) -> &mut Option<crate::crm::sales::v1::Target> { &mut self.target }
    fn request_id(&mut self) -> &mut String { &mut self.request_id }
}

impl Resource for crate::crm::sales::v1::Target {
    const NAME: &'static str = "target";
    const FIELDS: &'static [&'static str] = &["owner", "sales_team_id", "month", "amount"];
    const IMMUTABLE: &'static [&'static str] = &[];
    const OUTPUT_ONLY: &'static [&'static str] = &["id", "etag", "create_time", "update_time", "delete_time"];
    const PERSONAL: &'static [&'static str] = &[];
    fn id(&self) -> &str { &self.id }
    fn etag(&self) -> &str { &self.etag }
    fn references(&mut self) -> Vec<&mut String> { vec![&mut self.sales_team_id] }
    fn is_set(&self, field: &str) -> bool {
        match field {
            "owner" => !self.owner.is_empty(),
            "sales_team_id" => !self.sales_team_id.is_empty(),
            "month" => !self.month.is_empty(),
            "amount" => self.amount.is_some(),
            _ => false,
        }
    }
    fn is_same(&self, other: &Self, field: &str) -> bool {
        match field {
            "owner" => self.owner == other.owner,
            "sales_team_id" => self.sales_team_id == other.sales_team_id,
            "month" => self.month == other.month,
            "amount" => self.amount == other.amount,
            _ => false,
        }
    }
    fn value(&self, field: &str) -> Value {
        match field {
            "owner" => if !self.owner.is_empty() { self.owner.json() } else { Value::Null },
            "sales_team_id" => if !self.sales_team_id.is_empty() { self.sales_team_id.json() } else { Value::Null },
            "month" => if !self.month.is_empty() { self.month.json() } else { Value::Null },
            "amount" => self.amount.json(),
            _ => Value::Null,
        }
    }
    fn adopt(&mut self, other: &Self, field: &str) {
        match field {
            "owner" => self.owner.clone_from(&other.owner),
            "sales_team_id" => self.sales_team_id.clone_from(&other.sales_team_id),
            "month" => self.month.clone_from(&other.month),
            "amount" => self.amount.clone_from(&other.amount),
            _ => {},
        }
    }
}

impl Head for crate::crm::sales::v1::Target {
    fn set_head(&mut self, id: String, etag: String, times: [Option<Timestamp>; 3]) {
        (self.id, self.etag) = (id, etag);
        [self.create_time, self.update_time, self.delete_time] = times;
    }
}

impl Get for crate::crm::sales::v1::GetTargetRequest {
    type Resource = crate::crm::sales::v1::Target;
    fn id(&self) -> &str { &self.id }
}

impl BatchGet for crate::crm::sales::v1::BatchGetTargetsRequest {
    type Resource = crate::crm::sales::v1::Target;
    type Answer = crate::crm::sales::v1::BatchGetTargetsResponse;
    fn ids(&self) -> &[String] { &self.ids }
    fn answer(targets: Vec<crate::crm::sales::v1::Target>, _redirects: Vec<Redirect>) -> crate::crm::sales::v1::BatchGetTargetsResponse {
        crate::crm::sales::v1::BatchGetTargetsResponse { targets }
    }
}

impl List for crate::crm::sales::v1::ListTargetsRequest {
    type Resource = crate::crm::sales::v1::Target;
    type Answer = crate::crm::sales::v1::ListTargetsResponse;
    fn page(self) -> Page { let Self { page_size, page_token, filter, order_by, show_deleted } = self; Page { page_size, page_token, filter, order_by, show_deleted } }
    fn answer(targets: Vec<crate::crm::sales::v1::Target>, next_page_token: String) -> crate::crm::sales::v1::ListTargetsResponse { crate::crm::sales::v1::ListTargetsResponse { targets, next_page_token } }
}

impl Update for crate::crm::sales::v1::UpdateTargetRequest {
    type Resource = crate::crm::sales::v1::Target;
    fn parts(self) -> (Option<crate::crm::sales::v1::Target>, Option<prost_types::FieldMask>) { (self.target, self.update_mask) }
}

impl At for crate::crm::sales::v1::DeleteTargetRequest {
    type Resource = crate::crm::sales::v1::Target;
    fn parts(self) -> (String, String) { (self.id, self.etag) }
}

impl Delete for crate::crm::sales::v1::DeleteTargetRequest {}

impl At for crate::crm::sales::v1::UndeleteTargetRequest {
    type Resource = crate::crm::sales::v1::Target;
    fn parts(self) -> (String, String) { (self.id, self.etag) }
}

impl Undelete for crate::crm::sales::v1::UndeleteTargetRequest {}

impl Export for crate::crm::sales::v1::ExportTargetsRequest {
    type Resource = crate::crm::sales::v1::Target;
    fn parts(self) -> (String, bool) { (self.filter, self.show_deleted) }
}

impl History for crate::crm::sales::v1::GetTargetHistoryRequest {
    type Resource = crate::crm::sales::v1::Target;
    type Answer = crate::crm::sales::v1::GetTargetHistoryResponse;
    fn parts(self) -> (String, i32, String) { (self.id, self.page_size, self.page_token) }
    fn answer(found: Past) -> crate::crm::sales::v1::GetTargetHistoryResponse {
        let Past { changes, next_page_token, begin_time, complete } = found;
        crate::crm::sales::v1::GetTargetHistoryResponse { changes, next_page_token, begin_time, complete }
    }
}

impl Json for crate::crm::attributes::v1::Choice {
    fn json(&self) -> Value {
        Value::Object(
            [
                ("value".to_owned(), self.value.json()),
                ("displayName".to_owned(), self.display_name.json()),
                ("archived".to_owned(), self.archived.json()),
            ].into_iter().collect(),
        )
    }
}

impl Json for crate::crm::sales::v1::opportunity::Contact {
    fn json(&self) -> Value {
        Value::Object(
            [
                ("contactId".to_owned(), self.contact_id.json()),
                ("role".to_owned(), self.role.json()),
            ].into_iter().collect(),
        )
    }
}

impl Json for crate::crm::sales::v1::opportunity::Line {
    fn json(&self) -> Value {
        Value::Object(
            [
                ("productId".to_owned(), self.product_id.json()),
                ("name".to_owned(), self.name.json()),
                ("quantity".to_owned(), self.quantity.json()),
                ("unitPrice".to_owned(), self.unit_price.json()),
                ("discountPercent".to_owned(), self.discount_percent.json()),
                ("total".to_owned(), self.total.json()),
            ].into_iter().collect(),
        )
    }
}

impl Json for crate::crm::sales::v1::pipeline::Stage {
    fn json(&self) -> Value {
        Value::Object(
            [
                ("id".to_owned(), self.id.json()),
                ("name".to_owned(), self.name.json()),
                ("kind".to_owned(), crate::crm::sales::v1::pipeline::Kind::try_from(self.kind).map_or(Value::Null, |it| it.as_str_name().into())),
                ("probability".to_owned(), self.probability.json()),
                ("mergingIntoId".to_owned(), self.merging_into_id.json()),
            ].into_iter().collect(),
        )
    }
}

impl Json for crate::google::r#type::Money {
    fn json(&self) -> Value {
        Value::Object(
            [
                ("currencyCode".to_owned(), self.currency_code.json()),
                ("units".to_owned(), self.units.json()),
                ("nanos".to_owned(), self.nanos.json()),
            ].into_iter().collect(),
        )
    }
}
