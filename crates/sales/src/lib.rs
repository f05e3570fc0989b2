#![doc = include_str!("../README.md")]

pub mod activities;
pub mod attributes;
mod changes;
mod customers;
pub mod exchange_rates;
pub mod figures;
pub mod forecast;
mod listed;
mod operations;
pub mod opportunities;
pub mod pipelines;
pub mod products;
pub mod sales_teams;
pub mod saved_views;
pub mod seed;
pub mod settings;
mod sums;
mod tables;
pub mod tags;
pub mod targets;

use crm_proto::sales::activity_service_server::ActivityServiceServer;
use crm_proto::sales::attribute_definition_service_server::AttributeDefinitionServiceServer;
use crm_proto::sales::change_service_server::ChangeServiceServer;
use crm_proto::sales::exchange_rate_service_server::ExchangeRateServiceServer;
use crm_proto::sales::figure_service_server::FigureServiceServer;
use crm_proto::sales::forecast_service_server::ForecastServiceServer;
use crm_proto::sales::operation_service_server::OperationServiceServer;
use crm_proto::sales::opportunity_service_server::OpportunityServiceServer;
use crm_proto::sales::pipeline_service_server::PipelineServiceServer;
use crm_proto::sales::product_service_server::ProductServiceServer;
use crm_proto::sales::sales_settings_service_server::SalesSettingsServiceServer;
use crm_proto::sales::sales_team_service_server::SalesTeamServiceServer;
use crm_proto::sales::saved_view_service_server::SavedViewServiceServer;
use crm_proto::sales::table_service_server::TableServiceServer;
use crm_proto::sales::tag_service_server::TagServiceServer;
use crm_proto::sales::target_service_server::TargetServiceServer;
use crm_resource::activities::{Activities, PARENT_NOT_FOUND};
use crm_resource::attributes::Definitions;
use crm_resource::foreign::{self, Foreign};
use crm_resource::tags::{MERGED, TOO_MANY, Tags};
use crm_resource::views::{self, Views};
use crm_resource::{AnyResource, Feed, Keeps, Records, Service, Storage, Store};
use crm_server::services::{MAX_MESSAGE_BYTES, Services};

use activities::Activity;
use attributes::AttributeDefinition;
use customers::Customers;
use exchange_rates::ExchangeRate;
use opportunities::Opportunity;
use pipelines::Pipeline;
use products::Product;
use sales_teams::SalesTeam;
use saved_views::SavedView;
use settings::SalesSettings;
use tags::Tag;
use targets::Target;

pub use customers::CUSTOMERS;

static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!();

/// The service.
pub static SERVICE: Service = Service {
    name: "sales",
    package: "crm.sales.v1",
    keeps: Keeps::Records(STORAGE, routes),
    asks: &[CUSTOMERS],
    refusals: &[
        &views::NOT_YOURS,
        &views::TOO_MANY,
        &views::TOO_MANY_SHARED,
        &TOO_MANY,
        &MERGED,
        &PARENT_NOT_FOUND,
        &customers::ACCOUNT_NOT_FOUND,
        &customers::CONTACT_NOT_FOUND,
        &opportunities::PIPELINE_NOT_FOUND,
        &opportunities::STAGE_NOT_FOUND,
        &opportunities::PRODUCT_NOT_FOUND,
        &pipelines::IN_USE,
        &pipelines::STAGE_IN_USE,
        &pipelines::STAGE_NOT_FOUND,
        &pipelines::STAGE_KINDS_DIFFER,
        &pipelines::STAGE_BEING_MERGED,
    ],
};

const STORAGE: Storage = Storage {
    schema: "sales",
    role: "crm_sales",
    url_setting: "CRM_SALES_DATABASE_URL",
    password_file_setting: "CRM_SALES_DATABASE_PASSWORD_FILE",
    migrator: &MIGRATOR,
    resources: &[
        AnyResource::of::<Product>(),
        AnyResource::of::<SalesTeam>(),
        AnyResource::of::<Pipeline>(),
        AnyResource::of::<Opportunity>(),
        AnyResource::of::<Activity>(),
        AnyResource::of::<SavedView>(),
        AnyResource::of::<AttributeDefinition>(),
        AnyResource::of::<Tag>(),
        AnyResource::of::<ExchangeRate>(),
        AnyResource::of::<SalesSettings>(),
        AnyResource::of::<Target>(),
    ],
    copies: &[&foreign::TABLE],
    follows: &[opportunities::FOLLOWER],
    seed: Some(seed::seed),
};

