//! What `stoa up` says when everything runs; every line works as it stands.

use std::{fmt::Write as _, path::Path, time::Duration};

use anyhow::Context as _;
use devstack::private_file;
use serde_json::json;

use super::{demo, home::Home};
use crate::{
    cli::Global,
    connection::Connection,
    output::{Format, line},
    session,
};

/// Prints the addresses and what to try.
pub(super) async fn print(
    global: &Global,
    home: &Home,
    connection: &Connection,
    demo: bool,
    took: Duration,
) -> anyhow::Result<()> {
    if global.output != Format::Table {
        return global.output.write(connection, String::new);
    }
    let seconds = took.as_secs_f64();
    let address = demo::address;
    let mut text = format!(
        "\nSTOA is ready ({seconds:.1} s)\n\n  \
         control plane    {}\n  gateway          {}\n  tools (MCP)      {}/mcp\n  token issuer     {}\n  \
         schema registry  {}\n  Kafka            {}\n  Git              {}\n  logs             {}\n",
        address(&connection.api),
        address(&connection.gateway),
        address(&connection.gateway),
        address(&connection.issuer),
        address(&connection.registry),
        connection.kafka,
        connection.git,
        home.logs().display(),
    );
    if demo && connection.development {
        let client = write_client_configuration(global, home, connection).await?;
        text.push_str(&tries(connection, &command(global)?));
        let _ = writeln!(text, "\nMCP client configuration, with a token of twelve hours: {client}");
    }
    text.push_str("\nCtrl-C stops everything; the next start goes on from here.");
    line(&text)
}

/// Lines to try with the demo tenant.
fn tries(connection: &Connection, stoa: &str) -> String {
    let gateway = demo::address(&connection.gateway);
    let (tenant, api) = (demo::TENANT, demo::API);
    let list = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;
    format!(
        "\nTry\n\n  \
         {stoa} get deployments --tenant {tenant}\n  \
         curl -H \"authorization: Bearer $({stoa} token)\" {gateway}/apis/{tenant}/{api}/pets\n  \
         curl -H \"authorization: Bearer $({stoa} token)\" -H 'content-type: application/json' \
         -H 'accept: application/json, text/event-stream' -H 'mcp-protocol-version: 2025-11-25' \
         -d '{list}' {gateway}/mcp\n  \
         {stoa} login --user ada    (or dan, vera, admin)\n"
    )
}

/// Writes what an MCP client reads, with a token of the demo tenant's administrator; says where.
async fn write_client_configuration(
    global: &Global,
    home: &Home,
    connection: &Connection,
) -> anyhow::Result<String> {
    let token = session::token_of(global, "ada").await?;
    let configuration = json!({
        "mcpServers": {
            "stoa": {
                "type": "http",
                "url": format!("{}/mcp", demo::address(&connection.gateway)),
                "headers": { "Authorization": format!("Bearer {token}") },
            },
        },
    });
    let path = home.data().join("mcp.json");
    private_file::write(&path, &serde_json::to_vec_pretty(&configuration)?)
        .with_context(|| format!("writing `{}`", path.display()))?;
    Ok(path.display().to_string())
}

/// How this program is called from another terminal.
fn command(global: &Global) -> anyhow::Result<String> {
    let own = std::env::current_exe().context("finding this program")?;
    let path = std::env::var_os("PATH").unwrap_or_default();
    let first = std::env::split_paths(&path).map(|folder| folder.join("stoa")).find(|file| file.is_file());
    let found = first.and_then(|file| file.canonicalize().ok());
    let program =
        if found.is_some() && found == own.canonicalize().ok() { "stoa".to_owned() } else { quoted(&own) };
    Ok(match &global.data {
        Some(data) => format!("{program} --data {}", quoted(&std::path::absolute(data)?)),
        None => program,
    })
}

/// A path as a shell takes it.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte));
    if plain { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_back_what_was_quoted() {
        for (path, shown) in [("/home/ada/.local", "/home/ada/.local"), ("/a b/it's", r"'/a b/it'\''s'")] {
            assert_eq!(quoted(Path::new(path)), shown);
        }
    }
}
