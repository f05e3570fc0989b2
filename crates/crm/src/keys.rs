//! `crm keys`: what must be secret and the same after a restart, written once.
//!
//! `crm up` needs the pairs of keys for tokens only, as its private Postgres takes no passwords.
//! In containers the variables below place each file on a volume that only its readers see.
//!
//! What is there is never touched. What is missing is derived where it can be, made where nothing else depends on it,
//! and else told: a new key or password in the place of a lost one would fit nothing that knows the old one.

mod pair;
mod secret;

use std::env;
use std::path::{Path, PathBuf};

use uuid::Uuid;

use crate::failure::Failure;
use crate::places::Places;
use crate::services;

/// Where the signing key is, if not in the platform's folder.
const PRIVATE_KEY_FILE: &str = "CRM_TOKEN_PRIVATE_KEY_FILE";
/// Where the public key goes, if not into the platform's folder.
const PUBLIC_KEY_FILE: &str = "CRM_TOKEN_PUBLIC_KEY_FILE";
/// The same for the tokens of services.
pub(crate) const SERVICE_PRIVATE_KEY_FILE: &str = "CRM_SERVICE_TOKEN_PRIVATE_KEY_FILE";
pub(crate) const SERVICE_PUBLIC_KEY_FILE: &str = "CRM_SERVICE_TOKEN_PUBLIC_KEY_FILE";
/// Gets the password of the database's owner, if the variable is set.
const OWNER_PASSWORD_FILE: &str = "CRM_DATABASE_PASSWORD_FILE";

/// Writes what is missing, and touches nothing that is there.
pub(crate) fn write_missing(places: &Places) -> Result<(), Failure> {
    let owner = env::var_os(OWNER_PASSWORD_FILE).map(PathBuf::from);
    // Each service's role gets one where its variable is set.
    let roles: Vec<PathBuf> = services::storages()
        .filter_map(|(_, store)| env::var_os(store.password_file_setting))
        .map(PathBuf::from)
        .collect();
    let pairs = [(private_key(places), public_key(places)), (service_private_key(places), service_public_key(places))];
    write(&pairs, owner.as_deref(), &roles)
}

/// Where the key is that signs tokens.
pub(crate) fn private_key(places: &Places) -> PathBuf {
    env::var_os(PRIVATE_KEY_FILE).map_or_else(|| places.private_key(), PathBuf::from)
}

/// Where the key is that they are verified with.
pub(crate) fn public_key(places: &Places) -> PathBuf {
    env::var_os(PUBLIC_KEY_FILE).map_or_else(|| places.public_key(), PathBuf::from)
}

/// Where the key is that signs the tokens of services.
pub(crate) fn service_private_key(places: &Places) -> PathBuf {
    env::var_os(SERVICE_PRIVATE_KEY_FILE).map_or_else(|| places.service_private_key(), PathBuf::from)
}

/// Where the key is that those are verified with.
pub(crate) fn service_public_key(places: &Places) -> PathBuf {
    env::var_os(SERVICE_PUBLIC_KEY_FILE).map_or_else(|| places.service_public_key(), PathBuf::from)
}

/// The password in the file, which is made if it is not there.
pub(crate) fn password(path: &Path) -> Result<String, Failure> {
    if secret::read(path)?.is_none() {
        // Postgres reads its own before it has given up being root, so no more than its owner need see it.
        secret::put(path, &random(), 0o400)?;
    }
    let text = secret::read(path)?.unwrap_or_default();
    Ok(text.trim().to_owned())
}

/// Everything in this order, as the owner's password is what a run that was cut off must not leave out: it alone cannot be
/// made later.
///
/// The pairs are those of users' tokens and of services', where a release before this one knew the first alone.
fn write(pairs: &[(PathBuf, PathBuf); 2], owner: Option<&Path>, roles: &[PathBuf]) -> Result<(), Failure> {
    let [(private, public), _] = pairs;
    let began_before = secret::read(private)?.is_some() || secret::read(public)?.is_some();
    if let Some(path) = owner {
        if began_before && secret::read(path)?.is_none() {
            return Err(lost_owner_password(path));
        }
        password(path)?;
    }
    for (private, public) in pairs {
        pair::complete(private, public)?;
    }
    for path in roles {
        if began_before && secret::read(path)?.is_none() {
            tell(&format!("{} was missing and has a new password: the next `crm migrate` sets it", path.display()));
        }
        password(path)?;
    }
    Ok(())
}

fn lost_owner_password(path: &Path) -> Failure {
    let path = path.display();
    Failure::Missing(format!(
        "{path}, the password of the database's owner, is missing while other secrets are there, and a new one would not be \
         the one that the database knows: put it back, or write one there that you have given to the owner (`alter role`)"
    ))
}

