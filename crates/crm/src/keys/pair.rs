//! The pair of keys for tokens: the private one signs, the public one verifies and can be derived from it.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::Context;
use crm_server::token::{KeyError, Signer, Verifier};

use super::{secret, tell};
use crate::failure::Failure;

/// Makes the pair, or what can be derived of it; a pair that cannot work is told.
pub(super) fn complete(private: &Path, public: &Path) -> Result<(), Failure> {
    // The public one is looked for first and made last, so that a pair in the making never looks like half of one.
    let verifies = secret::read(public)?;
    let signs = secret::read(private)?;
    if verifies.is_some() && signs.is_none() {
        return Err(lost_private_key(private, public));
    }
    if signs.is_none() {
        let (pem, _) = Signer::generate_pem().context("cannot make a key")?;
        secret::put(private, &pem, 0o400)?;
    }
    let signer = signer(private)?;
    if verifies.is_none() {
        if signs.is_some() {
            tell(&format!("{} was missing and is derived from {}", public.display(), private.display()));
        }
        secret::put(public, &signer.public_pem(), 0o444)?;
    }
    check(&signer, private, public)
}

/// From what is there, which somebody else may have put there in the meantime.
fn signer(private: &Path) -> Result<Signer, Failure> {
    let pem = secret::read(private)?.unwrap_or_default();
    warn_if_others_read(private);
    Signer::from_pem(&pem).map_err(|error| useless(private, error))
}

/// A public file may hold more keys than this one: while keys are rotated both are accepted.
fn check(signer: &Signer, private: &Path, public: &Path) -> Result<(), Failure> {
    let pem = secret::read(public)?.unwrap_or_default();
    let verifier = Verifier::from_pem(&pem).map_err(|error| useless(public, error))?;
    if verifier.knows(signer) {
        return Ok(());
    }
    let (private, public) = (private.display(), public.display());
    Err(Failure::Check(format!(
        "{public} does not hold the public half of {private}, so that every new token would be refused. Both are left as they \
         are: put the right one back, or move {public} away and run this again, which derives it anew"
    )))
}

fn lost_private_key(private: &Path, public: &Path) -> Failure {
    let (private, public) = (private.display(), public.display());
    Failure::Missing(format!(
        "{private}, which signs tokens, is missing while {public} is there, from which it cannot be derived: put it back; or \
         move {public} away as well and run this again, which makes a new pair and ends all tokens that are out"
    ))
}

fn useless(path: &Path, error: KeyError) -> Failure {
    secret::useless(path, format_args!("holds no key: {error}"))
}

fn warn_if_others_read(private: &Path) {
    const OTHERS: u32 = 0o077;
    if std::fs::metadata(private).is_ok_and(|file| file.permissions().mode() & OTHERS != 0) {
        let path = private.display();
        tell(&format!("others may read {path}, and sign tokens with it: `chmod 400 {path}`"));
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use crm_sandbox::TemporaryFolder;

    use super::*;

    struct Pair {
        _folder: TemporaryFolder,
        private: PathBuf,
        public: PathBuf,
    }

    impl Pair {
        fn new() -> Self {
            let folder = TemporaryFolder::new("crm-pair").unwrap();
            let (private, public) = (folder.path().join("private.pem"), folder.path().join("public.pem"));
            complete(&private, &public).unwrap();
            Self { _folder: folder, private, public }
        }

        fn read(&self) -> [Option<String>; 2] {
            [&self.private, &self.public].map(|path| fs::read_to_string(path).ok())
        }

        /// Told, with nothing changed.
        fn told(&self) -> Failure {
            let before = self.read();
            let failure = complete(&self.private, &self.public).unwrap_err();
            assert_eq!(self.read(), before, "{failure}");
            failure
        }
    }

    #[test]
    fn a_lost_public_key_is_derived_and_the_private_one_stays() {
        let pair = Pair::new();
        let before = pair.read();
        fs::remove_file(&pair.public).unwrap();
        complete(&pair.private, &pair.public).unwrap();
        assert_eq!(pair.read(), before);
    }

    #[test]
    fn a_lost_private_key_is_told() {
        let pair = Pair::new();
        fs::remove_file(&pair.private).unwrap();
        let told = pair.told();
        assert!(
            matches!(&told, Failure::Missing(text) if text.contains("private.pem") && text.contains("move")),
            "{told}"
        );
    }

    #[test]
    fn what_cannot_be_a_key_is_told() {
        let wrong = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n";
        for text in ["", "garbage", wrong] {
            for at in 0..2 {
                let pair = Pair::new();
                let path = [&pair.private, &pair.public][at];
                fs::remove_file(path).unwrap();
                fs::write(path, text).unwrap();
                let told = pair.told();
                assert!(matches!(&told, Failure::Check(said) if said.contains(&*path.to_string_lossy())), "{told}");
            }
        }
    }

    #[test]
    fn two_halves_of_different_pairs_are_told_unless_the_right_one_is_among_several() {
        let (pair, other) = (Pair::new(), Pair::new());
        let [_, right] = pair.read().map(Option::unwrap);
        let [_, wrong] = other.read().map(Option::unwrap);
        fs::remove_file(&pair.public).unwrap();
        fs::write(&pair.public, &wrong).unwrap();
        let told = pair.told();
        assert!(matches!(&told, Failure::Check(text) if text.contains("does not hold")), "{told}");
        fs::write(&pair.public, format!("{wrong}{right}")).unwrap();
        complete(&pair.private, &pair.public).unwrap();
    }
}
