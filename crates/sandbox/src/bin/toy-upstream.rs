//! The toy upstream as a process; started by [`crm_sandbox::toy::ToyProcess`], of no use by itself.

#[tokio::main]
async fn main() -> std::io::Result<()> {
    crm_sandbox::toy::serve_from_environment().await
}
