//! The decisions, by example.

use std::time::Duration;

use domain::id::{Epoch, Revision, derived_id};

use super::*;

const NOON: Timestamp = Timestamp::constant(1_772_366_400, 0);

fn after(seconds: u64) -> Timestamp {
    NOON + Duration::from_secs(seconds)
}

fn steps() -> Vec<Step> {
    let step = |name, idempotent| Step { name, idempotent, timeout: Duration::from_secs(10) };
    vec![step("set", true), step("charge", false)]
}

fn id(name: &str) -> Uuid {
    derived_id(&[name])
}

fn ticket(name: &str, key: &str, revision: i64) -> Ticket {
    Ticket {
        id: id(name),
        key: key.to_owned(),
        generation: Generation { epoch: Epoch(1), revision: Revision(revision) },
        deadline: after(60),
        kind: Kind::Run,
    }
}

/// Changes as sentences: `name phase`.
fn told(names: &[&str], changes: &[Memory]) -> Vec<String> {
    let name = |memory: &Memory| names.iter().find(|name| id(name) == memory.id).copied().unwrap_or("?");
    let phase = |memory: &Memory| match &memory.phase {
        Phase::Accepted => "accepted".to_owned(),
        Phase::Intent { step, attempt, .. } => format!("{step} {attempt}"),
        Phase::Done { step } => format!("{step} done"),
        Phase::Decided(decision) => format!("{:?}", decision.outcome).to_lowercase(),
    };
    changes.iter().map(|memory| format!("{}: {}", name(memory), phase(memory))).collect()
}

struct Scene {
    machine: Machine,
    names: Vec<&'static str>,
    offset: i64,
}

