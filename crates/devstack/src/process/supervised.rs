//! One part as its owner holds it: started, awaited, watched and stopped.

use std::{
    future::Future,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use rustix::process::Signal;
use tokio::sync::watch;
use tracing::warn;

use super::{
    Error, Places, Program,
    keeper::{Control, Keeper, Restarts, State},
    leftover, log,
};

/// A child process that is started again when it dies.
#[derive(Debug)]
pub struct Supervised {
    name: String,
    grace: Duration,
    log: PathBuf,
    state: watch::Receiver<State>,
    control: Arc<Control>,
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
        let keeper = Keeper { program, log, pid_file, restarts, control, publish };
        std::thread::Builder::new()
            .name(supervised.name.clone())
            .spawn(move || keeper.run())
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
