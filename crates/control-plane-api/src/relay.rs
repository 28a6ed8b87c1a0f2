//! The relay: from Git's history to topics.
//!
//! It goes in *steps*, each from the commit relayed last to a later one. A step is opened in the store before
//! anything of it is written, and closed with all that it leaves behind; a relay that starts finds an open step and
//! finishes it between the same two commits, with the same ids. Whoever holds the one partition of
//! `gitops-nudges` is the relay; the store's row of the open step names the holder, so one that lost its hold
//! without noticing writes no further batch.

mod catalog;
mod changes;
mod compare;
mod content;
mod mirror;
mod on_nudge;
mod ordering;
mod orders;
mod publish;
mod report;
mod step;
mod syncing;
mod telling;
mod wanted;

use std::sync::{Arc, Mutex, PoisonError};

use domain::{
    Classify, Disposition,
    id::{CommitId, Epoch, Revision},
};
use event_bus::Bus;
use gitops::{
    Effective, Repository, Trailers,
    effective::{Followed, Row, changes, follow},
    repository::Line,
};
use runtime::Clock;
use tracing::{info, instrument, warn};

use self::compare::CatalogDifference;
pub(crate) use self::{mirror::Mirror, on_nudge::OnNudge};
use crate::{
    desired::{Desired, DesiredState},
    metrics::Metrics,
    settings::RelaySettings,
    store::{Step, StepKind, Store},
    wake::Wake,
};

/// Commits that a step tells one by one; a longer line is told as one.
const LINE: usize = 200;

