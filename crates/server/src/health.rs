//! `grpc.health.v1.Health`: whether calls are wanted, of the whole process and of each service.
//!
//! The ready-made service refuses to watch a name that it does not know. The protocol wants such a watch to go on: its
//! caller may be earlier than the service.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::{Stream, stream};
use tokio::sync::watch;
use tonic::{Request, Response, Status, async_trait};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_server::{Health, HealthServer};
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

/// What is known about the health of each service. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Board(Arc<watch::Sender<State>>);

#[derive(Debug, Default)]
struct State {
    statuses: HashMap<String, ServingStatus>,
    /// Nothing changes any more.
    is_closed: bool,
}

impl Board {
    /// The empty name stands for the whole process; nothing else is known yet.
    pub(crate) fn new() -> Self {
        let statuses = HashMap::from([(String::new(), ServingStatus::NotServing)]);
        Self(Arc::new(watch::Sender::new(State { statuses, is_closed: false })))
    }

    /// The service that tells it.
    pub(crate) fn service(&self) -> HealthServer<Self> {
        HealthServer::new(self.clone())
    }

    /// Tells the process and these services, at once.
    pub(crate) fn set(&self, services: &[String], serving: bool) {
        let status = if serving { ServingStatus::Serving } else { ServingStatus::NotServing };
        self.0.send_modify(|state| {
            state.statuses.extend(services.iter().map(|service| (service.clone(), status)));
            state.statuses.insert(String::new(), status);
        });
    }

    /// Ends every watch, and those that are still to come.
    pub(crate) fn close(&self) {
        self.0.send_modify(|state| state.is_closed = true);
    }
}

fn answer(status: ServingStatus) -> HealthCheckResponse {
    HealthCheckResponse { status: status.into() }
}

/// One caller's watch.
struct Watch {
    board: watch::Receiver<State>,
    service: String,
    told: Option<ServingStatus>,
}

impl Watch {
    /// The next status that differs from what was told last.
    async fn next(mut self) -> Option<(Result<HealthCheckResponse, Status>, Self)> {
        loop {
            let now = {
                let state = self.board.borrow_and_update();
                if state.is_closed {
                    return None;
                }
                state.statuses.get(&self.service).copied().unwrap_or(ServingStatus::ServiceUnknown)
            };
            if self.told.replace(now) != Some(now) {
                return Some((Ok(answer(now)), self));
            }
            self.board.changed().await.ok()?;
        }
    }
}

#[async_trait]
impl Health for Board {
    type WatchStream = Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

    async fn check(&self, request: Request<HealthCheckRequest>) -> Result<Response<HealthCheckResponse>, Status> {
        let status = self.0.borrow().statuses.get(&request.get_ref().service).copied();
        let status = status.ok_or_else(|| Status::not_found("no such service here"))?;
        Ok(Response::new(answer(status)))
    }

    async fn watch(&self, request: Request<HealthCheckRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let watch = Watch { board: self.0.subscribe(), service: request.into_inner().service, told: None };
        Ok(Response::new(Box::pin(stream::unfold(watch, Watch::next))))
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{FutureExt, StreamExt};

    use super::*;

    fn ask(service: &str) -> Request<HealthCheckRequest> {
        Request::new(HealthCheckRequest { service: service.to_owned() })
    }

    async fn watch(board: &Board, service: &str) -> <Board as Health>::WatchStream {
        board.watch(ask(service)).await.unwrap().into_inner()
    }

    /// What a watch tells now; nothing if it waits.
    fn told(watch: &mut <Board as Health>::WatchStream) -> Option<ServingStatus> {
        watch.next().now_or_never().map(|told| told.expect("goes on").unwrap().status())
    }

    #[tokio::test]
    async fn a_watch_of_a_service_that_is_not_known_goes_on_until_it_is() {
        let board = Board::new();
        let (mut early, mut other, mut whole) =
            (watch(&board, "early").await, watch(&board, "other").await, watch(&board, "").await);
        assert_eq!(told(&mut early), Some(ServingStatus::ServiceUnknown));
        assert_eq!(told(&mut other), Some(ServingStatus::ServiceUnknown));
        assert_eq!(told(&mut whole), Some(ServingStatus::NotServing));
        assert_eq!((told(&mut early), told(&mut whole)), (None, None), "nothing is told twice");
        board.set(&["early".to_owned()], true);
        assert_eq!((told(&mut early), told(&mut whole)), (Some(ServingStatus::Serving), Some(ServingStatus::Serving)));
        assert_eq!(told(&mut other), None, "others' changes are none of its own");
        board.set(&["early".to_owned()], true);
        assert_eq!(told(&mut early), None);
        board.set(&["early".to_owned()], false);
        assert_eq!(told(&mut early), Some(ServingStatus::NotServing));
    }

    #[tokio::test]
    async fn watches_end_when_the_process_does_and_checks_are_answered() {
        let board = Board::new();
        board.set(&["known".to_owned()], true);
        let (mut known, mut unknown) = (watch(&board, "known").await, watch(&board, "unknown").await);
        assert!(told(&mut known).is_some() && told(&mut unknown).is_some());
        board.set(&["known".to_owned()], false);
        board.close();
        assert!(known.next().await.is_none() && unknown.next().await.is_none());
        assert!(watch(&board, "known").await.next().await.is_none());
        let status = board.check(ask("known")).await.unwrap().into_inner().status();
        assert_eq!(status, ServingStatus::NotServing);
        assert_eq!(board.check(ask("unknown")).await.unwrap_err().code(), tonic::Code::NotFound);
    }
}
