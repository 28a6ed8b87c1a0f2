//! The records of every topic hold what `schemas/` promises to programs outside.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod evolution;
mod golden;
mod house_rules;
mod sample;
