//! One file per command.

mod apply;
mod deploy;
mod dlq;
mod get;
mod init;
mod login;
mod logs;
mod recover;
mod rollback;
mod schemas;
mod topics;
mod validate;
mod wait;

use std::{io, process::ExitCode};

use anyhow::Context as _;
use clap::CommandFactory as _;

use crate::{
    Cli,
    cli::{Command, OfTenant, Schemas},
    output, session, up,
};

#[cfg(test)]
pub(crate) use self::validate::problems;

/// Does what was typed; a failure that was reported as a result has its exit code.
pub async fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let Cli { global, command } = cli;
    match command {
        Command::Up(options) => return Box::pin(up::run(&global, options)).await,
        Command::Validate(arguments) => return validate::run(&global, &arguments),
        Command::Schemas(Schemas::Check) => return schemas::check(&global),
        Command::Init(arguments) => init::run(arguments).await?,
        Command::Login(arguments) => login::run(&global, &arguments).await?,
        Command::Token(arguments) => {
            let token = match &arguments.user {
                Some(user) => session::token_of(&global, user).await?,
                None => session::access(&global).await?.1,
            };
            output::line(&token)?;
        }
        Command::Get(arguments) => get::run(&global, &arguments).await?,
        Command::Apply(arguments) => apply::run(&global, &arguments).await?,
        Command::Deploy(arguments) => return deploy::run(&global, &arguments).await,
        Command::Rollback(arguments) => return rollback::run(&global, &arguments).await,
        Command::Logs(arguments) => logs::run(&global, &arguments).await?,
        Command::Topics(command) => topics::run(&global, &command).await?,
        Command::Schemas(command) => schemas::run(&global, &command).await?,
        Command::Dlq(command) => dlq::run(&global, &command).await?,
        Command::Recover(arguments) => recover::run(&global, &arguments).await?,
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "stoa", &mut io::stdout());
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The tenant that was said.
fn tenant(given: &OfTenant) -> anyhow::Result<&str> {
    given.tenant.as_deref().context("which tenant? Say --tenant, or set STOA_TENANT")
}
