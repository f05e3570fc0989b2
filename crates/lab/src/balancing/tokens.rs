//! Tokens for the callers.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crm_server::token::{Role, Signer, TokenRequest};

use super::error::LabError;

/// Tenants that call, each with a token of its own: a gateway that sends a tenant to one replica has something to choose.
const TENANTS: usize = 200;
const TOKEN_LIFETIME: Duration = Duration::from_secs(3 * 3600);

/// The callers' tokens, and where the gateway finds the key to check them.
pub(super) struct Tokens {
    file: PathBuf,
    tokens: Vec<String>,
}

impl Tokens {
    pub(super) fn make(folder: &Path) -> Result<Self, LabError> {
        let failed = |error: &dyn std::fmt::Display| LabError::Start(format!("cannot make tokens: {error}"));
        let (private, public) = Signer::generate_pem().map_err(|error| failed(&error))?;
        let signer = Signer::from_pem(&private).map_err(|error| failed(&error))?;
        let file = folder.join("token-public.pem");
        std::fs::write(&file, public).map_err(|error| failed(&error))?;
        let token = |n: usize| {
            let (tenant, subject) = (format!("tenant-{n}"), "lab".to_owned());
            signer.sign(&TokenRequest { tenant, subject, role: Role::Agent, ttl: TOKEN_LIFETIME })
        };
        let tokens = (0..TENANTS).map(token).collect::<Result<_, _>>().map_err(|error| failed(&error))?;
        Ok(Self { file, tokens })
    }

    pub(super) fn public_key(&self) -> &Path {
        &self.file
    }

    pub(super) fn all(&self) -> &[String] {
        &self.tokens
    }
}
