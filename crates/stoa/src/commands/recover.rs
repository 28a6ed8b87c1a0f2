//! Bring everything back after the broker was lost: the control plane does it, on the broker that is there.

use anyhow::bail;
use serde_json::{Value, json};

use crate::{
    cli::{Global, Recover},
    client::Client,
    progress::Progress,
};

pub(super) async fn run(global: &Global, arguments: &Recover) -> anyhow::Result<()> {
    if !arguments.yes {
        bail!(
            "this begins a new epoch on the broker that is there, and publishes the whole state again; requests \
             of others that were not taken in are lost. Say --yes to do it"
        );
    }
    let client = Client::connect(global).await?;
    let mut progress = Progress::new();
    progress.step("Publishing everything again");
    let done = client.post(&client.at(&["v1", "recovery"]), &json!({})).await?;
    progress.finish();
    let epoch = done.get("epoch").and_then(Value::as_i64).unwrap_or_default();
    global.output.write(&done, || format!("recovered; this is epoch {epoch}"))
}
