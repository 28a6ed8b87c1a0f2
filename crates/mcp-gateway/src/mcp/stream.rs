//! Notifications that the list of tools changed: `subscriptions/listen`, and GET before 2026-07-28.

use std::{convert::Infallible, time::Duration};

use actix_web::{
    HttpResponse,
    http::header::{CACHE_CONTROL, HeaderName},
};
use bytes::Bytes;
use futures_util::stream;
use serde_json::value::RawValue;
use tokio::{
    sync::watch,
    time::{Instant, sleep, sleep_until},
};

use crate::{access::Caller, gateway::Gateway, metrics::OpenStream, routes::Audience};

/// Nobody between takes a stream for dead that speaks this often.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// A stream ends after this time, so that whoever listens shows a fresh token now and then.
const LIFETIME: Duration = Duration::from_mins(30);

/// A stream for `caller`; `subscription` is the id of the request and whether changes of tools are wanted, or nothing
/// for the stream of a legacy GET.
pub(super) fn open(
    gateway: &Gateway,
    caller: &Caller,
    subscription: Option<(Box<RawValue>, bool)>,
) -> HttpResponse {
    let audience = caller.audience();
    // Subscribed before the table is read, so no change falls between.
    let changes = gateway.changes();
    let stamp = gateway.table().stamp(&audience);
    let (id, wanted) = match subscription {
        Some((id, wanted)) => (Some(id), wanted),
        None => (None, true),
    };
    let feed = Feed {
        gateway: gateway.clone(),
        audience,
        changes,
        stamp,
        id,
        wanted,
        end: Instant::now() + LIFETIME,
        stage: Stage::Opening,
        _open: gateway.metrics().stream(),
    };
    let body = stream::unfold(feed, |mut feed| async move {
        let chunk = feed.next().await?;
        Some((Ok::<_, Infallible>(chunk), feed))
    });
    HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((HeaderName::from_static("x-accel-buffering"), "no"))
        .streaming(body)
}

enum Stage {
    Opening,
    Open,
    Ended,
}

struct Feed {
    gateway: Gateway,
    audience: Audience,
    changes: watch::Receiver<()>,
    stamp: u64,
    id: Option<Box<RawValue>>,
    wanted: bool,
    end: Instant,
    stage: Stage,
    _open: OpenStream,
}

impl Feed {
    async fn next(&mut self) -> Option<Bytes> {
        match self.stage {
            Stage::Opening => {
                self.stage = Stage::Open;
                Some(self.opening())
            }
            Stage::Open => self.wait().await,
            Stage::Ended => None,
        }
    }

    async fn wait(&mut self) -> Option<Bytes> {
        let stopping = self.gateway.stopping().clone();
        let quiet = Instant::now() + KEEP_ALIVE;
        loop {
            tokio::select! {
                biased;
                () = stopping.requested() => break,
                () = sleep_until(self.end) => break,
                changed = self.changes.changed(), if self.wanted => {
                    if changed.is_err() {
                        break;
                    }
                    let stamp = self.gateway.table().stamp(&self.audience);
                    if stamp != self.stamp {
                        self.stamp = stamp;
                        return Some(self.changed());
                    }
                }
                () = sleep(quiet.saturating_duration_since(Instant::now())) => {
                    return Some(Bytes::from_static(b": keep-alive\n\n"));
                }
            }
        }
        self.stage = Stage::Ended;
        let id = self.id.as_ref()?.get();
        Some(event(&format!(
            "{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{{\"resultType\":\"complete\",\"_meta\":{}}}}}",
            subscribed(id)
        )))
    }

    fn opening(&self) -> Bytes {
        let Some(id) = &self.id else { return Bytes::from_static(b": connected\n\n") };
        let agreed = if self.wanted { "{\"toolsListChanged\":true}" } else { "{}" };
        event(&format!(
            "{{\"jsonrpc\":\"2.0\",\"method\":\"notifications/subscriptions/acknowledged\",\"params\":{{\"_meta\":{},\
             \"notifications\":{agreed}}}}}",
            subscribed(id.get())
        ))
    }

    fn changed(&self) -> Bytes {
        let method = "\"method\":\"notifications/tools/list_changed\"";
        match &self.id {
            None => event(&format!("{{\"jsonrpc\":\"2.0\",{method}}}")),
            Some(id) => event(&format!(
                "{{\"jsonrpc\":\"2.0\",{method},\"params\":{{\"_meta\":{}}}}}",
                subscribed(id.get())
            )),
        }
    }
}

fn subscribed(id: &str) -> String {
    format!("{{\"io.modelcontextprotocol/subscriptionId\":{id}}}")
}

/// JSON has no line breaks outside its texts, where they are escaped; an id is JSON as the caller wrote it, on one
/// line or not.
fn event(json: &str) -> Bytes {
    format!("event: message\ndata: {}\n\n", json.replace(['\r', '\n'], " ")).into()
}
