//! The records of every topic hold what `schemas/` promises to programs outside.

mod evolution;
mod golden;
mod house_rules;
mod sample;
