//! Ed25519 keys in PEM, in the shortest form that other tools read too (RFC 8410).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{Ed25519KeyPair, KeyPair};

use super::KeyError;

/// PKCS#8 version 1 up to the 32 bytes of the seed. ring writes version 2, which other tools do not all read.
const PRIVATE_PREFIX: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];
/// SubjectPublicKeyInfo up to the 32 bytes of the key.
const PUBLIC_PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// A new key pair as PEM: private, public.
pub(super) fn generate() -> Result<(String, String), KeyError> {
    let mut seed = [0; 32];
    SystemRandom::new().fill(&mut seed).map_err(|_| KeyError::Random)?;
    let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_| KeyError::Malformed)?;
    Ok((pem("PRIVATE KEY", &[&PRIVATE_PREFIX[..], &seed]), public_pem(pair.public_key().as_ref())))
}

/// The public half of a private key in PKCS#8.
pub(super) fn public_of(pkcs8: &[u8]) -> Result<Vec<u8>, KeyError> {
    let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(pkcs8).map_err(|_| KeyError::Malformed)?;
    Ok(pair.public_key().as_ref().to_vec())
}

/// A public key as PEM.
pub(super) fn public_pem(public: &[u8]) -> String {
    pem("PUBLIC KEY", &[&PUBLIC_PREFIX[..], public])
}

/// The PEM blocks of a file that may hold several keys.
pub(super) fn blocks(text: &str) -> impl Iterator<Item = &str> {
    const END: &str = "-----END PUBLIC KEY-----";
    text.split_inclusive(END).filter(|block| block.contains(END))
}

/// Refuses a file that holds anything but public keys of Ed25519.
pub(super) fn check_public(text: &str) -> Result<(), KeyError> {
    if text.contains("PRIVATE KEY-----") {
        return Err(KeyError::Private);
    }
    let found = blocks(text).count();
    let is_alone = found == 0 || text.matches("-----BEGIN ").count() == found;
    if is_alone && blocks(text).all(is_public) { Ok(()) } else { Err(KeyError::Malformed) }
}

fn is_public(block: &str) -> bool {
    let key = block.split("-----").nth(2).unwrap_or_default();
    let key: String = key.split_whitespace().collect();
    STANDARD.decode(key).is_ok_and(|key| key.len() == PUBLIC_PREFIX.len() + 32 && key.starts_with(&PUBLIC_PREFIX))
}

fn pem(kind: &str, parts: &[&[u8]]) -> String {
    // Both kinds of keys fit into one line of base64.
    format!("-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n", STANDARD.encode(parts.concat()))
}
