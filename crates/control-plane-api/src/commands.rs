//! What a caller wants, turned into one atomic commit.
//!
//! REST and request topics use the same commands. A command decides at the head of the branch, not at the commit
//! that was relayed last; if the head moves before the commit is there, it decides again. A request that is
//! resumed after a crash finds its commit by the trailer and makes no second one.

mod api;
mod deployment;
mod gateway;
mod openapi_text;
mod origin;
mod refusal;
mod sync;
mod tenant;

use std::sync::Arc;

use domain::{
    entity::{Entity, EntityPath},
    id::{CommitId, Digest},
};
use event_bus::Error as BusError;
use events::{GitopsNudge, NudgeReason};
use gitops::{Author, Files, Layout, Repository, WriteError, Writer, document, repository};
use runtime::{Clock, Random, Spawner, chain};
use tokio::sync::Mutex;
use tracing::{info, warn};

pub(crate) use self::{
    api::{ApiChange, NewApi, Registration},
    deployment::{Deploy, Gateways},
    openapi_text::{OpenApiText, check_openapi, media_type},
    origin::{Actor, Origin, Precondition},
    refusal::{CommandError, Refusal},
    tenant::{NewTenant, TenantChange},
};
use crate::{
    announce::Announce,
    desired::{Desired, DesiredState},
};

/// How often a command decides again because the head moved.
const ATTEMPTS: usize = 10;

/// How far back a resumed request looks for its commit.
const LOOK_BACK: usize = 1000;

/// Makes commits of what callers want; clones share everything.
#[derive(Clone, Debug)]
pub(crate) struct Commands(Arc<Parts>);

/// What commands stand on.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) repository: Repository,
    pub(crate) writer: Writer,
    pub(crate) desired: DesiredState,
    pub(crate) announce: Arc<dyn Announce>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) spawner: Spawner,
    /// The key of nudges about this repository.
    pub(crate) name: String,
    /// Commands of one replica do not race each other.
    pub(crate) turn: Mutex<()>,
}

/// What a command decided at some state.
#[derive(Debug)]
struct Decision {
    /// Empty when all is as wanted.
    files: Files,
    /// Of the commit, in the imperative.
    message: String,
}

/// What became of a command.
#[derive(Clone, Debug)]
pub(crate) struct Done {
    /// The commit that holds what was wanted.
    pub(crate) commit: CommitId,
    /// False if nothing had to be changed.
    pub(crate) changed: bool,
    /// The entity that it was about.
    pub(crate) about: EntityPath,
    /// The state at that commit.
    pub(crate) state: Arc<Desired>,
}

impl Done {
    /// The entity as it is now; none if it was removed.
    pub(crate) fn entity(&self) -> Option<&Entity> {
        self.state.get(&self.about).map(|it| &*it.entity)
    }

    /// The version of its files.
    pub(crate) fn etag(&self) -> Option<Digest> {
        self.state.etag(&self.about)
    }
}

impl Commands {
    pub(crate) fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// Decides `about` an entity with `decide` and commits that; repeats both if the head moved meanwhile.
    async fn carry_out<F>(&self, origin: &Origin, about: EntityPath, decide: F) -> Result<Done, CommandError>
    where
        F: Fn(&Desired, &Repository) -> Result<Decision, CommandError> + Send + 'static,
    {
        let turn = self.0.turn.lock().await;
        let (parts, mine) = (Arc::clone(&self.0), origin.clone());
        let done = self.0.repository.blocking(move |_| parts.commit(&mine, &about, decide)).await?;
        drop(turn);
        if done.changed {
            info!(commit = %done.commit, actor = %origin.actor.name, "Committed a change");
            self.nudge(NudgeReason::Commit, Some(&done.commit), done.commit.as_str());
        }
        Ok(done)
    }

