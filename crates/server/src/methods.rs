//! What the descriptors say about each method: its name, whether it changes anything, and whether it works or waits.

use std::collections::HashMap;

use prost::Message;
use prost_types::FileDescriptorSet;
use prost_types::method_options::IdempotencyLevel;

/// The methods of a descriptor set.
#[derive(Clone, Debug, Default)]
pub struct MethodTable {
    /// By full method name.
    methods: HashMap<String, Method>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Method {
    only_reads: bool,
    may_repeat: bool,
    streams: bool,
    takes_one: bool,
    waits: bool,
}

/// A descriptor set that cannot be decoded.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the descriptor set cannot be decoded")]
pub struct DescriptorError;

impl MethodTable {
    /// From an encoded `google.protobuf.FileDescriptorSet`, such as `crm_proto::DESCRIPTORS`.
    pub fn from_descriptors(encoded: &[u8]) -> Result<Self, DescriptorError> {
        let set = FileDescriptorSet::decode(encoded).map_err(|_| DescriptorError)?;
        let mut methods = HashMap::new();
        for file in &set.file {
            for service in &file.service {
                for method in &service.method {
                    let name = format!("{}.{}/{}", file.package(), service.name(), method.name());
                    let level = method.options.as_ref().map(|options| options.idempotency_level());
                    let only_reads = level == Some(IdempotencyLevel::NoSideEffects);
                    let may_repeat = only_reads || level == Some(IdempotencyLevel::Idempotent);
                    let streams = method.server_streaming() || method.client_streaming();
                    let takes_one = !method.client_streaming();
                    let waits = crm_proto::WAITING.iter().any(|path| path.strip_prefix('/') == Some(&name));
                    methods.insert(name, Method { only_reads, may_repeat, streams, takes_one, waits });
                }
            }
        }
        Ok(Self { methods })
    }

    /// Whether a request's path names a method that is declared to have no side effects. Unknown methods are not.
    pub fn only_reads(&self, path: &str) -> bool {
        self.get(path).only_reads
    }

    /// Whether a request's path names a method that may be called twice for once. Unknown methods may not.
    pub fn may_repeat(&self, path: &str) -> bool {
        self.get(path).may_repeat
    }

    /// Whether a request's path names a method that streams, to or from its caller. Unknown methods do not.
    pub fn streams(&self, path: &str) -> bool {
        self.get(path).streams
    }

    /// Whether a request's path names a method that takes exactly one message. Of unknown methods nobody knows.
    pub fn takes_one(&self, path: &str) -> bool {
        self.get(path).takes_one
    }

    /// Whether a request's path names a method that answers when something happens, not when its work is done. Unknown
    /// methods work.
    pub fn waits(&self, path: &str) -> bool {
        self.get(path).waits
    }

    fn get(&self, path: &str) -> Method {
        self.methods.get(path.strip_prefix('/').unwrap_or(path)).copied().unwrap_or_default()
    }

    /// Full method names, `crm.customers.v1.AccountService/GetAccount`.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.methods.keys().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_are_told_from_writes_by_their_declaration() {
        let table = MethodTable::from_descriptors(crm_proto::DESCRIPTORS).unwrap();
        assert!(table.only_reads("/crm.customers.v1.AccountService/GetAccount"));
        assert!(table.only_reads("/crm.customers.v1.AccountService/ExportAccounts"));
        assert!(!table.only_reads("/crm.customers.v1.AccountService/CreateAccount"));
        assert!(!table.only_reads("/crm.customers.v1.AccountService/UpdateAccount"));
        assert!(!table.only_reads("/crm.customers.v1.AccountService/Invented"));
        assert!(!table.only_reads(""));
    }

    #[test]
    fn what_may_be_called_twice_is_declared() {
        let table = MethodTable::from_descriptors(crm_proto::DESCRIPTORS).unwrap();
        assert!(table.may_repeat("/crm.customers.v1.AccountService/GetAccount"));
        assert!(table.may_repeat("/crm.customers.v1.AccountService/CreateAccount"));
        assert!(!table.may_repeat("/crm.customers.v1.AccountService/Invented"));
    }

    #[test]
    fn streams_are_told_from_single_answers() {
        let table = MethodTable::from_descriptors(crm_proto::DESCRIPTORS).unwrap();
        assert!(table.streams("/crm.customers.v1.ContactService/ExportContacts"));
        assert!(!table.streams("/crm.customers.v1.ContactService/ListContacts"));
        assert!(!table.streams("/crm.customers.v1.ContactService/Invented"));
        assert!(table.takes_one("/crm.customers.v1.ContactService/ExportContacts"));
        assert!(!table.takes_one("/crm.customers.v1.ContactService/Invented"));
    }

    #[test]
    fn what_waits_is_told_from_what_works_and_from_what_takes_long() {
        let table = MethodTable::from_descriptors(crm_proto::DESCRIPTORS).unwrap();
        for method in ["OperationService/WaitOperation", "ChangeService/WatchChanges", "ChangeService/WatchTenants"] {
            assert!(table.waits(&format!("/crm.customers.v1.{method}")), "{method}");
        }
        for method in ["OperationService/GetOperation", "AccountService/ExportAccounts", "Invented/Wait"] {
            assert!(!table.waits(&format!("/crm.customers.v1.{method}")), "{method}");
        }
    }

    #[test]
    fn garbage_is_refused() {
        assert!(MethodTable::from_descriptors(b"\xff\xff\xff").is_err());
    }
}
