//! One child, kept running by a thread of its own.
//!
//! The thread starts the child and waits for it. It has to outlive the child, because the kernel ties the two
//! together; a worker thread of the async runtime gives no such promise.

use std::{
    future::Future,
    os::fd::OwnedFd,
    path::PathBuf,
    process::{Child, Stdio},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use tokio::sync::watch;
use tracing::{info, warn};

use super::{Error, Places, Program, leftover, log};

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

/// A child process that is started again when it dies.
#[derive(Debug)]
pub struct Supervised {
    name: String,
    grace: Duration,
    log: PathBuf,
    state: watch::Receiver<State>,
    control: Arc<Control>,
}

#[derive(Debug, Default)]
struct Control {
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

    fn signal(&self, signal: Signal) {
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

impl Supervised {
    /// Ends what a former run left of this part, and starts it.
    pub async fn start(program: Program, places: &Places, restarts: Restarts) -> Result<Self, Error> {
        let pid_file = places.pid_file_of(&program.name);
        leftover::end(&program.name, &pid_file).await?;

        let log = places.log_of(&program.name);
        log::open(&log).map_err(|cause| Error::Place { path: log.clone(), cause })?;

        let (publish, state) = watch::channel(State::Starting);
        let control = Arc::new(Control::default());
        let supervised = Self {
            name: program.name.clone(),
            grace: program.grace,
            log: log.clone(),
            state,
            control: Arc::clone(&control),
        };
        let thread = Thread { program, log, pid_file, restarts, control, publish };
        std::thread::Builder::new()
            .name(supervised.name.clone())
            .spawn(move || thread.run())
            .map_err(|cause| Error::Thread { name: supervised.name.clone(), cause })?;
        Ok(supervised)
    }

    /// The part's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it does now.
    #[must_use]
    pub fn state(&self) -> State {
        self.state.borrow().clone()
    }

    /// Waits until `probe` says yes; fails when the child ends or `within` has passed.
    pub async fn ready<P, F>(&self, within: Duration, mut probe: P) -> Result<(), Error>
    where
        P: FnMut() -> F,
        F: Future<Output = bool>,
    {
        let deadline = Instant::now() + within;
        loop {
            match self.state() {
                State::Waiting { status } | State::GaveUp { status } => {
                    return Err(Error::EndedEarly { name: self.name.clone(), status, tail: self.tail() });
                }
                State::Starting | State::Running { .. } | State::Stopped => {}
            }
            if probe().await {
                return Ok(());
            }
            if Instant::now() >= deadline {
                return Err(Error::NotReady { name: self.name.clone(), within, tail: self.tail() });
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }

    /// Ends with `Ok` once the part was stopped, with an error when it ended too often.
    pub fn watch(&self) -> impl Future<Output = Result<(), Error>> + Send + 'static {
        let (name, log) = (self.name.clone(), self.log.clone());
        let mut state = self.state.clone();
        async move {
            let last = state.wait_for(|state| matches!(state, State::GaveUp { .. } | State::Stopped)).await;
            match last.map(|state| state.clone()) {
                Ok(State::GaveUp { status }) => Err(Error::GaveUp { name, status, tail: log::tail(&log) }),
                // The other side is gone only after the last state.
                Ok(_) | Err(_) => Ok(()),
            }
        }
    }

    /// Asks the child to end, kills it when its grace has passed, and returns when it is gone.
    pub async fn stop(&self) {
        self.control.signal(Signal::TERM);
        if tokio::time::timeout(self.grace, self.ended()).await.is_err() {
            warn!(part = self.name, "Killing a part that does not end");
            self.control.signal(Signal::KILL);
            self.ended().await;
        }
    }

    async fn ended(&self) {
        let mut state = self.state.clone();
        // An error means that the thread is gone, and the child with it.
        let _ = state.wait_for(|state| matches!(state, State::Stopped | State::GaveUp { .. })).await;
    }

    fn tail(&self) -> String {
        log::tail(&self.log)
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        self.control.signal(Signal::KILL);
    }
}

/// What the child's thread owns.
struct Thread {
    program: Program,
    log: PathBuf,
    pid_file: PathBuf,
    restarts: Restarts,
    control: Arc<Control>,
    publish: watch::Sender<State>,
}

impl Thread {
    fn run(self) {
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn shell(script: &str, directory: &Path) -> Program {
        Program {
            name: "part".to_owned(),
            executable: "sh".into(),
            arguments: vec!["-c".into(), script.into()],
            environment: vec![("GREETING".to_owned(), "hello".to_owned())],
            directory: directory.to_owned(),
            grace: Duration::from_secs(5),
        }
    }

    const QUICK: Restarts =
        Restarts { at_most: 2, first_wait: Duration::from_millis(1), steady_after: Duration::from_mins(1) };

    async fn start(script: &str, directory: &Path) -> Supervised {
        Supervised::start(shell(script, directory), &Places::under(directory), QUICK).await.unwrap()
    }

    #[tokio::test]
    async fn a_part_runs_logs_and_ends_when_asked() {
        let home = tempfile::tempdir().unwrap();
        let part =
            start("trap 'echo bye; exit 0' TERM; echo $GREETING; touch up; sleep 600 & wait", home.path())
                .await;
        let up = home.path().join("up");
        part.ready(Duration::from_secs(5), || std::future::ready(up.exists())).await.unwrap();
        assert!(Places::under(home.path()).pid_file_of("part").exists());
        part.stop().await;
        assert_eq!(part.state(), State::Stopped);
        part.watch().await.unwrap();
        let log = std::fs::read_to_string(Places::under(home.path()).log_of("part")).unwrap();
        assert_eq!(log, "hello\nbye\n");
        assert!(!Places::under(home.path()).pid_file_of("part").exists());
    }

    #[tokio::test]
    async fn a_part_that_dies_is_started_again_until_it_dies_too_often() {
        let home = tempfile::tempdir().unwrap();
        let part = start("echo run; exit 7", home.path()).await;
        let error = part.watch().await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "part ended again and again (exit status: 7); the end of its log:\nrun\nrun\nrun"
        );
    }

    #[tokio::test]
    async fn a_part_that_dies_while_starting_shows_its_log() {
        let home = tempfile::tempdir().unwrap();
        let part = start("echo the port is taken; exit 1", home.path()).await;
        let error = part.ready(Duration::from_secs(5), || std::future::ready(false)).await.unwrap_err();
        assert!(error.to_string().contains("ended while starting (exit status: 1)"), "{error}");
        assert!(error.to_string().contains("the port is taken"), "{error}");
    }

    #[tokio::test]
    async fn a_part_that_does_not_end_is_killed() {
        let home = tempfile::tempdir().unwrap();
        let mut stubborn =
            shell("trap '' TERM; touch up; while :; do read -t 60 _ </dev/zero; done", home.path());
        stubborn.grace = Duration::from_millis(50);
        stubborn.executable = "bash".into();
        let part = Supervised::start(stubborn, &Places::under(home.path()), QUICK).await.unwrap();
        let up = home.path().join("up");
        part.ready(Duration::from_secs(5), || std::future::ready(up.exists())).await.unwrap();
        part.stop().await;
        assert_eq!(part.state(), State::Stopped);
    }
}
