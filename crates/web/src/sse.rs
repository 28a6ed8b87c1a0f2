//! Server-sent events: a bounded stream with ids and keep-alives that ends when the service stops.
//!
//! A client that comes back says with `Last-Event-ID` what it has seen, so an ended stream loses nothing.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    time::Duration,
};

use actix_web::{
    FromRequest, HttpRequest, HttpResponse,
    dev::Payload,
    http::header::{CACHE_CONTROL, HeaderName},
};
use bytes::Bytes;
use futures_util::stream;
use runtime::Stopping;
use tokio::{
    sync::mpsc::{self, error::TrySendError},
    time::sleep,
};

/// Sent at the start, so that a client sees the stream open and knows how soon to come back.
const OPENING: &str = ": connected\nretry: 2000\n\n";

/// Sent when nothing else was for a while, so that nobody between takes the stream for dead.
const KEEP_ALIVE: &str = ": keep-alive\n\n";

/// One event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// What the client sends back as `Last-Event-ID`.
    pub id: Option<String>,
    /// Its name; clients take it for `message` if there is none.
    pub name: Option<String>,
    /// Its content.
    pub data: String,
}

impl Event {
    /// As it stands on the wire; line breaks cannot begin another field.
    fn encode(&self) -> Bytes {
        let mut text = String::with_capacity(self.data.len() + 64);
        for (field, value) in [("id", &self.id), ("event", &self.name)] {
            if let Some(value) = value {
                let value: String = value.chars().filter(|c| !matches!(c, '\r' | '\n' | '\0')).collect();
                text.extend([field, ": ", &value, "\n"]);
            }
        }
        let data = self.data.replace("\r\n", "\n").replace('\r', "\n");
        for line in data.split('\n') {
            text.extend(["data: ", line, "\n"]);
        }
        text.push('\n');
        text.into()
    }
}

/// Why an event was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The client reads too slowly, and its buffer is full.
    #[error("the client reads too slowly")]
    Full,
    /// The client has left, or the service stops.
    #[error("the stream has ended")]
    Ended,
}

/// Where events are put in; the stream ends when the last clone is dropped.
#[derive(Clone, Debug)]
pub struct Sender(mpsc::Sender<Bytes>);

impl Sender {
    /// Puts an event in, waiting while the buffer is full.
    pub async fn send(&self, event: &Event) -> Result<(), Refused> {
        self.0.send(event.encode()).await.map_err(|_| Refused::Ended)
    }

    /// Puts an event in, if there is room.
    pub fn offer(&self, event: &Event) -> Result<(), Refused> {
        self.0.try_send(event.encode()).map_err(|error| match error {
            TrySendError::Full(_) => Refused::Full,
            TrySendError::Closed(_) => Refused::Ended,
        })
    }

    /// Waits until the client has left or the service stops.
    pub async fn ended(&self) {
        self.0.closed().await;
    }
}

/// A stream to be answered.
#[derive(Debug)]
pub struct Stream {
    events: mpsc::Receiver<Bytes>,
    keep_alive: Duration,
    stopping: Stopping,
}

/// A stream that buffers up to `capacity` events and says so every `keep_alive` that it is alive.
#[must_use]
pub fn channel(capacity: usize, keep_alive: Duration, stopping: Stopping) -> (Sender, Stream) {
    let (sender, events) = mpsc::channel(capacity.max(1));
    (Sender(sender), Stream { events, keep_alive, stopping })
}

impl Stream {
    /// The answer that carries the stream.
    #[must_use]
    pub fn into_response(self) -> HttpResponse {
        let body = stream::unfold((self, true), |(mut stream, opening)| async move {
            let chunk = if opening { Bytes::from_static(OPENING.as_bytes()) } else { stream.next().await? };
            Some((Ok::<_, Infallible>(chunk), (stream, false)))
        });
        HttpResponse::Ok()
            .content_type("text/event-stream")
            .insert_header((CACHE_CONTROL, "no-store"))
            // Asks a proxy of nginx's kind not to hold events back.
            .insert_header((HeaderName::from_static("x-accel-buffering"), "no"))
            .streaming(body)
    }

    async fn next(&mut self) -> Option<Bytes> {
        tokio::select! {
            biased;
            () = self.stopping.requested() => None,
            event = self.events.recv() => event,
            () = sleep(self.keep_alive) => Some(Bytes::from_static(KEEP_ALIVE.as_bytes())),
        }
    }
}

/// The last event that a client which comes back has seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastEventId(pub Option<String>);

impl FromRequest for LastEventId {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let id = request.headers().get("last-event-id").and_then(|id| id.to_str().ok());
        ready(Ok(Self(id.filter(|id| !id.is_empty()).map(str::to_owned))))
    }
}

#[cfg(test)]
mod tests {
    use actix_web::body::to_bytes;
    use runtime::Lifecycle;

    use super::*;

    async fn text(stream: Stream) -> String {
        let body = to_bytes(stream.into_response().into_body()).await.unwrap();
        String::from_utf8(body.to_vec()).unwrap()
    }

    fn event(data: &str) -> Event {
        Event { data: data.to_owned(), ..Event::default() }
    }

    #[actix_web::test]
    async fn events_are_written_as_the_standard_says() {
        let lifecycle = Lifecycle::manual();
        let (sender, stream) = channel(4, Duration::from_mins(1), lifecycle.stopping());
        let named = Event {
            id: Some("7\nevent: x".to_owned()),
            name: Some("deployed".to_owned()),
            data: "a\r\nb".to_owned(),
        };
        sender.send(&named).await.unwrap();
        sender.send(&event("")).await.unwrap();
        drop(sender);
        let expected = format!("{OPENING}id: 7event: x\nevent: deployed\ndata: a\ndata: b\n\ndata: \n\n");
        assert_eq!(text(stream).await, expected);
    }

    #[actix_web::test]
    async fn a_slow_client_fills_its_own_buffer_only() {
        let lifecycle = Lifecycle::manual();
        let (sender, stream) = channel(1, Duration::from_mins(1), lifecycle.stopping());
        sender.offer(&event("1")).unwrap();
        assert_eq!(sender.offer(&event("2")), Err(Refused::Full));
        drop(stream);
        assert_eq!(sender.offer(&event("3")), Err(Refused::Ended));
        sender.ended().await;
    }

    #[actix_web::test]
    async fn a_silent_stream_is_kept_alive_until_the_service_stops() {
        let lifecycle = Lifecycle::manual();
        let (sender, mut stream) = channel(1, Duration::from_millis(1), lifecycle.stopping());
        assert_eq!(stream.next().await.unwrap(), KEEP_ALIVE);
        lifecycle.stopper().stop();
        assert_eq!(text(stream).await, OPENING);
        sender.ended().await;
    }
}
