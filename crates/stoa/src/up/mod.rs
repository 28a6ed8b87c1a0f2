//! The whole platform on this machine, in one data directory.
//!
//! What others could also provide comes first: broker and registry, token issuer, repository, sample backend.
//! Then the services, which know nothing of this: they get settings and addresses as in production. The stop goes
//! the other way round, so that a service can still write down what it was doing.

mod demo;
mod foundation;
mod home;
mod logs;
mod options;
mod people;
mod ready;
mod repository;
mod services;
mod summary;

use std::{future::Future, process::ExitCode, time::Instant};

use anyhow::{Context as _, anyhow};
use runtime::{Lifecycle, Outcome};

pub(crate) use self::options::Options;
use self::{foundation::Foundation, home::Home, ready::Standing};
use crate::{
    cli::Global,
    connection::{Connection, data_directory},
    progress::Progress,
};

/// Starts everything, says what to try, and runs until it is told to stop.
pub(crate) async fn run(global: &Global, options: Options) -> anyhow::Result<ExitCode> {
    let since = Instant::now();
    let home = Home::open(&data_directory(global)?)?;
    let _telemetry = logs::start(&home)?;
    let lifecycle = Lifecycle::listen().context("listening for signals")?;
    let mut progress = Progress::new();

    let Some(foundation) = unless_interrupted(Foundation::start(&home, &options, &mut progress)).await?
    else {
        return Ok(ExitCode::FAILURE);
    };
    let stopping = lifecycle.stopping();
    let started = unless_interrupted(async {
        let work = Box::pin(start(&home, &options, &foundation, &lifecycle, &mut progress));
        let failed = || anyhow!("a part failed; the logs are in {}", home.logs().display());
        stopping.unless_requested(work).await.unwrap_or_else(|| Err(failed()))
    })
    .await;
    progress.finish();
    match &started {
        Ok(Some(connection)) => {
            summary::print(global, &home, connection, options.demo, since.elapsed()).await?;
        }
        // The lifecycle has seen the same signal; told once more, it would cut what is running.
        Ok(None) => {}
        Err(_) => lifecycle.stopper().stop(),
    }
    let outcome = lifecycle.outcome().await;
    eprintln!("Stopping");
    foundation.stop().await;
    if started?.is_none() {
        return Ok(ExitCode::FAILURE);
    }
    if outcome == Outcome::Failed {
        eprintln!("A part failed; the logs are in {}", home.logs().display());
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

/// What `work` comes to, or nothing if Ctrl-C comes first.
async fn unless_interrupted<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<Option<T>> {
    tokio::select! {
        done = work => done.map(Some),
        interrupted = tokio::signal::ctrl_c() => interrupted.map(|()| None).context("listening for signals"),
    }
}

async fn start(
    home: &Home,
    options: &Options,
    foundation: &Foundation,
    lifecycle: &Lifecycle,
    progress: &mut Progress,
) -> anyhow::Result<Connection> {
    foundation.watch(lifecycle);
    let connection = foundation.connection()?;
    connection.write(home.data())?;

    progress.step("Preparing topics and schemas");
    foundation.prepare_topics().await?;

    let services = services::all(home, &connection, foundation.addresses)?;
    if options.separate {
        services::start_separate(&services, home, lifecycle, progress).await?;
    } else {
        services::start_embedded(&services, lifecycle, progress).await?;
    }
    for service in &services {
        progress.step(&format!("Waiting for {}", service.name));
        if ready::service(service).await? == Standing::NeedsRecovery {
            eprintln!("The broker is not the one that {} knows: run `stoa recover --yes`", service.name);
            return Ok(connection);
        }
    }
    if options.demo {
        progress.step("Deploying the demo API");
        ready::demo(&connection).await?;
    }
    Ok(connection)
}
