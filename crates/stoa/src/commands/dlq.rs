//! Records that could not be taken in.

use anyhow::Context as _;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use event_bus::{Bus, DeadLetter};
use serde_json::{Value, json};

use super::topics::bus;
use crate::{
    cli::{Dlq, Global},
    output::{Column, column, table},
};

const LIST: [Column; 6] = [
    column("queue", "/queue"),
    column("offset", "/offset"),
    column("reason", "/reason"),
    column("key", "/key"),
    column("from", "/from"),
    column("time", "/time"),
];

pub(super) async fn run(global: &Global, command: &Dlq) -> anyhow::Result<()> {
    match command {
        Dlq::List { broker, topic, group } => {
            let bus = bus(global, broker).await?;
            let mut rows = Vec::new();
            for queue in queues(&bus, topic.as_deref(), group.as_deref()).await? {
                let (topic, group) = parts(&queue)?;
                let letters = bus.dead_letters(topic, group).list().await?;
                rows.extend(letters.iter().map(|letter| shown(&queue, letter)));
            }
            global.output.write(&rows, || table(&LIST, &rows))
        }
        Dlq::Show { queue, offset, broker } => {
            let (topic, group) = parts(queue)?;
            let letter = bus(global, broker).await?.dead_letters(topic, group).show(*offset).await?;
            let mut whole = shown(queue, &letter);
            whole["error"] = json!(letter.error);
            whole["value"] = json!(STANDARD.encode(&letter.value));
            whole["headers"] = letter
                .headers
                .iter()
                .map(|(name, value)| (name.clone(), json!(String::from_utf8_lossy(value))))
                .collect::<serde_json::Map<_, _>>()
                .into();
            global.output.write(&whole, || serde_yaml::to_string(&whole).unwrap_or_default())
        }
        Dlq::Replay { queue, offset, broker } => {
            let (topic, group) = parts(queue)?;
            let position = bus(global, broker).await?.dead_letters(topic, group).replay(*offset).await?;
            let done = json!({ "topic": format!("{topic}.{group}.retry"), "offset": position.offset });
            global.output.write(&done, || {
                format!("given to {group} again, as {topic}.{group}.retry@{}", position.offset)
            })
        }
    }
}

/// The dead-letter topics of the broker that are meant.
async fn queues(bus: &Bus, topic: Option<&str>, group: Option<&str>) -> anyhow::Result<Vec<String>> {
    let topics = bus.topics().list().await?;
    let meant = |queue: &String| {
        parts(queue).is_ok_and(|(of, by)| {
            topic.is_none_or(|topic| topic == of) && group.is_none_or(|group| group == by)
        })
    };
    Ok(topics.into_keys().filter(meant).collect())
}

/// The topic and the group of a dead-letter topic.
fn parts(queue: &str) -> anyhow::Result<(&str, &str)> {
    queue
        .strip_suffix(".dlq")
        .and_then(|rest| rest.split_once('.'))
        .with_context(|| format!("`{queue}` is no dead-letter topic: expected `<topic>.<group>.dlq`"))
}

fn shown(queue: &str, letter: &DeadLetter) -> Value {
    json!({
        "queue": queue,
        "offset": letter.offset,
        "reason": letter.reason,
        "key": letter.key,
        "from": format!("{}/{}@{}", letter.topic, letter.partition, letter.source_offset),
        "time": letter.time,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dead_letter_topic_names_topic_and_group() {
        assert_eq!(
            parts("deploy-orders.deployment-worker.dlq").unwrap(),
            ("deploy-orders", "deployment-worker")
        );
        assert!(parts("deploy-orders").is_err());
        assert!(parts("deploy-orders.dlq").is_err());
    }
}
