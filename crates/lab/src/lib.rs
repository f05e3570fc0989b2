#![doc = include_str!("../README.md")]

pub mod balancing;
pub mod customers;
pub mod journal;
pub mod load;
pub mod report;
pub mod scratch;
pub mod seed;
pub mod watch;
