//! Making topics what the table says.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use events::{Topic, limits, topics::Cleanup};
use rdkafka::{
    admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication},
    error::{KafkaError, RDKafkaErrorCode},
};

use crate::{client::Quiet, error::Error, shared::Shared};

/// A topic that is not what the table says; nothing of it was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drift {
    /// The topic.
    pub topic: String,
    /// What differs: `partitions` or the name of a topic setting.
    pub what: String,
    /// What the table says.
    pub expected: String,
    /// What the broker has.
    pub found: String,
}

/// What applying the table came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// Topics that were made.
    pub created: Vec<String>,
    /// Topics that are not what the table says.
    pub drift: Vec<Drift>,
}

/// Administration of topics.
#[derive(Clone)]
pub struct Topics {
    shared: Arc<Shared>,
}

impl Topics {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// Makes the topics that are missing and reports how the others differ from the table.
    ///
    /// Partitions are never added: keys would move to other partitions.
    pub async fn apply(&self, table: &[&Topic]) -> Result<Applied, Error> {
        let wanted: Vec<Wanted> = table.iter().map(|topic| Wanted::of(topic, &self.shared)).collect();
        let created = create(&self.shared, &wanted).await?;
        let drift = self.drift(&wanted).await?;
        Ok(Applied { created, drift })
    }

    /// How the topics of `table` differ from it.
    async fn drift(&self, wanted: &[Wanted]) -> Result<Vec<Drift>, Error> {
        let partitions = partitions(&self.shared).await?;
        let specifiers: Vec<_> = wanted.iter().map(|topic| ResourceSpecifier::Topic(&topic.name)).collect();
        let admin = admin(&self.shared)?;
        let described = admin.describe_configs(&specifiers, &options()).await;
        dismiss(admin);
        let described = described.map_err(|source| Error::broker("describe the topics", source))?;
        let mut drift = Vec::new();
        for (topic, described) in wanted.iter().zip(described) {
            let found = partitions.get(&topic.name).copied().unwrap_or_default();
            if found != topic.partitions {
                drift.push(topic.differs("partitions", &topic.partitions.to_string(), &found.to_string()));
            }
            let config =
                described.map_err(|code| Error::broker("describe a topic", KafkaError::AdminOp(code)))?;
            for (key, expected) in &topic.config {
                let found = config.get(key).and_then(|entry| entry.value.clone()).unwrap_or_default();
                if found != *expected {
                    drift.push(topic.differs(key, expected, &found));
                }
            }
        }
        Ok(drift)
    }

    /// Makes the dead-letter and the retry topic of `group` for `topic`.
    pub async fn apply_for_group(&self, topic: &'static Topic, group: &str) -> Result<Vec<String>, Error> {
        companions(&self.shared, topic, group).await
    }

    /// Removes topics with all their records.
    pub async fn delete(&self, names: &[String]) -> Result<(), Error> {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let admin = admin(&self.shared)?;
        let results = admin.delete_topics(&names, &options()).await;
        dismiss(admin);
        for result in results.map_err(|source| Error::broker("remove topics", source))? {
            match result {
                Ok(_)
                | Err((_, RDKafkaErrorCode::UnknownTopic | RDKafkaErrorCode::UnknownTopicOrPartition)) => {}
                Err((name, code)) => {
                    return Err(Error::broker(format!("remove topic `{name}`"), KafkaError::AdminOp(code)));
                }
            }
        }
        Ok(())
    }

    /// The topics of the broker with their number of partitions.
    pub async fn list(&self) -> Result<BTreeMap<String, i32>, Error> {
        partitions(&self.shared).await
    }
}

/// Name of the topic with what `group` could not take in from `topic`.
pub(crate) fn dead_letter_topic(topic: &str, group: &str) -> String {
    format!("{topic}.{group}.dlq")
}

/// Name of the topic with what `group` shall take in again from `topic`.
pub(crate) fn retry_topic(topic: &str, group: &str) -> String {
    format!("{topic}.{group}.retry")
}

/// Makes the dead-letter and the retry topic of a group, when they are missing.
pub(crate) async fn companions(shared: &Shared, topic: &Topic, group: &str) -> Result<Vec<String>, Error> {
    let month = Duration::from_hours(30 * 24);
    let companion = |name, partitions| Wanted {
        name,
        partitions,
        replication: i32::from(shared.settings.replication_factor),
        config: config(
            "delete",
            Some(month.as_millis().to_string()),
            topic.max_bytes + limits::DEAD_LETTER_OVERHEAD,
            shared,
        ),
    };
    let wanted = [
        companion(dead_letter_topic(topic.name, group), 1),
        // The same partitions as its topic, so that one member holds both sides of a number.
        companion(retry_topic(topic.name, group), topic.partitions),
    ];
    create(shared, &wanted).await
}

