#![doc = include_str!("../README.md")]

mod bodies;
mod holder;
mod hook;
mod machine;
mod memory;
mod metrics;
mod saga;
mod settings;
mod work;

pub use self::{
    hook::{Hook, Moment, Point},
    memory::{Decision, Memory, Phase, Problem},
    saga::Saga,
    settings::Settings,
    work::{Attempt, Kind, Step, StepError, Ticket, Transition, Work},
};
