use std::collections::HashMap;
use std::env;
use std::fmt::{self, Display};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use super::Secret;
use super::error::{BadSetting, ConfigError};

/// Longer than anything here is waited for, in milliseconds. Times without an end would be beyond all clocks.
const A_DAY: u64 = 24 * 60 * 60 * 1_000;

/// The environment while it is read. Faults are gathered, and told all at once by [`finish`](Self::finish).
///
/// An empty variable counts as absent: that is how compose files and manifests spell "not set".
pub struct Env {
    values: HashMap<String, String>,
    faults: Vec<BadSetting>,
}

impl fmt::Debug for Env {
    /// Names only: values may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Env").field("names", &self.values.keys()).field("faults", &self.faults).finish()
    }
}

/// A required setting, to be opened once all of them have been read.
#[derive(Debug)]
#[must_use]
pub struct Slot<T>(Result<T, BadSetting>);

impl<T> Slot<T> {
    /// The value, if it could be read, for rules beyond its form.
    pub fn peek(&self) -> Option<&T> {
        self.0.as_ref().ok()
    }

    /// The value; after [`Env::finish`] has found no fault this does not fail.
    pub fn get(self) -> Result<T, ConfigError> {
        self.0.map_err(|fault| ConfigError::new(vec![fault]))
    }
}

