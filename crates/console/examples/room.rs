//! The live room alone: `CRM_CONTROL_URLS=127.0.0.1:8081 cargo run -p crm-console --example room`.

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    Ok(crm_console::run(crm_telemetry::start("console")?).await?)
}
