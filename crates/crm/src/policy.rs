//! `crm policy`: switches the balancing policy of a service, through the control API.

use ::http::Method;
use serde_json::json;

use crate::failure::Failure;
use crate::http::send;
use crate::places::Places;
use crate::status;

/// Each gateway chooses by itself, so every one is told, even if another does not answer.
pub(crate) async fn set(places: &Places, service: &str, policy: &str) -> Result<(), Failure> {
    let mut told = Ok(());
    for control in status::controls(places).await? {
        told = told.and(tell(&control, service, policy).await);
    }
    told?;
    println!("{service}: {policy}");
    Ok(())
}

async fn tell(control: &str, service: &str, policy: &str) -> Result<(), Failure> {
    let path = format!("/upstreams/{service}/policy");
    let answer = send(control, Method::PUT, &path, json!({ "policy": policy })).await?;
    if answer.status.is_success() { Ok(()) } else { Err(Failure::Usage(answer.message())) }
}
