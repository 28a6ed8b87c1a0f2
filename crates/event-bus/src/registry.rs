//! The schema registry: a small client of its Confluent REST interface, asked once per schema.

use std::{collections::HashMap, sync::Arc, time::Duration};

use domain::{Classify, Disposition};
use events::{
    Event, WriterSchema,
    schemas::{self, Version},
    wire::{SchemaId, WireError},
};
use reqwest::{Client, Method, StatusCode};
use runtime::Clock;
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::{Mutex, OnceCell};
use tracing::{info, warn};
use url::Url;

use crate::settings::Settings;

/// Ids that a flood of forged records may make us remember.
const KNOWN_IDS: usize = 1024;
/// How long an id that the registry does not know is not asked for again.
const UNKNOWN_FOR: Duration = Duration::from_secs(5);

/// Why the registry did not give what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// It did not answer.
    #[error("the schema registry does not answer")]
    Unreachable(#[source] reqwest::Error),
    /// It answered with something else.
    #[error("the schema registry answered {status}: {message}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// Its text.
        message: String,
    },
    /// It knows no schema of that id.
    #[error("the schema registry knows no schema {}", .0.0)]
    UnknownSchema(SchemaId),
    /// Its schema is none.
    #[error("the schema {} of the registry cannot be used", id.0)]
    Unusable {
        /// The id.
        id: SchemaId,
        /// Why.
        #[source]
        source: WireError,
    },
}

impl Classify for RegistryError {
    fn disposition(&self) -> Disposition {
        match self {
            Self::Unreachable(_) => Disposition::Retry,
            Self::Refused { status, .. } if *status >= 500 || matches!(status, 401 | 403 | 408 | 429) => {
                Disposition::Retry
            }
            Self::Refused { .. } | Self::UnknownSchema(_) | Self::Unusable { .. } => Disposition::Reject,
        }
    }
}

type Slot<T> = Arc<OnceCell<T>>;

/// The client; clones share one cache.
#[derive(Clone)]
pub struct Registry {
    http: Client,
    base: Url,
    credentials: Option<(String, Option<secrecy::SecretString>)>,
    clock: Arc<dyn Clock>,
    writers: Arc<Mutex<HashMap<SchemaId, Slot<Arc<WriterSchema>>>>>,
    unknown: Arc<Mutex<HashMap<SchemaId, jiff::Timestamp>>>,
    ours: Arc<Mutex<HashMap<&'static str, Slot<SchemaId>>>>,
}

impl Registry {
    pub(crate) fn new(settings: &Settings, http: Client, clock: Arc<dyn Clock>) -> Self {
        Self {
            http,
            base: settings.schema_registry_url.clone(),
            credentials: settings
                .schema_registry_username
                .clone()
                .map(|name| (name, settings.schema_registry_password.clone())),
            clock,
            writers: Arc::default(),
            unknown: Arc::default(),
            ours: Arc::default(),
        }
    }

    /// The schema that a record was written with. One request per id, however many ask at once.
    pub async fn writer(&self, id: SchemaId) -> Result<Arc<WriterSchema>, RegistryError> {
        if let Some(since) = self.unknown.lock().await.get(&id) {
            let age = self.clock.now().duration_since(*since).unsigned_abs();
            if age < UNKNOWN_FOR {
                return Err(RegistryError::UnknownSchema(id));
            }
        }
        let slot = {
            let mut writers = self.writers.lock().await;
            if writers.len() >= KNOWN_IDS && !writers.contains_key(&id) {
                writers.clear();
            }
            Arc::clone(writers.entry(id).or_default())
        };
        let found = slot.get_or_try_init(|| self.fetch(id)).await;
        if let Err(RegistryError::UnknownSchema(_)) = &found {
            self.writers.lock().await.remove(&id);
            let mut unknown = self.unknown.lock().await;
            if unknown.len() >= KNOWN_IDS {
                unknown.clear();
            }
            unknown.insert(id, self.clock.now());
        }
        found.map(Arc::clone)
    }

    async fn fetch(&self, id: SchemaId) -> Result<Arc<WriterSchema>, RegistryError> {
        let answer: Result<SchemaText, _> =
            self.ask(Method::GET, &format!("schemas/ids/{}", id.0), None).await;
        let text = match answer {
            Ok(answer) => answer.schema,
            // A registry that lost its schemas must not make us lose records: the ids of the lock file are ours.
            Err(RegistryError::Refused { status: 404, .. }) => {
                let locked = schemas::ALL.iter().find(|version| version.id == id);
                locked.ok_or(RegistryError::UnknownSchema(id))?.text.to_owned()
            }
            Err(error) => return Err(error),
        };
        let schema = WriterSchema::parse(&text).map_err(|source| RegistryError::Unusable { id, source })?;
        Ok(Arc::new(schema))
    }

