//! A producer that only one process can hold: whoever opens it last fences the former holder.

use std::{sync::Arc, time::Duration};

use futures_util::future::try_join_all;
use rdkafka::{
    error::{KafkaError, RDKafkaErrorCode},
    producer::{FutureProducer, Producer as _},
    util::Timeout,
};
use tracing::warn;

use crate::{
    client::Quiet,
    error::Error,
    metrics::TopicOnly,
    producer::{Outgoing, Position, deliver},
    shared::Shared,
};

const WAIT: Timeout = Timeout::After(Duration::from_secs(30));

/// Writes groups of records of which a `read_committed` reader sees all or none.
pub struct Transactional {
    shared: Arc<Shared>,
    holder: String,
    native: FutureProducer<Quiet>,
}

impl Transactional {
    /// Opens the producer called `holder`; from now on the former one can commit nothing.
    pub(crate) async fn open(shared: Arc<Shared>, holder: String) -> Result<Self, Error> {
        let mut config = shared.settings.producer(&shared.service);
        config
            .set("transactional.id", &holder)
            .set("transaction.timeout.ms", shared.settings.transaction_timeout.as_millis().to_string())
            // A record must have failed or arrived before its transaction is given up.
            .set(
                "delivery.timeout.ms",
                shared
                    .settings
                    .delivery_timeout
                    .min(shared.settings.transaction_timeout)
                    .as_millis()
                    .to_string(),
            );
        let native: FutureProducer<Quiet> = config
            .create_with_context(Quiet)
            .map_err(|source| Error::Client { purpose: holder.clone(), source })?;
        let this = Self { shared, holder, native };
        this.blocking("open transactions", |native| native.init_transactions(WAIT)).await?;
        Ok(this)
    }

    /// The name that is held.
    #[must_use]
    pub fn holder(&self) -> &str {
        &self.holder
    }

    /// Writes `records` in one transaction; the positions are in their order.
    ///
    /// `Err(Fenced)` means that another process holds the name: nothing was written and nothing ever will be.
    /// After any other error it is unknown whether the transaction took place: open anew and read back.
    pub async fn commit(&self, records: &[Outgoing]) -> Result<Vec<Position>, Error> {
        let positions = self.write(records).await?;
        self.seal().await?;
        Ok(positions)
    }

    /// The first half of [`Transactional::commit`]: opens a transaction and writes `records` into it, unseen.
    pub async fn write(&self, records: &[Outgoing]) -> Result<Vec<Position>, Error> {
        self.blocking("begin a transaction", FutureProducer::begin_transaction).await?;
        // Awaiting every delivery first makes the commit quick: its own flush waits for the poll thread.
        match try_join_all(records.iter().map(|record| deliver(&self.native, record))).await {
            Ok(positions) => {
                for record in records {
                    let labels = TopicOnly { topic: record.topic.clone() };
                    self.shared.metrics.produced.get_or_create(&labels).inc();
                }
                Ok(positions)
            }
            Err(error) => Err(self.given_up(error).await),
        }
    }

    /// The second half: what was written becomes visible, all of it.
    pub async fn seal(&self) -> Result<(), Error> {
        match self.blocking("commit a transaction", |native| native.commit_transaction(WAIT)).await {
            Ok(()) => Ok(()),
            Err(error) => Err(self.given_up(error).await),
        }
    }

    async fn given_up(&self, error: Error) -> Error {
        if self.fenced_for_good() {
            return Error::Fenced { holder: self.holder.clone() };
        }
        if let Err(abort) =
            self.blocking("abort a transaction", |native| native.abort_transaction(WAIT)).await
        {
            if matches!(abort, Error::Fenced { .. }) {
                return abort;
            }
            warn!(error = %runtime::chain(&abort), "A transaction of `{}` could not be aborted", self.holder);
        }
        error
    }

    fn fenced_for_good(&self) -> bool {
        self.native.client().fatal_error().is_some_and(|(code, _)| is_fencing(code))
    }

    async fn blocking(
        &self,
        attempt: &'static str,
        call: impl FnOnce(&FutureProducer<Quiet>) -> Result<(), KafkaError> + Send + 'static,
    ) -> Result<(), Error> {
        let native = self.native.clone();
        let result = tokio::task::spawn_blocking(move || call(&native)).await;
        match result.unwrap_or(Err(KafkaError::Canceled)) {
            Ok(()) => Ok(()),
            Err(error) if error.rdkafka_error_code().is_some_and(is_fencing) || self.fenced_for_good() => {
                Err(Error::Fenced { holder: self.holder.clone() })
            }
            Err(source) => Err(Error::broker(format!("{attempt} of `{}`", self.holder), source)),
        }
    }
}

fn is_fencing(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        RDKafkaErrorCode::Fenced | RDKafkaErrorCode::ProducerFenced | RDKafkaErrorCode::InvalidProducerEpoch
    )
}
