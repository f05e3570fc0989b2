//! What Postgres itself keeps apart, whatever the service's statements say.

use crm_resource::testkit::{check_walls, database};
use crm_sales::SERVICE;

#[tokio::test]
async fn the_role_owns_nothing_and_bypasses_nothing() {
    check_walls(&SERVICE, &database(&SERVICE).await).await;
}
