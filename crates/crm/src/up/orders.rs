//! What others may ask of the supervisor: to kill, pause or restart one of its processes, and to let go of it again.
//!
//! It has to be asked, because whoever kills a process from outside cannot keep it from being started again at once.

mod socket;
mod ward;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot};

pub(crate) use self::socket::ask;
pub(super) use self::socket::{FILE, serve};
pub(super) use self::ward::{End, Ward};

/// One order for one process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Request {
    /// Such as `customers/0`.
    pub(crate) process: String,
    pub(crate) order: Order,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Order {
    /// `SIGKILL`; started again after the hold.
    Kill(Hold),
    /// `SIGSTOP`; `SIGCONT` after the hold.
    Pause(Hold),
    /// Asked to end what it has begun and to stop; started again after the hold.
    Restart(Hold),
    /// Whatever holds it, ends now.
    Heal,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Hold {
    Milliseconds(u64),
    UntilHealed,
}

impl Hold {
    pub(crate) const NONE: Self = Self::Milliseconds(0);

    /// None until it is healed.
    fn length(self) -> Option<Duration> {
        match self {
            Self::Milliseconds(milliseconds) => Some(Duration::from_millis(milliseconds)),
            Self::UntilHealed => None,
        }
    }

    /// `for 3.0 s`, `until it is healed`, or nothing.
    fn words(self) -> String {
        match self.length() {
            Some(Duration::ZERO) => String::new(),
            Some(length) => format!(" for {:.1} s", length.as_secs_f64()),
            None => " until it is healed".to_owned(),
        }
    }
}

/// What has been done, in words, or why not.
pub(super) type Reply = Result<String, String>;

/// An order on its way to the task that keeps the process.
#[derive(Debug)]
pub(super) struct Errand {
    order: Order,
    reply: oneshot::Sender<Reply>,
}

/// Where orders find the tasks that keep processes.
#[derive(Debug, Clone, Default)]
pub(super) struct Desk {
    keepers: Arc<Mutex<BTreeMap<String, mpsc::Sender<Errand>>>>,
}

impl Desk {
    /// What is ordered for the process of this name from now on.
    pub(super) fn open(&self, name: &str) -> mpsc::Receiver<Errand> {
        const WAITING: usize = 16;
        let (sender, receiver) = mpsc::channel(WAITING);
        self.keepers.lock().insert(name.to_owned(), sender);
        receiver
    }

    async fn pass_on(&self, request: Request) -> Reply {
        let keeper = self.keepers.lock().get(&request.process).cloned();
        let unknown = || format!("{} is not kept running by this platform", request.process);
        let (reply, answer) = oneshot::channel();
        let errand = Errand { order: request.order, reply };
        keeper.ok_or_else(unknown)?.send(errand).await.map_err(|_| unknown())?;
        answer.await.map_err(|_| format!("{} is being stopped", request.process))?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn orders_find_their_process_and_others_are_refused() {
        let desk = Desk::default();
        let mut errands = desk.open("customers/0");
        let request = |process: &str| Request { process: process.to_owned(), order: Order::Kill(Hold::UntilHealed) };
        let asked = tokio::spawn({
            let (desk, request) = (desk.clone(), request("customers/0"));
            async move { desk.pass_on(request).await }
        });
        let errand = errands.recv().await.unwrap();
        assert_eq!(errand.order, Order::Kill(Hold::UntilHealed));
        errand.reply.send(Ok("done".to_owned())).unwrap();
        assert_eq!(asked.await.unwrap(), Ok("done".to_owned()));
        assert!(desk.pass_on(request("customers/7")).await.unwrap_err().contains("customers/7"));
        drop(errands);
        assert!(desk.pass_on(request("customers/0")).await.is_err());
    }
}
