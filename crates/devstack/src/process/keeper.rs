//! The thread that keeps one child running.
//!
//! It starts the child and waits for it, and has to outlive it, because the kernel ties the two together; a worker
//! thread of the async runtime gives no such promise.

use std::{
    os::fd::OwnedFd,
    path::PathBuf,
    process::{Child, Stdio},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use tokio::sync::watch;
use tracing::{info, warn};

use super::{Program, leftover, log};

/// How often a child that ends unexpectedly is started again.
#[derive(Clone, Copy, Debug)]
pub struct Restarts {
    /// Starts in a row before giving up.
    pub at_most: u32,
    /// The wait before the first; doubled for each further one.
    pub first_wait: Duration,
    /// A child that ran this long starts a new row.
    pub steady_after: Duration,
}

impl Default for Restarts {
    fn default() -> Self {
        Self { at_most: 5, first_wait: Duration::from_millis(200), steady_after: Duration::from_mins(1) }
    }
}

/// What the child does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Not yet started.
    Starting,
    /// It runs; `restarts` counts since it last ran steadily.
    Running { pid: u32, restarts: u32 },
    /// It ended and will be started again.
    Waiting { status: String },
    /// It ended too often.
    GaveUp { status: String },
    /// It was stopped.
    Stopped,
}

/// The way from outside to the thread and its child.
#[derive(Debug, Default)]
pub(super) struct Control {
    inner: Mutex<Inner>,
    stopping: Condvar,
}

#[derive(Debug, Default)]
struct Inner {
    stopping: bool,
    /// The running child; a handle, not a number, so that a signal can never reach somebody else.
    child: Option<OwnedFd>,
}

impl Control {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stops the part: the child gets `signal`, and no other is started.
    pub(super) fn signal(&self, signal: Signal) {
        let mut inner = self.lock();
        inner.stopping = true;
        if let Some(child) = &inner.child {
            // An error means that it has just ended, which is what was wanted.
            let _ = pidfd_send_signal(child, signal);
        }
        drop(inner);
        self.stopping.notify_all();
    }
}

/// What the thread owns.
pub(super) struct Keeper {
    pub program: Program,
    pub log: PathBuf,
    pub pid_file: PathBuf,
    pub restarts: Restarts,
    pub control: Arc<Control>,
    pub publish: watch::Sender<State>,
}

impl Keeper {
    /// Keeps the child running until the part is stopped or gives up.
    pub(super) fn run(self) {
        let mut restarts = 0;
        loop {
            let since = Instant::now();
            let status = match self.start() {
                Ok(Some(child)) => self.wait(child, restarts),
                Ok(None) => break,
                Err(error) => error.to_string(),
            };
            if self.control.lock().stopping {
                break;
            }
            warn!(part = self.program.name, status, restarts, "A part ended unexpectedly");
            if since.elapsed() >= self.restarts.steady_after {
                restarts = 0;
            }
            if restarts == self.restarts.at_most {
                self.publish.send_replace(State::GaveUp { status });
                return;
            }
            self.publish.send_replace(State::Waiting { status });
            self.pause(self.restarts.first_wait * 2_u32.saturating_pow(restarts));
            restarts += 1;
        }
        self.publish.send_replace(State::Stopped);
    }

    /// Starts the child, unless the part is to stop; under the lock, so that a stop cannot slip in between.
    fn start(&self) -> std::io::Result<Option<Child>> {
        let mut inner = self.control.lock();
        if inner.stopping {
            return Ok(None);
        }
        let log = log::open(&self.log)?;
        let mut child = self.program.command(Stdio::from(log.try_clone()?), Stdio::from(log)).spawn()?;
        match pidfd_open(Pid::from_child(&child), PidfdFlags::empty()) {
            Ok(handle) => inner.child = Some(handle),
            Err(error) => {
                child.kill()?;
                child.wait()?;
                return Err(error.into());
            }
        }
        drop(inner);
        if let Err(error) = leftover::write(&self.pid_file, child.id(), self.program.command_line()) {
            warn!(part = self.program.name, %error, "The pid file could not be written");
        }
        Ok(Some(child))
    }

    fn wait(&self, mut child: Child, restarts: u32) -> String {
        info!(part = self.program.name, pid = child.id(), "Started a part");
        self.publish.send_replace(State::Running { pid: child.id(), restarts });
        let status = child.wait();
        self.control.lock().child = None;
        let _ = std::fs::remove_file(&self.pid_file);
        status.map_or_else(|error| error.to_string(), |status| status.to_string())
    }

    fn pause(&self, wait: Duration) {
        let inner = self.control.lock();
        drop(self.control.stopping.wait_timeout_while(inner, wait, |inner| !inner.stopping));
    }
}
