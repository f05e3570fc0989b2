//! The one thread from which all children come.

use nix::{
    errno::Errno,
    sys::{prctl, signal::Signal},
    unistd::getppid,
};
use std::{
    io,
    os::unix::process::CommandExt,
    process::{Command, Stdio},
    sync::{
        Arc, LazyLock, Weak,
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::Duration,
};

use super::{Child, Program, exit, exit::Exit, log::LogFile};
use crate::Error;

/// How often the logs' sizes are looked at.
const TRIM_EVERY: Duration = Duration::from_secs(2);

struct Request {
    program: Program,
    answer: mpsc::SyncSender<io::Result<Child>>,
}

static SPAWNER: LazyLock<mpsc::Sender<Request>> = LazyLock::new(|| {
    let (sender, requests) = mpsc::channel();
    let spawned = thread::Builder::new().name("spawner".to_owned()).spawn(move || serve(&requests));
    // Without the thread the channel is closed, and each request is answered with an error.
    drop(spawned);
    sender
});

/// Has the spawner thread start the program.
pub(super) fn spawn(program: Program) -> Result<Child, Error> {
    let doing = format!("cannot start {} ({})", program.name, program.command.get_program().display());
    let (answer, answered) = mpsc::sync_channel(1);
    let gone = || io::Error::other("the thread that starts child processes is gone");
    let sent = SPAWNER.send(Request { program, answer });
    let result = sent.map_err(|_| gone()).and_then(|()| answered.recv().map_err(|_| gone())).flatten();
    result.map_err(Error::io(doing))
}

fn serve(requests: &mpsc::Receiver<Request>) {
    let mut logs: Vec<(Weak<Exit>, LogFile)> = Vec::new();
    loop {
        match requests.recv_timeout(TRIM_EVERY) {
            Ok(request) => {
                let log = request.program.log.clone();
                let started = start(request.program);
                if let (Ok(child), Some(log)) = (&started, log) {
                    logs.push((Arc::downgrade(&child.exit), log));
                }
                // Nobody waits for the answer any more: the child is dropped, and thereby killed.
                let _ = request.answer.send(started);
            }
            Err(RecvTimeoutError::Timeout) => trim(&mut logs),
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

fn trim(logs: &mut Vec<(Weak<Exit>, LogFile)>) {
    logs.retain(|(exit, log)| {
        let _ = log.trim();
        exit.upgrade().is_some_and(|exit| exit.get().is_none())
    });
}

fn start(program: Program) -> io::Result<Child> {
    let Program { name, mut command, log, death_signal, attached } = program;
    if !attached {
        detach(&mut command, log.as_ref())?;
    }
    die_with_parent(&mut command, death_signal);
    let child = command.spawn()?;
    let pid = child.id();
    let exit = exit::watch(&name, child)?;
    Ok(Child { name, pid, attached, exit })
}

fn detach(command: &mut Command, log: Option<&LogFile>) -> io::Result<()> {
    let (out, err) = log.map_or_else(|| Ok((Stdio::null(), Stdio::null())), LogFile::open)?;
    command.stdin(Stdio::null()).stdout(out).stderr(err).process_group(0);
    Ok(())
}

/// Asks the kernel to signal the child when this thread ends. Set after the change of user, which would clear it.
fn die_with_parent(command: &mut Command, signal: Signal) {
    let parent = nix::unistd::getpid();
    let in_child = move || {
        prctl::set_pdeathsig(signal)?;
        // The parent may have died between the fork and the line above.
        if getppid() == parent { Ok(()) } else { Err(io::Error::from(Errno::ESRCH)) }
    };
    // SAFETY: runs between fork and exec; it makes two system calls and neither allocates nor locks.
    unsafe {
        command.pre_exec(in_child);
    }
}
