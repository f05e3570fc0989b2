//! Where replicas have their metrics: a gateway cannot find that out, as their admin ports are none of its business.

use std::{collections::BTreeMap, str::FromStr};

/// Admin addresses by the addresses of replicas.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Admins(BTreeMap<String, String>);

impl Admins {
    /// The admin address of a replica, if somebody has told it.
    pub fn of(&self, replica: &str) -> Option<&str> {
        self.0.get(replica).map(String::as_str)
    }
}

impl FromStr for Admins {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let pair = |text: &str| {
            let (replica, admin) = text.trim().split_once('=')?;
            (!replica.is_empty() && !admin.is_empty()).then(|| (replica.to_owned(), admin.to_owned()))
        };
        let pairs = text.split(',').map(pair).collect::<Option<_>>();
        pairs.map(Self).ok_or("must be replica=admin,…, each a host and a port")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replica_has_the_admin_address_that_was_told() {
        let admins: Admins = "a:1=a:2, b:1=b:2".parse().unwrap_or_default();
        assert_eq!((admins.of("a:1"), admins.of("b:1"), admins.of("c:1")), (Some("a:2"), Some("b:2"), None));
        for wrong in ["", "a:1", "a:1=", "=a:2", "a:1=a:2,"] {
            assert!(wrong.parse::<Admins>().is_err(), "{wrong}");
        }
    }
}
