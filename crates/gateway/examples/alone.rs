//! A gateway without the rest of the platform: `CRM_LISTEN`, `CRM_ROUTES` and the others of the README say how.

use std::process::ExitCode;

fn main() -> ExitCode {
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn serve() -> Result<(), Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(crm_gateway::worker_threads()?)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let telemetry = crm_telemetry::start("gateway")?;
        Ok(crm_gateway::run(telemetry).await?)
    })
}
