//! The service with a real Postgres and a real Redis. What all resources have in common is tried through the gateway.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, unreachable_pub)]

mod exchange_rates;
mod figures;
mod following;
mod forecast;
mod merging;
mod opportunities;
mod pipelines;
mod plans;
mod products;
mod reassign;
mod sales_teams;
mod seeding;
mod stale;
mod statements;
mod support;
mod tags;
mod totals;
mod walls;
