//! The keys of tokens, from the files that the environment names: which the process believes, and its own.

use std::io;
use std::path::{Path, PathBuf};

use crm_server::config::Env;
use crm_server::token::{KeyError, ServiceSigner, Verifier};

use crate::Config;

pub(crate) const PUBLIC_KEY_FILE: &str = "CRM_TOKEN_PUBLIC_KEY_FILE";
pub(crate) const SERVICE_PUBLIC_KEY_FILE: &str = "CRM_SERVICE_TOKEN_PUBLIC_KEY_FILE";
pub(crate) const SERVICE_PRIVATE_KEY_FILE: &str = "CRM_SERVICE_TOKEN_PRIVATE_KEY_FILE";

/// Keys that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// A file cannot be read.
    #[error("the file that {0} names cannot be read: {1}")]
    File(&'static str, io::Error),
    /// What is in it is of no use.
    #[error("the file that {0} names: {1}")]
    Key(&'static str, KeyError),
}

impl Config {
    /// What tokens of callers are checked with: those of users, and those of services where their keys are named.
    ///
    /// # Errors
    /// A file cannot be read, holds no key, or one that is in the other, too.
    pub async fn verifier(&self) -> Result<Verifier, KeysError> {
        let users = read(PUBLIC_KEY_FILE, &self.token_public_key_file).await?;
        let verifier = Verifier::from_pem(&users).map_err(|error| KeysError::Key(PUBLIC_KEY_FILE, error))?;
        let Some(file) = &self.service_public_key_file else { return Ok(verifier) };
        let services = read(SERVICE_PUBLIC_KEY_FILE, file).await?;
        verifier.and_services(&services).map_err(|error| KeysError::Key(SERVICE_PUBLIC_KEY_FILE, error))
    }

    /// What signs the tokens of the service of this name, if it is to work without a caller.
    ///
    /// # Errors
    /// The file cannot be read, or holds no key.
    pub async fn service_signer(&self, name: &str) -> Result<Option<ServiceSigner>, KeysError> {
        let Some(file) = &self.service_private_key_file else { return Ok(None) };
        let pem = read(SERVICE_PRIVATE_KEY_FILE, file).await?;
        let signer = ServiceSigner::from_pem(&pem, name);
        signer.map(Some).map_err(|error| KeysError::Key(SERVICE_PRIVATE_KEY_FILE, error))
    }
}

/// Looks into the files at the start: a key of no use, the service's own among them, is told with everything else that is
/// wrong, and not when it is needed.
pub(crate) fn check(env: &mut Env, service: &str) {
    type Check<'a> = &'a dyn Fn(&str) -> Result<(), KeyError>;
    let public: Check<'_> = &|pem| Verifier::from_pem(pem).map(drop);
    let private: Check<'_> = &|pem| ServiceSigner::from_pem(pem, service).map(drop);
    for (setting, check) in
        [(PUBLIC_KEY_FILE, public), (SERVICE_PUBLIC_KEY_FILE, public), (SERVICE_PRIVATE_KEY_FILE, private)]
    {
        let Some(file) = env.optional::<PathBuf>(setting) else { continue };
        let read = std::fs::read_to_string(file).map_err(|error| format!("cannot be read: {}", error.kind()));
        if let Err(rule) = read.and_then(|pem| check(&pem).map_err(|error| error.to_string())) {
            env.fault(setting, format!("names a file of no use: {rule}"));
        }
    }
}

async fn read(setting: &'static str, file: &Path) -> Result<String, KeysError> {
    tokio::fs::read_to_string(file).await.map_err(|error| KeysError::File(setting, error))
}

#[cfg(test)]
mod tests {
    use crm_server::token::Signer;
    use uuid::Uuid;

    use super::*;

    /// With these files, of which an empty name is none.
    fn config(users: &Path, services: &str, own: &str) -> Config {
        let users = users.to_str().unwrap();
        let pairs = [
            ("CRM_LISTEN", "127.0.0.1:0"),
            ("CRM_ADMIN_LISTEN", "127.0.0.1:0"),
            ("CRM_A_URL", "postgres://a@db/crm"),
            ("CRM_REDIS_URL", "redis://cache/0"),
            (PUBLIC_KEY_FILE, users),
            (SERVICE_PUBLIC_KEY_FILE, services),
            (SERVICE_PRIVATE_KEY_FILE, own),
        ];
        Config::from_env(Env::from_pairs(pairs), Some(("CRM_A_URL", "CRM_A_FILE")), &[]).unwrap()
    }

    #[tokio::test]
    async fn a_service_believes_others_where_their_key_is_named_and_signs_where_it_has_one() {
        let folder = std::env::temp_dir().join(format!("crm-keys-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let put = |name: &str, text: &str| {
            std::fs::write(folder.join(name), text).unwrap();
            folder.join(name)
        };
        let (users, services) = (Signer::generate_pem().unwrap(), Signer::generate_pem().unwrap());
        let known = put("users", &users.1);
        let (public, private) = (put("public", &services.1), put("private", &services.0));
        let (public, private) = (public.to_str().unwrap(), private.to_str().unwrap());

        let with = config(&known, public, private);
        let signer = with.service_signer("sales").await.unwrap().unwrap();
        let bearer = signer.authorization(Uuid::from_u128(7)).unwrap();
        let bearer = bearer.to_str().unwrap().trim_start_matches("Bearer ");
        assert_eq!(with.verifier().await.unwrap().verify(bearer).unwrap().subject, "service:sales");

        let without = config(&known, "", "");
        assert!(without.verifier().await.unwrap().verify(bearer).is_err());
        assert!(without.service_signer("sales").await.unwrap().is_none());

        let told = |error: KeysError| error.to_string();
        let shared = config(&known, known.to_str().unwrap(), public);
        assert!(told(shared.verifier().await.unwrap_err()).contains("must not sign services"));
        assert!(told(shared.service_signer("sales").await.unwrap_err()).contains(SERVICE_PRIVATE_KEY_FILE));
        let looked_at = |own: &str| {
            let mut env =
                Env::from_pairs([(PUBLIC_KEY_FILE, known.to_str().unwrap()), (SERVICE_PRIVATE_KEY_FILE, own)]);
            check(&mut env, "sales");
            env.finish().map_err(|error| error.to_string())
        };
        assert_eq!(looked_at(private), Ok(()));
        for wrong in [public, "/nowhere"] {
            assert!(looked_at(wrong).unwrap_err().starts_with(SERVICE_PRIVATE_KEY_FILE), "{wrong}");
        }
        let mut env = Env::from_pairs([(PUBLIC_KEY_FILE, private), (SERVICE_PUBLIC_KEY_FILE, "/nowhere")]);
        check(&mut env, "sales");
        assert_eq!(env.finish().unwrap_err().faults().len(), 2, "all at once");
        let lost = config(&known, "/nowhere", "");
        assert!(told(lost.verifier().await.unwrap_err()).contains(SERVICE_PUBLIC_KEY_FILE));
        std::fs::remove_dir_all(folder).unwrap();
    }
}
