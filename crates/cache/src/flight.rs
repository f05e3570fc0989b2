//! One load per key at a time: the first who asks loads, the others wait for what that brings.
//!
//! The load runs inside its caller, so it has that caller's deadline and span. If the caller goes away, its followers are
//! woken and one of them takes over with a load of its own. If the load fails, one follower tries again, and
//! the others wait for that: the failure may have been the leader's alone, such as a deadline that was too near. Only after a
//! second one each tries for itself.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::watch;

use crate::first_tier::Known;

#[derive(Debug)]
enum State<V> {
    Running,
    Landed(Known<V>),
    Failed,
}

type Board<V> = Arc<Mutex<HashMap<String, watch::Receiver<State<V>>>>>;

/// The loads that are under way.
#[derive(Debug)]
pub(crate) struct Flights<V> {
    board: Board<V>,
}

/// What a caller is to do.
#[derive(Debug)]
pub(crate) enum Role<V> {
    /// Load, and tell the others.
    Leader(Leader<V>),
    /// Wait.
    Follower(Follower<V>),
}

/// Somebody who loads. Dropped without landing, it leaves its place to a follower.
#[derive(Debug)]
pub(crate) struct Leader<V> {
    board: Board<V>,
    key: String,
    sender: watch::Sender<State<V>>,
    receiver: watch::Receiver<State<V>>,
}

#[derive(Debug)]
pub(crate) struct Follower<V>(watch::Receiver<State<V>>);

/// How waiting for another's load ended.
#[derive(Debug)]
pub(crate) enum Landing<V> {
    /// It brought this.
    Known(Known<V>),
    /// It failed.
    Failed,
    /// Its caller went away: ask again who is to load.
    Deserted,
}

impl<V> Flights<V> {
    pub(crate) fn new() -> Self {
        Self { board: Arc::default() }
    }

    pub(crate) fn join(&self, key: &str) -> Role<V> {
        let mut board = self.board.lock();
        if let Some(receiver) = board.get(key) {
            return Role::Follower(Follower(receiver.clone()));
        }
        let (sender, receiver) = watch::channel(State::Running);
        board.insert(key.to_owned(), receiver.clone());
        Role::Leader(Leader { board: Arc::clone(&self.board), key: key.to_owned(), sender, receiver })
    }

    /// Lets nobody join the load of this key any more: it may bring what was just replaced. Who has joined, gets it.
    pub(crate) fn detach(&self, key: &str) {
        self.board.lock().remove(key);
    }

    pub(crate) fn detach_all(&self) {
        self.board.lock().clear();
    }
}

impl<V> Leader<V> {
    pub(crate) fn land(self, known: Known<V>) {
        self.sender.send_replace(State::Landed(known));
    }

    pub(crate) fn fail(self) {
        self.sender.send_replace(State::Failed);
    }
}

impl<V> Drop for Leader<V> {
    fn drop(&mut self) {
        let mut board = self.board.lock();
        // The place may have been detached and taken by another since.
        if board.get(&self.key).is_some_and(|receiver| receiver.same_channel(&self.receiver)) {
            board.remove(&self.key);
        }
    }
}

impl<V> Follower<V> {
    pub(crate) async fn wait(mut self) -> Landing<V> {
        match self.0.wait_for(|state| !matches!(state, State::Running)).await.as_deref() {
            Ok(State::Landed(known)) => Landing::Known(known.clone()),
            Ok(State::Failed | State::Running) => Landing::Failed,
            Err(_) => Landing::Deserted,
        }
    }
}
