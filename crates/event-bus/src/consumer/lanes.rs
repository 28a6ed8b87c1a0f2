//! What a member has in hand: one queue per partition, one record of each at a time.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use tokio_util::sync::DropGuard;

use super::Hold;
use crate::record::Record;

/// A partition that holds this much in memory is paused.
const HEAVY: usize = 8 * 1024 * 1024;
const LONG: usize = 256;

/// A partition of a topic.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Place {
    pub(super) topic: Arc<str>,
    pub(super) partition: i32,
}

/// The queue of one partition.
#[derive(Default)]
struct Lane {
    waiting: VecDeque<Record>,
    weight: usize,
    busy: bool,
    paused: bool,
}

/// The queues of one assignment, and the holds on its partition numbers.
#[derive(Default)]
pub(super) struct Lanes {
    lanes: HashMap<Place, Lane>,
    holds: HashMap<i32, (Hold, DropGuard)>,
}

/// What the member shall tell the broker about a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    Pause,
    Resume,
    Leave,
}

impl Lanes {
    /// Adds a partition.
    pub(super) fn open(&mut self, place: Place) -> Hold {
        let hold = self.holds.entry(place.partition).or_insert_with(Hold::new).0.clone();
        self.lanes.insert(place, Lane::default());
        hold
    }

    /// Gives all partitions up: holds are lost, what waits is forgotten.
    pub(super) fn clear(&mut self) {
        self.lanes.clear();
        self.holds.clear();
    }

    /// Adds a record to the queue of its partition; one of a partition that went is forgotten.
    pub(super) fn push(&mut self, record: Record) -> Flow {
        let place = Place { topic: Arc::clone(&record.topic), partition: record.partition };
        let Some(lane) = self.lanes.get_mut(&place) else { return Flow::Leave };
        lane.weight += record.weight();
        lane.waiting.push_back(record);
        let full = lane.weight > HEAVY || lane.waiting.len() > LONG;
        if full && !lane.paused {
            lane.paused = true;
            return Flow::Pause;
        }
        Flow::Leave
    }

    /// The next record of a partition that has none in hand, which is in hand from now on.
    pub(super) fn take(&mut self, place: &Place) -> Option<(Record, Hold)> {
        let lane = self.lanes.get_mut(place)?;
        if lane.busy {
            return None;
        }
        let record = lane.waiting.pop_front()?;
        lane.weight -= record.weight();
        lane.busy = true;
        Some((record, self.holds.get(&place.partition)?.0.clone()))
    }

    /// Marks a partition as having something in hand, such as its opening.
    pub(super) fn occupy(&mut self, place: &Place) {
        if let Some(lane) = self.lanes.get_mut(place) {
            lane.busy = true;
        }
    }

    /// What a partition had in hand is finished.
    pub(super) fn finish(&mut self, place: &Place) -> Flow {
        let Some(lane) = self.lanes.get_mut(place) else { return Flow::Leave };
        lane.busy = false;
        if lane.paused && lane.weight < HEAVY / 4 && lane.waiting.len() < LONG / 4 {
            lane.paused = false;
            return Flow::Resume;
        }
        Flow::Leave
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(offset: i64, size: usize) -> Record {
        Record {
            topic: "t".into(),
            partition: 0,
            offset,
            timestamp_ms: 0,
            key: None,
            value: Some(vec![0; size]),
            headers: Vec::new(),
        }
    }

    fn place() -> Place {
        Place { topic: "t".into(), partition: 0 }
    }

    #[test]
    fn a_partition_has_one_record_in_hand_and_keeps_order() {
        let mut lanes = Lanes::default();
        lanes.open(place());
        lanes.push(record(1, 10));
        lanes.push(record(2, 10));
        assert_eq!(lanes.take(&place()).unwrap().0.offset, 1);
        assert!(lanes.take(&place()).is_none());
        lanes.finish(&place());
        assert_eq!(lanes.take(&place()).unwrap().0.offset, 2);
    }

    #[test]
    fn a_heavy_queue_pauses_once_and_resumes_when_light() {
        let mut lanes = Lanes::default();
        lanes.open(place());
        assert_eq!(lanes.push(record(1, HEAVY / 2)), Flow::Leave);
        assert_eq!(lanes.push(record(2, HEAVY / 2)), Flow::Pause);
        assert_eq!(lanes.push(record(3, 1)), Flow::Leave);
        lanes.take(&place());
        assert_eq!(lanes.finish(&place()), Flow::Leave);
        lanes.take(&place());
        assert_eq!(lanes.finish(&place()), Flow::Resume);
    }

    #[test]
    fn a_partition_that_goes_loses_its_hold_and_its_queue() {
        let mut lanes = Lanes::default();
        let hold = lanes.open(place());
        lanes.push(record(1, 1));
        lanes.clear();
        assert!(!hold.is_held());
        assert!(lanes.take(&place()).is_none());
        assert_eq!(lanes.push(record(2, 1)), Flow::Leave);
    }
}
