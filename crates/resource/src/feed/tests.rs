//! Who waits how long for what, on paused time, over a journal in memory.

use std::sync::Arc;
use std::time::Duration;

use crm_database::Error as DatabaseError;
use crm_proto::journal::{self as pb, WatchChangesResponse};
use futures_util::FutureExt;
use parking_lot::Mutex;
use tokio::time::{Instant, sleep, timeout};
use tokio_stream::StreamExt;
use tonic::{Code, Status};
use tonic_types::StatusExt;
use uuid::Uuid;

use super::asked::Wanted;
use super::hub::Hub;
use super::source::{Read, Source};
use super::wakes::Wakes;
use super::watcher::{PATIENCE, Stop, Watcher};
use super::{HEART_BEAT, LOOK_EVERY, Watch, Watching, channel};
use crate::journal::{Cursor, Horizon};
use crate::refusal::CURSOR_EXPIRED;
use crate::{Error, StoreConfig};

const TENANT: Uuid = Uuid::from_u128(1);

/// Transaction n wrote change n, of a resource.
#[derive(Clone, Default)]
struct Fake(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    changes: Vec<(u64, pb::Change)>,
    reads: usize,
    fails: Option<fn() -> Error>,
    /// Whether the next batch with something in it is said to be a part.
    cuts: bool,
}

impl Fake {
    fn write(&self, resource: &str) -> u64 {
        let mut state = self.0.lock();
        let id = state.changes.len() as u64 + 3;
        state
            .changes
            .push((id, pb::Change { resource: resource.to_owned(), id: id.to_string(), ..Default::default() }));
        id
    }

    fn reads(&self) -> usize {
        self.0.lock().reads
    }
}

impl Source for Fake {
    async fn read(&self, _: Uuid, cursor: &Cursor) -> Result<Read, Error> {
        let mut state = self.0.lock();
        state.reads += 1;
        if let Some(error) = state.fails {
            return Err(error());
        }
        let new = |(id, _): &&(u64, pb::Change)| !cursor.has_seen(*id);
        let changes: Vec<_> = state.changes.iter().filter(new).cloned().collect();
        let Some((last, _)) = changes.last() else {
            return Ok(Read { changes, bytes: 0, cursor: cursor.clone(), is_last: true });
        };
        let (next, is_last) = (last + 1, !std::mem::take(&mut state.cuts));
        let cursor = if is_last { Cursor::before(next) } else { Cursor::before(next).cut(next) };
        Ok(Read { changes, bytes: 1, cursor, is_last })
    }

    async fn changed(&self, horizon: &Horizon) -> Result<(Vec<Uuid>, Horizon), Error> {
        Ok((vec![TENANT], horizon.clone()))
    }

    async fn horizon(&self) -> Result<Horizon, Error> {
        Ok(Horizon::BEGINNING)
    }

    fn text(&self, _: Uuid, cursor: &Cursor) -> Result<String, Error> {
        Ok(cursor.next().to_string())
    }
}

struct World {
    source: Fake,
    wakes: Wakes,
    hub: Arc<Hub<Fake>>,
    watching: Watching,
}

impl World {
    fn new() -> Self {
        let (source, wakes) = (Fake::default(), Wakes::default());
        let hub = Arc::new(Hub::new(source.clone(), wakes.clone()));
        let config = StoreConfig::new("postgres://db/crm".parse().unwrap(), "redis://cache".parse().unwrap());
        Self { source, wakes, hub, watching: Watching::new(&config) }
    }

    fn write(&self, resource: &str) -> u64 {
        let id = self.source.write(resource);
        self.wakes.wake(TENANT);
        id
    }

