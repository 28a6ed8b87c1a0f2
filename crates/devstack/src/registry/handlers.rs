//! The REST API.

use std::net::TcpListener;

use actix_web::{
    HttpResponse,
    web::{self, Data, Json, JsonConfig, Path, Query, ServiceConfig},
};
use serde::Serialize;

use super::{
    Error, Registry,
    answer::{
        CONTENT_TYPE, CompatibilityChange, CompatibilityNow, Compatible, Flags, ModeBody, Proposal,
        Registered, SchemaText, SubjectVersion,
    },
    record::{Key, Level, Mode, Value},
    service::refuse_other_types,
};
use crate::local::{self, Local};

type Answer = Result<HttpResponse, Error>;

/// A schema longer than this is no schema; Redpanda advises 128 KB.
const LONGEST_BODY: usize = 1024 * 1024;

impl Registry {
    /// Serves the REST API on `listener`, which must be bound to loopback.
    pub fn serve(self, listener: TcpListener) -> Result<Local, local::Error> {
        let registry = Data::new(self);
        Local::bind("schema registry", listener, move |config| {
            routes(config.app_data(registry.clone()));
        })
    }
}

fn routes(config: &mut ServiceConfig) {
    config
        .app_data(
            JsonConfig::default()
                .limit(LONGEST_BODY)
                .error_handler(|error, _| Error::InvalidSchema { reason: error.to_string() }.into()),
        )
        .route("/", web::get().to(async || ok(serde_json::json!({}))))
        .route("/schemas/types", web::get().to(async || ok(["AVRO"])))
        .route("/schemas/ids/{id}", web::get().to(schema))
        .route("/schemas/ids/{id}/versions", web::get().to(places))
        .route("/schemas/ids/{id}/subjects", web::get().to(subjects_of))
        .route("/subjects", web::get().to(subjects))
        .route("/subjects/{subject}", web::post().to(lookup))
        .route("/subjects/{subject}/versions", web::get().to(versions))
        .route("/subjects/{subject}/versions", web::post().to(register))
        .route("/subjects/{subject}/versions/{version}", web::get().to(version))
        .route("/subjects/{subject}/versions/{version}/schema", web::get().to(version_schema))
        .route("/compatibility/subjects/{subject}/versions", web::post().to(compatible_with_all))
        .route("/compatibility/subjects/{subject}/versions/{version}", web::post().to(compatible))
        .route("/config", web::get().to(level))
        .route("/config", web::put().to(set_level))
        .route("/config/{subject}", web::get().to(subject_level))
        .route("/config/{subject}", web::put().to(set_subject_level))
        .route("/mode", web::get().to(mode))
        .route("/mode", web::put().to(set_mode))
        .route("/mode/{subject}", web::get().to(subject_mode))
        .route("/mode/{subject}", web::put().to(set_subject_mode));
}

fn ok(body: impl Serialize) -> HttpResponse {
    HttpResponse::Ok().content_type(CONTENT_TYPE).json(body)
}

async fn schema(registry: Data<Registry>, id: Path<i32>) -> Answer {
    let schema = registry.read(|subjects| subjects.schema(*id)).await?;
    Ok(ok(SchemaText { schema }))
}

async fn places(registry: Data<Registry>, id: Path<i32>) -> Answer {
    registry.read(|subjects| subjects.places(*id)).await.map(ok)
}

async fn subjects_of(registry: Data<Registry>, id: Path<i32>) -> Answer {
    registry.read(|subjects| subjects.subjects_of(*id)).await.map(ok)
}

async fn subjects(registry: Data<Registry>) -> HttpResponse {
    ok(registry.read(super::subjects::Subjects::names).await)
}

async fn lookup(registry: Data<Registry>, subject: Path<String>, proposal: Json<Proposal>) -> Answer {
    refuse_other_types(&proposal)?;
    let found = registry
        .read(|subjects| {
            let version = subjects.lookup(&subject, &proposal.schema)?;
            Ok::<_, Error>(SubjectVersion::new(&subject, version))
        })
        .await?;
    Ok(ok(found))
}

async fn versions(registry: Data<Registry>, subject: Path<String>) -> Answer {
    registry.read(|subjects| subjects.versions(&subject)).await.map(ok)
}

async fn register(registry: Data<Registry>, subject: Path<String>, proposal: Json<Proposal>) -> Answer {
    let id = registry.register(&subject, &proposal).await?;
    Ok(ok(Registered { id }))
}

async fn version(registry: Data<Registry>, path: Path<(String, String)>) -> Answer {
    let (subject, version) = path.into_inner();
    let found = registry
        .read(|subjects| {
            let version = subjects.version(&subject, &version)?;
            Ok::<_, Error>(SubjectVersion::new(&subject, version))
        })
        .await?;
    Ok(ok(found))
}

