//! What the replicas of the built-in gateway have said: that they are there, and what they serve.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use domain::{id::Generation, name::EnvironmentName};
use events::{AckOutcome, Event as _, GatewayAck, GatewayInstance, InstanceState};
use jiff::Timestamp;
use tokio::sync::watch;

/// A replica that was silent for longer is gone.
const SILENCE: Duration = Duration::from_secs(6);
/// One that was silent for longer is forgotten, with all it said.
const FORGOTTEN: Duration = Duration::from_hours(1);

/// What a replica said last about one route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) generation: Generation,
    pub(super) outcome: AckOutcome,
    pub(super) message: Option<String>,
    at: Timestamp,
}

/// The words of the present replicas of an environment about one route.
///
/// A word from an earlier life of a replica counts as none: it said everything again when it started.
pub(super) type Words = BTreeMap<String, Option<Word>>;

/// The replicas of all environments.
#[derive(Debug, Default)]
pub(crate) struct Fleet {
    table: Mutex<Table>,
    news: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct Table {
    replicas: HashMap<String, GatewayInstance>,
    /// By replica, then by the key of the route.
    words: HashMap<String, HashMap<String, Word>>,
    instances_read: bool,
    acks_read: bool,
}

impl Fleet {
    /// Takes in a heartbeat.
    pub(crate) fn beat(&self, instance: &GatewayInstance) {
        let mut table = self.table();
        if table.replicas.get(&instance.replica).is_some_and(|known| known.at > instance.at) {
            return;
        }
        let known = table.replicas.insert(instance.replica.clone(), instance.clone());
        let Table { replicas, words, .. } = &mut *table;
        replicas.retain(|replica, known| {
            let stays = known.at.duration_since(instance.at).unsigned_abs() < FORGOTTEN;
            if !stays {
                words.remove(replica);
            }
            stays
        });
        drop(table);
        let same = |known: &GatewayInstance| {
            (known.state, known.started_at, &known.environment)
                == (instance.state, instance.started_at, &instance.environment)
        };
        if !known.as_ref().is_some_and(same) {
            self.news.send_replace(());
        }
    }

    /// Takes in an acknowledgement; they come in the order in which a replica made them.
    pub(crate) fn said(&self, ack: &GatewayAck) {
        let word = Word {
            generation: ack.generation,
            outcome: ack.outcome,
            message: ack.message.clone(),
            at: ack.at,
        };
        self.table().words.entry(ack.replica.clone()).or_default().insert(ack.key(), word);
        self.news.send_replace(());
    }

    /// All heartbeats that stood there at the start have been read.
    pub(crate) fn instances_are_read(&self) {
        self.table().instances_read = true;
        self.news.send_replace(());
    }

    /// All acknowledgements that stood there at the start have been read.
    pub(crate) fn acks_are_read(&self) {
        self.table().acks_read = true;
        self.news.send_replace(());
    }

    /// Whether everything that was said before the start is known.
    pub(crate) fn is_known(&self) -> bool {
        let table = self.table();
        table.instances_read && table.acks_read
    }

    /// Waits for that.
    pub(crate) async fn known(&self) {
        // The sender lives as long as `self`.
        let _ = self.news.subscribe().wait_for(|()| self.is_known()).await;
    }

    /// Fires whenever something new was said.
    pub(super) fn news(&self) -> watch::Receiver<()> {
        self.news.subscribe()
    }

