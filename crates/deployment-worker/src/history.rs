//! What others are told about an order: its steps, and how it ended.

use domain::id::derived_id;
use events::{
    DeployOrder, DeployResult, DeploymentState, DeploymentStep, Event as _, Notification, Severity, StepPhase,
};
use jiff::Timestamp;
use saga::{Decision, Memory, Phase, Problem, Transition};
use uuid::Uuid;

pub(crate) const PREFLIGHT: &str = "preflight";
pub(crate) const ROUTE: &str = "route";
pub(crate) const ACKNOWLEDGE: &str = "acknowledge";
pub(crate) const PROBE: &str = "probe";
const RECONCILE: &str = "reconcile";

/// The place of a step inside the sequence of an order.
const STEPS: [&str; 4] = [PREFLIGHT, ROUTE, ACKNOWLEDGE, PROBE];

/// Numbers inside one attempt: it starts, leaves lines, ends.
const STARTED: i64 = 1;
const FIRST_LINE: i64 = 2;
const LINES: usize = 900;
const ENDED: i64 = 999;

/// The attempt that is or was being performed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Acting {
    pub(crate) step: String,
    pub(crate) attempt: u32,
}

/// Whether a transition ends an attempt: the step is done, the attempt has failed, or the order has ended.
pub(crate) fn ends_attempt(memory: &Memory) -> bool {
    match &memory.phase {
        Phase::Accepted => false,
        // The intent of a failed attempt reaches no further than its failure.
        Phase::Intent { until, .. } => *until <= memory.at,
        Phase::Done { .. } | Phase::Decided(_) => true,
    }
}

/// The step records of a transition; `ended` is the attempt that it ends, if any.
///
/// Numbers and ids follow from step, attempt and phase, so that whoever repeats a transition repeats them.
pub(crate) fn steps(
    order: &DeployOrder,
    transition: &Transition,
    ended: Option<&Acting>,
) -> Vec<(Uuid, DeploymentStep)> {
    let memory = &transition.memory;
    let attempt = |step: &str, number| Numbered { order, at: memory.at, step: step.to_owned(), number };
    match (&memory.phase, ended) {
        (Phase::Intent { step, attempt: number, .. }, _) if !ends_attempt(memory) => {
            vec![attempt(step, *number).record(STARTED, StepPhase::Started, None)]
        }
        (Phase::Intent { step, attempt: number, .. }, _) => {
            let problem = memory.problem.as_ref();
            attempt(step, *number).failed(transition, problem, memory.needs_attention)
        }
        (Phase::Done { step }, ended) => {
            attempt(step, ended.map_or(1, |ended| ended.attempt)).finished(transition)
        }
        (Phase::Decided(decision), Some(ended)) => {
            attempt(&ended.step, ended.attempt).failed(transition, decision.problem.as_ref(), false)
        }
        (Phase::Accepted | Phase::Decided(_), _) => Vec::new(),
    }
}

/// One attempt at a step, whose records have numbers of their own.
struct Numbered<'a> {
    order: &'a DeployOrder,
    at: Timestamp,
    step: String,
    number: u32,
}

impl Numbered<'_> {
    fn finished(&self, transition: &Transition) -> Vec<(Uuid, DeploymentStep)> {
        let mut records = self.lines(transition);
        records.push(self.record(ENDED, StepPhase::Finished, None));
        records
    }

    fn failed(
        &self,
        transition: &Transition,
        problem: Option<&Problem>,
        needs_attention: bool,
    ) -> Vec<(Uuid, DeploymentStep)> {
        let attention = if needs_attention { "; it keeps failing and needs attention" } else { "" };
        let message = problem.map(|problem| format!("{}: {}{attention}", problem.reason, problem.message));
        let mut records = self.lines(transition);
        records.push(self.record(ENDED, StepPhase::Failed, message));
        records
    }

    fn lines(&self, transition: &Transition) -> Vec<(Uuid, DeploymentStep)> {
        let lines = (FIRST_LINE..).zip(transition.notes.iter().take(LINES));
        lines.map(|(slot, line)| self.record(slot, StepPhase::Log, Some(line.clone()))).collect()
    }

    fn record(&self, slot: i64, phase: StepPhase, message: Option<String>) -> (Uuid, DeploymentStep) {
        let place = STEPS.iter().position(|known| *known == self.step).unwrap_or(STEPS.len());
        let place = i64::try_from(place).unwrap_or_default();
        let sequence = place * 1_000_000_000 + i64::from(self.number.min(999_999)) * 1000 + slot;
        self.at_sequence(sequence, phase, message)
    }

    fn at_sequence(
        &self,
        sequence: i64,
        phase: StepPhase,
        message: Option<String>,
    ) -> (Uuid, DeploymentStep) {
        let order = self.order;
        let id = derived_id(&[&order.order_id.to_string(), &sequence.to_string(), "deployment-steps"]);
        let step = DeploymentStep {
            order_id: order.order_id,
            group: order.group,
            tenant: order.tenant.clone(),
            api: order.api.clone(),
            environment: order.environment.clone(),
            gateway: order.gateway.clone(),
            sequence,
            step: self.step.clone(),
            phase,
            attempt: i32::try_from(self.number).unwrap_or(i32::MAX),
            message,
            trace: order.trace.clone(),
            at: self.at,
        };
        (id, step)
    }
}

