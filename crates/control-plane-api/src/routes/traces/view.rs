//! A trace as the API shows it.

use jiff::Timestamp;
use serde::Serialize;

use crate::store::{TraceEntry, TraceRow};

#[derive(Debug, Serialize)]
pub(super) struct TraceView {
    id: String,
    tenant_id: String,
    /// `api`, `push`, `request` or `recovery`.
    trigger: String,
    author: String,
    commit: String,
    message: String,
    revision: i64,
    status: String,
    created_at: Timestamp,
    completed_at: Option<Timestamp>,
    total_duration_ms: Option<i64>,
}

impl From<TraceRow> for TraceView {
    fn from(row: TraceRow) -> Self {
        let took = row.completed_at.map(|end| end.as_millisecond() - row.created_at.as_millisecond());
        Self {
            id: row.id,
            tenant_id: row.tenant,
            trigger: row.cause,
            author: row.actor,
            commit: row.commit,
            message: row.message,
            revision: row.revision,
            status: row.status,
            created_at: row.created_at,
            completed_at: row.completed_at,
            total_duration_ms: took,
        }
    }
}

#[derive(Debug, Serialize)]
pub(super) struct EntryView {
    name: String,
    status: String,
    detail: Option<String>,
    at: Timestamp,
}

impl From<TraceEntry> for EntryView {
    fn from(entry: TraceEntry) -> Self {
        Self { name: entry.name, status: entry.status, detail: entry.detail, at: entry.at }
    }
}