    async fn watch(&self, wanted: &[&'static str]) -> Watch<WatchChangesResponse> {
        let first = self.source.read(TENANT, &Cursor::BEGINNING).await.unwrap();
        let (outlet, stream) = channel();
        let (hub, watching) = (Arc::clone(&self.hub), self.watching.clone());
        let (tenant, wanted, beat_at) = (TENANT, Wanted::of(wanted), Instant::now());
        let (cursor, text, sender) = (first.cursor.clone(), String::new(), outlet.sender);
        let watcher =
            Watcher { hub, watching, tenant, wanted, sender, cursor, text, beat_at, open: super::Open::new("all") };
        tokio::spawn(async move {
            if let (Stop::Failed(error), Some(last)) = (watcher.run(first).await, outlet.last) {
                last.send(Err(error.into()));
            }
        });
        stream
    }
}

async fn next(stream: &mut Watch<WatchChangesResponse>) -> (Vec<u64>, String) {
    let message = stream.next().await.unwrap().unwrap();
    (message.changes.iter().map(|change| change.id.parse().unwrap()).collect(), message.cursor)
}

fn reason(status: &Status) -> (Code, String) {
    let reason = status.get_error_details().error_info().map(|info| info.reason.clone());
    (status.code(), reason.unwrap_or_default())
}

#[tokio::test(start_paused = true)]
async fn a_quiet_stream_beats_with_a_cursor_behind_all_that_was_left_out() {
    let world = World::new();
    let mut stream = world.watch(&["accounts"]).await;
    assert_eq!(next(&mut stream).await, (vec![], "1".to_owned()));
    let began = Instant::now();
    assert_eq!(next(&mut stream).await, (vec![], "1".to_owned()));
    assert_eq!(began.elapsed(), HEART_BEAT);
    world.write("contacts");
    assert_eq!(next(&mut stream).await, (vec![], "4".to_owned()));
    assert_eq!(began.elapsed(), 2 * HEART_BEAT);
    let id = world.write("accounts");
    assert_eq!(next(&mut stream).await, (vec![id], "5".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn who_takes_nothing_for_long_is_told_so_and_nothing_is_read_for_him_meanwhile() {
    let world = World::new();
    let mut slow = world.watch(&[]).await;
    for _ in 0..3 {
        world.write("accounts");
        sleep(Duration::from_secs(1)).await;
    }
    let reads = world.source.reads();
    sleep(PATIENCE).await;
    // Its message, which stood there, and how it ended: both are to be had, however late.
    assert_eq!(next(&mut slow).await.0, Vec::<u64>::new());
    let ended = slow.next().await.unwrap().unwrap_err();
    assert_eq!(reason(&ended), (Code::Aborted, "WATCH_TOO_SLOW".to_owned()));
    assert!(slow.next().await.is_none());
    assert_eq!(world.source.reads(), reads);
}

#[tokio::test(start_paused = true)]
async fn many_who_stand_together_cost_one_read_and_each_is_given_all_once() {
    let world = World::new();
    let mut all = Vec::new();
    for _ in 0..50 {
        let mut stream = world.watch(&[]).await;
        next(&mut stream).await;
        all.push(stream);
    }
    sleep(LOOK_EVERY).await;
    let before = world.source.reads();
    let mut expected = Vec::new();
    for _ in 0..10 {
        expected.push(world.write("accounts"));
        sleep(LOOK_EVERY).await;
    }
    assert_eq!(world.source.reads() - before, 10);
    for stream in &mut all {
        let mut given = Vec::new();
        while given.len() < expected.len() {
            given.extend(next(stream).await.0);
        }
        assert_eq!(given, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn who_falls_behind_reads_by_himself_and_misses_nothing() {
    let world = World::new();
    let mut quick = world.watch(&[]).await;
    let mut slow = world.watch(&[]).await;
    next(&mut quick).await;
    let mut expected = Vec::new();
    for _ in 0..200 {
        expected.push(world.write("accounts"));
        next(&mut quick).await;
    }
    let mut given = Vec::new();
    while given.len() < expected.len() {
        given.extend(next(&mut slow).await.0);
    }
    assert_eq!(given, expected);
}

#[tokio::test(start_paused = true)]
async fn who_is_behind_waits_for_others_of_its_tenant_and_for_nobody_else() {
    let world = World::new();
    let mut first = world.watch(&[]).await;
    next(&mut first).await;
    let held = world.watching.turn(TENANT).await;
    let mut behind = world.watch(&[]).await;
    next(&mut behind).await;
    let reads = world.source.reads();
    sleep(LOOK_EVERY).await;
    assert_eq!(world.source.reads(), reads);
    assert!(world.watching.turn(Uuid::from_u128(2)).now_or_never().is_some());
    drop(held);
    sleep(LOOK_EVERY).await;
    assert_eq!(world.source.reads(), reads + 1);
}

#[tokio::test(start_paused = true)]
async fn who_comes_in_the_middle_of_a_part_is_given_each_change_once() {
    let world = World::new();
    let mut stream = world.watch(&[]).await;
    next(&mut stream).await;
    sleep(LOOK_EVERY).await;
    let mut given = Vec::new();
    let mut late = Vec::new();
    for round in 0..6 {
        world.source.0.lock().cuts = round % 2 == 0;
        world.write("accounts");
        let mut another = world.watch(&[]).await;
        let mut seen = next(&mut another).await.0;
        given.extend(next(&mut stream).await.0);
        let last = world.write("accounts");
        while !seen.contains(&last) {
            seen.extend(next(&mut another).await.0);
        }
        given.extend(next(&mut stream).await.0);
        late.push((seen, last));
    }
    while given.len() < 12 {
        given.extend(next(&mut stream).await.0);
    }
    assert_eq!(given, (3..15).collect::<Vec<_>>());
    for (seen, last) in late {
        assert_eq!(seen, (3..=last).collect::<Vec<_>>());
    }
}

/// How a watch ends whose reader fails so, and after how long.
async fn end_by(error: fn() -> Error) -> ((Code, String), Duration) {
    let world = World::new();
    let mut stream = world.watch(&[]).await;
    next(&mut stream).await;
    sleep(LOOK_EVERY).await;
    world.source.0.lock().fails = Some(error);
    let began = Instant::now();
    world.write("accounts");
    let ended = stream.next().await.unwrap().unwrap_err();
    (reason(&ended), began.elapsed())
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_fails_for_good_has_its_watchers_see_for_themselves_why() {
    let (ended, after) = end_by(|| Error::from(&CURSOR_EXPIRED)).await;
    assert_eq!((ended, after), ((Code::FailedPrecondition, "CURSOR_EXPIRED".to_owned()), Duration::ZERO));
    let (ended, after) = end_by(|| DatabaseError::Exhausted.into()).await;
    assert_eq!((ended, after), ((Code::Unavailable, "DATABASE_UNAVAILABLE".to_owned()), 5 * LOOK_EVERY));
}

#[tokio::test(start_paused = true)]
async fn a_database_that_was_away_for_a_moment_ends_no_watch() {
    let world = World::new();
    let mut stream = world.watch(&[]).await;
    next(&mut stream).await;
    sleep(LOOK_EVERY).await;
    world.source.0.lock().fails = Some(|| DatabaseError::Exhausted.into());
    let id = world.write("accounts");
    sleep(2 * LOOK_EVERY).await;
    world.source.0.lock().fails = None;
    assert_eq!(next(&mut stream).await.0, [id]);
}

#[tokio::test(start_paused = true)]
async fn what_nobody_told_of_is_found_within_little_more_than_a_second() {
    let world = World::new();
    tokio::spawn(Hub::look_for_ever(Arc::downgrade(&world.hub)));
    let mut stream = world.watch(&[]).await;
    next(&mut stream).await;
    sleep(5 * LOOK_EVERY).await;
    for _ in 0..3 {
        let id = world.source.write("accounts");
        let told = timeout(LOOK_EVERY.mul_f64(1.3), next(&mut stream)).await.unwrap();
        assert_eq!(told.0, [id]);
    }
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_process_is_told_at_once_also_to_who_does_not_read() {
    let world = World::new();
    let mut waits = world.watch(&[]).await;
    next(&mut waits).await;
    let mut reads_nothing = world.watch(&[]).await;
    world.write("accounts");
    sleep(LOOK_EVERY).await;
    next(&mut waits).await;
    world.watching.end.cancel();
    let began = Instant::now();
    let ended = waits.next().await.unwrap().unwrap_err();
    assert_eq!(reason(&ended), (Code::Unavailable, "WATCH_ENDED".to_owned()));
    next(&mut reads_nothing).await;
    assert_eq!(reason(&reads_nothing.next().await.unwrap().unwrap_err()).1, "WATCH_ENDED");
    assert_eq!(began.elapsed(), Duration::ZERO);
    assert!(matches!(world.watching.place(TENANT), Err(Error::Refused(refusal)) if refusal.reason == "WATCH_ENDED"));
}

#[tokio::test(start_paused = true)]
async fn a_reader_lives_as_long_as_somebody_watches() {
    let world = World::new();
    let mut stream = world.watch(&[]).await;
    next(&mut stream).await;
    sleep(LOOK_EVERY).await;
    assert!(world.wakes.is_waited_for());
    drop(stream);
    sleep(LOOK_EVERY).await;
    assert!(!world.wakes.is_waited_for());
    let reads = world.source.reads();
    world.write("accounts");
    sleep(LOOK_EVERY).await;
    assert_eq!(world.source.reads(), reads);
}