/// The line that a repair leaves, long after the order ended.
pub(crate) fn repaired(order: &DeployOrder, at: Timestamp) -> (Uuid, DeploymentStep) {
    let line = "the route differed from the newest accepted order and was written again";
    let repair = Numbered { order, at, step: RECONCILE.to_owned(), number: 1 };
    // Milliseconds since 1970 lie beyond every number of a step.
    repair.at_sequence(at.as_millisecond(), StepPhase::Log, Some(line.to_owned()))
}

/// The terminal record of an order.
pub(crate) fn result(
    order: &DeployOrder,
    transition: &Transition,
    decision: &Decision,
) -> (Uuid, DeployResult) {
    let id = result_id(order.order_id);
    let problem = decision.problem.as_ref();
    let result = DeployResult {
        order_id: order.order_id,
        group: order.group,
        tenant: order.tenant.clone(),
        api: order.api.clone(),
        environment: order.environment.clone(),
        gateway: order.gateway.clone(),
        kind: order.kind,
        generation: order.generation,
        commit: order.commit.clone(),
        content_commit: order.content_commit.clone(),
        digest: order.digest.clone(),
        outcome: decision.outcome,
        reason: problem.map(|problem| reason(problem, &transition.memory).to_owned()),
        message: problem.map(|problem| problem.message.clone()),
        actor: order.actor.clone(),
        trace: order.trace.clone(),
        accepted_at: transition.accepted_at,
        finished_at: transition.memory.at,
    };
    (id, result)
}

/// The end of an order of which only the state is left; none if an older version wrote that, which says too little.
pub(crate) fn lost(state: &DeploymentState, ended: &Memory) -> Option<(Uuid, DeployResult)> {
    let Phase::Decided(decision) = &ended.phase else { return None };
    let problem = decision.problem.as_ref();
    let result = DeployResult {
        order_id: state.order_id,
        group: state.group,
        tenant: state.tenant.clone(),
        api: state.api.clone(),
        environment: state.environment.clone(),
        gateway: state.gateway.clone(),
        kind: state.kind,
        generation: state.generation,
        commit: state.commit.clone()?,
        content_commit: state.content_commit.clone()?,
        digest: state.digest.clone(),
        outcome: decision.outcome,
        reason: problem.map(|problem| problem.reason.clone()),
        message: problem.map(|problem| problem.message.clone()),
        actor: state.actor.clone()?,
        trace: state.trace.clone()?,
        accepted_at: state.at,
        finished_at: ended.at,
    };
    Some((result_id(state.order_id), result))
}

/// The id of the one terminal record of an order.
fn result_id(order: Uuid) -> Uuid {
    derived_id(&[&order.to_string(), "deploy-results"])
}

/// An attempt that was cut by the deadline of the order failed because of that.
fn reason<'a>(problem: &'a Problem, memory: &Memory) -> &'a str {
    if problem.reason == "timeout" && memory.deadline <= memory.at { "deadline" } else { &problem.reason }
}

