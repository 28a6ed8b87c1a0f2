//! Wait until a deployment has ended.

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::bail;
use serde_json::Value;

use crate::{cli::Global, client::Client, progress::Progress};

/// How often to look.
const BETWEEN: Duration = Duration::from_millis(250);
/// How long to look: longer than an order may take.
const AT_MOST: Duration = Duration::from_mins(20);

/// Whether a deployment with this status has ended, and as was wanted.
fn verdict(status: &str) -> Option<bool> {
    match status {
        "succeeded" | "none" => Some(true),
        "failed" | "expired" | "superseded" | "cancelled" => Some(false),
        _ => None,
    }
}

/// Looks at the deployment until it has ended, and shows it.
pub(super) async fn until_ended(
    global: &Global,
    client: &Client,
    tenant: &str,
    accepted: Value,
    wait: bool,
) -> anyhow::Result<ExitCode> {
    let Some(id) = accepted.get("id").and_then(Value::as_str).map(str::to_owned).filter(|_| wait) else {
        return shown(global, &accepted, true);
    };
    let mut progress = Progress::new();
    progress.step(&format!("Deploying ({id})"));
    let url = client.at(&["v1", "tenants", tenant, "deployments", &id]);
    let since = Instant::now();
    loop {
        let now = client.find(&url).await?.map_or_else(|| accepted.clone(), |answer| answer.body);
        let status = now.get("status").and_then(Value::as_str).unwrap_or_default();
        if let Some(good) = verdict(status) {
            progress.finish();
            return shown(global, &now, good);
        }
        if since.elapsed() > AT_MOST {
            bail!(
                "deployment {id} is still {status} after {AT_MOST:?}; `stoa get deployments {id}` shows it"
            );
        }
        tokio::time::sleep(BETWEEN).await;
    }
}

fn shown(global: &Global, deployment: &Value, good: bool) -> anyhow::Result<ExitCode> {
    global.output.write(deployment, || {
        let text = |name: &str| deployment.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let line = format!("{} {} {}", text("id"), text("status"), text("error_message"));
        line.trim_end().to_owned()
    })?;
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
