//! Whether this process wants calls, told to gRPC health checks and to `/readyz` alike.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tonic_health::pb::health_server::{Health, HealthServer};

use crate::health::Board;

/// A switch that the whole process shares. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Readiness {
    ready: Arc<AtomicBool>,
    board: Board,
    services: Arc<[String]>,
}

impl Readiness {
    /// Tells of the whole server and each of `services`, which are known from the first word on.
    pub fn new(services: Vec<String>) -> Self {
        Self { ready: Arc::new(AtomicBool::new(false)), board: Board::new(), services: services.into() }
    }

    /// For a process without a gRPC server of its own: only `/readyz` asks it.
    pub fn alone() -> Self {
        Self::new(Vec::new())
    }

    /// `grpc.health.v1.Health`, which tells it.
    pub fn health(&self) -> HealthServer<impl Health> {
        self.board.service()
    }

    /// Whether calls are wanted.
    pub fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Acquire)
    }

    /// Wants calls, or no more. Watchers of the health service are told at once.
    pub fn set(&self, ready: bool) {
        self.ready.store(ready, Ordering::Release);
        self.board.set(&self.services, ready);
    }

    /// Ends every stream that watches health. Such a stream has no end of its own and would outlast the drain.
    pub(crate) fn close(&self) {
        self.board.close();
    }
}
