//! Demo data: plausible, the same in every run, loaded while the service serves.

mod activities;
mod companies;
mod people;
mod words;

use crm_database::{Database, Error};
use crm_resource::seed::{Amount, Seeding, Table, Tell, load};
use uuid::Uuid;

pub use crm_resource::seed::Progress;

/// How much data to load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeedSize {
    /// Accounts.
    pub accounts: u32,
    /// Contacts, spread over the accounts by Zipf's law: a few accounts have thousands, most have two or three.
    pub contacts: u32,
}

impl SeedSize {
    /// What `crm seed demo` loads.
    pub const DEMO: Self = Self { accounts: 20_000, contacts: 200_000 };
}

/// Activities that `crm seed demo` loads, half of them on accounts, half on contacts.
pub const DEMO_ACTIVITIES: u32 = 60_000;

/// Seeds as the command line asks for it.
pub(crate) fn seed(database: Database, tenant: Uuid, amount: Amount, tell: Tell) -> Seeding {
    let (size, count) = match amount {
        Amount::Demo => (SeedSize::DEMO, DEMO_ACTIVITIES),
        Amount::Large => (SeedSize { accounts: 200_000, contacts: 2_000_000 }, 3_000_000),
    };
    Box::pin(async move {
        let mut tell = tell;
        let Seeded { accounts, contacts } = demo(&database, tenant, size, &mut tell).await?;
        let activities = activities(&database, tenant, size, count, tell).await?;
        Ok(format!("{accounts} accounts, {contacts} contacts and {activities} activities"))
    })
}

const ACCOUNTS_A_CHUNK: u32 = 2_000;
const CONTACTS_A_CHUNK: u32 = 5_000;

/// How many records are new.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Seeded {
    /// Accounts.
    pub accounts: u64,
    /// Contacts.
    pub contacts: u64,
}

/// Loads demo data for `tenant`, telling `progress` after each chunk.
///
/// # Errors
/// The database's. What was loaded until then stays; another run completes it.
pub async fn demo(
    database: &Database,
    tenant: Uuid,
    size: SeedSize,
    mut progress: impl FnMut(Progress),
) -> Result<Seeded, Error> {
    let Seeded { mut accounts, mut contacts } = Seeded::default();
    for first in (0..size.accounts).step_by(ACCOUNTS_A_CHUNK as usize) {
        let done = (first + ACCOUNTS_A_CHUNK).min(size.accounts);
        let rows: String = (first..done).map(|number| companies::row(number, size)).collect();
        accounts += load(database, tenant, ACCOUNTS, &rows).await?;
        progress(Progress { what: "accounts", done, of: size.accounts });
    }
    let mut people = people::People::new(size);
    let mut chunk = || people.by_ref().take(CONTACTS_A_CHUNK as usize).collect::<String>();
    for first in (0..size.contacts).step_by(2 * CONTACTS_A_CHUNK as usize) {
        // Two at a time: Postgres works on each with one core, and the machine that this is for has two.
        let (one, other) = (chunk(), chunk());
        let (one, other) =
            tokio::try_join!(load(database, tenant, CONTACTS, &one), load(database, tenant, CONTACTS, &other))?;
        contacts += one + other;
        let done = (first + 2 * CONTACTS_A_CHUNK).min(size.contacts);
        progress(Progress { what: "contacts", done, of: size.contacts });
    }
    Ok(Seeded { accounts, contacts })
}

