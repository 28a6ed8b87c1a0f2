//! Children that a killed run left behind.

use std::{
    fs, io,
    path::Path,
    time::{Duration, Instant},
};

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use serde::{Deserialize, Serialize};

use super::{Error, Places};

/// How long a process of a former run may take to end by itself, and then to vanish.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a pid file says: a number alone could by now be anybody's.
#[derive(Debug, Serialize, Deserialize)]
struct Mark {
    pid: u32,
    command_line: Vec<String>,
}

/// Writes down that `pid` runs `command_line`.
pub(super) fn write(path: &Path, pid: u32, command_line: Vec<String>) -> io::Result<()> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    fs::write(path, serde_json::to_vec(&Mark { pid, command_line })?)
}

/// Ends every process that a killed run left in `places`, so that ports and files are free again.
pub async fn end_all(places: &Places) -> Result<(), Error> {
    let Ok(entries) = fs::read_dir(places.run()) else { return Ok(()) };
    for entry in entries.flatten() {
        let path = entry.path();
        let name = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if path.extension().is_some_and(|extension| extension == "pid") {
            end(&name, &path).await?;
        }
    }
    Ok(())
}

/// Ends the process that the pid file names, if it still is the one that was written down.
pub(super) async fn end(name: &str, path: &Path) -> Result<(), Error> {
    let mark = fs::read(path).ok().and_then(|bytes| serde_json::from_slice::<Mark>(&bytes).ok());
    if let Some(mark) = mark {
        if !ended(&mark, Signal::TERM).await && !ended(&mark, Signal::KILL).await {
            return Err(Error::Leftover { name: name.to_owned(), pid: mark.pid });
        }
        let _ = fs::remove_file(path);
    }
    Ok(())
}

/// Sends `signal` and waits; true when the marked process is gone.
async fn ended(mark: &Mark, signal: Signal) -> bool {
    let Some(pid) = i32::try_from(mark.pid).ok().and_then(Pid::from_raw) else { return true };
    // Opened before the look at the command line, so that the signal reaches the process that was looked at.
    let Ok(process) = pidfd_open(pid, PidfdFlags::empty()) else { return true };
    if !is_running(mark) {
        return true;
    }
    tracing::info!(pid = mark.pid, signal = signal.as_raw(), "Ending a process of a former run");
    let _ = pidfd_send_signal(&process, signal);
    let deadline = Instant::now() + PATIENCE;
    while is_running(mark) && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    !is_running(mark)
}

fn is_running(mark: &Mark) -> bool {
    // A zombie's command line is empty: it is as good as gone.
    fs::read(format!("/proc/{}/cmdline", mark.pid)).is_ok_and(|seen| {
        let seen = String::from_utf8_lossy(&seen);
        seen.trim_end_matches('\0').split('\0').eq(mark.command_line.iter().map(String::as_str))
    })
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    fn sleeper() -> (std::process::Child, Vec<String>) {
        let child = Command::new("sleep").arg("600").spawn().unwrap();
        (child, vec!["sleep".to_owned(), "600".to_owned()])
    }

    #[tokio::test]
    async fn a_child_of_a_killed_run_is_ended() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("run/part.pid");
        let (mut child, command_line) = sleeper();
        // Between fork and exec the child still shows its parent's command line.
        while !is_running(&Mark { pid: child.id(), command_line: command_line.clone() }) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        write(&path, child.id(), command_line).unwrap();
        end("part", &path).await.unwrap();
        assert!(!child.wait().unwrap().success());
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn a_process_that_only_has_the_same_number_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("part.pid");
        let (mut child, _) = sleeper();
        write(&path, child.id(), vec!["java".to_owned(), "kafka.Kafka".to_owned()]).unwrap();
        end("part", &path).await.unwrap();
        assert!(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
