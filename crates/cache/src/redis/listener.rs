//! The task that hears what other replicas write.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use redis::aio::{PubSubSink, PubSubStream};
use tokio::time::{interval, sleep, timeout};

use super::cause::cause;
use super::link::{Link, TIMEOUT};
use super::message::Message;

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// A connection that is silently gone, or a server that hangs, is noticed after two of these.
const PING_EVERY: Duration = Duration::from_secs(1);
const LIMIT: Duration = Duration::from_secs(1);

/// Listens, for as long as the task lives.
pub(super) async fn listen(link: Arc<Link>) {
    let (mut pause, mut failures) = (FIRST_PAUSE, 0_u32);
    loop {
        match subscribe(&link).await {
            Ok((sink, stream)) => {
                link.told.listening();
                link.set_listening(true);
                hear(&link, sink, stream).await;
                link.set_listening(false);
                (pause, failures) = (FIRST_PAUSE, 0);
            }
            Err(cause) => {
                failures += 1;
                // A Redis that is away is told of elsewhere, a moment later.
                if failures > 1 && link.is_up() {
                    link.told.deaf(&cause);
                }
            }
        }
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

async fn subscribe(link: &Link) -> Result<(PubSubSink, PubSubStream), Cow<'static, str>> {
    let subscribing = async {
        let (mut sink, stream) = link.client.get_async_pubsub().await?.split();
        sink.subscribe(link.channel.as_str()).await?;
        Ok::<_, redis::RedisError>((sink, stream))
    };
    match timeout(LIMIT, subscribing).await {
        Ok(subscribed) => subscribed.map_err(|error| cause(&error)),
        Err(_) => Err(TIMEOUT.into()),
    }
}

/// Until the connection ends or does not answer.
async fn hear(link: &Link, mut sink: PubSubSink, mut stream: PubSubStream) {
    let mut ticks = interval(PING_EVERY);
    loop {
        tokio::select! {
            message = stream.next() => match message {
                Some(message) => heed(link, message.get_payload_bytes()),
                None => return,
            },
            _ = ticks.tick() => {
                if !matches!(timeout(LIMIT, sink.ping::<redis::Value>()).await, Ok(Ok(_))) {
                    return;
                }
            }
        }
    }
}

fn heed(link: &Link, bytes: &[u8]) {
    if Message::is_from(bytes, link.sender) {
        return;
    }
    let Some(message) = Message::decode(bytes) else { return };
    link.each_listener(|name, listener| match (name == message.cache, message.key, message.version) {
        (false, ..) => {}
        (true, "", 0) => listener.forget_all(),
        (true, key, version) => listener.forget(key, version),
    });
    link.overhear(|other| if message.key.is_empty() { other.anything() } else { other.key(message.key) });
}
