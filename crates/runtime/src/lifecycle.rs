//! From start to stop: named tasks, a soft stop that lets them finish, a hard one that cuts them.

use std::{
    collections::BTreeMap,
    error::Error,
    future::pending,
    io,
    panic::AssertUnwindSafe,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::FutureExt as _;
use tokio::{
    runtime::Handle,
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, error, info, info_span, warn};

use crate::chain;

/// How long tasks may take to finish after a soft stop, unless told otherwise; below the 30 s of Kubernetes.
const DEADLINE: Duration = Duration::from_secs(25);

/// How long to wait for tasks that were cut: one that blocks its thread cannot be.
const AFTERMATH: Duration = Duration::from_secs(1);

/// Owns every task of a process, or of an embedded group of services.
///
/// Dropped without [`run`](Self::run), it cuts its tasks.
#[derive(Debug)]
pub struct Lifecycle {
    shared: Arc<Shared>,
    signals: Option<Signals>,
    deadline: Duration,
}

/// Gives tasks to a lifecycle from anywhere.
#[derive(Clone, Debug)]
pub struct Spawner(Arc<Shared>);

/// Requests a soft stop.
#[derive(Clone, Debug)]
pub struct Stopper(CancellationToken);

/// Tells a task that a soft stop was requested.
#[derive(Clone, Debug)]
pub struct Stopping(CancellationToken);

/// How a lifecycle ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Stopped on request, and every task finished.
    Clean,
    /// A task ended early, failed, panicked or had to be cut.
    Failed,
}

#[derive(Debug)]
struct Shared {
    /// Where tasks run, also those given from a thread with a runtime of its own, as a server's workers have.
    runtime: Option<Handle>,
    soft: CancellationToken,
    hard: CancellationToken,
    failed: AtomicBool,
    started: AtomicU64,
    running: watch::Sender<BTreeMap<u64, String>>,
}

#[derive(Debug)]
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Lifecycle {
    /// Stops on SIGINT or SIGTERM: the first is soft, the second hard.
    pub fn listen() -> io::Result<Self> {
        let signals = Signals {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        };
        let mut lifecycle = Self::manual();
        lifecycle.signals = Some(signals);
        Ok(lifecycle)
    }

    /// Stops only through its [`Stopper`], for tests and for embedding.
    #[must_use]
    pub fn manual() -> Self {
        let shared = Shared {
            runtime: Handle::try_current().ok(),
            soft: CancellationToken::new(),
            hard: CancellationToken::new(),
            failed: AtomicBool::new(false),
            started: AtomicU64::new(0),
            running: watch::Sender::default(),
        };
        Self { shared: Arc::new(shared), signals: None, deadline: DEADLINE }
    }

    /// Tasks may take `deadline` to finish after a soft stop.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Starts a task that runs until the stop; see [`Spawner::spawn`].
    pub fn spawn<F, E>(&self, name: impl Into<String>, task: F)
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>> + Send + 'static,
    {
        self.spawner().spawn(name, task);
    }

    /// A handle that starts tasks later.
    #[must_use]
    pub fn spawner(&self) -> Spawner {
        Spawner(Arc::clone(&self.shared))
    }

    /// A handle that requests the soft stop.
    #[must_use]
    pub fn stopper(&self) -> Stopper {
        Stopper(self.shared.soft.clone())
    }

    /// What tasks watch.
    #[must_use]
    pub fn stopping(&self) -> Stopping {
        Stopping(self.shared.soft.clone())
    }

    /// Runs until everything has ended; the exit code tells how.
    pub async fn run(self) -> ExitCode {
        match self.outcome().await {
            Outcome::Clean => ExitCode::SUCCESS,
            Outcome::Failed => ExitCode::FAILURE,
        }
    }

    /// Like [`run`](Self::run), for one lifecycle inside another.
    pub async fn outcome(mut self) -> Outcome {
        let soft = self.shared.soft.clone();
        tokio::select! {
            () = soft.cancelled() => {}
            name = received(&mut self.signals) => {
                info!(signal = name, "Stopping on {name}; a second signal stops at once");
                soft.cancel();
            }
        }
        let mut running = self.shared.running.subscribe();
        let finished = tokio::select! {
            _ = running.wait_for(BTreeMap::is_empty) => true,
            _ = received(&mut self.signals) => false,
            () = sleep(self.deadline) => false,
        };
        if !finished {
            self.cut().await;
        }
        if self.shared.failed.load(Ordering::Acquire) { Outcome::Failed } else { Outcome::Clean }
    }

    async fn cut(&self) {
        self.shared.failed.store(true, Ordering::Release);
        let mut running = self.shared.running.subscribe();
        let names = running.borrow().values().cloned().collect::<Vec<_>>().join(", ");
        warn!(tasks = names, "Cutting the tasks that did not finish: {names}");
        self.shared.hard.cancel();
        if timeout(AFTERMATH, running.wait_for(BTreeMap::is_empty)).await.is_err() {
            error!("Leaving with tasks that block their threads");
        }
    }
}

