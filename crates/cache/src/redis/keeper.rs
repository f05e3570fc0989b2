//! The task that connects, and connects again.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, ErrorKind, RedisConnectionInfo, RedisError, RedisResult};
use tokio::time::{sleep, timeout};

use super::cause::cause;
use super::commands::ping;
use super::link::{Link, TIMEOUT, observe};

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// Connecting is not on anybody's way, so it may take longer than a command.
const CONNECT_LIMIT: Duration = Duration::from_secs(1);
const BACKLOG_LIMIT: Duration = Duration::from_secs(10);

/// Keeps the link connected, for as long as the task lives.
pub(super) async fn keep(link: Arc<Link>) {
    observe(&link);
    loop {
        let mut connection = connect(&link).await;
        link.put(connection.clone());
        // Once more, for writes that came after the first telling and before the connection was there for them.
        if let Err(cause) = tell(&link, &mut connection).await {
            link.give_up(&cause);
        }
        while link.is_up() {
            link.broken.notified().await;
        }
    }
}

/// A connection that answers and has told the backlog. What is stale in Redis is gone before anybody reads there again.
async fn connect(link: &Link) -> MultiplexedConnection {
    let mut pause = FIRST_PAUSE;
    loop {
        match attempt(link).await {
            Ok(connection) => return connection,
            Err(cause) => link.told.away(&cause),
        }
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

async fn attempt(link: &Link) -> Result<MultiplexedConnection, Cow<'static, str>> {
    let mut connection = match timeout(CONNECT_LIMIT, open(link)).await {
        Ok(Ok(connection)) => connection,
        Ok(Err(error)) => return Err(why_not(link, &error).await),
        Err(_) => return Err(TIMEOUT.into()),
    };
    tell(link, &mut connection).await?;
    Ok(connection)
}

async fn open(link: &Link) -> RedisResult<MultiplexedConnection> {
    // Commands have limits of their own, around each.
    let config = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
    let mut connection = link.client.get_multiplexed_async_connection_with_config(&config).await?;
    ping(&mut connection).await?;
    Ok(connection)
}

/// The client keeps to itself what the server answered to the password: it is asked once more.
async fn why_not(link: &Link, error: &RedisError) -> Cow<'static, str> {
    if error.kind() != ErrorKind::AuthenticationFailed {
        return cause(error);
    }
    match timeout(CONNECT_LIMIT, authenticate(link)).await {
        Ok(Err(said)) => cause(&said),
        _ => cause(error),
    }
}

/// As the client does it, on a connection that has not done so.
async fn authenticate(link: &Link) -> RedisResult<()> {
    let known = link.client.get_connection_info();
    let stranger = Client::open(known.clone().set_redis_settings(RedisConnectionInfo::default()))?;
    let mut connection = stranger.get_multiplexed_async_connection().await?;
    let settings = known.redis_settings();
    let mut command = redis::cmd("AUTH");
    command.arg(settings.username()).arg(settings.password());
    command.query_async(&mut connection).await
}

async fn tell(link: &Link, connection: &mut MultiplexedConnection) -> Result<(), Cow<'static, str>> {
    loop {
        let backlog = link.pending.take();
        if backlog.is_empty() {
            return Ok(());
        }
        // Cut off, the backlog would be lost: whole caches are emptied instead of single keys the next time.
        let caches: Vec<&'static str> = backlog.caches();
        match timeout(BACKLOG_LIMIT, link.tell_backlog(connection, backlog)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Err(cause(&error)),
            Err(_) => {
                caches.into_iter().for_each(|cache| link.pending.add_whole(cache));
                return Err(TIMEOUT.into());
            }
        }
    }
}