async fn version_schema(registry: Data<Registry>, path: Path<(String, String)>) -> Answer {
    let (subject, version) = path.into_inner();
    let schema = registry
        .read(|subjects| subjects.version(&subject, &version).map(|version| version.schema.to_string()))
        .await?;
    Ok(HttpResponse::Ok().content_type(CONTENT_TYPE).body(schema))
}

async fn compatible(
    registry: Data<Registry>,
    path: Path<(String, String)>,
    flags: Query<Flags>,
    proposal: Json<Proposal>,
) -> Answer {
    let (subject, version) = path.into_inner();
    check(&registry, &subject, Some(&version), &flags, &proposal).await
}

async fn compatible_with_all(
    registry: Data<Registry>,
    subject: Path<String>,
    flags: Query<Flags>,
    proposal: Json<Proposal>,
) -> Answer {
    check(&registry, &subject, None, &flags, &proposal).await
}

async fn check(
    registry: &Registry,
    subject: &str,
    version: Option<&str>,
    flags: &Flags,
    proposal: &Proposal,
) -> Answer {
    refuse_other_types(proposal)?;
    let verdict = registry.read(|subjects| subjects.is_compatible(subject, version, &proposal.schema)).await;
    match verdict {
        Ok(()) => Ok(ok(Compatible { is_compatible: true, messages: Vec::new() })),
        Err(Error::Incompatible { reason, .. }) => {
            let messages = if flags.verbose { vec![reason] } else { Vec::new() };
            Ok(ok(Compatible { is_compatible: false, messages }))
        }
        Err(error) => Err(error),
    }
}

async fn level(registry: Data<Registry>) -> HttpResponse {
    ok(CompatibilityNow { compatibility_level: registry.read(super::subjects::Subjects::level).await })
}

async fn subject_level(registry: Data<Registry>, subject: Path<String>, flags: Query<Flags>) -> Answer {
    let level = registry
        .read(|subjects| {
            let global = flags.default_to_global.then(|| subjects.level());
            subjects.own_level(&subject).or(global)
        })
        .await;
    match level {
        Some(compatibility_level) => Ok(ok(CompatibilityNow { compatibility_level })),
        None => Err(Error::NoSubjectCompatibility { subject: subject.into_inner() }),
    }
}

async fn set_level(registry: Data<Registry>, change: Json<CompatibilityChange>) -> Answer {
    change_level(&registry, None, change.into_inner()).await
}

async fn set_subject_level(
    registry: Data<Registry>,
    subject: Path<String>,
    change: Json<CompatibilityChange>,
) -> Answer {
    change_level(&registry, Some(&subject), change.into_inner()).await
}

async fn change_level(registry: &Registry, subject: Option<&str>, change: CompatibilityChange) -> Answer {
    let compatibility_level = Level::parse(&change.compatibility)
        .ok_or_else(|| Error::InvalidCompatibility { level: change.compatibility.clone() })?;
    registry.set(Key::config(subject), Value::Config { compatibility_level }, |_| Ok(())).await?;
    Ok(ok(change))
}

async fn mode(registry: Data<Registry>) -> HttpResponse {
    let mode = registry.read(super::subjects::Subjects::mode).await;
    ok(ModeBody { mode: mode.as_str().to_owned() })
}

async fn subject_mode(registry: Data<Registry>, subject: Path<String>, flags: Query<Flags>) -> Answer {
    let mode = registry
        .read(|subjects| {
            let global = flags.default_to_global.then(|| subjects.mode());
            subjects.own_mode(&subject).or(global)
        })
        .await;
    match mode {
        Some(mode) => Ok(ok(ModeBody { mode: mode.as_str().to_owned() })),
        None => Err(Error::NoSubjectMode { subject: subject.into_inner() }),
    }
}

async fn set_mode(registry: Data<Registry>, flags: Query<Flags>, body: Json<ModeBody>) -> Answer {
    change_mode(&registry, None, &flags, &body.mode).await
}

async fn set_subject_mode(
    registry: Data<Registry>,
    subject: Path<String>,
    flags: Query<Flags>,
    body: Json<ModeBody>,
) -> Answer {
    change_mode(&registry, Some(&subject), &flags, &body.mode).await
}

async fn change_mode(registry: &Registry, subject: Option<&str>, flags: &Flags, mode: &str) -> Answer {
    let mode = Mode::parse(mode).ok_or_else(|| Error::InvalidMode { mode: mode.to_owned() })?;
    registry
        .set(Key::mode(subject), Value::Mode { mode }, |subjects| {
            // Ids given by hand could collide with those that are there.
            if mode == Mode::Import && !flags.force && subjects.has_versions(subject) {
                return Err(Error::NotEmpty);
            }
            Ok(())
        })
        .await?;
    Ok(ok(ModeBody { mode: mode.as_str().to_owned() }))
}

#[cfg(test)]
mod tests;
