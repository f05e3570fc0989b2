//! The way to a connection: first a place, then whatever the pool has, or a new one.
//!
//! Places are counted here, so that whoever has one finds an idle connection or opens one, and never waits behind others.
//! A caller that gives up meanwhile costs a place in the queue; one that gives up while a connection is being opened
//! leaves it to those that come after.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, ready};

use futures_util::future::BoxFuture;
use sqlx::Postgres;
use sqlx::pool::PoolConnection;
use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;

use crate::Error;
use crate::error::{Fault, refuses_our_options, when_connecting};
use crate::lease::Lease;
use crate::pool::Shared;
use crate::pooler::SESSION;

pub(crate) async fn acquire(shared: &Arc<Shared>) -> Result<Lease, Error> {
    let place = Arc::clone(&shared.places).acquire_owned().await;
    let mut place = place.map_err(|_| Error::Unavailable(Fault::new("the pool is closed")))?;
    loop {
        match Acquiring::begin(shared, place).await {
            (Ok(connection), place) => return Ok(Lease::new(connection, place, Arc::clone(shared))),
            (Err(error), again) if refuses_our_options(&error) && shared.use_pooler() => place = again,
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
    place: OwnedSemaphorePermit,
    underway: Underway,
}

/// Counts while it lives.
struct Underway(Arc<AtomicU32>);

impl Underway {
    fn begin(count: &Arc<AtomicU32>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(count))
    }
}

impl Drop for Underway {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Acquiring {
    fn begin(shared: &Shared, place: OwnedSemaphorePermit) -> Self {
        // Boxed: it holds all states of opening a connection, kilobytes that would be part of every caller's future.
        let underway = Underway::begin(&shared.underway);
        Self { work: Some(Work { connection: Box::pin(shared.pool.acquire()), place, underway }) }
    }
}

impl Future for Acquiring {
    type Output = (Result<PoolConnection<Postgres>, sqlx::Error>, OwnedSemaphorePermit);

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
                if let Ok(mut connection) = work.connection.await {
                    connection.return_to_pool().await;
                }
                drop((work.underway, work.place));
            });
        }
    }
}
