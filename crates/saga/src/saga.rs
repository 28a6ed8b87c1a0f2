//! A saga as a consumer of its orders.

use std::sync::Arc;

use domain::{Classify, Disposition, Failure};
use event_bus::{Bus, Consumption, Delivery, Error, Handle, Hold, Partitioned};
use events::Envelope;
use runtime::{Metrics as Registry, Spawner, Stopping};
use tokio::sync::{mpsc, oneshot};

use crate::{
    holder::{Holder, Incoming},
    hook::Hook,
    metrics::Metrics,
    settings::Settings,
    work::Work,
};

/// What every partition of a saga shares.
pub(crate) struct Parts<W> {
    pub(crate) bus: Bus,
    pub(crate) name: String,
    pub(crate) work: W,
    pub(crate) settings: Settings,
    pub(crate) metrics: Metrics,
    pub(crate) hook: Option<Hook>,
    pub(crate) spawner: Spawner,
    pub(crate) stopping: Stopping,
}

/// A kind of durable work, ready to run.
pub struct Saga<W> {
    parts: Arc<Parts<W>>,
}

impl<W: Work> Saga<W> {
    /// A saga called `name`; the name is part of what fences, so it never changes.
    #[must_use]
    pub fn new(
        bus: &Bus,
        name: &str,
        work: W,
        settings: Settings,
        registry: &Registry,
        spawner: Spawner,
        stopping: Stopping,
    ) -> Self {
        Self {
            parts: Arc::new(Parts {
                bus: bus.clone(),
                name: name.to_owned(),
                work,
                settings,
                metrics: Metrics::register(registry),
                hook: None,
                spawner,
                stopping,
            }),
        }
    }

    /// Ends holders where the hook says, as a kill would.
    #[must_use]
    pub fn with_hook(self, hook: Hook) -> Self {
        let parts = Arc::into_inner(self.parts).map(|parts| Parts { hook: Some(hook), ..parts });
        Self {
            parts: Arc::new(
                parts.unwrap_or_else(|| unreachable!("nobody shares the parts before the start")),
            ),
        }
    }

    /// Takes orders as a member of `group`, until the stop; given to a lifecycle.
    pub fn run(self, group: &str) -> impl Future<Output = Result<(), Error>> + Send + use<W> {
        let (bus, stopping) = (self.parts.bus.clone(), self.parts.stopping.clone());
        bus.consume_partitions::<W::Order, _>(group, Partitions(self.parts), Consumption::Worker, stopping)
    }
}

struct Partitions<W>(Arc<Parts<W>>);

impl<W: Work> Partitioned<W::Order> for Partitions<W> {
    type Session = Session<W>;

    async fn open(&self, partition: i32, hold: Hold) -> Result<Session<W>, Failure> {
        let (sender, inbox) = mpsc::channel(256);
        let holder = Holder::new(Arc::clone(&self.0), partition, hold.clone(), inbox);
        let name = format!("{}-{partition}", self.0.name);
        self.0.spawner.job(name, async move {
            holder.run().await;
            Ok::<(), Error>(())
        });
        Ok(Session { sender, hold, stopping: self.0.stopping.clone() })
    }
}

/// Takes the orders of one partition to its holder.
struct Session<W: Work> {
    sender: mpsc::Sender<Incoming<W::Order>>,
    hold: Hold,
    stopping: Stopping,
}

/// The holder is not there: fenced, or taking the partition up.
#[derive(Debug, thiserror::Error)]
#[error("the holder of the partition takes no orders at present")]
struct Away;

impl Classify for Away {
    fn disposition(&self) -> Disposition {
        Disposition::Retry
    }
}

impl<W: Work> Handle<W::Order> for Session<W> {
    async fn handle(&self, order: &Envelope<W::Order>, delivery: &Delivery) -> Result<(), Failure> {
        let (accepted, answer) = oneshot::channel();
        let incoming = Incoming {
            order: Arc::new(order.clone()),
            offset: delivery.source_offset(),
            weight: delivery.value().len(),
            accepted,
        };
        let taken = async {
            self.sender.send(incoming).await.map_err(|_| Away)?;
            answer.await.map_err(|_| Away)
        };
        tokio::select! {
            biased;
            taken = taken => Ok(taken?),
            () = self.hold.lost() => Err(Away.into()),
            () = self.stopping.requested() => Err(Away.into()),
        }
    }
}