    /// The id under which the registry knows our newest schema of `E`; registers it when it is new there.
    pub async fn id_of<E: Event>(&self) -> Result<SchemaId, RegistryError> {
        let topic = E::TOPIC.name;
        let slot = Arc::clone(self.ours.lock().await.entry(topic).or_default());
        let id = slot
            .get_or_try_init(|| async {
                let locked = schemas::newest(topic).filter(|version| version.text == E::SCHEMA);
                self.ensure(&E::TOPIC.subject(), E::SCHEMA, locked).await
            })
            .await?;
        Ok(*id)
    }

    /// Registers every version of every schema, with the ids of `schemas/ids.lock` where the registry allows.
    ///
    /// Returns the versions that the registry knows under another id.
    pub async fn restore(&self) -> Result<Vec<(&'static Version, SchemaId)>, RegistryError> {
        let mut moved = Vec::new();
        for version in schemas::ALL {
            let subject = format!("{}-value", version.topic);
            let id = self.ensure(&subject, version.text, Some(version)).await?;
            if id != version.id {
                moved.push((version, id));
            }
        }
        Ok(moved)
    }

    /// The id of a schema in the registry, which is asked first and told when it does not know.
    async fn ensure(
        &self,
        subject: &str,
        text: &str,
        locked: Option<&Version>,
    ) -> Result<SchemaId, RegistryError> {
        let body = json!({ "schema": text });
        match self.ask::<Known>(Method::POST, &format!("subjects/{subject}"), Some(&body)).await {
            Ok(known) => return Ok(SchemaId(known.id)),
            Err(RegistryError::Refused { status: 404, .. }) => {}
            Err(error) => return Err(error),
        }
        let imported = match locked {
            Some(version) => self.import(subject, version).await.map(Some),
            None => Ok(None),
        };
        let id = match imported {
            Ok(Some(id)) => id,
            Ok(None) => self.register(subject, &body).await?,
            Err(RegistryError::Refused { status, message }) if status < 500 => {
                warn!(subject, status, "The registry takes no given ids ({message}), so it gives its own");
                self.register(subject, &body).await?
            }
            Err(error) => return Err(error),
        };
        info!(subject, id, "Registered a schema of `{subject}`");
        self.unknown.lock().await.remove(&SchemaId(id));
        Ok(SchemaId(id))
    }

    async fn register(&self, subject: &str, body: &Value) -> Result<u32, RegistryError> {
        let path = format!("subjects/{subject}/versions");
        self.ask::<Known>(Method::POST, &path, Some(body)).await.map(|known| known.id)
    }

    /// Confluent takes a chosen id only in mode IMPORT, and gives that mode to a subject with versions only by force.
    async fn import(&self, subject: &str, version: &Version) -> Result<u32, RegistryError> {
        let mode = format!("mode/{subject}?force=true");
        self.ask::<Value>(Method::PUT, &mode, Some(&json!({ "mode": "IMPORT" }))).await?;
        let body = json!({ "schema": version.text, "id": version.id.0, "version": version.version });
        let path = format!("subjects/{subject}/versions");
        let answer = self.ask::<Known>(Method::POST, &path, Some(&body)).await;
        self.ask::<Value>(Method::PUT, &mode, Some(&json!({ "mode": "READWRITE" }))).await?;
        answer.map(|known| known.id)
    }

    /// Demands that new versions of every subject can read and be read by all older ones.
    pub async fn demand_full_transitive(&self) -> Result<(), RegistryError> {
        for topic in events::topics::ALL {
            let path = format!("config/{}", topic.subject());
            let body = json!({ "compatibility": "FULL_TRANSITIVE" });
            self.ask::<Value>(Method::PUT, &path, Some(&body)).await?;
        }
        Ok(())
    }

    /// The subjects that the registry knows.
    pub async fn subjects(&self) -> Result<Vec<String>, RegistryError> {
        self.ask(Method::GET, "subjects", None).await
    }

    async fn ask<T: for<'de> Deserialize<'de>>(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<T, RegistryError> {
        let url = format!("{}/{path}", self.base.as_str().trim_end_matches('/'));
        let mut request = self
            .http
            .request(method, url)
            .header("accept", "application/vnd.schemaregistry.v1+json, application/json");
        if let Some((name, password)) = &self.credentials {
            request = request.basic_auth(name, password.as_ref().map(ExposeSecret::expose_secret));
        }
        if let Some(body) = body {
            request = request
                .header("content-type", "application/vnd.schemaregistry.v1+json")
                .body(body.to_string());
        }
        let response = request.send().await.map_err(RegistryError::Unreachable)?;
        let status = response.status();
        let bytes = response.bytes().await.map_err(RegistryError::Unreachable)?;
        if status == StatusCode::OK
            && let Ok(answer) = serde_json::from_slice(&bytes)
        {
            return Ok(answer);
        }
        let text = String::from_utf8_lossy(&bytes);
        let message =
            serde_json::from_slice::<Refusal>(&bytes).map_or_else(|_| text.into_owned(), |r| r.message);
        Err(RegistryError::Refused { status: status.as_u16(), message: message.chars().take(500).collect() })
    }
}

#[derive(Deserialize)]
struct SchemaText {
    schema: String,
}

#[derive(Deserialize)]
struct Known {
    id: u32,
}

#[derive(Deserialize)]
struct Refusal {
    message: String,
}
