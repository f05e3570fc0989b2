#![doc = include_str!("../README.md")]
#![allow(missing_docs, clippy::all, unreachable_pub, unused_qualifications, reason = "generated code")]

pub mod standard;

/// Every file of `/proto` and what it imports, encoded as `google.protobuf.FileDescriptorSet`.
///
/// Decode it with a library that keeps unknown options (`prost-reflect`): the HTTP routes are among them.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

/// Who may call each RPC: its path, and the names of the roles. From `proto/rights.md`.
pub const RIGHTS: &[(&str, &[&str])] = include!(concat!(env!("OUT_DIR"), "/rights.rs"));

pub mod crm {
    pub mod api {
        pub mod v1 {
            tonic::include_proto!("crm.api.v1");
        }
    }
    pub mod customers {
        pub mod v1 {
            tonic::include_proto!("crm.customers.v1");
        }
    }
    pub mod server {
        pub mod v1 {
            tonic::include_proto!("crm.server.v1");
        }
    }
}

pub mod google {
    pub mod api {
        tonic::include_proto!("google.api");
    }
    pub mod rpc {
        tonic::include_proto!("google.rpc");
    }
    pub mod r#type {
        tonic::include_proto!("google.r#type");
    }
}

pub use crm::customers::v1 as customers;
pub use crm::server::v1 as server;