impl Env {
    /// What this process was started with. Variables that are not Unicode count as absent.
    pub fn from_process() -> Self {
        Self::from_pairs(
            env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))),
        )
    }

    /// For tests.
    pub fn from_pairs<K: Into<String>, V: Into<String>>(pairs: impl IntoIterator<Item = (K, V)>) -> Self {
        let pairs = pairs.into_iter().map(|(name, value)| (name.into(), value.into()));
        Self { values: pairs.filter(|(_, value)| !value.is_empty()).collect(), faults: Vec::new() }
    }

    /// A setting without which the process cannot run.
    pub fn required<T>(&mut self, name: &'static str) -> Slot<T>
    where
        T: FromStr,
        T::Err: Display,
    {
        let fault = match self.read(name) {
            Ok(Some(value)) => return Slot(Ok(value)),
            Ok(None) => BadSetting::new(name, "is required"),
            Err(fault) => fault,
        };
        self.faults.push(fault.clone());
        Slot(Err(fault))
    }

    /// A URL whose password may stand in a file of its own, named by a second variable: how containers hand it over.
    pub fn required_url(&mut self, name: &'static str, password_file: &'static str) -> Slot<Secret> {
        let url = self.required::<Secret>(name);
        let Some(path) = self.optional::<PathBuf>(password_file) else { return url };
        let Slot(Ok(url)) = url else { return url };
        let with_password = match std::fs::read_to_string(path) {
            Ok(password) if password.trim().is_empty() => Err((password_file, "names a file that is empty".to_owned())),
            Ok(password) => url
                .with_password(password.trim())
                .ok_or((name, "must be a URL that names a user and no password".to_owned())),
            Err(error) => Err((password_file, format!("cannot be read: {error}"))),
        };
        Slot(with_password.map_err(|(name, rule)| {
            self.fault(name, &rule);
            BadSetting::new(name, rule)
        }))
    }

    /// A setting that may be absent.
    pub fn optional<T>(&mut self, name: &'static str) -> Option<T>
    where
        T: FromStr,
        T::Err: Display,
    {
        self.read(name).unwrap_or_else(|fault| {
            self.faults.push(fault);
            None
        })
    }

    /// A setting with a default.
    pub fn or<T>(&mut self, name: &'static str, default: T) -> T
    where
        T: FromStr,
        T::Err: Display,
    {
        self.optional(name).unwrap_or(default)
    }

    /// A number with a default, and with bounds.
    pub fn within<T>(&mut self, name: &'static str, default: T, bounds: RangeInclusive<T>) -> T
    where
        T: FromStr + PartialOrd + Display,
        T::Err: Display,
    {
        let value = self.or(name, default);
        if !bounds.contains(&value) {
            self.fault(name, format!("must be {} to {}", bounds.start(), bounds.end()));
        }
        value
    }

    /// A time in milliseconds, with a default: at least so many, and a day at most.
    pub fn millis(&mut self, name: &'static str, default: Duration, least: u64) -> Duration {
        let default = u64::try_from(default.as_millis()).unwrap_or(A_DAY);
        Duration::from_millis(self.within(name, default, least..=A_DAY))
    }

    /// Adds a fault that only looking at several settings shows.
    pub fn fault(&mut self, name: &'static str, rule: impl Into<String>) {
        self.faults.push(BadSetting::new(name, rule));
    }

    /// Fails with every fault found so far.
    pub fn finish(self) -> Result<(), ConfigError> {
        if self.faults.is_empty() { Ok(()) } else { Err(ConfigError::new(self.faults)) }
    }

    fn read<T>(&self, name: &'static str) -> Result<Option<T>, BadSetting>
    where
        T: FromStr,
        T::Err: Display,
    {
        let Some(text) = self.values.get(name) else { return Ok(None) };
        text.trim().parse().map(Some).map_err(|error: T::Err| BadSetting::new(name, rule(text, &error.to_string())))
    }
}

/// A parser's message may quote what it was given, and what it was given may hold a password.
fn rule(text: &str, message: &str) -> String {
    let quotes = message.contains(text.trim());
    if quotes { "cannot be read".to_owned() } else { format!("cannot be read: {message}") }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;

    #[test]
    fn all_faults_are_told_at_once() {
        let mut env = Env::from_pairs([("CRM_LISTEN", "nowhere"), ("CRM_MAX", "-1"), ("CRM_EMPTY", "")]);
        let listen = env.required::<SocketAddr>("CRM_LISTEN");
        let empty = env.required::<String>("CRM_EMPTY");
        let max = env.or::<u32>("CRM_MAX", 7);
        let error = env.finish().unwrap_err();
        let names: Vec<_> = error.faults().iter().map(|fault| fault.name).collect();
        assert_eq!(names, ["CRM_LISTEN", "CRM_EMPTY", "CRM_MAX"]);
        assert_eq!(max, 7);
        assert!(listen.get().is_err() && empty.get().is_err());
        assert!(error.to_string().contains("CRM_EMPTY is required"), "{error}");
    }

    #[test]
    fn what_is_given_is_read_and_what_is_not_has_its_default() {
        let mut env = Env::from_pairs([("CRM_LISTEN", " 127.0.0.1:1 ")]);
        let listen = env.required::<SocketAddr>("CRM_LISTEN");
        assert_eq!(env.optional::<u32>("CRM_NONE"), None);
        assert_eq!(env.or::<u32>("CRM_NONE", 3), 3);
        env.finish().unwrap();
        assert_eq!(listen.get().unwrap().port(), 1);
    }

    #[test]
    fn numbers_and_times_have_bounds_which_are_told() {
        let read = |value: &str| {
            let mut env = Env::from_pairs([("CRM_N", value), ("CRM_MS", value)]);
            let read = (env.within("CRM_N", 7_u32, 1..=9), env.millis("CRM_MS", Duration::from_secs(3), 1));
            env.finish().map(|()| read).map_err(|error| error.to_string())
        };
        assert_eq!(read(""), Ok((7, Duration::from_secs(3))));
        assert_eq!(read("9"), Ok((9, Duration::from_millis(9))));
        assert_eq!(read("0").unwrap_err(), "CRM_N must be 1 to 9; CRM_MS must be 1 to 86400000");
        assert_eq!(read("10").unwrap_err(), "CRM_N must be 1 to 9");
        for wrong in ["18446744073709551615", "-1", "1.5", "1e3", "ten"] {
            assert!(read(wrong).unwrap_err().contains("CRM_MS"), "{wrong}");
        }
    }

    #[test]
    fn a_value_is_never_echoed() {
        #[derive(Debug)]
        struct Loud;
        impl FromStr for Loud {
            type Err = String;
            fn from_str(text: &str) -> Result<Self, String> {
                Err(format!("bad url {text}"))
            }
        }
        let mut env = Env::from_pairs([("CRM_URL", "postgres://crm:hunter2@db")]);
        let url = env.required::<Loud>("CRM_URL");
        let error = env.finish().unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{error}");
        assert!(!format!("{error:?} {url:?}").contains("hunter2"));
        let mut env = Env::from_pairs([("CRM_URL", "postgres://crm:hunter2@db")]);
        let secret = env.required::<Secret>("CRM_URL").get().unwrap();
        assert!(!format!("{secret:?} {secret}").contains("hunter2"));
        assert!(secret.expose().contains("hunter2"));
    }

    #[test]
    fn a_password_may_stand_in_a_file_of_its_own() {
        let file = env::temp_dir().join(format!("crm-password-{}", std::process::id()));
        std::fs::write(&file, "s3/cret\n").unwrap();
        let check = |url: &str, file: &str| {
            let mut env = Env::from_pairs([("CRM_URL", url), ("CRM_FILE", file)]);
            let url = env.required_url("CRM_URL", "CRM_FILE");
            env.finish().and_then(|()| url.get()).map(|url| url.expose().to_owned())
        };
        let path = file.to_str().unwrap();
        assert_eq!(check("postgres://crm@db/crm", path).unwrap(), "postgres://crm:s3%2Fcret@db/crm");
        assert_eq!(check("postgres://crm@db/crm", "").unwrap(), "postgres://crm@db/crm");
        std::fs::write(&file, "50%25 @:#\n").unwrap();
        assert_eq!(check("postgres://crm@db", path).unwrap(), "postgres://crm:50%2525%20%40%3A%23@db");
        for wrong in [
            "postgres://crm:pw@db/crm",
            "postgres://db/crm?user=a@b",
            "crm@db",
            "postgres://crm@db/crm?password=pw",
            "postgres://crm@db/crm?sslmode=disable&%70assword=",
        ] {
            assert!(check(wrong, path).unwrap_err().to_string().contains("CRM_URL"), "{wrong}");
        }
        assert!(check("postgres://db/crm", path).unwrap_err().to_string().contains("CRM_URL"));
        assert!(check("postgres://crm@db/crm", "/nowhere").unwrap_err().to_string().contains("CRM_FILE"));
        std::fs::write(&file, " \n").unwrap();
        assert!(check("postgres://crm@db/crm", path).unwrap_err().to_string().contains("CRM_FILE"));
        std::fs::remove_file(file).unwrap();
    }

    #[test]
    fn the_environment_itself_is_not_shown_either() {
        let env = Env::from_pairs([("CRM_URL", "hunter2")]);
        assert!(!format!("{env:?}").contains("hunter2"));
    }
}
