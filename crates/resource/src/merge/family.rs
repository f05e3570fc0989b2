//! Ids under which what belongs to a record stands: its own, and while it is being moved those of what was merged into it.

use crm_database::TenantTransaction;
use uuid::Uuid;

use crate::kind::Kind;
use crate::select::Selection;
use crate::{Error, Store};

impl Store {
    /// Lets conditions on parents mean all ids under which what is asked for may stand. To be read in the moment of the list
    /// itself.
    pub(crate) async fn widen(
        &self,
        transaction: &mut TenantTransaction,
        kind: &Kind,
        tenant: Uuid,
        selection: &mut Selection,
    ) -> Result<(), Error> {
        for id in selection.parents(kind) {
            let ids = self.family(transaction, tenant, id).await?;
            if ids != [id] {
                selection.families.push((id, ids));
            }
        }
        Ok(())
    }

    /// The id of the record that stands for this one, and those of what was merged into it and may have something left.
    pub(crate) async fn family(
        &self,
        transaction: &mut TenantTransaction,
        tenant: Uuid,
        id: Uuid,
    ) -> Result<Vec<Uuid>, Error> {
        let query = sqlx::query(self.merges.family.clone()).bind(tenant).bind(id);
        let (winner, unmoved): (Uuid, Option<Vec<Uuid>>) = transaction.fetch_one("find_family", query).await?;
        Ok(std::iter::once(winner).chain(unmoved.unwrap_or_default()).collect())
    }
}

impl Store {
    /// Forgets what old merges would need to be undone, of all tenants. Answers of how many rows.
    ///
    /// # Errors
    /// The database's; what was forgotten until then stays so.
    pub async fn sweep_merges(&self) -> Result<u64, crm_database::Error> {
        const AT_ONCE: i32 = 2_000;
        let mut all = 0;
        loop {
            let mut transaction = self.database.begin(Uuid::nil(), None).await?;
            let query = sqlx::query(self.merges.sweep.clone()).bind(AT_ONCE);
            let (swept,): (i64,) = transaction.fetch_one("sweep_merges", query).await?;
            transaction.commit().await?;
            all += u64::try_from(swept).unwrap_or_default();
            if swept == 0 {
                return Ok(all);
            }
        }
    }
}
