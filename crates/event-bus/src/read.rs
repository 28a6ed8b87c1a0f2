//! Reading what already stands in a partition.

use std::sync::Arc;

use events::{Envelope, Event};
use futures_util::TryStreamExt as _;

use crate::{
    Bus,
    broadcast::{self, Broadcast},
    decode,
    error::Error,
    handle::Update,
    left_out::LeftOut,
    shared::Shared,
};

impl Bus {
    /// Every committed record of a partition, from `from` to its present end, in order.
    ///
    /// What cannot be read is left out, logged and counted.
    pub async fn read_partition<E: Event>(
        &self,
        partition: i32,
        from: Option<i64>,
        each: impl FnMut(Update<E>, i64) + Send,
    ) -> Result<(), Error> {
        let left_out = LeftOut::counted("partition", &self.shared);
        read_to_end::<E>(&self.shared, partition, from, &left_out, each).await
    }

    /// [`Bus::read_partition`] from the oldest record, for a service that reads back what it keeps there and that no
    /// group of its own reads: what cannot be read is a dead letter of the service too.
    pub async fn recall<E: Event>(
        &self,
        partition: i32,
        each: impl FnMut(Update<E>, i64) + Send,
    ) -> Result<(), Error> {
        let left_out = LeftOut::kept("recall", self, E::TOPIC);
        read_to_end::<E>(&self.shared, partition, None, &left_out, each).await
    }

    /// The record at one place.
    pub async fn read_at<E: Event>(&self, partition: i32, offset: i64) -> Result<Arc<Envelope<E>>, Error> {
        let topic = E::TOPIC.name;
        let missing = || Error::NoSuchRecord { topic: topic.to_owned(), partition, offset };
        let reader = Broadcast::open_partition(&self.shared, topic, partition, Some(offset)).await?;
        let met = reader.events().try_next().await?;
        match met {
            Some(broadcast::Event::Record(record)) if record.offset == offset => {
                match decode::update::<E>(&self.shared.registry, &record).await {
                    Ok(Update::Put(envelope)) => Ok(envelope),
                    Ok(Update::Removed(_)) => Err(missing()),
                    Err(decode::DecodeError::Schema(source)) => {
                        Err(Error::Schema { topic: topic.to_owned(), source })
                    }
                    Err(error) => Err(Error::Unreadable {
                        topic: topic.to_owned(),
                        partition,
                        offset,
                        source: Box::new(error),
                    }),
                }
            }
            _ => Err(missing()),
        }
    }
}

/// Hands every committed record of a partition to `each`, up to the end it has now.
async fn read_to_end<E: Event>(
    shared: &Arc<Shared>,
    partition: i32,
    from: Option<i64>,
    left_out: &LeftOut,
    mut each: impl FnMut(Update<E>, i64) + Send,
) -> Result<(), Error> {
    let topic = E::TOPIC.name;
    let reader = Broadcast::open_partition(shared, topic, partition, from).await?;
    let mut events = reader.events();
    while let Some(broadcast::Event::Record(record)) = events.try_next().await? {
        match decode::update::<E>(&shared.registry, &record).await {
            Ok(update) => each(update, record.offset),
            Err(decode::DecodeError::Schema(source))
                if domain::Classify::disposition(&source) == domain::Disposition::Retry =>
            {
                return Err(Error::Schema { topic: topic.to_owned(), source });
            }
            Err(error) => left_out.note(&record, error.reason(), &error).await,
        }
    }
    Ok(())
}
