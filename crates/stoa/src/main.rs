//! Starts `stoa`; everything else lives in the library.

use std::process::ExitCode;

use clap::Parser as _;
use stoa::{Cli, run};

#[tokio::main]
async fn main() -> ExitCode {
    match run(Cli::parse()).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