/// What a person is told when the attempt number `after` has failed too.
pub(crate) fn attention(order: &DeployOrder, memory: &Memory, after: u32) -> Option<(Uuid, Notification)> {
    let Phase::Intent { step, attempt, .. } = &memory.phase else { return None };
    if !memory.needs_attention || *attempt != after || !ends_attempt(memory) {
        return None;
    }
    let problem = memory.problem.as_ref()?;
    let id = derived_id(&[&order.order_id.to_string(), step, "needs-attention"]);
    let notification = Notification {
        tenant: order.tenant.clone(),
        severity: Severity::Warning,
        kind: "deployment-needs-attention".to_owned(),
        title: format!("Deploying {} to {} keeps failing", order.api, order.environment),
        body: format!("Step `{step}` failed {attempt} times: {}. It goes on trying.", problem.message),
        entity: order.subject(),
        at: memory.at,
    };
    Some((id, notification))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use events::Outcome;

    use super::*;
    use crate::sample::{self, NOW};

    fn transition(phase: Phase, notes: &[&str]) -> Transition {
        let order = sample::order();
        Transition {
            memory: Memory {
                id: order.order_id,
                key: String::new(),
                generation: order.generation,
                offset: 0,
                deadline: order.deadline,
                cancels: false,
                phase,
                needs_attention: false,
                problem: None,
                at: NOW,
            },
            accepted_at: NOW,
            notes: notes.iter().map(|note| (*note).to_owned()).collect(),
        }
    }

    fn problem(reason: &str) -> Problem {
        Problem { reason: reason.to_owned(), message: "because".to_owned() }
    }

    fn intent(attempt: u32, until: Timestamp) -> Phase {
        Phase::Intent { step: ROUTE.to_owned(), attempt, until }
    }

    fn told(transition: &Transition, ended: Option<&Acting>) -> Vec<(i64, StepPhase, Option<String>)> {
        let records = steps(&sample::order(), transition, ended);
        records.into_iter().map(|(_, step)| (step.sequence, step.phase, step.message)).collect()
    }

    #[test]
    fn an_attempt_starts_leaves_lines_and_ends_in_one_rising_order() {
        let ended = Acting { step: ROUTE.to_owned(), attempt: 2 };
        let started = transition(intent(2, NOW + Duration::from_secs(1)), &[]);
        let done = transition(Phase::Done { step: ROUTE.to_owned() }, &["one", "two"]);
        let all = [told(&started, None), told(&done, Some(&ended))].concat();
        let expected = [
            (1_000_002_001, StepPhase::Started, None),
            (1_000_002_002, StepPhase::Log, Some("one".to_owned())),
            (1_000_002_003, StepPhase::Log, Some("two".to_owned())),
            (1_000_002_999, StepPhase::Finished, None),
        ];
        assert_eq!(all, expected);
    }

    #[test]
    fn a_failed_attempt_is_told_whether_it_is_repeated_or_the_end() {
        let mut repeated = transition(intent(1, NOW), &[]);
        repeated.memory.problem = Some(problem("broker"));
        let failed = (1_000_001_999, StepPhase::Failed, Some("broker: because".to_owned()));
        assert_eq!(told(&repeated, None), vec![failed.clone()]);

        let decision = Decision { outcome: Outcome::Failed, problem: Some(problem("broker")) };
        let ended = transition(Phase::Decided(decision), &[]);
        let acting = Acting { step: ROUTE.to_owned(), attempt: 1 };
        assert_eq!(told(&ended, Some(&acting)), [failed]);
        assert_eq!(told(&ended, None), []);
    }

    #[test]
    fn a_repair_comes_after_everything_else() {
        let (_, line) = repaired(&sample::order(), NOW);
        assert_eq!((line.sequence, line.step.as_str()), (1_772_366_400_000, "reconcile"));
        let last = Numbered { order: &sample::order(), at: NOW, step: PROBE.to_owned(), number: u32::MAX };
        assert!(last.record(ENDED, StepPhase::Failed, None).1.sequence < line.sequence);
    }

    #[test]
    fn an_order_that_was_begun_and_cut_by_its_deadline_says_so() {
        let decision = Decision { outcome: Outcome::Failed, problem: Some(problem("timeout")) };
        let mut ended = transition(Phase::Decided(decision.clone()), &[]);
        assert_eq!(result(&sample::order(), &ended, &decision).1.reason.as_deref(), Some("timeout"));
        ended.memory.at = sample::order().deadline;
        let (id, late) = result(&sample::order(), &ended, &decision);
        assert_eq!(late.reason.as_deref(), Some("deadline"));
        assert_eq!((late.accepted_at, late.finished_at), (NOW, sample::order().deadline));
        assert_eq!(id, result(&sample::order(), &ended, &decision).0);
    }

    #[test]
    fn a_person_is_told_once_that_a_step_keeps_failing() {
        let parked = |attempt| {
            let mut parked = transition(intent(attempt, NOW), &[]).memory;
            parked.needs_attention = true;
            parked.problem = Some(problem("broker"));
            attention(&sample::order(), &parked, 5).map(|(_, told)| told.title)
        };
        assert_eq!(parked(5).as_deref(), Some("Deploying pets to dev keeps failing"));
        assert_eq!((parked(4), parked(6)), (None, None));
    }
}
