//! Whether every present replica does what was ordered.

use std::time::Duration;

use domain::name::EnvironmentName;
use events::AckOutcome;
use runtime::Clock;
use saga::StepError;
use tokio::time::{sleep, timeout};

use super::{
    Aim,
    fleet::{Fleet, Word, Words},
};

/// Replicas go silent without saying so, hence the look from time to time.
const LOOK: Duration = Duration::from_millis(500);

/// The reason of an order that a replica refused.
pub(super) const REFUSED: &str = "refused-by-gateway";

/// What is waited for.
pub(super) struct Wish {
    /// The key of the route.
    pub(super) key: String,
    /// The environment whose replicas are asked.
    pub(super) environment: EnvironmentName,
    /// What they shall do.
    pub(super) aim: Aim,
}

/// What the words of the replicas amount to.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Verdict {
    /// It is not known yet what was said.
    Unknown,
    /// There is no replica.
    Nobody,
    /// These have not answered yet.
    Waiting(Vec<String>),
    /// One keeps what it had.
    Refused { replica: String, message: String },
    /// All do it: these.
    Agreed(Vec<String>),
}

/// Waits until all present replicas agree, and names them; replicas that come or go count as they are.
pub(super) async fn reached(
    fleet: &Fleet,
    wish: &Wish,
    clock: &dyn Clock,
    within: Duration,
) -> Result<Vec<String>, StepError> {
    let mut news = fleet.news();
    let look = || judge(fleet.words(&wish.environment, &wish.key, clock.now()), wish.aim);
    let waiting = async {
        loop {
            news.mark_unchanged();
            match look() {
                Verdict::Agreed(replicas) => return Ok(replicas),
                refused @ Verdict::Refused { .. } => return Err(refused),
                Verdict::Unknown | Verdict::Nobody | Verdict::Waiting(_) => {}
            }
            // The time runs out of a wait or something is said: either way the next look tells.
            let _ = timeout(LOOK, news.changed()).await;
        }
    };
    tokio::select! {
        biased;
        answered = waiting => answered.map_err(|verdict| failure(verdict, within)),
        () = sleep(within) => match look() {
            Verdict::Agreed(replicas) => Ok(replicas),
            verdict => Err(failure(verdict, within)),
        },
    }
}

fn judge(words: Option<Words>, aim: Aim) -> Verdict {
    let Some(words) = words else { return Verdict::Unknown };
    if words.is_empty() {
        return Verdict::Nobody;
    }
    let refused = words.iter().find_map(|(replica, word)| {
        let word = word.as_ref().filter(|word| refuses(word, aim))?;
        let message = word.message.clone().unwrap_or_else(|| "it gave no reason".to_owned());
        Some(Verdict::Refused { replica: replica.clone(), message })
    });
    if let Some(refused) = refused {
        return refused;
    }
    let agrees = |word: Option<&Word>| match aim {
        Aim::Served(generation) => {
            word.is_some_and(|word| word.outcome == AckOutcome::Applied && word.generation >= generation)
        }
        // One that started after the removal has nothing to say about it.
        Aim::Gone(generation) => word.is_none_or(|word| match word.outcome {
            AckOutcome::Removed => true,
            AckOutcome::Applied => word.generation > generation,
            AckOutcome::Refused | AckOutcome::Unknown => false,
        }),
    };
    let waiting: Vec<String> =
        words.iter().filter(|(_, word)| !agrees(word.as_ref())).map(|(replica, _)| replica.clone()).collect();
    if waiting.is_empty() {
        return Verdict::Agreed(words.into_keys().collect());
    }
    Verdict::Waiting(waiting)
}

fn refuses(word: &Word, aim: Aim) -> bool {
    matches!(aim, Aim::Served(generation)
        if word.outcome == AckOutcome::Refused && word.generation == generation)
}

