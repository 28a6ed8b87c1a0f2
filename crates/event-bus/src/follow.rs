//! Reading live, in every process, without a group.

use std::{future::Future, num::NonZeroU32, sync::Arc};

use domain::{Classify as _, Disposition};
use events::Event;
use runtime::Stopping;
use tracing::{Instrument as _, warn};

use crate::{
    Bus,
    broadcast::{self, Broadcast, From},
    consumer::Hold,
    dead_letter::Reason,
    decode,
    delivery::Delivery,
    error::Error,
    handle::{Handle, Update},
    left_out::LeftOut,
    record::Record,
};

impl Bus {
    /// Hands every record of the topic of `E` to `handler`, in this process whatever others read, until the stop.
    ///
    /// Nothing is remembered: a handler that fails is asked again if the failure may pass, else the record is left
    /// out, as is one that cannot be decoded; both are counted and logged, and stay in the topic.
    pub fn follow<E: Event, H: Handle<E>>(
        &self,
        from: From,
        handler: H,
        stopping: Stopping,
    ) -> impl Future<Output = Result<(), Error>> + Send + use<E, H> {
        let bus = self.clone();
        async move {
            let Some(reader) =
                stopping.unless_requested(Broadcast::open(&bus.shared, E::TOPIC.name, from)).await
            else {
                return Ok(());
            };
            let reader = reader?;
            let left_out = LeftOut::by("follow", &bus.shared);
            let mut behind = reader.behind(from);
            if behind.is_empty() {
                handler.caught_up().await;
            }
            while let Some(event) = stopping.unless_requested(reader.next()).await {
                let was_behind = !behind.is_empty();
                match event? {
                    broadcast::Event::Record(record) => {
                        let (partition, next) = (record.partition, record.offset + 1);
                        let span = crate::consumer::span(&record, "follow");
                        let record = Arc::new(record);
                        take_in::<E, H>(&bus, &handler, record, &left_out, &stopping).instrument(span).await;
                        behind.retain(|known, high| *known != partition || next < *high);
                    }
                    broadcast::Event::End { partition } => {
                        behind.remove(&partition);
                    }
                }
                if was_behind && behind.is_empty() {
                    handler.caught_up().await;
                }
            }
            Ok(())
        }
    }
}

async fn take_in<E: Event, H: Handle<E>>(
    bus: &Bus,
    handler: &H,
    record: Arc<Record>,
    left_out: &LeftOut,
    stopping: &Stopping,
) {
    let mut attempt = NonZeroU32::MIN;
    loop {
        let delivery = Delivery {
            record: Arc::clone(&record),
            attempt,
            hold: Hold::forever(),
            stopping: stopping.clone(),
        };
        let mut reason = Reason::Rejected;
        let outcome = match decode::update::<E>(&bus.shared.registry, &record).await {
            Ok(Update::Put(envelope)) => handler.handle(&envelope, &delivery).await,
            Ok(Update::Removed(key)) => handler.removed(&key, &delivery).await,
            Err(error) => {
                reason = error.reason();
                Err(domain::Failure { disposition: error.disposition(), source: Box::new(error) })
            }
        };
        let Err(failure) = outcome else { return };
        if failure.disposition == Disposition::Reject {
            left_out.note(&record, reason, &*failure.source);
            return;
        }
        warn!(
            error = %runtime::chain(&*failure.source),
            attempt,
            "Could not take in {}/{}@{} yet", record.topic, record.partition, record.offset
        );
        let delay = bus.shared.backoff.delay(attempt.get(), &*bus.shared.random);
        if stopping.unless_requested(tokio::time::sleep(delay)).await.is_none() {
            return;
        }
        attempt = attempt.saturating_add(1);
    }
}
