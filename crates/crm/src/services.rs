//! The services of the platform: the one place that names them all.
//!
//! Roles, migrations, passwords, addresses, routes, state, seeding and the list of errors follow from this table. What
//! stands elsewhere because it is no Rust (the containers, the documents) is held against it by a house rule.

use std::pin::Pin;

use crm_customers::seed::{self, SeedSize, Seeded};
use crm_database::Database;
use crm_telemetry::Telemetry;
use uuid::Uuid;

/// What one of them does, when it has done it.
type Doing<'a, T> = Pin<Box<dyn Future<Output = anyhow::Result<T>> + Send + 'a>>;

/// A service, each of whose replicas is a process of its own.
#[derive(Debug)]
pub(crate) struct Service {
    /// Of its role on the command line, its processes, its upstream at the gateway.
    pub(crate) name: &'static str,
    /// The package of its API: what the gateway sends it.
    pub(crate) package: &'static str,
    /// What it keeps, if it keeps anything.
    pub(crate) store: Option<Store>,
    /// Every reason that it gives for a refusal, of a call and of a field.
    #[allow(dead_code, reason = "read by the rule that holds `docs/errors.md` against it")]
    pub(crate) reasons: [&'static [(&'static str, &'static str)]; 2],
    /// Serves until told to stop.
    pub(crate) run: fn(Telemetry) -> Doing<'static, ()>,
}

/// The part of the database that is a service's own.
#[derive(Debug)]
pub(crate) struct Store {
    /// As which it connects.
    pub(crate) role: &'static str,
    /// The variable with its URL.
    pub(crate) url: &'static str,
    /// The variable that names the file with its password.
    pub(crate) password_file: &'static str,
    /// Creates or updates its schema and role: the owner's URL, the role's password.
    pub(crate) migrate: for<'a> fn(&'a str, Option<&'a str>) -> Doing<'a, ()>,
    /// Fills a tenant, and says with what.
    pub(crate) seed: Option<fn(Database, Uuid, Amount, Tell) -> Doing<'static, String>>,
}

/// How much is seeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Amount {
    /// To look at.
    Demo,
    /// To measure with.
    Large,
}

/// Is told of what so many of so many have been seeded.
pub(crate) type Tell = Box<dyn FnMut(&'static str, u32, u32) + Send>;

/// In the order in which they are started, migrated and seeded.
pub(crate) static ALL: [Service; 1] = [Service {
    name: "customers",
    package: "crm.customers.v1",
    store: Some(Store {
        role: crm_customers::app::ROLE,
        url: "CRM_CUSTOMERS_DATABASE_URL",
        password_file: "CRM_CUSTOMERS_DATABASE_PASSWORD_FILE",
        migrate: |url, password| Box::pin(async move { Ok(crm_customers::migrate(url, password).await?) }),
        seed: Some(|database, tenant, amount, mut tell| {
            Box::pin(async move {
                let size = match amount {
                    Amount::Demo => SeedSize::DEMO,
                    Amount::Large => SeedSize { accounts: 200_000, contacts: 2_000_000 },
                };
                let seeded =
                    seed::demo(&database, tenant, size, |progress| tell(progress.what, progress.done, progress.of));
                let Seeded { accounts, contacts } = seeded.await?;
                Ok(format!("{accounts} accounts and {contacts} contacts"))
            })
        }),
    }),
    reasons: [crm_customers::REASONS, crm_customers::FIELD_REASONS],
    run: |telemetry| Box::pin(async move { Ok(crm_customers::run(telemetry).await?) }),
}];

/// Those that keep something, with what they keep.
pub(crate) fn stores() -> impl Iterator<Item = (&'static Service, &'static Store)> {
    ALL.iter().filter_map(|service| Some((service, service.store.as_ref()?)))
}

/// The one of this name.
pub(crate) fn find(name: &str) -> Option<&'static Service> {
    ALL.iter().find(|service| service.name == name)
}
