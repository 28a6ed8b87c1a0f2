//! Members of consumer groups; the contract stands in the README.

mod context;
mod hold;
mod lanes;
mod member;
mod process;

pub(crate) use self::process::span;

use std::future::Future;

use domain::Failure;
use events::Event;
use runtime::Stopping;

pub use self::hold::Hold;
use crate::{Bus, error::Error, handle::Handle};

/// How a group treats what it reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consumption {
    /// Keeps a store equal to the topic, in partition order. A store that is down pauses the partition for as long
    /// as it takes.
    Projection,
    /// Only takes in, quickly: writes what it was told to its own state. The work runs from there.
    Worker,
}

/// Where a group begins in a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// After the last record that the group finished; at the oldest record when it never finished one.
    Committed,
    /// At an offset that the service keeps itself.
    At(i64),
}

/// A consumer with something to keep per partition: a fenced producer, a state, a lease.
pub trait Partitioned<E: Event>: Send + Sync + 'static {
    /// What it keeps; dropped when the partition goes.
    type Session: Handle<E>;

    /// Where to begin in `partition`; asked before each assignment.
    fn start(&self, _partition: i32) -> impl Future<Output = Result<Start, Failure>> + Send {
        std::future::ready(Ok(Start::Committed))
    }

    /// Takes up `partition`; no record of it is handled before. Repeated for as long as it fails, until `hold` is
    /// lost.
    fn open(&self, partition: i32, hold: Hold)
    -> impl Future<Output = Result<Self::Session, Failure>> + Send;
}

impl Bus {
    /// Reads the topic of `E` as a member of `group`, until the stop.
    pub fn consume<E: Event, H: Handle<E>>(
        &self,
        group: &str,
        handler: H,
        consumption: Consumption,
        stopping: Stopping,
    ) -> impl Future<Output = Result<(), Error>> + Send + use<E, H> {
        let whole = process::Whole(std::sync::Arc::new(handler));
        self.consume_partitions(group, whole, consumption, stopping)
    }

    /// Reads the topic of `E` as a member of `group`, with a session per partition, until the stop.
    pub fn consume_partitions<E: Event, P: Partitioned<E>>(
        &self,
        group: &str,
        partitioned: P,
        consumption: Consumption,
        stopping: Stopping,
    ) -> impl Future<Output = Result<(), Error>> + Send + use<E, P> {
        let typed = process::Typed::<E, P>::new(self, group, partitioned, consumption, stopping.clone());
        let shared = std::sync::Arc::clone(&self.shared);
        let group = group.to_owned();
        async move { member::run(shared, E::TOPIC, group, typed, stopping).await }
    }
}
