//! Whole tables, a batch at a time.
//!
//! A cursor keeps one plan and one sort for the whole export, and nothing but the batch in this process. (A plain
//! streamed query would leave the rest of its rows to be read and thrown away when the client goes.)

use crm_database::TenantTransaction;
use sqlx::postgres::PgRow;
use sqlx::{FromRow, Postgres, QueryBuilder};
use uuid::Uuid;

use super::accounts::AccountRow;
use super::contacts::ContactRow;
use super::listing::{Selection, select_accounts, select_contacts};
use crate::domain::{Account, Contact};
use crate::error::Error;

const DECLARE: &str = "declare export no scroll cursor for ";

/// 500 rows are some 100 kB, read in about a millisecond.
pub(super) const FETCH: &str = "fetch forward 500 from export";

/// A kind of row that can be exported.
pub trait Exported: Send + Sync + Sized + 'static {
    /// The row as Postgres answers it.
    type Row: for<'r> FromRow<'r, PgRow> + Send;

    /// The statement that opens the cursor, without its order.
    fn declare(tenant: Uuid, selection: &Selection) -> QueryBuilder<Postgres>;

    /// The value of a row.
    ///
    /// # Errors
    /// The row holds what this release does not understand.
    fn of_row(row: Self::Row) -> Result<Self, Error>;
}

impl Exported for Account {
    type Row = AccountRow;

    fn declare(tenant: Uuid, selection: &Selection) -> QueryBuilder<Postgres> {
        select_accounts(DECLARE, tenant, selection)
    }

    fn of_row(row: AccountRow) -> Result<Self, Error> {
        row.try_into()
    }
}

impl Exported for Contact {
    type Row = ContactRow;

    fn declare(tenant: Uuid, selection: &Selection) -> QueryBuilder<Postgres> {
        select_contacts(DECLARE, tenant, selection)
    }

    fn of_row(row: ContactRow) -> Result<Self, Error> {
        Ok(row.into())
    }
}

/// Opens the transaction's one cursor, over the selected rows in the order of their ids.
///
/// # Errors
/// The database's.
pub async fn open<T: Exported>(
    transaction: &mut TenantTransaction,
    tenant: Uuid,
    selection: &Selection,
) -> Result<(), Error> {
    let mut query = T::declare(tenant, selection);
    query.push(" order by id");
    transaction.execute("open_export", query.build().persistent(false)).await?;
    Ok(())
}

/// The next rows of the open cursor, which must be one over `T`; none at the end.
///
/// # Errors
/// The database's.
pub async fn next<T: Exported>(transaction: &mut TenantTransaction) -> Result<Vec<T>, Error> {
    // Not kept as a prepared statement: the columns of its answer are those of whichever cursor is open.
    let rows = transaction.fetch_all::<T::Row>("fetch_export", sqlx::query(FETCH).persistent(false)).await?;
    rows.into_iter().map(T::of_row).collect()
}
