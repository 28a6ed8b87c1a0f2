//! What a service writes to react to events.

use std::{future::Future, sync::Arc};

use domain::Failure;
use events::{Envelope, Event};

use crate::delivery::Delivery;

/// A reaction to one kind of event.
///
/// Runs at least once per event and in order per key: make it idempotent.
pub trait Handle<E: Event>: Send + Sync + 'static {
    /// Takes in one record.
    fn handle(
        &self,
        envelope: &Envelope<E>,
        delivery: &Delivery,
    ) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Takes in the removal of a key from a compacted topic.
    fn removed(&self, _key: &str, _delivery: &Delivery) -> impl Future<Output = Result<(), Failure>> + Send {
        std::future::ready(Ok(()))
    }

    /// Told by [`Bus::follow`](crate::Bus::follow) of a record under `key` that cannot be read.
    fn unreadable(&self, _key: &str, _delivery: &Delivery) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }

    /// Called once by [`Bus::follow`](crate::Bus::follow), when everything that stood in the topic at its start was
    /// handed over.
    fn caught_up(&self) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }
}

impl<E: Event, H: Handle<E>> Handle<E> for Arc<H> {
    fn handle(
        &self,
        envelope: &Envelope<E>,
        delivery: &Delivery,
    ) -> impl Future<Output = Result<(), Failure>> + Send {
        H::handle(self, envelope, delivery)
    }

    fn removed(&self, key: &str, delivery: &Delivery) -> impl Future<Output = Result<(), Failure>> + Send {
        H::removed(self, key, delivery)
    }

    fn unreadable(&self, key: &str, delivery: &Delivery) -> impl Future<Output = ()> + Send {
        H::unreadable(self, key, delivery)
    }

    fn caught_up(&self) -> impl Future<Output = ()> + Send {
        H::caught_up(self)
    }
}

/// A record of a topic as its type: a value, or the removal of a key.
#[derive(Clone, Debug)]
pub enum Update<E> {
    /// The record.
    Put(Arc<Envelope<E>>),
    /// The key of a tombstone.
    Removed(String),
}
