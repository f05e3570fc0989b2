//! `crm token`: a token for the public API, signed with the platform's key.

use std::time::Duration;

use anyhow::Context;
use crm_server::token::{Role, Signer, TokenRequest};

use crate::failure::Failure;
use crate::places::Places;
use crate::{cli, keys};

/// Prints the token alone, so that `$(crm token)` is one.
pub(crate) fn print(places: &Places, request: &cli::TokenRequest) -> Result<(), Failure> {
    let role: Role = request.role.parse().map_err(|error| Failure::Usage(format!("--role: {error}")))?;
    println!("{}", sign(places, &request.tenant, &request.user, role, request.ttl)?);
    Ok(())
}

pub(crate) fn sign(places: &Places, tenant: &str, user: &str, role: Role, ttl: Duration) -> Result<String, Failure> {
    let path = keys::private_key(places);
    let pem = std::fs::read_to_string(&path).map_err(|error| {
        Failure::Missing(format!(
            "no signing key at {}: {error}; `crm up` writes one, or name its folder with --dir",
            path.display()
        ))
    })?;
    let signer = Signer::from_pem(&pem).with_context(|| format!("cannot use the key at {}", path.display()))?;
    let request = TokenRequest { tenant: tenant.to_owned(), subject: user.to_owned(), role, ttl };
    signer.sign(&request).map_err(|error| Failure::Usage(error.to_string()))
}
