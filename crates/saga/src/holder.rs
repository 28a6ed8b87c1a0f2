//! The holder of one partition: recalls, takes in, performs, writes.

mod live;

use std::sync::Arc;

use event_bus::{Error, Hold};
use events::Envelope;
use tokio::sync::{mpsc, oneshot};
use tracing::{info, warn};

use self::live::Live;
use crate::{metrics::Partition, saga::Parts, work::Work};

/// An order that waits to be accepted.
pub(crate) struct Incoming<O> {
    pub(crate) order: Arc<Envelope<O>>,
    pub(crate) offset: i64,
    pub(crate) weight: usize,
    pub(crate) accepted: oneshot::Sender<()>,
}

/// Why a holder stopped.
pub(crate) enum End {
    /// The partition went, or the process stops.
    Released,
    /// Somebody else opened it.
    Fenced,
    /// It is unknown what is written: read it again.
    Unsure(Box<dyn std::error::Error + Send + Sync>),
    /// The hook said so.
    Killed,
}

impl From<Error> for End {
    fn from(error: Error) -> Self {
        match error {
            Error::Fenced { .. } => Self::Fenced,
            other => Self::Unsure(Box::new(other)),
        }
    }
}

pub(crate) struct Holder<W: Work> {
    parts: Arc<Parts<W>>,
    partition: i32,
    hold: Hold,
    inbox: mpsc::Receiver<Incoming<W::Order>>,
}

impl<W: Work> Holder<W> {
    pub(crate) fn new(
        parts: Arc<Parts<W>>,
        partition: i32,
        hold: Hold,
        inbox: mpsc::Receiver<Incoming<W::Order>>,
    ) -> Self {
        Self { parts, partition, hold, inbox }
    }

    /// Holds the partition until it goes.
    pub(crate) async fn run(mut self) {
        let (stopping, hold) = (self.parts.stopping.clone(), self.hold.clone());
        let released = async {
            tokio::select! {
                () = stopping.requested() => {}
                () = hold.lost() => {}
            }
        };
        tokio::select! {
            biased;
            () = released => {}
            () = self.hold_on() => {}
        }
    }

    async fn hold_on(&mut self) {
        let (name, partition) = (self.parts.name.clone(), self.partition);
        let mut attempt = 0;
        loop {
            let wait = match self.once().await {
                End::Released | End::Killed => return,
                End::Fenced => {
                    let labels = Partition { saga: name.clone(), partition };
                    self.parts.metrics.fenced.get_or_create(&labels).inc();
                    info!("Partition {partition} of saga `{name}` has another holder");
                    self.parts.settings.retake_after
                }
                End::Unsure(error) => {
                    attempt += 1;
                    warn!(
                        error = %runtime::chain(&*error),
                        "Taking up partition {partition} of saga `{name}` again"
                    );
                    self.parts.settings.backoff.delay(attempt, &**self.parts.bus.random())
                }
            };
            tokio::time::sleep(wait).await;
        }
    }

    async fn once(&mut self) -> End {
        match Live::recall(Arc::clone(&self.parts), self.partition).await {
            Ok(mut live) => live.work(&mut self.inbox).await,
            Err(end) => end,
        }
    }
}
