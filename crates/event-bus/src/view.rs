//! A compacted topic as a map, kept current, that knows when it is complete.

use std::{
    collections::BTreeMap,
    future::{Future, ready},
    sync::{Arc, PoisonError, RwLock},
};

use domain::{Classify as _, Disposition};
use events::{CatalogHeads, Envelope, Event};
use futures_util::{FutureExt as _, future::BoxFuture};
use runtime::Stopping;
use tokio::sync::{broadcast, watch};
use tracing::{debug, warn};

use crate::{
    Bus,
    broadcast::From,
    decode,
    error::Error,
    follow::{End, Follow, Followers},
    handle::Update,
    left_out::LeftOut,
    record::Record,
    shared::Shared,
};

/// A key that got a new record or lost its record.
#[derive(Clone, Debug)]
pub struct Change<E> {
    /// The key.
    pub key: String,
    /// Its record; nothing when the key was removed.
    pub envelope: Option<Arc<Envelope<E>>>,
}

/// Changes that a subscriber may be behind before it is told to read the whole view again.
const BEHIND: usize = 4096;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Progress {
    /// Counts the changes.
    version: u64,
    /// Next offset of each partition.
    next: BTreeMap<i32, i64>,
    /// What stood there when reading began has been read.
    caught_up: bool,
}

struct Inner<E> {
    entries: RwLock<BTreeMap<String, Arc<Envelope<E>>>>,
    progress: watch::Sender<Progress>,
    changes: broadcast::Sender<Change<E>>,
}

/// The newest record of every key of a compacted topic; clones show the same.
///
/// Nothing happens before the task that [`Bus::view`] returns is given to a lifecycle, or that of
/// [`Followers::view`], which keeps several views current with one client. A record that cannot be
/// read leaves its key as it was: the last valid state stays.
pub struct View<E> {
    inner: Arc<Inner<E>>,
}

impl<E> Clone for View<E> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner) }
    }
}

impl<E: Event> Default for View<E> {
    fn default() -> Self {
        Self {
            inner: Arc::new(Inner {
                entries: RwLock::default(),
                progress: watch::Sender::default(),
                changes: broadcast::Sender::new(BEHIND),
            }),
        }
    }
}

impl Bus {
    /// A view of the topic of `E`, and the task that keeps it current until the stop.
    pub fn view<E: Event>(
        &self,
        stopping: Stopping,
    ) -> (View<E>, impl Future<Output = Result<(), Error>> + Send + use<E>) {
        let view = View::default();
        let task = self.followers(From::Beginning).view(&view).run(stopping);
        (view, task)
    }
}

impl Followers {
    /// Keeps `view` current, which wants to be read from the beginning.
    #[must_use]
    pub fn view<E: Event>(self, view: &View<E>) -> Self {
        let bus = self.bus();
        let left_out = LeftOut::kept("view", bus, E::TOPIC);
        let keeper = Keeper { view: view.clone(), shared: Arc::clone(&bus.shared), left_out };
        self.with_follower(E::TOPIC.name, Box::new(keeper))
    }
}