/// Loads `count` activities on what [`demo`] loads of this size. Answers how many are new.
///
/// # Errors
/// As of [`demo`].
pub async fn activities(
    database: &Database,
    tenant: Uuid,
    size: SeedSize,
    count: u32,
    mut progress: impl FnMut(Progress),
) -> Result<u64, Error> {
    let mut rows = activities::Activities::new(size, count);
    let mut chunk = || rows.by_ref().take(CONTACTS_A_CHUNK as usize).collect::<String>();
    let mut created = 0;
    for first in (0..count).step_by(2 * CONTACTS_A_CHUNK as usize) {
        // Two at a time, as contacts.
        let (one, other) = (chunk(), chunk());
        let (one, other) =
            tokio::try_join!(load(database, tenant, ACTIVITIES, &one), load(database, tenant, ACTIVITIES, &other))?;
        created += one + other;
        let done = (first + 2 * CONTACTS_A_CHUNK).min(count);
        progress(Progress { what: "activities", done, of: count });
    }
    Ok(created)
}

// Industries, territories and owners here are their own keys.
const ACCOUNTS: Table = Table {
    schema: "customers",
    create: "create temporary table seed on commit drop as \
             select id, name, name_key, domain, industry, country, territory, owner, employees, \
             annual_revenue_minor, annual_revenue_currency, founded_year, parent_id, create_time, update_time, \
             array[]::text[] as terms from customers.accounts with no data",
    // A parent that somebody else's domain kept from being loaded is left out.
    insert: "with created as (insert into customers.accounts (tenant_id, id, name, name_key, domain, industry, industry_key, country, \
             territory, territory_key, owner, owner_key, employees, annual_revenue_minor, annual_revenue_currency, \
             founded_year, parent_id, create_time, update_time) \
             select $1, id, name, name_key, domain, industry, industry, country, territory, territory, owner, owner, \
             employees, annual_revenue_minor, annual_revenue_currency, founded_year, \
             (select parent.id from customers.accounts parent where parent.tenant_id = $1 and parent.id = seed.parent_id), \
             create_time, update_time from seed on conflict do nothing returning id), \
             terms as (insert into customers.search_terms (tenant_id, term, record_id) \
             select $1, unnest(seed.terms), id from created join seed using (id)) \
             select id from created",
};

const CONTACTS: Table = Table {
    schema: "customers",
    create: "create temporary table seed on commit drop as \
             select id, account_id, given_name, family_name, family_name_key, title, emails, phones, owner, \
             create_time, update_time, array[]::text[] as terms from customers.contacts with no data",
    insert: "with created as (insert into customers.contacts (tenant_id, id, account_id, given_name, family_name, \
             family_name_key, title, emails, phones, owner, owner_key, create_time, update_time) \
             select $1, id, account_id, given_name, family_name, family_name_key, title, emails, phones, owner, owner, \
             create_time, update_time from seed where exists (select from customers.accounts account \
             where account.tenant_id = $1 and account.id = seed.account_id) \
             on conflict do nothing returning id, emails), \
             addresses as (insert into customers.contact_emails (tenant_id, email_key, contact_id) \
             select $1, lower(email), id from created, unnest(emails) email), \
             terms as (insert into customers.search_terms (tenant_id, term, record_id) \
             select $1, unnest(seed.terms), id from created join seed using (id)) \
             select id from created",
};

const ACTIVITIES: Table = Table {
    schema: "customers",
    create: "create temporary table seed on commit drop as \
             select id, kind, parent_resource, parent_id, subject, body, owner, due_time, done, done_time, start_time, \
             duration_seconds, creator, create_time, update_time from customers.activities with no data",
    // Each row looks up its own parent, which somebody's domain may have kept from being loaded.
    insert: "insert into customers.activities (tenant_id, id, kind, parent_resource, parent_id, subject, body, owner, \
             owner_key, due_time, done, done_time, start_time, duration_seconds, creator, create_time, update_time) \
             select $1, id, kind, parent_resource, parent_id, subject, body, owner, owner, due_time, done, done_time, \
             start_time, duration_seconds, creator, create_time, update_time from seed \
             where case parent_resource when 'accounts' then (select true from customers.accounts parent \
             where parent.tenant_id = $1 and parent.id = seed.parent_id) else (select true from customers.contacts parent \
             where parent.tenant_id = $1 and parent.id = seed.parent_id) end on conflict do nothing",
};