struct Wanted {
    name: String,
    partitions: i32,
    replication: i32,
    config: Vec<(&'static str, String)>,
}

impl Wanted {
    fn of(topic: &Topic, shared: &Shared) -> Self {
        let (policy, retention) = match topic.cleanup {
            Cleanup::Compact => ("compact", None),
            Cleanup::Delete(after) => ("delete", Some(after.as_millis().to_string())),
        };
        Self {
            name: topic.name.to_owned(),
            partitions: topic.partitions,
            replication: i32::from(shared.settings.replication_factor),
            config: config(policy, retention, topic.max_bytes, shared),
        }
    }

    fn differs(&self, what: &str, expected: &str, found: &str) -> Drift {
        Drift {
            topic: self.name.clone(),
            what: what.to_owned(),
            expected: expected.to_owned(),
            found: found.to_owned(),
        }
    }
}

fn config(
    policy: &str,
    retention_ms: Option<String>,
    max_bytes: usize,
    shared: &Shared,
) -> Vec<(&'static str, String)> {
    // The broker counts the whole batch: key, headers and framing too.
    let max_bytes = max_bytes + 64 * 1024;
    let mut config = vec![
        ("cleanup.policy", policy.to_owned()),
        ("max.message.bytes", max_bytes.to_string()),
        ("min.insync.replicas", shared.settings.min_insync_replicas.to_string()),
    ];
    if let Some(retention_ms) = retention_ms {
        config.push(("retention.ms", retention_ms));
    }
    config
}

/// A client of administration. It has threads of its own, so it lives only as long as it is needed.
fn admin(shared: &Shared) -> Result<AdminClient<Quiet>, Error> {
    let made = shared.settings.client(&shared.service).create_with_context(Quiet);
    made.map_err(|source| Error::Client { purpose: "administration".to_owned(), source })
}

/// Lets it go where its last thread may be waited for.
fn dismiss(admin: AdminClient<Quiet>) {
    drop(tokio::task::spawn_blocking(move || drop(admin)));
}

async fn create(shared: &Shared, wanted: &[Wanted]) -> Result<Vec<String>, Error> {
    let existing = partitions(shared).await?;
    let missing: Vec<NewTopic<'_>> = wanted
        .iter()
        .filter(|topic| !existing.contains_key(&topic.name))
        .map(|topic| {
            let new =
                NewTopic::new(&topic.name, topic.partitions, TopicReplication::Fixed(topic.replication));
            topic.config.iter().fold(new, |new, (key, value)| new.set(key, value))
        })
        .collect();
    if missing.is_empty() {
        return Ok(Vec::new());
    }
    let admin = admin(shared)?;
    let results = admin.create_topics(&missing, &options()).await;
    dismiss(admin);
    let mut created = Vec::new();
    for result in results.map_err(|source| Error::broker("make topics", source))? {
        match result {
            Ok(name) => created.push(name),
            // Another process was quicker.
            Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((name, code)) => {
                return Err(Error::broker(format!("make topic `{name}`"), KafkaError::AdminOp(code)));
            }
        }
    }
    Ok(created)
}

async fn partitions(shared: &Shared) -> Result<BTreeMap<String, i32>, Error> {
    let client = shared.settings.client(&shared.service);
    let asked = tokio::task::spawn_blocking(move || {
        let client: rdkafka::consumer::BaseConsumer<Quiet> = client.create_with_context(Quiet)?;
        let metadata = rdkafka::consumer::Consumer::fetch_metadata(&client, None, Duration::from_secs(10))?;
        let count = |topic: &rdkafka::metadata::MetadataTopic| {
            (topic.name().to_owned(), i32::try_from(topic.partitions().len()).unwrap_or(i32::MAX))
        };
        Ok(metadata.topics().iter().map(count).collect())
    });
    let answer = asked.await.unwrap_or(Err(KafkaError::Canceled));
    answer.map_err(|source| Error::broker("list the topics", source))
}

fn options() -> AdminOptions {
    AdminOptions::new()
        .request_timeout(Some(Duration::from_secs(30)))
        .operation_timeout(Some(Duration::from_secs(30)))
}
