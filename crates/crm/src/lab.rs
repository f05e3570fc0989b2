//! `crm lab`: experiments, each of which ends in a verdict and its exit code.

mod balancing;
mod journal;
mod tours;
mod watch;

pub(crate) use self::balancing::run as balancing;
pub(crate) use self::journal::run as journal;
pub(crate) use self::tours::run as tours;
pub(crate) use self::watch::run as watch;
