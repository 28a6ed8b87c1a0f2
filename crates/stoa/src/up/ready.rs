//! Wait until what was started serves.

use std::time::{Duration, Instant};

use anyhow::bail;
use serde_json::{Value, json};

use super::{demo, repository::ENVIRONMENT, services::Service};
use crate::{client::Client, connection::Connection, session::http};

/// How long a service may take.
const PATIENCE: Duration = Duration::from_mins(1);
const BETWEEN: Duration = Duration::from_millis(50);
/// How long the demo takes at most where nothing is wrong.
const USUALLY: Duration = Duration::from_secs(10);

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
///
/// An order that came to nothing at an earlier start is given once more.
pub(super) async fn demo(connection: &Connection) -> anyhow::Result<()> {
    let url = format!("{}/apis/{}/{}/", demo::address(&connection.gateway), demo::TENANT, demo::API);
    let client = http()?;
    let since = Instant::now();
    let mut looked = false;
    while since.elapsed() < PATIENCE {
        let answer = client.head(&url).send().await;
        if answer.is_ok_and(|answer| answer.headers().contains_key("stoa-generation")) {
            return Ok(());
        }
        if !looked && since.elapsed() > USUALLY {
            looked = true;
            again(connection).await?;
        }
        tokio::time::sleep(BETWEEN).await;
    }
    bail!("the demo API is not deployed after {PATIENCE:?}: look at `stoa get deployments --tenant demo`")
}

/// Brings the demo to its gateway once more, if it ended otherwise than well the last time.
async fn again(connection: &Connection) -> anyhow::Result<()> {
    if !connection.development {
        return Ok(());
    }
    let client = Client::of_development(connection).await?;
    let deployments = ["v1", "tenants", demo::TENANT, "deployments"];
    let newest = client.get(&format!("{}?api={}&limit=1", client.at(&deployments), demo::API)).await?;
    let status = newest.pointer("/items/0/status").and_then(Value::as_str).unwrap_or_default();
    if matches!(status, "failed" | "expired" | "cancelled") {
        let wanted = json!({ "api": demo::API, "environment": ENVIRONMENT });
        client.post(&client.at(&[&deployments[..], &["sync"]].concat()), &wanted).await?;
    }
    Ok(())
}
