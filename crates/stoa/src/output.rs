//! Results: tables for people, data for programs.

use std::io::{self, IsTerminal as _, Write as _};

use anyhow::Context as _;
use clap::ValueEnum;
use comfy_table::{Attribute, Cell, Color, ContentArrangement, Table, presets};
use serde::Serialize;
use serde_json::Value;

/// How results are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people; colours on a terminal only
    #[default]
    Table,
    /// One JSON document
    Json,
    /// One YAML document
    Yaml,
}

impl Format {
    /// Writes `value`, or as a table what `table` makes of it.
    pub(crate) fn write(self, value: &impl Serialize, table: impl FnOnce() -> String) -> anyhow::Result<()> {
        let text = match self {
            Self::Table => table(),
            Self::Json => serde_json::to_string_pretty(value).context("writing JSON")?,
            Self::Yaml => serde_yaml::to_string(value).context("writing YAML")?,
        };
        line(text.trim_end())
    }
}

/// Writes a line to standard output; a reader that has seen enough, such as `head`, is no error.
pub(crate) fn line(text: &str) -> anyhow::Result<()> {
    match writeln!(io::stdout(), "{text}") {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error).context("writing the result"),
        _ => Ok(()),
    }
}

/// A column: its title, and where its values stand in each row.
pub(crate) struct Column {
    title: &'static str,
    pointer: &'static str,
}

/// The columns titled and found as given.
pub(crate) const fn column(title: &'static str, pointer: &'static str) -> Column {
    Column { title, pointer }
}

/// A table of `rows`.
pub(crate) fn table(columns: &[Column], rows: &[Value]) -> String {
    render(columns, rows, io::stdout().is_terminal())
}

fn render(columns: &[Column], rows: &[Value], terminal: bool) -> String {
    if rows.is_empty() {
        return "nothing".to_owned();
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    if terminal {
        table.set_content_arrangement(ContentArrangement::Dynamic);
    } else {
        table.force_no_tty();
    }
    table.set_header(columns.iter().map(|column| {
        let cell = Cell::new(column.title.to_uppercase());
        if terminal { cell.add_attribute(Attribute::Bold) } else { cell }
    }));
    for row in rows {
        table.add_row(columns.iter().map(|column| {
            let text = text(row.pointer(column.pointer).unwrap_or(&Value::Null));
            match color(&text).filter(|_| terminal) {
                Some(color) => Cell::new(text).fg(color),
                None => Cell::new(text),
            }
        }));
    }
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n")
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

/// The colour of a word that says how things are.
fn color(word: &str) -> Option<Color> {
    match word {
        "live" | "deployed" | "succeeded" | "success" | "ready" | "valid" | "ok" | "done" => {
            Some(Color::Green)
        }
        "failed" | "error" | "refused" | "expired" | "needs-attention" | "invalid" => Some(Color::Red),
        "running" | "pending" | "accepted" | "retiring" | "superseded" | "warning" => Some(Color::Yellow),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_table_is_plain_where_nobody_looks() {
        let columns = [column("name", "/name"), column("tags", "/tags"), column("state", "/status/state")];
        let rows = [
            json!({"name": "pets", "tags": ["a", "b"], "status": {"state": "live"}}),
            json!({"name": "orders", "tags": []}),
        ];
        insta::assert_snapshot!(render(&columns, &rows, false), @r"
         NAME    TAGS  STATE
         pets    a, b  live
         orders
        ");
        assert_eq!(render(&columns, &[], false), "nothing");
    }
}
