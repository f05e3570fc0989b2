//! What the descriptors say about each method: its name, and whether it changes anything.

use std::collections::HashMap;

use prost::Message;
use prost_types::FileDescriptorSet;
use prost_types::method_options::IdempotencyLevel;

/// The methods of a descriptor set.
#[derive(Clone, Debug, Default)]
pub struct MethodTable {
    /// Full method name → whether it has no side effects.
    methods: HashMap<String, bool>,
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
                    methods.insert(name, level == Some(IdempotencyLevel::NoSideEffects));
                }
            }
        }
        Ok(Self { methods })
    }

    /// Whether a request's path names a method that is declared to have no side effects. Unknown methods are not.
    pub fn only_reads(&self, path: &str) -> bool {
        self.methods.get(path.strip_prefix('/').unwrap_or(path)).copied().unwrap_or(false)
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
    fn garbage_is_refused() {
        assert!(MethodTable::from_descriptors(b"\xff\xff\xff").is_err());
    }
}
