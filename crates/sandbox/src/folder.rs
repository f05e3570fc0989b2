//! A temporary folder that is gone after its process, however that ended.

use std::{
    fs, io,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use crate::Error;

/// Waits until the pipe from its parent is closed, which the kernel does for whoever dies; then removes the folder,
/// more than once, since servers that die along with the parent may still be writing.
const WATCHDOG: &str = r#"
cat > /dev/null
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30; do
    rm -rf -- "$1" 2> /dev/null
    [ -e "$1" ] || exit 0
    sleep 0.2
done
"#;

/// A folder under the system's temporary one that is removed on drop, or by a watchdog when this process dies.
#[derive(Debug)]
pub struct TemporaryFolder {
    path: PathBuf,
    watchdog: Child,
}

impl TemporaryFolder {
    /// Makes one whose name starts with `prefix`.
    ///
    /// # Errors
    /// The operating system's.
    pub fn new(prefix: &str) -> Result<Self, Error> {
        let unique = uuid::Uuid::new_v4().simple().to_string();
        let path = std::env::temp_dir().join(format!("{prefix}-{}", &unique[..12]));
        fs::create_dir_all(&path).map_err(Error::path("cannot make", &path))?;
        let watchdog = start_watchdog(&path).map_err(Error::io("cannot start the watchdog of a temporary folder"))?;
        Ok(Self { path, watchdog })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        const TRIES: u32 = 20;
        const PAUSE: Duration = Duration::from_millis(50);
        for _ in 0..TRIES {
            match fs::remove_dir_all(&self.path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => thread::sleep(PAUSE),
                _ => break,
            }
        }
        drop(self.watchdog.stdin.take());
        let _ = self.watchdog.wait();
    }
}

/// In a process group of its own: what is typed at a terminal must not reach it.
fn start_watchdog(folder: &Path) -> io::Result<Child> {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", WATCHDOG, "watchdog"]).arg(folder).current_dir("/").process_group(0);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()
}
