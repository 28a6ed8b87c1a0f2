//! Reading what already stands in a partition.

use std::sync::Arc;

use events::{Envelope, Event};
use futures_util::TryStreamExt as _;

use crate::{
    broadcast::{self, Broadcast},
    decode,
    error::Error,
    handle::Update,
    left_out::LeftOut,
    shared::Shared,
};

/// Hands every committed record of a partition to `each`, up to the end it has now.
pub(crate) async fn partition<E: Event>(
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

/// The record at one place.
pub(crate) async fn at<E: Event>(
    shared: &Shared,
    partition: i32,
    offset: i64,
) -> Result<Arc<Envelope<E>>, Error> {
    let topic = E::TOPIC.name;
    let missing = || Error::NoSuchRecord { topic: topic.to_owned(), partition, offset };
    let reader = Broadcast::open_partition(shared, topic, partition, Some(offset)).await?;
    let met = reader.events().try_next().await?;
    match met {
        Some(broadcast::Event::Record(record)) if record.offset == offset => {
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
