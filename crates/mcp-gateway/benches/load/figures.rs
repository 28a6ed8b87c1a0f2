//! Rounds to figures: the median of the rounds, and how far they lie apart.

use std::{collections::BTreeMap, time::Duration};

use serde_json::json;

/// What one round of a target gave.
pub(crate) struct Round {
    /// The length of an answer.
    pub(crate) bytes: usize,
    /// Of calls one after another.
    pub(crate) latencies: Vec<Duration>,
    /// Calls that ran at once with others.
    pub(crate) at_once: usize,
    /// How long those took.
    pub(crate) took: Duration,
    /// The processor time that those took, of everybody who had a part in them.
    pub(crate) spent: Duration,
}

impl Round {
    /// The latency that a share of the calls stays below, in milliseconds.
    fn latency(&self, share: f64) -> f64 {
        let mut sorted = self.latencies.clone();
        sorted.sort();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share of a small number"
        )]
        let at = (share * count(sorted.len() - 1)).round() as usize;
        sorted[at].as_secs_f64() * 1e3
    }
}

/// All rounds by the name of their target.
#[derive(Default)]
pub(crate) struct Figures(BTreeMap<&'static str, Vec<Round>>);

impl Figures {
    pub(crate) fn add(&mut self, name: &'static str, round: Round) {
        self.0.entry(name).or_default().push(round);
    }

    /// Prints everything; for `compared` also what they add to `base`, round by round.
    pub(crate) fn print(&self, base: &str, compared: &[&str]) {
        for (name, rounds) in &self.0 {
            let calls = rounds.iter().map(|round| round.latencies.len()).sum();
            let at_once = rounds.iter().map(|round| round.at_once).sum();
            println!("{name}: {} bytes", rounds[0].bytes);
            for (share, label) in [(0.5, "p50"), (0.99, "p99")] {
                let latencies = rounds.iter().map(|round| round.latency(share));
                line(&format!("{name}, {label}"), calls, "ms", 3, latencies);
            }
            let spent = rounds.iter().map(|round| round.spent.as_secs_f64() * 1e6 / count(round.at_once));
            line(&format!("{name}, processor time of a call"), at_once, "µs", 1, spent);
            let rate = rounds.iter().map(|round| count(round.at_once) / round.took.as_secs_f64());
            line(&format!("{name}, a second"), at_once, "/s", 0, rate);
        }
        let Some(base) = self.0.get(base) else { return };
        for name in compared {
            let Some(rounds) = self.0.get(name) else { continue };
            let pairs = || rounds.iter().zip(base);
            let calls = pairs().map(|(round, _)| round.latencies.len()).sum();
            for (share, label) in [(0.5, "p50"), (0.99, "p99")] {
                let added = pairs().map(|(round, base)| round.latency(share) - base.latency(share));
                line(&format!("{name}, added latency {label}"), calls, "ms", 3, added);
            }
        }
    }
}

fn line(name: &str, n: usize, unit: &str, digits: usize, values: impl Iterator<Item = f64>) {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let (least, median, most) = (values[0], values[values.len() / 2], values[values.len() - 1]);
    let value = format!("{median:.digits$} {unit}");
    let spread = format!("{least:.digits$} to {most:.digits$} {unit}");
    println!("BENCH {}", json!({ "name": name, "n": n, "value": value, "spread": spread }));
}

fn count(n: usize) -> f64 {
    u32::try_from(n).map_or(f64::INFINITY, f64::from)
}
