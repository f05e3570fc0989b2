#![doc = include_str!("../README.md")]

pub mod balancing;
pub mod journal;
pub mod load;
pub mod report;
pub mod seed;
