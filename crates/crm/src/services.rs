//! The services of the platform: the one place that names them all.
//!
//! Roles, migrations, passwords, addresses, routes, state, seeding and the list of errors follow from this table. What
//! stands elsewhere because it is no Rust (the containers, the documents) is held against it by a house rule.

use crm_database::Database;
use crm_resource::Stored;
use crm_resource::seed::Progress;
use futures_util::future::BoxFuture;
use uuid::Uuid;

/// A service, each of whose replicas is a process of its own.
#[derive(Debug)]
pub(crate) struct Service {
    /// What a process of it does.
    pub(crate) process: &'static crm_resource::Service,
    /// The package of its API: what the gateway sends it.
    pub(crate) package: &'static str,
    /// Fills a tenant, and says with what.
    pub(crate) seed: Option<Seed>,
}

/// Seeds so much for a tenant, and is heard of while it does.
type Seed = fn(Database, Uuid, Amount, Tell) -> Seeding;

/// What was seeded, in words.
type Seeding = BoxFuture<'static, Result<String, crm_database::Error>>;

/// How much is seeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Amount {
    /// To look at.
    Demo,
    /// To measure with.
    Large,
}

/// Is told how far seeding is.
pub(crate) type Tell = Box<dyn FnMut(Progress) + Send>;

/// In the order in which they are started, migrated and seeded.
pub(crate) static ALL: [Service; 1] =
    [Service { process: &crm_customers::SERVICE, package: "crm.customers.v1", seed: Some(seed_customers) }];

impl Service {
    /// Of its role on the command line, its processes, its upstream at the gateway.
    pub(crate) fn name(&self) -> &'static str {
        self.process.name
    }

    /// What it keeps, if it keeps anything.
    pub(crate) fn store(&self) -> Option<&'static Stored> {
        Some(&self.process.stored)
    }
}

/// Those that keep something, with what they keep.
pub(crate) fn stores() -> impl Iterator<Item = (&'static Service, &'static Stored)> {
    ALL.iter().filter_map(|service| Some((service, service.store()?)))
}

/// The one of this name.
pub(crate) fn find(name: &str) -> Option<&'static Service> {
    ALL.iter().find(|service| service.name() == name)
}

fn seed_customers(database: Database, tenant: Uuid, amount: Amount, tell: Tell) -> Seeding {
    use crm_customers::seed::{SeedSize, Seeded, demo};
    let size = match amount {
        Amount::Demo => SeedSize::DEMO,
        Amount::Large => SeedSize { accounts: 200_000, contacts: 2_000_000 },
    };
    Box::pin(async move {
        let Seeded { accounts, contacts } = demo(&database, tenant, size, tell).await?;
        Ok(format!("{accounts} accounts and {contacts} contacts"))
    })
}
