//! `crm policy`: switches the balancing policy of a service, through the control API.

use crate::failure::Failure;
use crate::places::Places;
use crate::status;

pub(crate) async fn set(places: &Places, service: &str, policy: &str) -> Result<(), Failure> {
    let control = status::control(places).await?;
    let path = format!("/upstreams/{service}/policy");
    let answer =
        crate::http::send(&control, ::http::Method::PUT, &path, serde_json::json!({ "policy": policy })).await?;
    if answer.status.is_success() {
        println!("{service}: {policy}");
        return Ok(());
    }
    Err(Failure::Usage(answer.message()))
}