/// What the handlers of one process share; cheap to clone.
#[derive(Debug, Clone)]
pub struct Sales {
    products: Records<Product>,
    sales_teams: Records<SalesTeam>,
    pipelines: Records<Pipeline>,
    opportunities: Records<Opportunity>,
    activities: Activities<activities::OfSales>,
    /// The accounts of opportunities.
    accounts: Foreign<Opportunity>,
    customers: Customers,
    saved_views: Views<saved_views::OfSales>,
    definitions: Definitions<attributes::OfSales>,
    tags: Tags<tags::OfSales>,
    exchange_rates: Records<ExchangeRate>,
    settings: Records<SalesSettings>,
    targets: Records<Target>,
    changes: Feed,
    store: Store,
}

fn routes(store: &Store, services: Services) -> Services {
    let (products, pipelines, opportunities) = (Records::new(store), Records::new(store), Records::new(store));
    store.offer(pipelines::MergeStage { pipelines: pipelines.clone(), opportunities: opportunities.clone() });
    store.offer(opportunities::Reassign { opportunities: opportunities.clone() });
    let activities = Activities::new(store).on(&opportunities);
    let tags = Tags::new(store).on(&products).on(&opportunities);
    tags.offer();
    let definitions = Definitions::new(store);
    store.offer(definitions.filling());
    let sales = Sales {
        products,
        accounts: Foreign::new(&opportunities, &opportunities::ACCOUNT),
        sales_teams: Records::new(store),
        pipelines,
        opportunities,
        activities,
        customers: Customers::new(store),
        saved_views: Views::new(store),
        definitions,
        tags,
        exchange_rates: Records::new(store),
        settings: Records::new(store),
        targets: Records::new(store),
        changes: Feed::new(store, &SERVICE),
        store: store.clone(),
    };
    let products = ProductServiceServer::new(sales.clone()).max_decoding_message_size(MAX_MESSAGE_BYTES);
    let sales_teams = SalesTeamServiceServer::new(sales.clone()).max_decoding_message_size(MAX_MESSAGE_BYTES);
    let pipelines = PipelineServiceServer::new(sales.clone()).max_decoding_message_size(MAX_MESSAGE_BYTES);
    let opportunities = OpportunityServiceServer::new(sales.clone()).max_decoding_message_size(MAX_MESSAGE_BYTES);
    let activities = ActivityServiceServer::new(sales.clone()).max_decoding_message_size(MAX_MESSAGE_BYTES);
    let saved_views = SavedViewServiceServer::new(sales.clone()).max_decoding_message_size(MAX_MESSAGE_BYTES);
    let tables = TableServiceServer::new(sales.clone()).max_decoding_message_size(MAX_MESSAGE_BYTES);
    let tags = TagServiceServer::new(sales.clone()).max_decoding_message_size(MAX_MESSAGE_BYTES);
    let definitions = AttributeDefinitionServiceServer::new(sales.clone()).max_decoding_message_size(MAX_MESSAGE_BYTES);
    let exchange_rates = ExchangeRateServiceServer::new(sales.clone()).max_decoding_message_size(MAX_MESSAGE_BYTES);
    let settings = SalesSettingsServiceServer::new(sales.clone()).max_decoding_message_size(MAX_MESSAGE_BYTES);
    let targets = TargetServiceServer::new(sales.clone()).max_decoding_message_size(MAX_MESSAGE_BYTES);
    let forecast = ForecastServiceServer::new(sales.clone()).max_decoding_message_size(MAX_MESSAGE_BYTES);
    let figures = FigureServiceServer::new(sales.clone()).max_decoding_message_size(MAX_MESSAGE_BYTES);
    let operations = OperationServiceServer::new(sales.clone()).max_decoding_message_size(MAX_MESSAGE_BYTES);
    let changes = ChangeServiceServer::new(sales).max_decoding_message_size(MAX_MESSAGE_BYTES);
    services
        .add(products)
        .add(sales_teams)
        .add(pipelines)
        .add(opportunities)
        .add(activities)
        .add(figures)
        .add(saved_views)
        .add(definitions)
        .add(tags)
        .add(exchange_rates)
        .add(settings)
        .add(targets)
        .add(forecast)
        .add(changes)
        .add(operations)
        .add(tables)
}
