//! Generated data: plausible, the same in every run, loaded while the service serves.
//!
//! The demo set is for one tenant, to look at. A large set ([ADR 47](../../../docs/adr/0047-large-data-and-what-it-costs.md)) is
//! to measure with: forty tenants of very different sizes, thousands of names of which few are common, and doubles.

mod activities;
mod attributes;
mod companies;
mod people;
mod set;
mod tags;
mod words;

use crm_database::{Database, Error};
use crm_resource::seed::{Amount, Chunk, DEMO_ACCOUNTS, Loaded, Seeding, Table, Tell, fill};
use crm_server::token::tenant_id;
use uuid::Uuid;

use set::Set;

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
    pub const DEMO: Self = Self { accounts: DEMO_ACCOUNTS, contacts: 200_000 };
}

/// Activities that `crm seed demo` loads, half of them on accounts, half on contacts.
pub const DEMO_ACTIVITIES: u32 = 60_000;

/// Seeds as the command line asks for it.
pub(crate) fn seed(database: Database, tenant: String, amount: Amount, tell: Tell) -> Seeding {
    Box::pin(async move {
        match amount {
            Amount::Demo => {
                let of = [(tenant_id(&tenant), Set::demo(SeedSize::DEMO))];
                let loaded = fill_all(&database, &of, |_| DEMO_ACTIVITIES, tell).await?;
                attributes(&database, of[0].0, SeedSize::DEMO).await?;
                Ok(loaded)
            }
            Amount::Large(contacts) => large(&database, &tenant, contacts, tell).await,
        }
    })
}

const ACCOUNTS_A_CHUNK: u32 = 2_000;
const ROWS_A_CHUNK: usize = 5_000;
/// Cores of the machine that this is for.
const AT_A_TIME: usize = 2;

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
    let (accounts, contacts) = (ACCOUNTS.names[0], CONTACTS.names[0]);
    let all = fill_all(database, &[(tenant, Set::demo(size))], |_| 0, &mut progress).await?;
    let rows = |table| all.iter().filter(|loaded| loaded.table == table).map(|loaded| loaded.rows).sum();
    Ok(Seeded { accounts: rows(accounts), contacts: rows(contacts) })
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
    progress: impl FnMut(Progress),
) -> Result<u64, Error> {
    let of = [(tenant, Set::demo(size))];
    let rows = chunks(&of, ROWS_A_CHUNK, |set| Box::new(activities::Activities::new(set, count)));
    let loaded = fill(database, &ACTIVITIES, (rows, count), AT_A_TIME, progress).await?;
    Ok(loaded.iter().map(|loaded| loaded.rows).sum())
}

/// Loads so many contacts, a tenth as many accounts and three times as many activities, for `tenant` (half of it) and 39 more,
/// `tenant-2` to `tenant-40`. Answers what came into each table.
///
/// # Errors
/// As of [`demo`].
pub async fn large(
    database: &Database,
    tenant: &str,
    contacts: u32,
    progress: impl FnMut(Progress),
) -> Result<Vec<Loaded>, Error> {
    let sets = set::large(contacts).into_iter().zip(1..);
    let of: Vec<_> = sets.map(|(set, number)| (tenant_id(&set::tenant(tenant, number)), set)).collect();
    fill_all(database, &of, |set| 3 * set.size.contacts, progress).await
}

/// Table after table, each for all tenants.
async fn fill_all(
    database: &Database,
    of: &[(Uuid, Set)],
    activities: impl Fn(Set) -> u32,
    mut progress: impl FnMut(Progress),
) -> Result<Vec<Loaded>, Error> {
    let sum = |count: &dyn Fn(Set) -> u32| of.iter().map(|(_, set)| count(*set)).sum::<u32>();
    let counts = [sum(&|set| set.size.accounts), sum(&|set| set.size.contacts), sum(&activities)];
    let rows = chunks(of, ACCOUNTS_A_CHUNK as usize, |set| {
        Box::new((0..set.size.accounts).map(move |number| companies::row(set, number)))
    });
    // A set to measure with has none.
    for (tenant, _) in of.iter().filter(|(_, set)| !set.is_large()) {
        tags::tags(database, *tenant).await?;
    }
    // One after the other: subsidiaries name companies of the first chunk.
    let accounts = fill(database, &ACCOUNTS, (rows, counts[0]), 1, &mut progress).await?;
    let rows = chunks(of, ROWS_A_CHUNK, |set| Box::new(people::People::new(set)));
    let contacts = fill(database, &CONTACTS, (rows, counts[1]), AT_A_TIME, &mut progress).await?;
    let rows = chunks(of, ROWS_A_CHUNK, |set| Box::new(activities::Activities::new(set, activities(set))));
    let activities = fill(database, &ACTIVITIES, (rows, counts[2]), AT_A_TIME, &mut progress).await?;
    Ok([accounts, contacts, activities].concat())
}

type Rows = Box<dyn Iterator<Item = String> + Send>;

/// The rows of each tenant, so many in a chunk.
fn chunks<'a>(of: &'a [(Uuid, Set)], size: usize, rows: impl Fn(Set) -> Rows + 'a) -> impl Iterator<Item = Chunk> + 'a {
    of.iter().flat_map(move |(tenant, set)| {
        let (tenant, mut rows) = (*tenant, rows(*set));
        std::iter::from_fn(move || {
            let mut count = 0;
            let rows: String = rows.by_ref().take(size).inspect(|_| count += 1).collect();
            (count > 0).then_some(Chunk { tenant, rows, count })
        })
    })
}

