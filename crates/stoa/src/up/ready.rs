//! Wait until what was started serves.

use std::time::{Duration, Instant};

use anyhow::bail;
use url::Url;

use super::{demo, services::Service};
use crate::session::http;

/// How long a service may take.
const PATIENCE: Duration = Duration::from_mins(1);
const BETWEEN: Duration = Duration::from_millis(50);

/// How a service came up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It serves.
    Ready,
    /// It waits for a person to say `stoa recover`, because the broker lost what it held.
    NeedsRecovery,
}

/// Until the service says that it is ready, or that it waits for a person.
pub(super) async fn service(service: &Service) -> anyhow::Result<Standing> {
    let url = format!("http://127.0.0.1:{}/health/ready", service.port);
    let mut said = "nothing".to_owned();
    let client = http()?;
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        match client.get(&url).send().await {
            Ok(answer) if answer.status().is_success() => return Ok(Standing::Ready),
            Ok(answer) => said = answer.text().await.unwrap_or_default(),
            Err(error) => said = runtime::chain(&error),
        }
        if said.contains("stoa recover") {
            return Ok(Standing::NeedsRecovery);
        }
        tokio::time::sleep(BETWEEN).await;
    }
    bail!("{} is not ready after {PATIENCE:?}; it says: {said}", service.name)
}

/// Until the gateway serves the demo API: every answer of a route names its generation.
pub(super) async fn demo(gateway: &Url) -> anyhow::Result<()> {
    let url = format!("{}/apis/{}/{}/", gateway.as_str().trim_end_matches('/'), demo::TENANT, demo::API);
    let client = http()?;
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        let answer = client.head(&url).send().await;
        if answer.is_ok_and(|answer| answer.headers().contains_key("stoa-generation")) {
            return Ok(());
        }
        tokio::time::sleep(BETWEEN).await;
    }
    bail!("the demo API is not deployed after {PATIENCE:?}: look at `stoa get deployments --tenant demo`")
}