/// 244 random bits.
fn random() -> String {
    format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())
}

/// One line for whoever started the program.
fn tell(text: &str) {
    eprintln!("crm: {text}");
}

#[cfg(test)]
mod tests {
    use crm_sandbox::TemporaryFolder;

    use super::*;

    struct Files {
        _folder: TemporaryFolder,
        all: [PathBuf; 6],
    }

    impl Files {
        fn new() -> Self {
            let folder = TemporaryFolder::new("crm-keys").unwrap();
            let [owner, role] = ["owner/password", "customers/password"];
            let all = ["signing/private", "public/public", owner, role, "services/private", "services/public"]
                .map(|name| folder.path().join(name));
            Self { _folder: folder, all }
        }

        fn write(&self) -> Result<(), Failure> {
            let [private, public, owner, role, service_private, service_public] = self.all.clone();
            write(&[(private, public), (service_private, service_public)], Some(&owner), &[role])
        }

        fn read(&self) -> [Option<String>; 6] {
            self.all.each_ref().map(|path| std::fs::read_to_string(path).ok())
        }
    }

    #[test]
    fn a_second_run_changes_nothing() {
        let files = Files::new();
        files.write().unwrap();
        let first = files.read();
        assert!(first.iter().all(Option::is_some), "{first:?}");
        assert_ne!(first[2], first[3]);
        files.write().unwrap();
        assert_eq!(files.read(), first);
    }

    #[test]
    fn the_service_s_password_is_made_again_and_the_owner_s_is_told() {
        let files = Files::new();
        files.write().unwrap();
        let first = files.read();
        std::fs::remove_file(&files.all[3]).unwrap();
        files.write().unwrap();
        let second = files.read();
        assert_eq!((&second[..3], &second[4..]), (&first[..3], &first[4..]));
        assert!(second[3].as_ref().is_some_and(|password| password.len() == 64 && second[3] != first[3]));

        std::fs::remove_file(&files.all[2]).unwrap();
        let told = files.write().unwrap_err();
        assert!(matches!(&told, Failure::Missing(text) if text.contains("owner/password")), "{told}");
        assert_eq!((files.read()[2].as_ref(), &files.read()[3]), (None, &second[3]));
    }

    /// The owner's password comes first, so that what was cut off right after it is no loss.
    #[test]
    fn a_run_that_was_cut_off_is_taken_up_at_every_point() {
        for written in [&[2][..], &[2, 0], &[2, 0, 1], &[2, 0, 1, 4], &[2, 0, 1, 4, 5], &[2, 0, 1, 4, 5, 3]] {
            let files = Files::new();
            files.write().unwrap();
            let first = files.read();
            (0..6).filter(|at| !written.contains(at)).for_each(|at| std::fs::remove_file(&files.all[at]).unwrap());
            files.write().unwrap();
            let second = files.read();
            assert!(second.iter().all(Option::is_some), "{written:?}");
            assert!(written.iter().all(|at| second[*at] == first[*at]), "{written:?}");
        }
    }

    /// Of a platform that is older than the second pair nothing depends on it.
    #[test]
    fn the_services_pair_is_another_one_and_is_made_where_it_is_missing() {
        let files = Files::new();
        files.write().unwrap();
        let first = files.read();
        assert_ne!((&first[0], &first[1]), (&first[4], &first[5]));
        files.all[4..].iter().for_each(|path| std::fs::remove_file(path).unwrap());
        files.write().unwrap();
        let second = files.read();
        assert!(second[4..].iter().all(Option::is_some) && second[4] != first[4], "{second:?}");
        assert_eq!(second[..4], first[..4]);
        std::fs::remove_file(&files.all[4]).unwrap();
        let told = files.write().unwrap_err();
        assert!(matches!(&told, Failure::Missing(text) if text.contains("services/private")), "{told}");
    }

    #[test]
    fn an_empty_password_is_told_and_left() {
        for at in [2, 3] {
            let files = Files::new();
            std::fs::create_dir_all(files.all[at].parent().unwrap()).unwrap();
            std::fs::write(&files.all[at], " \n").unwrap();
            let told = files.write().unwrap_err();
            assert!(matches!(&told, Failure::Check(text) if text.contains("is empty")), "{told}");
            assert_eq!(files.read()[at].as_deref(), Some(" \n"));
        }
    }

    #[test]
    fn many_at_once_agree() {
        let files = Files::new();
        std::thread::scope(|scope| {
            let all: Vec<_> = (0..8).map(|_| scope.spawn(|| files.write())).collect();
            all.into_iter().for_each(|one| one.join().unwrap().unwrap());
        });
        files.write().unwrap();
    }
}
