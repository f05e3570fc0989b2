//! Which role may call which method: `proto/rights.md`, at hand for every call.

use std::collections::HashMap;
use std::sync::LazyLock;

use tonic::Code;

use super::Role;
use crate::problem::Problem;
use crate::reasons::{ROLE_NOT_ALLOWED, ROLE_READ_ONLY};

/// By the path of the call. A name that is no role's counts for nothing.
static RIGHTS: LazyLock<HashMap<&str, Vec<Role>>> = LazyLock::new(|| {
    let roles = |names: &[&str]| names.iter().filter_map(|name| name.parse().ok()).collect();
    crm_proto::RIGHTS.iter().map(|(path, names)| (*path, roles(names))).collect()
});

impl Role {
    /// Whether the role may call the method of this path, which `only_reads`, or does not.
    ///
    /// # Errors
    /// It may not.
    pub(super) fn check(self, path: &str, only_reads: impl FnOnce() -> bool) -> Result<(), Problem> {
        let reads = match RIGHTS.get(path) {
            Some(roles) if roles.contains(&self) => return Ok(()),
            Some(_) => only_reads(),
            // Of another package than ours.
            None => match self {
                Self::Admin | Self::Manager | Self::Agent => return Ok(()),
                Self::Viewer if only_reads() => return Ok(()),
                Self::Viewer | Self::Requester | Self::Service => false,
            },
        };
        let (reason, message) = match self {
            Self::Viewer if !reads => (ROLE_READ_ONLY, "this role may only read"),
            _ => (ROLE_NOT_ALLOWED, "this role may not call this method"),
        };
        Err(Problem::new(Code::PermissionDenied, reason, message).with_metadata("role", self.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_role_of_the_table_is_one() {
        for (path, names) in crm_proto::RIGHTS {
            assert_eq!(RIGHTS[path].len(), names.len(), "{path}: {names:?}");
        }
    }

    #[test]
    fn methods_of_other_packages_are_judged_by_what_they_declare() {
        let check = |role: Role, reads: bool| {
            let refused = role.check("/peers.v1.Echo/Echo", || reads).err();
            refused.map(|problem| problem.reason().to_owned())
        };
        for role in [Role::Admin, Role::Manager, Role::Agent] {
            assert_eq!((check(role, true), check(role, false)), (None, None));
        }
        assert_eq!((check(Role::Viewer, true), check(Role::Viewer, false)), (None, Some("ROLE_READ_ONLY".to_owned())));
        for role in [Role::Requester, Role::Service] {
            assert_eq!(check(role, true), Some("ROLE_NOT_ALLOWED".to_owned()));
        }
    }
}