impl Scene {
    fn new(names: &[&'static str]) -> Self {
        Self { machine: Machine::default(), names: names.to_vec(), offset: 0 }
    }

    fn accept(&mut self, at: u64, ticket: &Ticket) -> Vec<String> {
        self.offset += 1;
        let changes = self.machine.accept(after(at), ticket, self.offset);
        told(&self.names, &changes)
    }

    fn tick(&mut self, at: u64) -> Vec<String> {
        let changes = self.machine.tick(after(at), 8, |_| Some(steps()));
        told(&self.names, &changes)
    }

    fn succeeds(&mut self, at: u64, name: &str, step: &str) -> Vec<String> {
        let all = steps();
        let changes = self.machine.succeeded(after(at), id(name), step, &all);
        told(&self.names, &changes)
    }

    fn fails(&mut self, at: u64, name: &str) -> Vec<String> {
        let error = StepError::retry("down", "the world is down");
        let wait = |_| Duration::from_secs(2);
        let changes = self.machine.failed(after(at), id(name), error, &Settings::default(), wait);
        told(&self.names, &changes)
    }
}

#[test]
fn an_order_goes_through_its_steps_to_its_end() {
    let mut scene = Scene::new(&["a"]);
    assert_eq!(scene.accept(0, &ticket("a", "key", 1)), ["a: accepted"]);
    assert_eq!(scene.tick(0), ["a: set 1"]);
    assert_eq!(scene.succeeds(1, "a", "set"), ["a: set done", "a: charge 1"]);
    assert_eq!(scene.succeeds(2, "a", "charge"), ["a: charge done", "a: succeeded"]);
    assert_eq!(scene.tick(3), [""; 0]);
    assert_eq!(scene.accept(4, &ticket("a", "key", 1)), [""; 0], "a repeat changes nothing");
}

#[test]
fn keys_go_side_by_side_and_orders_of_one_key_do_not() {
    let mut scene = Scene::new(&["a", "b", "c"]);
    scene.accept(0, &ticket("a", "one", 1));
    scene.accept(0, &ticket("b", "two", 1));
    let mut begun = scene.tick(0);
    begun.sort();
    assert_eq!(begun, ["a: set 1", "b: set 1"]);
    assert_eq!(scene.accept(1, &ticket("c", "one", 2)), ["c: accepted"], "the running one goes on");
    assert_eq!(scene.tick(1), [""; 0]);
    scene.succeeds(2, "a", "set");
    scene.succeeds(3, "a", "charge");
    assert_eq!(scene.tick(3), ["c: set 1"]);
}

#[test]
fn newer_is_a_higher_generation_and_not_a_later_arrival() {
    let mut scene = Scene::new(&["low", "high", "late", "again"]);
    scene.accept(0, &ticket("low", "key", 1));
    assert_eq!(scene.accept(0, &ticket("high", "key", 3)), ["high: accepted", "low: superseded"]);
    assert_eq!(scene.accept(0, &ticket("late", "key", 2)), ["late: superseded"]);
    assert_eq!(scene.accept(0, &ticket("again", "key", 3)), ["again: accepted"]);
    assert_eq!(scene.tick(0), ["high: set 1"], "of one generation the first that came");
}

#[test]
fn a_failed_attempt_waits_gives_way_and_ends_at_the_deadline() {
    let mut scene = Scene::new(&["a", "b"]);
    scene.accept(0, &ticket("a", "key", 1));
    scene.tick(0);
    assert_eq!(scene.fails(1, "a"), ["a: set 1"]);
    assert_eq!(scene.tick(2), [""; 0]);
    assert_eq!(scene.machine.next_wake(), Some(after(3)));
    assert_eq!(scene.tick(3), ["a: set 2"]);
    assert_eq!(scene.fails(4, "a"), ["a: set 2"]);
    assert_eq!(scene.accept(5, &ticket("b", "key", 2)), ["b: accepted", "a: superseded"]);
    assert_eq!(scene.tick(5), ["b: set 1"], "it need not wait for the other's next attempt");
    scene.fails(6, "b");
    assert_eq!(scene.tick(60), ["b: failed"]);
    let problem = match &scene.machine.get(id("b")).unwrap().phase {
        Phase::Decided(decision) => decision.problem.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(problem.unwrap().reason, "down");
}

#[test]
fn one_that_keeps_failing_needs_attention_until_it_goes_on() {
    let mut scene = Scene::new(&["a"]);
    scene.accept(0, &ticket("a", "key", 1));
    for attempt in 0..5 {
        assert!(!scene.machine.get(id("a")).unwrap().needs_attention);
        scene.tick(3 * attempt);
        scene.fails(3 * attempt + 1, "a");
    }
    assert!(scene.machine.get(id("a")).unwrap().needs_attention);
    scene.tick(30);
    scene.succeeds(31, "a", "set");
    assert!(!scene.machine.get(id("a")).unwrap().needs_attention);
}

#[test]
fn what_is_never_begun_expires() {
    let mut scene = Scene::new(&["a", "b"]);
    let overdue = Ticket { deadline: after(0), ..ticket("a", "key", 1) };
    assert_eq!(scene.accept(0, &overdue), ["a: expired"]);
    assert_eq!(scene.accept(0, &ticket("b", "key", 1)), ["b: accepted"], "it did not count as newest");
    assert_eq!(scene.tick(60), ["b: expired"]);
}

#[test]
fn a_cancel_ends_what_runs_and_says_when_nothing_did() {
    let mut scene = Scene::new(&["a", "cancel", "again"]);
    scene.accept(0, &ticket("a", "key", 1));
    scene.tick(0);
    let cancel = |name| Ticket { kind: Kind::Cancel(id("a")), ..ticket(name, "key", 1) };
    assert_eq!(scene.accept(1, &cancel("cancel")), ["cancel: succeeded", "a: cancelled"]);
    assert!(!scene.machine.is_running(id("a")));
    assert_eq!(scene.succeeds(2, "a", "set"), [""; 0], "its step came to nothing");
    assert_eq!(scene.accept(3, &cancel("again")), ["again: failed"]);
}

fn recalled(phase: Phase) -> Memory {
    Memory {
        id: id("a"),
        key: "key".to_owned(),
        generation: Generation { epoch: Epoch(1), revision: Revision(1) },
        offset: 1,
        deadline: after(60),
        cancels: false,
        phase,
        needs_attention: false,
        problem: None,
        at: NOON,
    }
}

#[test]
fn a_successor_waits_for_an_intent_whose_step_must_not_be_repeated() {
    let intent = |step: &str| recalled(Phase::Intent { step: step.to_owned(), attempt: 1, until: after(10) });
    let mut scene = Scene::new(&["a", "b"]);
    scene.offset = 10;
    scene.machine.recall(intent("charge"), |_| false);
    assert_eq!(scene.tick(1), [""; 0]);
    assert_eq!(scene.machine.next_wake(), Some(after(10)));
    assert_eq!(scene.accept(2, &ticket("b", "key", 2)), ["b: accepted"], "it may still be acting");
    assert_eq!(scene.tick(10), ["a: superseded", "b: set 1"]);

    let mut scene = Scene::new(&["a"]);
    scene.machine.recall(intent("set"), |_| true);
    assert_eq!(scene.tick(1), ["a: set 2"]);
}

#[test]
fn a_successor_goes_on_after_the_step_that_is_done() {
    let mut scene = Scene::new(&["a"]);
    scene.machine.recall(recalled(Phase::Done { step: "set".to_owned() }), |_| true);
    assert_eq!(scene.tick(1), ["a: charge 1"]);
}

#[test]
fn the_newest_order_of_a_key_is_never_forgotten() {
    let mut scene = Scene::new(&["a", "b", "late"]);
    for (name, revision) in [("a", 1), ("b", 2)] {
        scene.accept(0, &ticket(name, "key", revision));
        scene.tick(0);
        scene.succeeds(1, name, "set");
        scene.succeeds(2, name, "charge");
    }
    scene.accept(3, &ticket("late", "key", 1));
    let mut old = scene.machine.forgettable(after(100));
    old.sort();
    let mut expected = vec![id("a"), id("late")];
    expected.sort();
    assert_eq!(old, expected);
    assert_eq!(scene.machine.idle().map(|memory| memory.id).collect::<Vec<_>>(), [id("b")]);
}

#[test]
fn no_more_steps_run_than_there_is_room_for() {
    let mut scene = Scene::new(&["a", "b"]);
    scene.accept(0, &ticket("a", "one", 1));
    scene.accept(0, &ticket("b", "two", 1));
    assert_eq!(scene.machine.tick(after(0), 1, |_| Some(steps())).len(), 1);
    assert_eq!(scene.machine.tick(after(0), 1, |_| Some(steps())).len(), 0);
}
