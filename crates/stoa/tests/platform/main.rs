//! The whole platform, as `stoa up` starts it: driven by `git`, HTTP, records and a stock MCP client.

#![expect(clippy::unwrap_used, reason = "a test ends where it is surprised")]

mod backend;
mod bad_input;
mod by_git;
mod by_rest;
mod checkout;
mod command_line;
mod documents;
mod elsewhere;
mod faults;
mod harness;
mod histories;
mod keeper;
mod lost_broker;
mod public_documents;
mod replicas;
mod requests;
mod session;
mod topics;
mod undecodable;
mod waiting;
