//! The commands of a cache.

use std::sync::LazyLock;
use std::time::Duration;

use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::{RedisResult, Script, ScriptInvocation};

use super::link::{Failed, Link};
use super::message::Message;
use super::pending::{Backlog, Forgotten};
use crate::record;

/// Longer than any load takes, so that one that read the old row comes too late for it to be stored.
const TOMBSTONE_LIFE: Duration = Duration::from_secs(60);
/// Keys in one call of a script: it holds up everybody else's commands.
const KEYS_AT_ONCE: usize = 100;

/// Versions as two numbers: Lua's own hold only 53 bits exactly. What is there and is no text was put there by somebody
/// else, and is older than anything: else no invalidation of its key could ever be told.
macro_rules! compare {
    ($rest:literal) => {
        concat!(
            "local function newer(one, other)
                if #one < 9 then return false end
                local high, low = struct.unpack('>I4I4', one, 2)
                local other_high, other_low = struct.unpack('>I4I4', other, 2)
                return high > other_high or (high == other_high and low > other_low)
            end
            local function beginning(key)
                local held = redis.pcall('getrange', key, 0, 8)
                if type(held) ~= 'table' then return held end
                if string.find(held.err, 'WRONGTYPE', 1, true) then return '' end
                return redis.call('getrange', key, 0, 8)
            end\n",
            $rest
        )
    };
}

/// Stores each record unless a newer one, or the tombstone of a newer one, is there. Answers how many were refused.
static FILL: LazyLock<Script> = LazyLock::new(|| {
    Script::new(compare!(
        "local refused = 0
        for i, key in ipairs(KEYS) do
            local record = ARGV[2 * i - 1]
            if newer(beginning(key), record) then
                refused = refused + 1
            else
                redis.call('set', key, record, 'px', ARGV[2 * i])
            end
        end
        return refused"
    ))
});

/// Puts each tombstone in the place of what is older, and tells the others, in one step: who reads afterwards finds it.
static FORGET: LazyLock<Script> = LazyLock::new(|| {
    Script::new(compare!(
        "for i, key in ipairs(KEYS) do
            local tombstone = ARGV[2 * i + 1]
            local held = beginning(key)
            local fresh = held:sub(1, 1) == 'v' and not newer(tombstone, held)
            if not fresh and not newer(held, tombstone) then
                redis.call('set', key, tombstone, 'px', ARGV[2])
            end
            redis.call('publish', ARGV[1], ARGV[2 * i + 2])
        end"
    ))
});

/// One record to store.
#[derive(Debug)]
pub(crate) struct Fill {
    pub(crate) key: String,
    pub(crate) record: Vec<u8>,
    pub(crate) life: Duration,
}

impl Link {
    pub(crate) async fn get(&self, cache: &str, key: &str) -> Option<Option<Vec<u8>>> {
        let command = redis::Cmd::get(self.key(cache, key));
        self.ask("get", |mut connection| async move { command.query_async(&mut connection).await }).await
    }

    /// The records of several keys, in their order, in one round trip.
    pub(crate) async fn get_many(&self, cache: &str, keys: &[&str]) -> Option<Vec<Option<Vec<u8>>>> {
        let mut command = redis::cmd("MGET");
        for key in keys {
            command.arg(self.key(cache, key));
        }
        self.ask("mget", |mut connection| async move { command.query_async(&mut connection).await }).await
    }

    /// Stores what is not older than what is there. Answers how many were refused.
    pub(crate) async fn fill(&self, cache: &str, fills: &[Fill]) -> u64 {
        let mut refused = 0;
        for some in fills.chunks(KEYS_AT_ONCE) {
            let mut call = FILL.prepare_invoke();
            for Fill { key, record, life } in some {
                call.key(self.key(cache, key)).arg(record.as_slice()).arg(milliseconds(*life));
            }
            let answer: Option<u64> =
                self.ask("fill", |mut connection| async move { call.invoke_async(&mut connection).await }).await;
            let Some(of_these) = answer else { return refused };
            refused += of_these;
        }
        refused
    }

    /// Forgets a key everywhere: now, or if Redis is away as soon as it is back. One that answers but refuses (demoted to a
    /// replica, out of memory) counts as away: read from it, the old value would pass for fresh.
    pub(crate) async fn forget(&self, forgotten: Forgotten) {
        let call = self.forget_call(std::slice::from_ref(&forgotten));
        let done: Result<(), Failed> =
            self.run("forget", |mut connection| async move { call.invoke_async(&mut connection).await }).await;
        if let Err(failed) = done {
            self.pending.add(forgotten);
            if let Failed::Refused(cause) = failed {
                self.give_up(&cause);
            }
        }
    }

    fn forget_call(&self, forgotten: &[Forgotten]) -> ScriptInvocation<'static> {
        let mut call = FORGET.prepare_invoke();
        call.arg(self.channel.as_str()).arg(milliseconds(TOMBSTONE_LIFE));
        for Forgotten { cache, key, version } in forgotten {
            let message = Message { sender: self.sender, version: *version, cache, key };
            call.key(self.key(cache, key)).arg(record::tombstone(*version)).arg(message.encode());
        }
        call
    }

    /// Tells what could not be told while Redis was away; what fails is kept for the next time.
    pub(super) async fn tell_backlog(
        &self,
        connection: &mut MultiplexedConnection,
        backlog: Backlog,
    ) -> RedisResult<()> {
        let mut result = Ok(());
        for cache in backlog.whole {
            if result.is_ok() {
                result = self.forget_whole(connection, cache).await;
            }
            if result.is_err() {
                self.pending.add_whole(cache);
            }
        }
        for some in backlog.keys.chunks(KEYS_AT_ONCE) {
            if result.is_ok() {
                result = self.forget_call(some).invoke_async(connection).await;
            }
            if result.is_err() {
                some.iter().cloned().for_each(|forgotten| self.pending.add(forgotten));
            }
        }
        result
    }

    /// Empties a cache for all replicas, a few keys at a time.
    async fn forget_whole(&self, connection: &mut MultiplexedConnection, cache: &'static str) -> RedisResult<()> {
        let mut cursor = 0_u64;
        loop {
            let mut scan = redis::cmd("SCAN");
            scan.arg(cursor).arg("MATCH").arg(self.key(cache, "*")).arg("COUNT").arg(1_000);
            let (next, keys): (u64, Vec<Vec<u8>>) = scan.query_async(connection).await?;
            if !keys.is_empty() {
                let () = redis::cmd("UNLINK").arg(keys).query_async(connection).await?;
            }
            cursor = next;
            if cursor == 0 {
                break;
            }
        }
        let message = Message { sender: self.sender, version: 0, cache, key: "" };
        redis::cmd("PUBLISH").arg(self.channel.as_str()).arg(message.encode()).query_async(connection).await
    }
}

/// An answer to PING.
pub(super) async fn ping(connection: &mut impl ConnectionLike) -> RedisResult<()> {
    redis::cmd("PING").query_async(connection).await
}

fn milliseconds(life: Duration) -> u64 {
    u64::try_from(life.as_millis()).unwrap_or(u64::MAX).clamp(1, 1 << 50)
}
