//! One process in the care of its keeper: what is ordered for it while it runs, and while it is held.

use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use crm_sandbox::child::{Child, ChildSignal};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::{Errand, Hold, Order, Reply};
use crate::up::notice::say;
use crate::up::state::{Board, Condition};

/// Longer than a process takes to drain.
const DRAIN_PATIENCE: Duration = Duration::from_secs(20);

/// How a process came to its end.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::up) enum End {
    ByItself(ExitStatus),
    /// To be started again after this.
    Ordered(Hold),
}

/// Obeys orders for one process.
#[derive(Debug)]
pub(in crate::up) struct Ward {
    pub(in crate::up) name: String,
    pub(in crate::up) board: Arc<Board>,
    pub(in crate::up) errands: mpsc::Receiver<Errand>,
    /// What asks the process to end well.
    pub(in crate::up) farewell: ChildSignal,
    /// Why it cannot be paused, if it cannot.
    pub(in crate::up) never_pauses: Option<&'static str>,
}

/// What has been ordered for the child that runs.
#[derive(Debug, Default)]
struct Standing {
    /// It is to end, and to be held then.
    end: Option<Hold>,
    /// When patience with its end is over.
    overdue: Option<Instant>,
    paused: bool,
    /// When the pause is over.
    resumes: Option<Instant>,
}

impl Ward {
    /// Until the child has ended.
    pub(in crate::up) async fn attend(&mut self, child: &Child) -> End {
        let mut standing = Standing::default();
        let end = loop {
            tokio::select! {
                status = child.wait() => break standing.end.map_or(End::ByItself(status), End::Ordered),
                () = at(standing.resumes) => self.resume(child, &mut standing),
                () = at(standing.overdue) => {
                    child.signal_group(ChildSignal::SIGKILL);
                    standing.overdue = None;
                }
                Some(errand) = self.errands.recv() => {
                    let reply = self.obey(errand.order, child, &mut standing);
                    self.tell(&reply);
                    // Nobody may be waiting for it any more.
                    let _ = errand.reply.send(reply);
                }
            }
        };
        self.board.is(&self.name, Condition::Running);
        end
    }

    /// Between an ordered end and the next start.
    pub(in crate::up) async fn hold(&mut self, hold: Hold) {
        if hold != Hold::NONE {
            self.board.is(&self.name, Condition::Held);
        }
        let mut until = moment_after(hold);
        loop {
            tokio::select! {
                () = at(until) => break,
                Some(errand) = self.errands.recv() => {
                    let reply = self.obey_held(errand.order, &mut until);
                    self.tell(&reply);
                    let _ = errand.reply.send(reply);
                }
            }
        }
        self.board.is(&self.name, Condition::Running);
    }

    fn obey_held(&self, order: Order, until: &mut Option<Instant>) -> Reply {
        match order {
            Order::Heal => {
                *until = Some(Instant::now());
                Ok(format!("{} is started again", self.name))
            }
            Order::Kill(hold) | Order::Restart(hold) => {
                *until = moment_after(hold);
                Ok(format!("{} was down already{}", self.name, held(hold)))
            }
            Order::Pause(_) => Err(format!("{} does not run now", self.name)),
        }
    }

    fn tell(&self, reply: &Reply) {
        if let Ok(done) = reply {
            say(format!("as ordered: {done}"));
        }
    }

    fn obey(&self, order: Order, child: &Child, standing: &mut Standing) -> Reply {
        match order {
            Order::Kill(hold) => {
                standing.end = Some(hold);
                child.signal_group(ChildSignal::SIGKILL);
                Ok(format!("{} killed (process {}){}", self.name, child.pid(), held(hold)))
            }
            Order::Restart(hold) => {
                standing.end = Some(hold);
                standing.overdue = Some(Instant::now() + DRAIN_PATIENCE);
                child.signal(self.farewell);
                // A paused process would keep the signal for later.
                self.resume(child, standing);
                Ok(format!("{} drains (process {}){}", self.name, child.pid(), held(hold)))
            }
            Order::Pause(hold) => self.pause(hold, child, standing),
            Order::Heal if standing.paused => {
                self.resume(child, standing);
                Ok(format!("{} goes on", self.name))
            }
            Order::Heal => Ok(format!("{} runs", self.name)),
        }
    }

    fn pause(&self, hold: Hold, child: &Child, standing: &mut Standing) -> Reply {
        if let Some(reason) = self.never_pauses {
            return Err(format!("{} cannot be paused: {reason}", self.name));
        }
        child.signal_group(ChildSignal::SIGSTOP);
        standing.paused = true;
        standing.resumes = moment_after(hold);
        self.board.is(&self.name, Condition::Paused);
        Ok(format!("{} paused (process {}){}", self.name, child.pid(), hold.words()))
    }

    fn resume(&self, child: &Child, standing: &mut Standing) {
        child.signal_group(ChildSignal::SIGCONT);
        (standing.paused, standing.resumes) = (false, None);
        self.board.is(&self.name, Condition::Running);
    }
}

fn held(hold: Hold) -> String {
    match hold {
        Hold::NONE => ", starts again at once".to_owned(),
        hold => format!(", stays down{}", hold.words()),
    }
}

