//! A schema registry in memory, for tests that have a broker but no registry beside it.

use std::{
    collections::BTreeMap,
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use serde_json::{Value, json};
use url::Url;

#[derive(Debug, Default)]
struct State {
    schemas: BTreeMap<u64, String>,
    subjects: BTreeMap<String, BTreeMap<u64, u64>>,
    asked: Vec<String>,
}

/// A registry that lives as long as the process: subjects, versions, ids given or chosen, and what it was asked.
#[derive(Clone, Debug)]
pub struct FakeRegistry {
    url: Url,
    state: Arc<Mutex<State>>,
}

impl FakeRegistry {
    /// Starts it on a free port of loopback.
    pub fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let url = format!("http://{}", listener.local_addr()?);
        let url = Url::parse(&url).map_err(io::Error::other)?;
        let state = Arc::<Mutex<State>>::default();
        let served = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&served);
                thread::spawn(move || serve(&stream, &state));
            }
        });
        Ok(Self { url, state })
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> Url {
        self.url.clone()
    }

    /// Every request so far, such as `GET /schemas/ids/1`.
    #[must_use]
    pub fn asked(&self) -> Vec<String> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).asked.clone()
    }
}

/// Answers one connection until it closes.
fn serve(stream: &TcpStream, state: &Mutex<State>) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let mut length = 0;
        loop {
            let mut header = String::new();
            reader.read_line(&mut header)?;
            if header.trim().is_empty() {
                break;
            }
            if let Some((name, value)) = header.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().unwrap_or(0);
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let mut words = line.split_whitespace();
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
        let (status, answer) = {
            let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
            state.asked.push(format!("{method} {path}"));
            state.answer(method, path, &body)
        };
        let answer = answer.to_string();
        let length = answer.len();
        let head = format!(
            "HTTP/1.1 {status} -\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
        );
        (&*stream).write_all(format!("{head}{answer}").as_bytes())?;
    }
}

impl State {
    fn answer(&mut self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        let text = body["schema"].as_str().unwrap_or_default();
        match (method, parts.as_slice()) {
            ("GET", ["schemas", "ids", id]) => {
                let found = id.parse().ok().and_then(|id: u64| self.schemas.get(&id));
                found.map_or_else(|| missing(40403), |text| (200, json!({ "schema": text })))
            }
            ("GET", ["subjects"]) => (200, json!(self.subjects.keys().collect::<Vec<_>>())),
            ("POST", ["subjects", subject]) => {
                let ids = self.subjects.get(*subject).into_iter().flat_map(BTreeMap::values);
                let found = ids.copied().find(|id| self.schemas.get(id).is_some_and(|known| known == text));
                found.map_or_else(|| missing(40401), |id| (200, json!({ "id": id })))
            }
            ("POST", ["subjects", subject, "versions"]) => {
                let id = body["id"].as_u64().unwrap_or_else(|| {
                    // Ids of its own lie far from those of `schemas/ids.lock`.
                    self.schemas.keys().next_back().map_or(1001, |last| 1001.max(last + 1))
                });
                self.schemas.insert(id, text.to_owned());
                let versions = self.subjects.entry((*subject).to_owned()).or_default();
                let next = versions.keys().next_back().map_or(1, |last| last + 1);
                versions.insert(body["version"].as_u64().unwrap_or(next), id);
                (200, json!({ "id": id }))
            }
            ("PUT", ["mode" | "config", ..]) => (200, body.clone()),
            _ => missing(404),
        }
    }
}

fn missing(code: u32) -> (u16, Value) {
    (404, json!({ "error_code": code, "message": "not found" }))
}