    /// Tells the relay, because of `cause`. If that fails, its timer looks all the same, so nobody waits for it.
    fn nudge(&self, reason: NudgeReason, commit: Option<&CommitId>, cause: &str) {
        let parts = Arc::clone(&self.0);
        let nudge = GitopsNudge { repository: parts.name.clone(), reason, commit: commit.cloned() };
        let id = domain::id::derived_id(&["nudge", &nudge.repository, cause]);
        self.0.spawner.job("nudge", async move {
            if let Err(error) = parts.announce.nudge(id, nudge).await {
                warn!(error = chain(&error), "Could not nudge the relay; its timer will look");
            }
            Ok::<(), BusError>(())
        });
    }

    /// A new immutable id.
    fn draw_uid(&self) -> uuid::Uuid {
        self.0.random.id(self.0.clock.now())
    }
}

impl Parts {
    fn commit<F>(&self, origin: &Origin, about: &EntityPath, decide: F) -> Result<Done, CommandError>
    where
        F: Fn(&Desired, &Repository) -> Result<Decision, CommandError>,
    {
        for attempt in 0..ATTEMPTS {
            let head = self.repository.fetch()?;
            if let Some(head) = head.as_ref().filter(|_| origin.resumed && attempt == 0)
                && let Some(commit) = self.writer.find(&origin.request, head, None, LOOK_BACK)?
            {
                let state = self.state_at(Some(&commit))?;
                return Ok(Done { commit, changed: true, about: about.clone(), state });
            }
            let state = self.state_at(head.as_ref())?;
            let decision = decide(&state, &self.repository)?;
            let author = self.author(origin);
            let files = &decision.files;
            let made = if files.is_empty() {
                Err(WriteError::Unchanged)
            } else {
                self.writer.commit(head.as_ref(), files, &author, &decision.message, &origin.request)
            };
            match (made, head) {
                (Ok(commit), _) => {
                    self.repository.fetch()?;
                    let state = Arc::new(state.ahead(&self.repository, &commit)?);
                    return Ok(Done { commit, changed: true, about: about.clone(), state });
                }
                (Err(WriteError::Unchanged), Some(commit)) => {
                    return Ok(Done { commit, changed: false, about: about.clone(), state });
                }
                (Err(WriteError::Conflict { .. }), _) => {}
                (Err(error), _) => return Err(CommandError::Write(error)),
            }
        }
        Err(CommandError::Contended)
    }

    /// The state at a commit that the mirror holds.
    fn state_at(&self, commit: Option<&CommitId>) -> Result<Arc<Desired>, repository::Error> {
        let snapshot = self.desired.load();
        match commit {
            Some(commit) if snapshot.commit() != Some(commit) => {
                Ok(Arc::new(snapshot.ahead(&self.repository, commit)?))
            }
            Some(_) => Ok(snapshot),
            None => Ok(Arc::default()),
        }
    }

    fn author(&self, origin: &Origin) -> Author {
        Author { name: origin.actor.name.clone(), email: origin.actor.email.clone(), at: self.clock.now() }
    }
}

/// Adds an entity's document to a commit; refuses what would not be read back as it was meant.
fn put(files: &mut Files, entity: &Entity) -> Result<(), Refusal> {
    let path = Layout::path_of(&entity.path());
    let text = document::write(entity);
    match document::parse(&path, text.as_bytes()) {
        Ok(read) if read.entity == *entity => {
            files.insert(path, Some(text.into_bytes()));
            Ok(())
        }
        Ok(_) => Err(Refusal::InvalidField { field: None, message: "a value cannot be written".to_owned() }),
        Err(error) => Err(Refusal::InvalidField { field: error.field, message: error.message }),
    }
}

/// Whether a file of an entity is not in effect, because it is not valid.
fn is_broken(state: &Desired, path: &EntityPath) -> bool {
    state.problems(path).any(|problem| problem.severity == gitops::Severity::Error)
}

/// Removes all files of an entity.
fn take_away(files: &mut Files, state: &Desired, path: &EntityPath) {
    files.extend(state.files(path).map(|file| (file.path, None)));
}

#[cfg(test)]
mod tests;
