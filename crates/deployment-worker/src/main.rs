//! Starts the deployment worker; everything else lives in the library.

use std::process::ExitCode;

use anyhow::Context as _;
use deployment_worker::{App, Settings};
use runtime::{Lifecycle, Source, telemetry};

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let settings = Settings::load(&Source::process()).context("reading settings")?;
    let _telemetry =
        telemetry::init("deployment-worker", &settings.telemetry).context("starting telemetry")?;

    let lifecycle = Lifecycle::listen().context("listening for signals")?;
    let app = App::build(settings, &lifecycle).await.context("building the app")?;
    app.start(&lifecycle);
    Ok(lifecycle.run().await)
}
