//! The viewer as a program of its own, configured by the environment.

use crm_trace_viewer::{RunError, run};

#[tokio::main]
async fn main() -> Result<(), RunError> {
    run().await
}
