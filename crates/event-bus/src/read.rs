//! Reading what already stands in a partition.

use std::sync::Arc;

use events::{Envelope, Event};

use crate::{
    broadcast::{self, Broadcast},
    bus::Shared,
    decode,
    error::Error,
    handle::Update,
    left_out::LeftOut,
};

/// Hands every committed record of a partition to `each`, up to the end it has now.
pub(crate) async fn partition<E: Event>(
    shared: &Arc<Shared>,
    partition: i32,
    from: Option<i64>,
    mut each: impl FnMut(Update<E>, i64) + Send,
) -> Result<(), Error> {
    let topic = E::TOPIC.name;
    let reader = Broadcast::open_partition(shared, topic, partition, from).await?;
    let left_out = LeftOut::by("partition", shared);
    loop {
        match reader.next().await? {
            broadcast::Event::End { .. } => return Ok(()),
            broadcast::Event::Record(record) => match decode::update::<E>(&shared.registry, &record).await {
                Ok(update) => each(update, record.offset),
                Err(decode::DecodeError::Schema(source))
                    if domain::Classify::disposition(&source) == domain::Disposition::Retry =>
                {
                    return Err(Error::Schema { topic: topic.to_owned(), source });
                }
                Err(error) => left_out.note(&record, error.reason(), &error),
            },
        }
    }
}

/// The record at one place.
pub(crate) async fn at<E: Event>(
    shared: &Shared,
    partition: i32,
    offset: i64,
) -> Result<Arc<Envelope<E>>, Error> {
    let topic = E::TOPIC.name;
    let missing = || Error::NoSuchRecord { topic: topic.to_owned(), partition, offset };
    let reader = Broadcast::open_partition(shared, topic, partition, Some(offset)).await?;
    match reader.next().await? {
        broadcast::Event::Record(record) if record.offset == offset => {
            match decode::update::<E>(&shared.registry, &record).await {
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