fn failure(verdict: Verdict, within: Duration) -> StepError {
    match verdict {
        Verdict::Refused { replica, message } => {
            StepError::reject(REFUSED, format!("replica `{replica}` refused the route: {message}"))
        }
        Verdict::Nobody => StepError::reject(
            "no-gateway",
            format!(
                "no replica of the gateway was there for {within:?}; the route stays and is served when one comes"
            ),
        ),
        Verdict::Waiting(replicas) => StepError::reject(
            "not-acknowledged",
            format!("within {within:?} there was no acknowledgement of {}", replicas.join(", ")),
        ),
        Verdict::Unknown | Verdict::Agreed(_) => {
            StepError::retry("broker", "what the replicas have said could not be read yet")
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use events::{GatewayInstance, InstanceState};
    use runtime::testing::FixedClock;

    use super::*;
    use crate::{
        builtin::fleet::tests::{ack, fleet, heartbeat},
        sample::{NOW, generation},
    };

    fn verdict(fleet: &Fleet, aim: Aim) -> Verdict {
        judge(fleet.words(&"dev".parse().unwrap(), "acme/pets/dev", NOW), aim)
    }

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn every_present_replica_must_serve_the_generation_or_a_newer_one() {
        let aim = Aim::Served(generation(5));
        assert_eq!(verdict(&Fleet::default(), aim), Verdict::Unknown);
        let fleet = fleet();
        assert_eq!(verdict(&fleet, aim), Verdict::Nobody);
        fleet.beat(&heartbeat("a", NOW));
        fleet.beat(&heartbeat("b", NOW));
        fleet.said(&ack("a", AckOutcome::Applied, 6));
        fleet.said(&ack("b", AckOutcome::Applied, 4));
        assert_eq!(verdict(&fleet, aim), Verdict::Waiting(names(&["b"])));
        fleet.said(&ack("b", AckOutcome::Applied, 5));
        assert_eq!(verdict(&fleet, aim), Verdict::Agreed(names(&["a", "b"])));
    }

    #[test]
    fn one_refusal_of_the_generation_is_enough() {
        let fleet = fleet();
        fleet.beat(&heartbeat("a", NOW));
        fleet.beat(&heartbeat("b", NOW));
        fleet.said(&ack("a", AckOutcome::Refused, 4));
        fleet.said(&ack("b", AckOutcome::Applied, 5));
        let aim = Aim::Served(generation(5));
        assert_eq!(verdict(&fleet, aim), Verdict::Waiting(names(&["a"])));
        fleet.said(&ack("a", AckOutcome::Refused, 5));
        let refused = Verdict::Refused { replica: "a".to_owned(), message: "not today".to_owned() };
        assert_eq!(verdict(&fleet, aim), refused);
    }

    #[test]
    fn a_removal_is_agreed_by_those_who_removed_or_never_served() {
        let fleet = fleet();
        for replica in ["new", "old"] {
            fleet.beat(&heartbeat(replica, NOW));
        }
        fleet.said(&ack("old", AckOutcome::Applied, 5));
        let aim = Aim::Gone(generation(6));
        assert_eq!(verdict(&fleet, aim), Verdict::Waiting(names(&["old"])));
        fleet.said(&ack("old", AckOutcome::Removed, 5));
        assert_eq!(verdict(&fleet, aim), Verdict::Agreed(names(&["new", "old"])));
        fleet.said(&ack("old", AckOutcome::Applied, 7));
        assert_eq!(verdict(&fleet, aim), Verdict::Agreed(names(&["new", "old"])));
    }

    fn wish(aim: Aim) -> Wish {
        Wish { key: "acme/pets/dev".to_owned(), environment: "dev".parse().unwrap(), aim }
    }

    async fn reached_within_ten_seconds(fleet: &Fleet, clock: &FixedClock) -> Result<Vec<String>, String> {
        let wish = wish(Aim::Served(generation(5)));
        let reached = reached(fleet, &wish, clock, Duration::from_secs(10)).await;
        reached.map_err(|error| error.problem.reason)
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_replica_the_wait_ends_with_no_gateway() {
        let begun = tokio::time::Instant::now();
        let reached = reached_within_ten_seconds(&fleet(), &FixedClock::at(NOW)).await;
        assert_eq!(reached, Err("no-gateway".to_owned()));
        assert_eq!(begun.elapsed(), Duration::from_secs(10));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_ends_the_wait_at_once() {
        let fleet = Arc::new(fleet());
        fleet.beat(&heartbeat("a", NOW));
        let clock = FixedClock::at(NOW);
        let begun = tokio::time::Instant::now();
        let answers = async {
            sleep(Duration::from_millis(1200)).await;
            fleet.said(&ack("a", AckOutcome::Applied, 5));
        };
        let (reached, ()) = tokio::join!(reached_within_ten_seconds(&fleet, &clock), answers);
        assert_eq!(reached, Ok(names(&["a"])));
        assert_eq!(begun.elapsed(), Duration::from_millis(1200));
    }

    #[tokio::test(start_paused = true)]
    async fn a_replica_that_leaves_or_falls_silent_is_not_waited_for() {
        let fleet = fleet();
        for replica in ["leaves", "silent"] {
            fleet.beat(&heartbeat(replica, NOW));
        }
        let clock = FixedClock::at(NOW);
        let events = async {
            sleep(Duration::from_secs(1)).await;
            fleet.beat(&GatewayInstance { state: InstanceState::Leaving, ..heartbeat("leaves", NOW) });
            clock.advance(Duration::from_secs(7));
            fleet.beat(&heartbeat("comes", NOW + Duration::from_secs(7)));
            sleep(Duration::from_secs(1)).await;
            fleet.said(&ack("comes", AckOutcome::Applied, 5));
        };
        let (reached, ()) = tokio::join!(reached_within_ten_seconds(&fleet, &clock), events);
        assert_eq!(reached, Ok(names(&["comes"])));
    }

    #[tokio::test(start_paused = true)]
    async fn a_replica_that_never_answers_is_named() {
        let fleet = fleet();
        fleet.beat(&heartbeat("mute", NOW));
        let wish = wish(Aim::Served(generation(5)));
        let reached = reached(&fleet, &wish, &FixedClock::at(NOW), Duration::from_secs(3)).await;
        let problem = reached.unwrap_err().problem;
        assert_eq!(problem.reason, "not-acknowledged");
        assert_eq!(problem.message, "within 3s there was no acknowledgement of mute");
    }
}