/// None until it is healed.
fn moment_after(hold: Hold) -> Option<Instant> {
    hold.length().and_then(|length| Instant::now().checked_add(length))
}

/// Sleeps until then; for ever if there is no such moment.
async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use crm_sandbox::child::Program;
    use tokio::sync::oneshot;
    use tokio::task::JoinHandle;

    use super::*;
    use crate::places::Places;
    use crate::up::orders::Desk;
    use crate::up::state::{Process, State};

    struct Rig {
        board: Arc<Board>,
        desk: Desk,
        folder: crm_sandbox::TemporaryFolder,
    }

    impl Rig {
        fn new() -> Self {
            let folder = crm_sandbox::TemporaryFolder::new("crm-test-orders").unwrap();
            let places = Places::new(Some(folder.path().to_owned()));
            let board = Arc::new(Board::new(&places, State::empty()));
            board.add(Process {
                name: "sleep/0".to_owned(),
                role: "sleep".to_owned(),
                replica: 0,
                pid: None,
                address: None,
                admin: None,
                restarts: 0,
                condition: Condition::Running,
            });
            Self { board, desk: Desk::default(), folder }
        }

        fn ward(&self, never_pauses: Option<&'static str>) -> Ward {
            let errands = self.desk.open("sleep/0");
            let farewell = ChildSignal::SIGTERM;
            Ward { name: "sleep/0".to_owned(), board: Arc::clone(&self.board), errands, farewell, never_pauses }
        }

        fn condition(&self) -> Condition {
            self.board.snapshot().processes[0].condition
        }

        async fn order(&self, order: Order) -> Reply {
            let errand = oneshot::channel();
            let sender = self.desk.keepers.lock()["sleep/0"].clone();
            sender.send(Errand { order, reply: errand.0 }).await.unwrap();
            errand.1.await.unwrap()
        }
    }

    fn attended(mut ward: Ward) -> (u32, JoinHandle<(Ward, End)>) {
        let mut command = Command::new("sleep");
        command.arg("600");
        let child = Program::new("sleep", command).spawn().unwrap();
        let pid = child.pid();
        let attending = tokio::spawn(async move {
            let end = ward.attend(&child).await;
            (ward, end)
        });
        (pid, attending)
    }

    /// `S` while it sleeps, `T` while it is stopped.
    fn kernel_state(pid: u32) -> char {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        stat.rsplit(") ").next().unwrap().chars().next().unwrap()
    }

    async fn until_state(pid: u32, expected: char) {
        for _ in 0..500 {
            if kernel_state(pid) == expected {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("process {pid} is {}, not {expected}", kernel_state(pid));
    }

    #[tokio::test]
    async fn a_pause_ends_after_its_time_or_when_healed() {
        let rig = Rig::new();
        let (pid, attending) = attended(rig.ward(None));
        rig.order(Order::Pause(Hold::Milliseconds(300))).await.unwrap();
        assert_eq!(rig.condition(), Condition::Paused);
        until_state(pid, 'T').await;
        until_state(pid, 'S').await;
        assert_eq!(rig.condition(), Condition::Running);
        rig.order(Order::Pause(Hold::UntilHealed)).await.unwrap();
        until_state(pid, 'T').await;
        rig.order(Order::Heal).await.unwrap();
        until_state(pid, 'S').await;
        assert_eq!(rig.condition(), Condition::Running);
        rig.order(Order::Kill(Hold::NONE)).await.unwrap();
        assert_eq!(attending.await.unwrap().1, End::Ordered(Hold::NONE));
        drop(rig.folder);
    }

    #[tokio::test]
    async fn a_killed_process_is_held_until_it_is_healed() {
        let rig = Rig::new();
        let (_, attending) = attended(rig.ward(None));
        rig.order(Order::Kill(Hold::UntilHealed)).await.unwrap();
        let (mut ward, end) = attending.await.unwrap();
        assert_eq!(end, End::Ordered(Hold::UntilHealed));
        let holding = tokio::spawn(async move { ward.hold(Hold::UntilHealed).await });
        assert!(rig.order(Order::Pause(Hold::UntilHealed)).await.is_err());
        assert_eq!(rig.condition(), Condition::Held);
        rig.order(Order::Heal).await.unwrap();
        holding.await.unwrap();
        assert_eq!(rig.condition(), Condition::Running);
    }

    #[tokio::test]
    async fn a_paused_process_can_be_restarted_and_a_death_is_told_from_an_order() {
        let rig = Rig::new();
        let (_, attending) = attended(rig.ward(None));
        rig.order(Order::Pause(Hold::UntilHealed)).await.unwrap();
        rig.order(Order::Restart(Hold::NONE)).await.unwrap();
        assert_eq!(attending.await.unwrap().1, End::Ordered(Hold::NONE));
        let (pid, attending) = attended(rig.ward(Some("it is a test")));
        assert!(rig.order(Order::Pause(Hold::NONE)).await.unwrap_err().contains("it is a test"));
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid.try_into().unwrap()), ChildSignal::SIGKILL).unwrap();
        assert!(matches!(attending.await.unwrap().1, End::ByItself(_)));
    }
}
