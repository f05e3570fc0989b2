//! The service with a real Postgres and a real Redis.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, unreachable_pub)]

mod activities;
mod attributes;
mod changes;
mod coherence;
mod constraints;
mod erasure;
mod export;
mod hierarchy;
mod hostile;
mod idempotency;
mod imports;
mod isolation;
mod journal;
mod keys;
mod operations;
mod outage;
mod pages;
mod plans;
mod pooler;
mod requests;
mod saved_views;
mod schema_change;
mod search;
mod seeding;
mod services;
mod shares;
mod spans;
mod statements;
mod support;
mod tables;
mod tags;
mod times;
mod touched;
mod updates;
mod values;