impl<E: Event> View<E> {
    /// The record of `key`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Arc<Envelope<E>>> {
        self.read().get(key).cloned()
    }

    /// Every key with its record, in order.
    #[must_use]
    pub fn entries(&self) -> BTreeMap<String, Arc<Envelope<E>>> {
        self.read().clone()
    }

    /// Number of keys.
    #[must_use]
    pub fn len(&self) -> usize {
        self.read().len()
    }

    /// Whether there is no key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.read().is_empty()
    }

    /// Whether everything that stood in the topic when reading began has been read.
    #[must_use]
    pub fn is_caught_up(&self) -> bool {
        self.inner.progress.borrow().caught_up
    }

    /// Waits for that.
    pub async fn caught_up(&self) {
        // The sender lives as long as `self`.
        let _ = self.inner.progress.subscribe().wait_for(|progress| progress.caught_up).await;
    }

    /// Next offset of each partition.
    #[must_use]
    pub fn next_offsets(&self) -> BTreeMap<i32, i64> {
        self.inner.progress.borrow().next.clone()
    }

    /// Changes from now on. One who falls behind gets `Lagged` and reads [`View::entries`] again.
    #[must_use]
    pub fn changes(&self) -> broadcast::Receiver<Change<E>> {
        self.inner.changes.subscribe()
    }

    /// Waits until `holds` says yes of the view, which it asks after every change.
    pub async fn until(&self, holds: impl Fn(&Self) -> bool) {
        let mut progress = self.inner.progress.subscribe();
        while !holds(self) {
            if progress.changed().await.is_err() {
                return;
            }
        }
    }

    /// Waits until the view holds at least what `heads` says and is therefore proof of absence (design §1.6).
    ///
    /// Proof for every repository that wrote a head; none when there is no head yet.
    pub async fn completed(&self, heads: &View<CatalogHeads>) {
        let mut own = self.inner.progress.subscribe();
        let mut their = heads.inner.progress.subscribe();
        while !self.complete(heads) {
            tokio::select! {
                changed = own.changed() => if changed.is_err() { return },
                changed = their.changed() => if changed.is_err() { return },
            }
        }
    }

    /// Whether the view has passed the offsets and holds the number of keys that `heads` states.
    #[must_use]
    pub fn complete(&self, heads: &View<CatalogHeads>) -> bool {
        if !self.is_caught_up() || !heads.is_caught_up() {
            return false;
        }
        let heads = heads.entries();
        let rows: Vec<_> = heads
            .values()
            .flat_map(|head| head.event.topics.iter().filter(|row| row.topic == E::TOPIC.name))
            .collect();
        let progress = self.inner.progress.borrow();
        let passed = |partition: usize, next: i64| {
            let partition = i32::try_from(partition).unwrap_or(i32::MAX);
            progress.next.get(&partition).copied().unwrap_or_default() >= next
        };
        let all_passed =
            rows.iter().all(|row| row.next_offsets.iter().enumerate().all(|(at, next)| passed(at, *next)));
        let keys: i64 = rows.iter().map(|row| row.live_keys).sum();
        // Counts of a head hold at its own offsets; one that was overtaken is followed by another head at once.
        !rows.is_empty() && all_passed && usize::try_from(keys).is_ok_and(|keys| keys == self.len())
    }

    fn put(&self, key: String, envelope: Option<Arc<Envelope<E>>>) {
        {
            let mut entries = self.inner.entries.write().unwrap_or_else(PoisonError::into_inner);
            match &envelope {
                Some(envelope) => entries.insert(key.clone(), Arc::clone(envelope)),
                None => entries.remove(&key),
            };
        }
        // Without subscribers nobody needs to know.
        let _ = self.inner.changes.send(Change { key, envelope });
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, BTreeMap<String, Arc<Envelope<E>>>> {
        self.inner.entries.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps a view current.
struct Keeper<E> {
    view: View<E>,
    shared: Arc<Shared>,
    left_out: LeftOut,
}

impl<E: Event> Follow for Keeper<E> {
    fn begins(&self, firsts: BTreeMap<i32, i64>) {
        self.view.inner.progress.send_modify(|progress| progress.next = firsts);
    }

    fn take_in<'a>(&'a self, record: Arc<Record>, stopping: &'a Stopping) -> BoxFuture<'a, End> {
        let taken = stopping.unless_requested(self.update(record));
        taken.map(|taken| taken.map_or(End::GivenUp, |()| End::Done)).boxed()
    }

    fn passed(&self, partition: i32, next: i64) {
        self.view.inner.progress.send_modify(|progress| {
            let known = progress.next.entry(partition).or_default();
            *known = next.max(*known);
            progress.version += 1;
        });
    }

    fn caught_up(&self) -> BoxFuture<'_, ()> {
        debug!(topic = E::TOPIC.name, "The view of `{}` has caught up", E::TOPIC.name);
        self.view.inner.progress.send_modify(|progress| {
            progress.caught_up = true;
            progress.version += 1;
        });
        ready(()).boxed()
    }
}

impl<E: Event> Keeper<E> {
    async fn update(&self, record: Arc<Record>) {
        let mut attempt = 0;
        loop {
            match decode::update::<E>(&self.shared.registry, &record).await {
                Ok(Update::Put(envelope)) => return self.view.put(record.key_text(), Some(envelope)),
                Ok(Update::Removed(key)) => return self.view.put(key, None),
                Err(error) if error.disposition() == Disposition::Retry => {
                    attempt += 1;
                    warn!(error = %runtime::chain(&error), "The view of `{}` waits", E::TOPIC.name);
                    tokio::time::sleep(self.shared.backoff.delay(attempt, &*self.shared.random)).await;
                }
                Err(error) => return self.left_out.note(&record, error.reason(), &error).await,
            }
        }
    }
}