/// Why the relay did not finish.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RelayError {
    #[error("the relay could not use its store")]
    Store(#[from] crate::store::Error),
    #[error("the relay could not read the repository")]
    Repository(#[from] gitops::repository::Error),
    #[error("the relay could not write to its topics")]
    Bus(#[from] event_bus::Error),
    /// A row of the effective state is not what this version writes.
    #[error("the effective state in the store cannot be read")]
    State(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Classify for RelayError {
    /// Nothing of Git's history may be left out, so every failure is waited for.
    fn disposition(&self) -> Disposition {
        Disposition::Retry
    }
}

/// What the relay needs.
#[derive(Clone)]
pub(crate) struct Parts {
    pub(crate) store: Store,
    pub(crate) repository: Repository,
    pub(crate) trailers: Trailers,
    pub(crate) bus: Bus,
    pub(crate) desired: DesiredState,
    pub(crate) wake: Wake,
    pub(crate) mirror: Mirror,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) settings: RelaySettings,
    pub(crate) epoch: Epoch,
    /// The repository's name in records: stable over moves of the remote.
    pub(crate) name: String,
    /// This process, among all that ever were.
    pub(crate) holder: String,
    pub(crate) metrics: Metrics,
}

/// The relay of one repository.
pub(crate) struct Relay {
    parts: Parts,
    /// One look at a time in this process.
    state: tokio::sync::Mutex<State>,
    relayed: Mutex<Option<CommitId>>,
}

/// What the relay knows from its last step.
#[derive(Clone, Debug, Default)]
struct State {
    revision: Revision,
    effective: Effective,
    /// Whether this process has compared the catalogue topics with the effective state since it became the relay.
    compared: bool,
    /// The commit that waits for approval, once people were told.
    waiting: Option<CommitId>,
    /// What the catalogue topics were found to lack, for the step that writes it.
    differs: Option<CatalogDifference>,
}

impl std::fmt::Debug for Relay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Relay").field("name", &self.parts.name).finish_non_exhaustive()
    }
}

impl Relay {
    /// The relay, with what the store remembers.
    pub(crate) async fn load(parts: Parts) -> Result<Self, RelayError> {
        let relay = Self { parts, state: tokio::sync::Mutex::default(), relayed: Mutex::default() };
        let mut state = relay.state.lock().await;
        relay.reload(&mut state).await?;
        drop(state);
        Ok(relay)
    }

    /// Whether the commit was the last one relayed.
    pub(crate) fn has_relayed(&self, commit: &CommitId) -> bool {
        self.relayed.lock().unwrap_or_else(PoisonError::into_inner).as_ref() == Some(commit)
    }

    /// Looks at the branch and relays what is new.
    #[instrument(name = "relay.look", skip_all)]
    pub(crate) async fn look(&self) -> Result<(), RelayError> {
        let metrics = &self.parts.metrics;
        match self.relay_what_is_new().await {
            Ok(()) => metrics.has_looked(self.parts.clock.now()),
            Err(error) => {
                if matches!(error, RelayError::Store(crate::store::Error::TakenOver { .. })) {
                    metrics.no_step_is_open();
                }
                return Err(error);
            }
        }
        Ok(())
    }

    async fn relay_what_is_new(&self) -> Result<(), RelayError> {
        let mut state = self.state.lock().await;
        let parts = &self.parts;
        self.finish_open(&mut state).await?;
        if parts.store.last_step().await?.is_some_and(|last| last.revision != state.revision) {
            self.reload(&mut state).await?;
        }
        if !state.compared {
            self.compare(&mut state).await?;
            state.compared = true;
        }
        // Before the remote is asked, which may be away: a sync needs only what was relayed.
        self.sync(&mut state).await?;
        let Some(head) = parts.repository.blocking(Repository::fetch).await? else {
            return Ok(());
        };
        while let Some(step) = self.next(&state, &head).await? {
            let followed = self.follow(&state.effective, &step.to).await?;
            if !self.may_remove(&mut state, &step, &followed.effective).await? {
                return Ok(());
            }
            parts.store.begin_step(&step, &parts.holder, parts.clock.now()).await?;
            self.finish(&mut state, &step, followed).await?;
        }
        Ok(())
    }

    /// Goes after the steps that the relay of another replica closed, so that reads here are answered from them, too.
    pub(crate) async fn catch_up(&self) -> Result<(), RelayError> {
        // A look that is going on shows what it comes to.
        let Ok(mut state) = self.state.try_lock() else { return Ok(()) };
        let last = self.parts.store.last_step().await?;
        let Some(last) = last.filter(|last| last.revision > state.revision) else { return Ok(()) };
        let near = last.revision == state.revision.next() && last.from.as_ref() == state.effective.commit();
        let to = last.to.clone();
        let holds = self.parts.repository.blocking(move |repository| repository.holds(&to)).await?;
        if !(near && holds) {
            return self.reload(&mut state).await;
        }
        // What a step comes to depends on nothing but where it begins and ends.
        state.effective = self.follow(&state.effective, &last.to).await?.effective;
        state.revision = last.revision;
        state.compared = false;
        self.show(&state);
        Ok(())
    }

    /// Finishes the step that a former relay left open, between the same two commits and with the same ids.
    async fn finish_open(&self, state: &mut State) -> Result<(), RelayError> {
        let parts = &self.parts;
        let Some(open) = parts.store.open_step().await? else { return Ok(()) };
        parts.store.take_step(open.revision, &parts.holder).await?;
        self.reload(state).await?;
        info!(revision = open.revision.0, "Finishing step {}", open.revision);
        let followed = self.follow(&state.effective, &open.to).await?;
        self.finish(state, &open, followed).await
    }

    /// The next step towards `head`, if it is not reached.
    async fn next(&self, state: &State, head: &CommitId) -> Result<Option<Step>, RelayError> {
        let from = state.effective.commit().cloned();
        let revision = state.revision.next();
        let (since, to) = (from.clone(), head.clone());
        let line = self
            .parts
            .repository
            .blocking(move |repository| repository.first_parent_commits(since.as_ref(), &to, LINE))
            .await?;
        let behind = match &line {
            Line::Same => 0,
            Line::Commits(commits) => commits.len(),
            Line::TooLong(_) => LINE,
            Line::Beginning(_) | Line::Merged(_) | Line::Rewritten(_) => 1,
        };
        self.parts.metrics.is_behind(behind, self.parts.clock.now());
        let step = |to, kind| Some(Step { revision, from: from.clone(), to, kind });
        Ok(match line {
            Line::Same => None,
            // A commit that answers a request ends its step, so that the request has orders of its own.
            Line::Commits(commits) => {
                let own = commits.iter().find(|commit| self.parts.trailers.verify(commit).is_some());
                let to = own.map_or_else(|| head.clone(), |commit| commit.id.clone());
                step(to, StepKind::Linear)
            }
            // From the first commit on, the line is told as any other.
            Line::Beginning(_) => match self.first_of(head).await? {
                Some(first) => step(first, StepKind::Linear),
                None => step(head.clone(), StepKind::Collapsed),
            },
            Line::TooLong(_) | Line::Merged(_) => step(head.clone(), StepKind::Collapsed),
            Line::Rewritten(_) => step(head.clone(), StepKind::Rewritten),
        })
    }

    /// The first commit of the line to `head`, if it is not too far back.
    async fn first_of(&self, head: &CommitId) -> Result<Option<CommitId>, RelayError> {
        let head = head.clone();
        let first = move |repository: &Repository| {
            repository.find_commit(&head, None, LINE, |commit| commit.parents.is_empty())
        };
        Ok(self.parts.repository.blocking(first).await?.map(|first| first.id))
    }

    /// What happened between the state and a later commit.
    async fn follow(&self, effective: &Effective, to: &CommitId) -> Result<Followed, RelayError> {
        let (effective, to, trailers) = (effective.clone(), to.clone(), self.parts.trailers.clone());
        let followed = self.parts.repository.blocking(move |repository| {
            follow(repository, &effective, &to, LINE, &trailers, &crate::commands::check_openapi)
        });
        Ok(followed.await?)
    }

    /// Takes the store's word for what was relayed.
    async fn reload(&self, state: &mut State) -> Result<(), RelayError> {
        let known = remembered(&self.parts.store, &self.parts.repository).await?;
        state.revision = known.revision;
        state.effective = known.effective;
        // Another relay was at work, which may have been stalled and left something behind.
        state.compared = false;
        self.show(state);
        Ok(())
    }

    /// Makes a state what reads are answered from.
    fn show(&self, state: &State) {
        *self.relayed.lock().unwrap_or_else(PoisonError::into_inner) = state.effective.commit().cloned();
        self.parts.desired.replace(Desired::of(&state.effective, state.revision));
    }

    /// Whether the step takes away no more than it may without a person's word; if it does, people are told once.
    async fn may_remove(&self, state: &mut State, step: &Step, to: &Effective) -> Result<bool, RelayError> {
        let removed = changes(&state.effective, to).iter().filter(|change| change.after().is_none()).count();
        let cap = self.parts.settings.deletion_cap;
        let commit = &step.to;
        if removed <= cap || self.parts.store.approved_removal().await?.as_ref() == Some(commit) {
            return Ok(true);
        }
        if state.waiting.as_ref() != Some(commit) {
            warn!(%commit, removed, cap, "Commit {commit} removes {removed} entities: it waits for approval");
            self.tell_waiting(commit, removed).await?;
            state.waiting = Some(commit.clone());
        }
        Ok(false)
    }
}

/// What the store remembers of the last step.
async fn remembered(store: &Store, repository: &Repository) -> Result<State, RelayError> {
    let last = store.last_step().await?;
    let rows = store.effective_files().await?;
    let rows: Vec<Row> = rows
        .iter()
        .map(|row| serde_json::from_str(&row.content))
        .collect::<Result<_, _>>()
        .map_err(|error| RelayError::State(Box::new(error)))?;
    let revision = last.as_ref().map(|step| step.revision).unwrap_or_default();
    let commit = last.map(|step| step.to);
    let resumed = repository.blocking(move |repository| {
        // The mirror of a new replica is empty, and another replica may have relayed what this one has not seen.
        if let Some(commit) = &commit
            && !repository.holds(commit)?
        {
            repository.fetch()?;
        }
        Effective::resume(commit, rows, repository)
    });
    Ok(State { revision, effective: resumed.await?, ..State::default() })
}

/// Answers reads from what the store remembers, where no relay runs.
pub(crate) async fn show_remembered(
    store: &Store,
    repository: &Repository,
    desired: &DesiredState,
) -> Result<(), RelayError> {
    let state = remembered(store, repository).await?;
    desired.replace(Desired::of(&state.effective, state.revision));
    Ok(())
}

#[cfg(test)]
mod tests;
