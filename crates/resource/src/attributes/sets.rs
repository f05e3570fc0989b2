//! What a process knows of definitions: read with each record that is created or shown, and seldom changed.

use std::sync::Arc;
use std::time::Duration;

use crm_cache::{Cache, Policy, Redis};
use crm_database::{Access, TenantTransaction};
use sqlx::types::Json;
use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};
use uuid::Uuid;

use super::known::{Known, KnownAttribute};
use crate::{Call, Error, Kind, Store, Write, entry};

/// Of one process; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Sets {
    pub(super) cache: Cache<Known>,
    statements: Arc<Statements>,
}

/// The texts of the statements about one service's sets.
#[derive(Debug)]
pub(super) struct Statements {
    /// All definitions that are not deleted, and their state.
    find: SqlStr,
    /// The state, which stays until the transaction ends.
    hold: SqlStr,
    /// Another state. Whoever comes second waits.
    advance: SqlStr,
    /// How many definitions there are, and how many that filter.
    count: SqlStr,
}

impl Statements {
    fn new(schema: &str) -> Self {
        let sql = |text: String| AssertSqlSafe(text).into_sql_str();
        let of_set = "tenant_id = $1 and resource = $2";
        let live = format!("{schema}.attribute_definitions where {of_set} and delete_time is null");
        Self {
            find: sql(format!(
                "select version, (select coalesce(jsonb_agg(jsonb_build_object('key', key, 'type', type, \
                 'display_name', display_name, 'choices', choices, 'required', required, 'max_length', max_length, \
                 'filterable', filterable, 'ready', filling is null)), '[]') from {live}) \
                 from {schema}.attribute_sets where {of_set}"
            )),
            hold: sql(format!("select version from {schema}.attribute_sets where {of_set} for share")),
            advance: sql(format!(
                "insert into {schema}.attribute_sets as sets (tenant_id, resource, version) values ($1, $2, {}) \
                 on conflict (tenant_id, resource) do update set version = sets.version + 1 returning version",
                Known::NONE + 1
            )),
            count: sql(format!("select count(*), count(*) filter (where filterable) from {live}")),
        }
    }
}

/// The statements about sets, to be read.
#[cfg(feature = "testkit")]
pub(crate) fn statements(schema: &str) -> [(&'static str, String); 4] {
    let sql = Statements::new(schema);
    [
        ("find_attributes", sql.find.as_str().to_owned()),
        ("hold_attributes", sql.hold.as_str().to_owned()),
        ("advance_attributes", sql.advance.as_str().to_owned()),
        ("count_attributes", sql.count.as_str().to_owned()),
    ]
}

impl Sets {
    /// Of the service with this schema, whose name needs no quotes.
    pub(crate) fn new(redis: &Redis, first_tier_ttl: Duration, schema: &str) -> Self {
        // A hundred tenants have their definitions in a megabyte. A minute bounds what a seed, which tells no cache, is unseen.
        let policy = Policy { ttl: Duration::from_secs(60), ..entry::policy("attributes", 1 << 20, first_tier_ttl) };
        Self { cache: Cache::new(redis.clone(), policy), statements: Arc::new(Statements::new(schema)) }
    }

    async fn find(&self, transaction: &mut TenantTransaction, tenant: Uuid, resource: &str) -> Result<Known, Error> {
        let query = sqlx::query(self.statements.find.clone()).bind(tenant).bind(resource.to_owned());
        let found: Option<(i64, Json<Vec<KnownAttribute>>)> =
            transaction.fetch_optional("find_attributes", query).await?;
        Ok(found.map_or_else(Known::none, |(version, Json(all))| Known::new(version, all)))
    }

    /// Counts a change of a resource's definitions: caches forget what they knew once it is committed, and whoever writes
    /// values waits until then.
    pub(super) async fn advance(&self, write: &mut Write, resource: &str) -> Result<(), Error> {
        let tenant = write.call.tenant;
        let query = sqlx::query(self.statements.advance.clone()).bind(tenant).bind(resource.to_owned());
        let (version,): (i64,) = write.fetch_one("advance_attributes", query).await?;
        write.touch(&self.cache, key(tenant, resource), u64::try_from(version).unwrap_or_default());
        Ok(())
    }

    /// How many definitions a resource has, and how many that lists are filtered by.
    pub(super) async fn count(&self, write: &mut Write, resource: &str) -> Result<(i64, i64), Error> {
        let query = sqlx::query(self.statements.count.clone()).bind(write.call.tenant).bind(resource.to_owned());
        Ok(write.fetch_one("count_attributes", query).await?)
    }
}

impl Store {
    /// What the tenant has defined for records of a kind: which attributes they have, and what their values are.
    ///
    /// # Errors
    /// The database's, if no cache knows.
    pub async fn attributes(&self, call: &Call, kind: &Kind) -> Result<Arc<Known>, Error> {
        let load = || async {
            let mut transaction = self.begin(call, Access::ReadOnly).await?;
            let known = self.sets.find(&mut transaction, call.tenant, kind.plural).await?;
            transaction.commit().await?;
            Ok::<_, Error>(Some(known))
        };
        known(self.sets.cache.get(&key(call.tenant, kind.plural), load).await?)
    }

    /// The same within a transaction, which needs no second connection for it.
    pub(crate) async fn attributes_within(&self, write: &mut Write, kind: &Kind) -> Result<Arc<Known>, Error> {
        let key = key(write.call.tenant, kind.plural);
        let load = move || async move {
            let tenant = write.call.tenant;
            Ok::<_, Error>(Some(self.sets.find(write, tenant, kind.plural).await?))
        };
        known(self.sets.cache.get(&key, load).await?)
    }

    /// The same as it is now, which nobody changes before the transaction ends.
    ///
    /// # Errors
    /// The database's.
    pub async fn hold_attributes(&self, write: &mut Write, kind: &Kind) -> Result<Arc<Known>, Error> {
        if let Some((_, held)) = write.held.iter().find(|(plural, _)| *plural == kind.plural) {
            return Ok(Arc::clone(held));
        }
        let tenant = write.call.tenant;
        let query = sqlx::query(self.sets.statements.hold.clone()).bind(tenant).bind(kind.plural);
        let held: Option<(i64,)> = write.fetch_optional("hold_attributes", query).await?;
        let held = held.map_or(Known::NONE, |(version,)| version);
        let mut known = self.attributes_within(write, kind).await?;
        if known.version != held {
            // What another replica has changed a moment ago.
            self.sets.cache.invalidate(&key(tenant, kind.plural), u64::try_from(held).unwrap_or_default()).await;
            known = Arc::new(self.sets.find(write, tenant, kind.plural).await?);
        }
        write.held.push((kind.plural, Arc::clone(&known)));
        Ok(known)
    }
}

fn known(found: Option<Arc<Known>>) -> Result<Arc<Known>, Error> {
    found.ok_or(Error::Inconsistent("a resource has no set of attributes, not even an empty one"))
}

/// The tenant first, as everywhere.
fn key(tenant: Uuid, resource: &str) -> String {
    format!("{}:{resource}", tenant.simple())
}
