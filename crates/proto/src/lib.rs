#![doc = include_str!("../README.md")]
#![allow(missing_docs, clippy::all, unreachable_pub, unused_qualifications, reason = "generated code")]

pub mod standard;

/// Every file of `/proto` and what it imports, encoded as `google.protobuf.FileDescriptorSet`.
///
/// Decode it with a library that keeps unknown options (`prost-reflect`): the HTTP routes are among them.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

/// Who may call each RPC: its path, and the names of the roles. From `proto/rights.md`.
pub const RIGHTS: &[(&str, &[&str])] = include!(concat!(env!("OUT_DIR"), "/rights.rs"));

/// The paths of the RPCs that wait more than they work (`crm.api.v1.waits`).
pub const WAITING: &[&str] = include!(concat!(env!("OUT_DIR"), "/waiting.rs"));

// A module a package, and each of ours by its service's name alone: `crm::sales::v1` is `sales`.
include!(concat!(env!("OUT_DIR"), "/packages.rs"));
include!(concat!(env!("OUT_DIR"), "/services.rs"));
