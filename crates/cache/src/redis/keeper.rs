//! The task that connects, and connects again.

use std::sync::Arc;
use std::time::Duration;

use redis::AsyncConnectionConfig;
use redis::aio::MultiplexedConnection;
use tokio::time::{sleep, timeout};

use super::commands::ping;
use super::link::{Link, observe};

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// Connecting is not on anybody's way, so it may take longer than a command.
const CONNECT_LIMIT: Duration = Duration::from_secs(1);
const BACKLOG_LIMIT: Duration = Duration::from_secs(10);

/// Keeps the link connected, for as long as the task lives.
pub(super) async fn keep(link: Arc<Link>) {
    observe(&link);
    let mut was_away = false;
    loop {
        let mut connection = connect(&link, &mut was_away).await;
        if was_away {
            tracing::info!("redis is back");
        }
        link.put(connection.clone());
        // Once more, for writes that came after the first telling and before the connection was there for them.
        if !tell(&link, &mut connection).await {
            link.give_up("refused");
        }
        while link.is_up() {
            link.broken.notified().await;
        }
        was_away = true;
    }
}

/// A connection that answers and has told the backlog. What is stale in Redis is gone before anybody reads there again.
async fn connect(link: &Link, was_away: &mut bool) -> MultiplexedConnection {
    let mut pause = FIRST_PAUSE;
    loop {
        if let Some(mut connection) = attempt(link).await
            && tell(link, &mut connection).await
        {
            return connection;
        }
        *was_away = true;
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

async fn attempt(link: &Link) -> Option<MultiplexedConnection> {
    // Commands have limits of their own, around each.
    let config = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
    let connecting = async {
        let mut connection = link.client.get_multiplexed_async_connection_with_config(&config).await?;
        ping(&mut connection).await?;
        Ok::<_, redis::RedisError>(connection)
    };
    timeout(CONNECT_LIMIT, connecting).await.ok()?.ok()
}

async fn tell(link: &Link, connection: &mut MultiplexedConnection) -> bool {
    loop {
        let backlog = link.pending.take();
        if backlog.is_empty() {
            return true;
        }
        // Cut off, the backlog would be lost: whole caches are emptied instead of single keys the next time.
        let caches: Vec<&'static str> = backlog.caches();
        match timeout(BACKLOG_LIMIT, link.tell_backlog(connection, backlog)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return false,
            Err(_) => {
                caches.into_iter().for_each(|cache| link.pending.add_whole(cache));
                return false;
            }
        }
    }
}
