//! The way to a connection: first a place (`places`), then whatever the pool has, or a new one.
//!
//! There are as many places as connections, so that whoever has one finds an idle connection or opens one, and never waits behind others.
//! A caller that gives up meanwhile costs a place in the queue; one that gives up while a connection is being opened
//! leaves it to those that come after.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::task::{Context, Poll, ready};

use futures_util::future::BoxFuture;
use sqlx::Postgres;
use sqlx::pool::PoolConnection;
use tokio::runtime::Handle;

use crate::Error;
use crate::error::{refuses_our_options, when_connecting};
use crate::give_back::Returned;
use crate::lease::Lease;
use crate::places::{Held, Place};
use crate::pooler::SESSION;
use crate::shared::Shared;

pub(crate) async fn acquire(shared: &Arc<Shared>, mut place: Place) -> Result<Lease, Error> {
    loop {
        let was_pooled = shared.is_pooled();
        match Acquiring::begin(shared, place).await {
            (Ok(connection), place) => {
                let held = Held::new(place, &shared.in_use);
                return Ok(Lease::new(connection, held, Arc::clone(shared)));
            }
            // Another caller may have found out meanwhile: this attempt was made in the old way.
            (Err(error), again) if refuses_our_options(&error) && !was_pooled => {
                shared.use_pooler();
                if !shared.is_pooled() {
                    return Err(when_connecting(error));
                }
                place = again;
            }
            (Err(error), _) => return Err(when_connecting(error)),
        }
    }
}

/// Finds out, on a connection that nobody used before, whether it is a session with the server or one with a pooler.
pub(crate) async fn greet(lease: &mut Lease) -> Result<(), Error> {
    if !lease.is_fresh() || !lease.keeps_statements() {
        return Ok(());
    }
    if !SESSION.is_ours(lease).await? {
        lease.use_pooler();
    }
    Ok(())
}

/// A connection being taken from the pool, or opened. Dropped, that goes on in the background.
struct Acquiring {
    work: Option<Work>,
}

struct Work {
    connection: BoxFuture<'static, Result<PoolConnection<Postgres>, sqlx::Error>>,
    place: Place,
    in_use: Arc<AtomicU32>,
}

impl Acquiring {
    fn begin(shared: &Shared, place: Place) -> Self {
        // Boxed: it holds all states of opening a connection, kilobytes that would be part of every caller's future.
        let in_use = Arc::clone(&shared.in_use);
        Self { work: Some(Work { connection: Box::pin(shared.pool.acquire()), place, in_use }) }
    }
}

impl Future for Acquiring {
    type Output = (Result<PoolConnection<Postgres>, sqlx::Error>, Place);

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(work) = &mut self.work else { return Poll::Pending };
        let connection = ready!(work.connection.as_mut().poll(context));
        self.work.take().map_or(Poll::Pending, |work| Poll::Ready((connection, work.place)))
    }
}

impl Drop for Acquiring {
    fn drop(&mut self) {
        if let (Some(work), Ok(runtime)) = (self.work.take(), Handle::try_current()) {
            runtime.spawn(async move {
                if let Ok(connection) = work.connection.await {
                    Returned::new(connection, Some(Held::new(work.place, &work.in_use))).into_pool().await;
                }
            });
        }
    }
}
