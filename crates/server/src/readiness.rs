//! Whether this process wants calls, told to gRPC health checks and to `/readyz` alike.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

/// A switch that the whole process shares. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Readiness {
    ready: Arc<AtomicBool>,
    reporter: HealthReporter,
    services: Arc<[String]>,
}

impl Readiness {
    /// Tells `reporter` about the whole server and each of `services`.
    pub fn new(reporter: HealthReporter, services: Vec<String>) -> Self {
        Self { ready: Arc::new(AtomicBool::new(false)), reporter, services: services.into() }
    }

    /// For a process without a gRPC server of its own: only `/readyz` asks it.
    pub fn alone() -> Self {
        Self::new(HealthReporter::new(), Vec::new())
    }

    /// Whether calls are wanted.
    pub fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Acquire)
    }

    /// Wants calls, or no more. Watchers of the health service are told at once.
    pub async fn set(&self, ready: bool) {
        self.ready.store(ready, Ordering::Release);
        let status = if ready { ServingStatus::Serving } else { ServingStatus::NotServing };
        for service in self.names() {
            self.reporter.set_service_status(service, status).await;
        }
    }

    /// Ends every stream that watches health. Such a stream has no end of its own and would outlast the drain.
    pub(crate) async fn close(&self) {
        let mut reporter = self.reporter.clone();
        for service in self.names() {
            reporter.clear_service_status(service).await;
        }
    }

    /// The empty name stands for the whole server.
    fn names(&self) -> impl Iterator<Item = &str> {
        self.services.iter().map(String::as_str).chain([""])
    }
}
