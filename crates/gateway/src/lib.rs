#![doc = include_str!("../README.md")]

mod access;
mod allowance;
mod answer;
mod app;
mod call;
mod config;
mod connect;
mod control;
mod cors;
mod desk;
mod entry;
mod faults;
mod gateway;
mod grpc;
mod headers;
mod intake;
mod own;
mod pace;
mod pages;
mod reasons;
mod rest;
mod switches;
mod table;
mod timeout;
mod trace;
mod web;

pub use app::{Listeners, RunError, ServeError, run, serve};
pub use config::{
    Admins, CallLimits, Config, Link, Links, Origins, PublicKeys, Route, Routes, RoutesError, Target, worker_threads,
};
pub use own::ReflectionError;
pub use pace::PaceSettings;
pub use reasons::REASONS;