impl Drop for Lifecycle {
    fn drop(&mut self) {
        self.shared.soft.cancel();
        self.shared.hard.cancel();
    }
}

impl Spawner {
    /// Starts a task that runs until the stop.
    ///
    /// If it ends before a stop was requested, fails or panics, the process stops with a failure.
    pub fn spawn<F, E>(&self, name: impl Into<String>, task: F)
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>> + Send + 'static,
    {
        self.start(name.into(), task, Shared::service_ended);
    }

    /// Starts a task that may end at any time; only its failure stops the process.
    pub fn job<F, E>(&self, name: impl Into<String>, task: F)
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>> + Send + 'static,
    {
        self.start(name.into(), task, |_, _| {});
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that spawns")]
    fn start<F, E>(&self, name: String, task: F, ended: fn(&Shared, &str))
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>> + Send + 'static,
    {
        let span = info_span!("task", task.name = %name);
        let entry = Entry::new(Arc::clone(&self.0), name.clone());
        let supervised = async move {
            let shared = &entry.shared;
            tokio::select! {
                biased;
                end = AssertUnwindSafe(task).catch_unwind() => match end {
                    Ok(Ok(())) => ended(shared, &name),
                    Ok(Err(error)) => shared.failed(&name, &chain(error.into().as_ref())),
                    // The panic hook has written the message.
                    Err(_) => shared.failed(&name, "it panicked"),
                },
                () = shared.hard.cancelled() => {}
            }
        };
        let supervised = supervised.instrument(span);
        match &self.0.runtime {
            Some(runtime) => runtime.spawn(supervised),
            None => tokio::spawn(supervised),
        };
    }
}

/// Keeps a task among the running ones until it is dropped.
struct Entry {
    shared: Arc<Shared>,
    number: u64,
}

impl Entry {
    fn new(shared: Arc<Shared>, name: String) -> Self {
        let number = shared.started.fetch_add(1, Ordering::Relaxed);
        shared.running.send_modify(|running| {
            running.insert(number, name);
        });
        Self { shared, number }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.shared.running.send_modify(|running| {
            running.remove(&self.number);
        });
    }
}

impl Shared {
    fn service_ended(&self, name: &str) {
        if !self.soft.is_cancelled() {
            self.failed(name, "it ended before it was told to");
        }
    }

    fn failed(&self, name: &str, why: &str) {
        error!(task.name = name, error = why, "Task `{name}` failed: {why}");
        self.failed.store(true, Ordering::Release);
        self.soft.cancel();
    }
}

impl Stopper {
    /// Requests the soft stop; repeating it does nothing.
    pub fn stop(&self) {
        self.0.cancel();
    }
}

impl Stopping {
    /// Waits until a stop is requested.
    pub async fn requested(&self) {
        self.0.cancelled().await;
    }

    /// Whether a stop was requested.
    #[must_use]
    pub fn is_requested(&self) -> bool {
        self.0.is_cancelled()
    }

    /// What `work` gives, or nothing if a stop is requested first.
    pub async fn unless_requested<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        self.0.run_until_cancelled(work).await
    }
}

async fn received(signals: &mut Option<Signals>) -> &'static str {
    let Some(Signals { interrupt, terminate }) = signals else { return pending().await };
    tokio::select! {
        Some(()) = interrupt.recv() => "SIGINT",
        Some(()) = terminate.recv() => "SIGTERM",
        else => pending().await,
    }
}