    /// What the present replicas of an environment say about a route; nothing while not all is known.
    pub(super) fn words(&self, environment: &EnvironmentName, key: &str, now: Timestamp) -> Option<Words> {
        let table = self.table();
        if !(table.instances_read && table.acks_read) {
            return None;
        }
        let present = table.replicas.values().filter(|replica| {
            replica.state == InstanceState::Present
                && replica.environment == *environment
                && now.duration_since(replica.at)
                    <= jiff::SignedDuration::from_secs(SILENCE.as_secs().cast_signed())
        });
        let words = present.map(|replica| {
            let word = table.words.get(&replica.replica).and_then(|words| words.get(key));
            (replica.replica.clone(), word.filter(|word| word.at >= replica.started_at).cloned())
        });
        Some(words.collect())
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::sample::NOW;

    /// A fleet that knows everything that was said so far: nothing.
    pub(in crate::builtin) fn fleet() -> Fleet {
        let fleet = Fleet::default();
        fleet.instances_are_read();
        fleet.acks_are_read();
        fleet
    }

    pub(in crate::builtin) fn heartbeat(replica: &str, at: Timestamp) -> GatewayInstance {
        GatewayInstance {
            replica: replica.to_owned(),
            environment: "dev".parse().unwrap(),
            state: InstanceState::Present,
            started_at: NOW,
            at,
        }
    }

    pub(in crate::builtin) fn ack(replica: &str, outcome: AckOutcome, revision: i64) -> GatewayAck {
        GatewayAck {
            tenant: "acme".parse().unwrap(),
            api: "pets".parse().unwrap(),
            environment: "dev".parse().unwrap(),
            replica: replica.to_owned(),
            generation: crate::sample::generation(revision),
            outcome,
            message: (outcome == AckOutcome::Refused).then(|| "not today".to_owned()),
            at: NOW,
        }
    }

    fn present(fleet: &Fleet, environment: &str, now: Timestamp) -> Vec<(String, Option<AckOutcome>)> {
        let words = fleet.words(&environment.parse().unwrap(), "acme/pets/dev", now).unwrap();
        words.into_iter().map(|(replica, word)| (replica, word.map(|word| word.outcome))).collect()
    }

    #[test]
    fn a_replica_is_present_for_six_seconds_after_its_heartbeat_unless_it_leaves() {
        let fleet = fleet();
        fleet.beat(&heartbeat("a", NOW));
        fleet.beat(&heartbeat("b", NOW + Duration::from_secs(2)));
        fleet.beat(&heartbeat("c", NOW));
        fleet.beat(&GatewayInstance { state: InstanceState::Leaving, ..heartbeat("c", NOW) });
        let names = |seconds| {
            let present = present(&fleet, "dev", NOW + Duration::from_secs(seconds));
            present.into_iter().map(|(name, _)| name).collect::<Vec<_>>()
        };
        assert_eq!(names(6), ["a", "b"]);
        assert_eq!(names(7), ["b"]);
        assert_eq!(names(9), [""; 0]);
        assert_eq!(present(&fleet, "prod", NOW), []);
    }

    #[test]
    fn words_of_an_earlier_life_do_not_count() {
        let fleet = fleet();
        fleet.said(&ack("a", AckOutcome::Applied, 5));
        fleet.beat(&heartbeat("a", NOW));
        assert_eq!(present(&fleet, "dev", NOW), [("a".to_owned(), Some(AckOutcome::Applied))]);
        let later = NOW + Duration::from_secs(1);
        fleet.beat(&GatewayInstance { started_at: later, ..heartbeat("a", later) });
        assert_eq!(present(&fleet, "dev", later), [("a".to_owned(), None)]);
    }

    #[test]
    fn nothing_is_told_before_everything_is_known() {
        let fleet = Fleet::default();
        fleet.instances_are_read();
        assert_eq!(fleet.words(&"dev".parse().unwrap(), "acme/pets/dev", NOW), None);
    }

    #[test]
    fn a_replica_that_was_silent_for_an_hour_is_forgotten_with_its_words() {
        let fleet = fleet();
        fleet.beat(&heartbeat("a", NOW));
        fleet.said(&ack("a", AckOutcome::Applied, 5));
        fleet.beat(&heartbeat("b", NOW + Duration::from_hours(2)));
        let table = fleet.table();
        assert_eq!((table.replicas.len(), table.words.len()), (1, 0));
    }
}
