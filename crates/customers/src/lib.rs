#![doc = include_str!("../README.md")]

pub mod accounts;
pub mod activities;
pub mod attributes;
mod changes;
pub mod contacts;
pub mod imports;
mod operations;
pub mod saved_views;
mod search;
pub mod seed;
mod tables;
pub mod tags;

use crm_proto::customers::account_service_server::AccountServiceServer;
use crm_proto::customers::activity_service_server::ActivityServiceServer;
use crm_proto::customers::attribute_definition_service_server::AttributeDefinitionServiceServer;
use crm_proto::customers::change_service_server::ChangeServiceServer;
use crm_proto::customers::contact_service_server::ContactServiceServer;
use crm_proto::customers::import_service_server::ImportServiceServer;
use crm_proto::customers::operation_service_server::OperationServiceServer;
use crm_proto::customers::saved_view_service_server::SavedViewServiceServer;
use crm_proto::customers::search_service_server::SearchServiceServer;
use crm_proto::customers::table_service_server::TableServiceServer;
use crm_proto::customers::tag_service_server::TagServiceServer;
use crm_resource::activities::{Activities, PARENT_NOT_FOUND};
use crm_resource::attributes::Definitions;
use crm_resource::imports::{Imports, TABLE as IMPORTS};
use crm_resource::merge::{MERGE_TOO_OLD, MERGE_UNDER_WAY, MERGED_INTO, NOT_MERGED};
use crm_resource::tags::{MERGED, TOO_MANY, Tags};
use crm_resource::views::{self, Views};
use crm_resource::{AnyResource, Feed, Keeps, Records, Service, Storage, Store};
use crm_server::services::{MAX_MESSAGE_BYTES, Services};

use accounts::Account;
use activities::Activity;
use attributes::AttributeDefinition;
use contacts::Contact;
use saved_views::SavedView;
use tags::Tag;

static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!();

/// The service.
pub static SERVICE: Service = Service {
    name: "customers",
    package: "crm.customers.v1",
    keeps: Keeps::Records(STORAGE, routes),
    asks: &[],
    refusals: &[
        &accounts::PARENT_TOO_DEEP,
        &accounts::HAS_CONTACTS,
        &accounts::HAS_SUBSIDIARIES,
        &PARENT_NOT_FOUND,
        &contacts::ERASED,
        &views::NOT_YOURS,
        &views::TOO_MANY,
        &views::TOO_MANY_SHARED,
        &TOO_MANY,
        &MERGED,
        &MERGED_INTO,
        &MERGE_UNDER_WAY,
        &NOT_MERGED,
        &MERGE_TOO_OLD,
    ],
};

const STORAGE: Storage = Storage {
    schema: "customers",
    role: "crm_customers",
    url_setting: "CRM_CUSTOMERS_DATABASE_URL",
    password_file_setting: "CRM_CUSTOMERS_DATABASE_PASSWORD_FILE",
    migrator: &MIGRATOR,
    resources: &[
        AnyResource::of::<Account>(),
        AnyResource::of::<Contact>(),
        AnyResource::of::<Activity>(),
        AnyResource::of::<SavedView>(),
        AnyResource::of::<AttributeDefinition>(),
        AnyResource::of::<Tag>(),
    ],
    copies: &[&IMPORTS],
    follows: &[],
    seed: Some(seed::seed),
};

/// Whose activities, saved views, definitions and tags these are.
#[derive(Debug, Clone)]
pub struct OfCustomers;

/// What the handlers of one process share; cheap to clone.
#[derive(Debug, Clone)]
pub struct Customers {
    accounts: Records<Account>,
    contacts: Records<Contact>,
    activities: Activities<OfCustomers>,
    imports: Imports,
    saved_views: Views<OfCustomers>,
    definitions: Definitions<OfCustomers>,
    tags: Tags<OfCustomers>,
    changes: Feed,
    store: Store,
    erase: contacts::Erase,
}

fn routes(store: &Store, services: Services) -> Services {
    let (accounts, contacts) = (Records::new(store), Records::new(store));
    store.offer(accounts::Reassign { accounts: accounts.clone() });
    let activities = Activities::new(store).on(&accounts).on(&contacts);
    let imports = imports::offer(store, &accounts, &contacts);
    let tags = Tags::new(store).on(&accounts).on(&contacts);
    tags.offer();
    let (saved_views, changes) = (Views::new(store), Feed::new(store, &SERVICE));
    let erase = contacts::Erase::new(store, &contacts, &activities, &saved_views);
    store.offer(erase.clone());
    let definitions = Definitions::new(store);
    store.offer(definitions.filling());
    let merging = accounts::MergeAccount::new(&accounts, &contacts, &activities);
    store.offer(accounts::UnmergeAccount(merging.clone()));
    store.offer(merging);
    let merging = contacts::MergeContact::new(&contacts, &activities);
    store.offer(contacts::UnmergeContact::new(&merging, &contacts, &accounts));
    store.offer(merging);
    let customers = Customers {
        accounts,
        contacts,
        activities,
        definitions,
        imports,
        saved_views,
        tags,
        changes,
        store: store.clone(),
        erase,
    };
    let accounts = AccountServiceServer::new(customers.clone()).max_decoding_message_size(MAX_MESSAGE_BYTES);
    let contacts = ContactServiceServer::new(customers.clone()).max_decoding_message_size(MAX_MESSAGE_BYTES);
    let activities = ActivityServiceServer::new(customers.clone()).max_decoding_message_size(MAX_MESSAGE_BYTES);
    let saved_views = SavedViewServiceServer::new(customers.clone()).max_decoding_message_size(MAX_MESSAGE_BYTES);
    let definitions =
        AttributeDefinitionServiceServer::new(customers.clone()).max_decoding_message_size(MAX_MESSAGE_BYTES);
    let changes = ChangeServiceServer::new(customers.clone()).max_decoding_message_size(MAX_MESSAGE_BYTES);
    let imports = ImportServiceServer::new(customers.clone()).max_decoding_message_size(MAX_MESSAGE_BYTES);
    let tags = TagServiceServer::new(customers.clone()).max_decoding_message_size(MAX_MESSAGE_BYTES);
    let search = SearchServiceServer::new(customers.clone()).max_decoding_message_size(MAX_MESSAGE_BYTES);
    let tables = TableServiceServer::new(customers.clone()).max_decoding_message_size(MAX_MESSAGE_BYTES);
    let operations = OperationServiceServer::new(customers).max_decoding_message_size(MAX_MESSAGE_BYTES);
    services
        .add(accounts)
        .add(contacts)
        .add(activities)
        .add(imports)
        .add(saved_views)
        .add(definitions)
        .add(tags)
        .add(search)
        .add(changes)
        .add(operations)
        .add(tables)
}
