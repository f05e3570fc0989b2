//! Where a follower stands, in its own schema.

use crm_database::{Access, TenantTransaction};
use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};
use uuid::Uuid;

use crate::{Call, Error, Store};

/// Stands for all tenants: of which of them the follower has been told.
const ALL: Uuid = Uuid::nil();

/// The cursors of one follower.
#[derive(Debug)]
pub(super) struct Cursors {
    follower: &'static str,
    find: SqlStr,
    begin: SqlStr,
    advance: SqlStr,
    keep: SqlStr,
}

impl Cursors {
    /// In the schema of this name, which needs no quotes.
    pub(super) fn new(schema: &str, follower: &'static str) -> Self {
        let table = format!("{schema}.follower_cursors");
        let sql = |text: String| AssertSqlSafe(text).into_sql_str();
        let place = "tenant_id = $1 and follower = $2";
        Self {
            follower,
            find: sql(format!("select cursor from {table} where {place}")),
            begin: sql(format!(
                "insert into {table} (tenant_id, follower, cursor) values ($1, $2, $3) on conflict do nothing"
            )),
            // Who comes second does not wait for the first: there would be nothing left to do.
            advance: sql(format!(
                "update {table} as kept set cursor = $3, move_time = now() from (select tenant_id, follower from {table} \
                 where {place} and cursor = $4 for update skip locked) as held \
                 where (kept.tenant_id, kept.follower) = (held.tenant_id, held.follower)"
            )),
            keep: sql(format!(
                "insert into {table} (tenant_id, follower, cursor) values ($1, $2, $3) on conflict (tenant_id, follower) \
                 do update set cursor = excluded.cursor, move_time = now()"
            )),
        }
    }

    /// Where the follower stands with the tenant of the call.
    pub(super) async fn find(&self, store: &Store, call: &Call) -> Result<Option<String>, Error> {
        let mut transaction = store.begin(call, Access::ReadOnly).await?;
        self.find_in(&mut transaction, call.tenant).await
    }

    /// Moves on from where the follower stood, until the transaction ends for nobody else. Answers whether it stood there,
    /// and nobody else is moving it.
    pub(super) async fn advance(
        &self,
        transaction: &mut TenantTransaction,
        tenant: Uuid,
        from: Option<&str>,
        to: &str,
    ) -> Result<bool, Error> {
        let (name, statement) = match from {
            Some(_) => ("advance_follower", &self.advance),
            None => ("begin_follower", &self.begin),
        };
        let mut query = sqlx::query(statement.clone()).bind(tenant).bind(self.follower).bind(to.to_owned());
        if let Some(from) = from {
            query = query.bind(from.to_owned());
        }
        Ok(transaction.execute(name, query).await? == 1)
    }

    /// Of which tenants the follower has been told, and has followed them.
    pub(super) async fn horizon(&self, store: &Store) -> Result<String, Error> {
        let mut transaction = store.database.begin_with(ALL, None, Access::ReadOnly).await?;
        Ok(self.find_in(&mut transaction, ALL).await?.unwrap_or_default())
    }

    /// Whoever comes last may come from further behind: a later start then asks for more than it has to, and misses nothing.
    pub(super) async fn keep_horizon(&self, store: &Store, horizon: &str) -> Result<(), Error> {
        let mut transaction = store.database.begin(ALL, None).await?;
        let query = sqlx::query(self.keep.clone()).bind(ALL).bind(self.follower).bind(horizon.to_owned());
        transaction.execute("keep_horizon", query).await?;
        Ok(transaction.commit().await?)
    }

    async fn find_in(&self, transaction: &mut TenantTransaction, tenant: Uuid) -> Result<Option<String>, Error> {
        let query = sqlx::query(self.find.clone()).bind(tenant).bind(self.follower);
        let found: Option<(String,)> = transaction.fetch_optional("find_cursor", query).await?;
        Ok(found.map(|(cursor,)| cursor))
    }
}