/// Defines three attributes of accounts, and gives values to half of those that [`demo`] loads of this size. Answers how many
/// definitions are new.
///
/// # Errors
/// As of [`demo`].
pub async fn attributes(database: &Database, tenant: Uuid, size: SeedSize) -> Result<u64, Error> {
    attributes::load(database, tenant, Set::demo(size)).await
}

// Industries, territories and owners here are their own keys.
static ACCOUNTS: Table = Table {
    schema: "customers",
    names: &["accounts", "search_terms"],
    find: "select id from customers.accounts where tenant_id = $1 and id = $2",
    create: "create temporary table seed on commit drop as \
             select id, name, name_key, domain, industry, country, territory, owner, employees, \
             annual_revenue_minor, annual_revenue_currency, founded_year, parent_id, create_time, update_time, \
             array[]::text[] as terms, tag_ids from customers.accounts with no data",
    // A parent that somebody else's domain kept from being loaded is left out, and so is a tag that their name kept.
    insert: "with created as (insert into customers.accounts (tenant_id, id, name, name_key, domain, industry, industry_key, country, \
             territory, territory_key, owner, owner_key, employees, annual_revenue_minor, annual_revenue_currency, \
             founded_year, parent_id, create_time, update_time, tag_ids) \
             select $1, id, name, name_key, domain, industry, industry, country, territory, territory, owner, owner, \
             employees, annual_revenue_minor, annual_revenue_currency, founded_year, \
             (select parent.id from customers.accounts parent where parent.tenant_id = $1 and parent.id = seed.parent_id), \
             create_time, update_time, case when tag_ids = '{}' then '{}' else array(select tag.id from customers.tags tag \
             where tag.tenant_id = $1 and tag.id = any(seed.tag_ids) order by tag.id) end \
             from seed on conflict do nothing returning id, tag_ids), \
             facets as (insert into customers.facets (tenant_id, resource, facet, value, record_id) \
             select $1, 'accounts', unnest(tag_ids), '', id from created), \
             terms as (insert into customers.search_terms (tenant_id, term, record_id) \
             select $1, unnest(seed.terms), id from created join seed using (id) returning term) \
             select array[(select count(*) from created), (select count(*) from terms)]",
};

static CONTACTS: Table = Table {
    schema: "customers",
    names: &["contacts", "contact_emails", "search_terms"],
    find: "select id from customers.contacts where tenant_id = $1 and id = $2",
    create: "create temporary table seed on commit drop as \
             select id, account_id, given_name, family_name, family_name_key, title, emails, phones, owner, \
             create_time, update_time, array[]::text[] as terms, tag_ids from customers.contacts with no data",
    insert: "with created as (insert into customers.contacts (tenant_id, id, account_id, given_name, family_name, \
             family_name_key, title, emails, phones, owner, owner_key, create_time, update_time, tag_ids) \
             select $1, id, account_id, given_name, family_name, family_name_key, title, emails, phones, owner, owner, \
             create_time, update_time, case when tag_ids = '{}' then '{}' else array(select tag.id from customers.tags tag \
             where tag.tenant_id = $1 and tag.id = any(seed.tag_ids) order by tag.id) end \
             from seed where exists (select from customers.accounts account \
             where account.tenant_id = $1 and account.id = seed.account_id) \
             on conflict do nothing returning id, emails, tag_ids), \
             facets as (insert into customers.facets (tenant_id, resource, facet, value, record_id) \
             select $1, 'contacts', unnest(tag_ids), '', id from created), \
             addresses as (insert into customers.contact_emails (tenant_id, email_key, contact_id) \
             select $1, lower(email), id from created, unnest(emails) email returning email_key), \
             terms as (insert into customers.search_terms (tenant_id, term, record_id) \
             select $1, unnest(seed.terms), id from created join seed using (id) returning term) \
             select array[(select count(*) from created), (select count(*) from addresses), (select count(*) from terms)]",
};

static ACTIVITIES: Table = Table {
    schema: "customers",
    names: &["activities"],
    find: "select id from customers.activities where tenant_id = $1 and id = $2",
    create: "create temporary table seed on commit drop as \
             select id, kind, parent_resource, parent_id, subject, body, owner, due_time, done, done_time, start_time, \
             duration_seconds, creator, create_time, update_time from customers.activities with no data",
    // Each row looks up its own parent, which somebody's domain may have kept from being loaded.
    insert: "with created as (insert into customers.activities (tenant_id, id, kind, parent_resource, parent_id, subject, body, owner, \
             owner_key, due_time, done, done_time, start_time, duration_seconds, creator, create_time, update_time) \
             select $1, id, kind, parent_resource, parent_id, subject, body, owner, owner, due_time, done, done_time, \
             start_time, duration_seconds, creator, create_time, update_time from seed \
             where case parent_resource when 'accounts' then (select true from customers.accounts parent \
             where parent.tenant_id = $1 and parent.id = seed.parent_id) else (select true from customers.contacts parent \
             where parent.tenant_id = $1 and parent.id = seed.parent_id) end on conflict do nothing returning id) \
             select array[(select count(*) from created)]",
};
