//! All that the registry knows, and what a registration would change; no I/O.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::Serialize;

use super::{
    Error,
    record::{Key, Level, Mode, Value},
    schema,
};

/// One version of a subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Version {
    pub number: i32,
    pub id: i32,
    pub schema: Arc<str>,
    form: Arc<str>,
}

/// Where a schema stands.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Place {
    pub subject: String,
    pub version: i32,
}

#[derive(Debug, Default)]
struct Subject {
    versions: BTreeMap<i32, Version>,
    level: Option<Level>,
    mode: Option<Mode>,
}

/// What the journal's records add up to.
#[derive(Debug, Default)]
pub(super) struct Subjects {
    known: BTreeMap<String, Subject>,
    ids: BTreeMap<i32, (Arc<str>, Arc<str>)>,
    level: Level,
    mode: Mode,
}

/// What a registration comes to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Registration {
    /// The subject has this schema already.
    Known { id: i32 },
    /// It becomes this record.
    New { id: i32, record: (Key, Value) },
}

impl Subjects {
    /// Takes one record of the journal in; nothing for a value means that it was removed.
    pub(super) fn apply(&mut self, key: Key, value: Option<Value>) {
        match (key, value) {
            (Key::Schema { subject, version, .. }, Some(Value::Schema { id, schema, deleted, .. })) => {
                // What was stored was once accepted; a newer check does not make it go away.
                let form: Arc<str> = schema::form(&schema).unwrap_or_else(|_| schema.clone()).into();
                let schema: Arc<str> = schema.into();
                self.ids.insert(id, (Arc::clone(&schema), Arc::clone(&form)));
                let versions = &mut self.known.entry(subject).or_default().versions;
                if deleted {
                    versions.remove(&version);
                } else {
                    versions.insert(version, Version { number: version, id, schema, form });
                }
            }
            (Key::Schema { subject, version, .. }, None) => {
                self.known.entry(subject).or_default().versions.remove(&version);
            }
            (Key::Config { subject, .. }, value) => {
                let level = match value {
                    Some(Value::Config { compatibility_level }) => Some(compatibility_level),
                    _ => None,
                };
                match subject {
                    Some(subject) => self.known.entry(subject).or_default().level = level,
                    None => self.level = level.unwrap_or_default(),
                }
            }
            (Key::Mode { subject, .. }, value) => {
                let mode = match value {
                    Some(Value::Mode { mode }) => Some(mode),
                    _ => None,
                };
                match subject {
                    Some(subject) => self.known.entry(subject).or_default().mode = mode,
                    None => self.mode = mode.unwrap_or_default(),
                }
            }
            (Key::Schema { .. }, Some(_)) => {}
        }
    }

    /// What registering `text` under `subject` changes.
    pub(super) fn register(
        &self,
        subject: &str,
        text: &str,
        id: Option<i32>,
        version: Option<i32>,
    ) -> Result<Registration, Error> {
        let form = schema::form(text)?;
        let name = || subject.to_owned();
        let known = self.find(subject, &form);
        if let Some(known) = known
            && id.is_none_or(|id| id == known.id)
        {
            return Ok(Registration::Known { id: known.id });
        }
        let id = match (self.mode_of(subject), id) {
            (Mode::ReadOnly, _) => return Err(Error::ReadOnly { subject: name() }),
            (Mode::ReadWrite, Some(_)) => return Err(Error::NotImporting { subject: name() }),
            (Mode::Import, Some(id)) => self.free_id(id, &form)?,
            (Mode::Import, None) => self.id_for(&form),
            (Mode::ReadWrite, None) => {
                self.check(subject, &form)?;
                self.id_for(&form)
            }
        };
        let versions = self.known.get(subject).map(|subject| &subject.versions);
        let next = versions.and_then(BTreeMap::last_key_value).map_or(1, |(last, _)| last + 1);
        let version = version.filter(|_| self.mode_of(subject) == Mode::Import).unwrap_or(next);
        if versions.is_some_and(|versions| versions.contains_key(&version)) {
            return Err(Error::VersionTaken { subject: name(), version });
        }
        let value = Value::Schema { subject: name(), version, id, schema: text.to_owned(), deleted: false };
        Ok(Registration::New { id, record: (Key::schema(subject, version), value) })
    }

    /// A schema has one id, whatever the subject.
    fn id_for(&self, form: &str) -> i32 {
        let same = self.ids.iter().find(|(_, (_, known))| **known == *form);
        same.map_or_else(|| self.ids.last_key_value().map_or(1, |(last, _)| last + 1), |(id, _)| *id)
    }

    fn free_id(&self, id: i32, form: &str) -> Result<i32, Error> {
        match self.ids.get(&id) {
            Some((_, known)) if **known != *form => Err(Error::IdTaken { id }),
            _ => Ok(id),
        }
    }

    /// Whether `form` goes together with the versions that it must.
    fn check(&self, subject: &str, form: &str) -> Result<(), Error> {
        let level = self.level_of(subject);
        let Some(known) = self.known.get(subject) else { return Ok(()) };
        let reach = match level {
            Level::None => 0,
            Level::Full => 1,
            Level::FullTransitive => usize::MAX,
        };
        known.versions.values().rev().take(reach).try_for_each(|version| goes_with(subject, form, version))
    }

    /// Whether `text` goes together with one version, or with all that it must.
    pub(super) fn is_compatible(
        &self,
        subject: &str,
        version: Option<&str>,
        text: &str,
    ) -> Result<(), Error> {
        let form = schema::form(text)?;
        match version {
            Some(version) => match self.version_to_check(subject, version)? {
                Some(version) if self.level_of(subject) != Level::None => goes_with(subject, &form, version),
                _ => Ok(()),
            },
            None => self.check(subject, &form),
        }
    }

    /// The latest of an unknown subject is nothing, with which every schema goes together.
    fn version_to_check(&self, subject: &str, version: &str) -> Result<Option<&Version>, Error> {
        match self.version(subject, version) {
            Err(Error::SubjectNotFound { .. }) if version == "latest" || version == "-1" => Ok(None),
            Err(Error::SubjectNotFound { .. }) => Err(Error::VersionNotFound { version: version.to_owned() }),
            found => found.map(Some),
        }
    }

    fn find(&self, subject: &str, form: &str) -> Option<&Version> {
        let versions = &self.known.get(subject)?.versions;
        versions.values().rev().find(|version| *version.form == *form)
    }

    /// The version of `subject` that has this schema.
    pub(super) fn lookup(&self, subject: &str, text: &str) -> Result<&Version, Error> {
        self.versions(subject)?;
        self.find(subject, &schema::form(text)?).ok_or(Error::SchemaNotFound)
    }

    /// The subjects that have versions.
    pub(super) fn names(&self) -> Vec<String> {
        let live = self.known.iter().filter(|(_, subject)| !subject.versions.is_empty());
        live.map(|(name, _)| name.clone()).collect()
    }

    /// The versions of a subject, which has at least one.
    pub(super) fn versions(&self, subject: &str) -> Result<Vec<i32>, Error> {
        match self.known.get(subject) {
            Some(known) if !known.versions.is_empty() => Ok(known.versions.keys().copied().collect()),
            _ => Err(Error::SubjectNotFound { subject: subject.to_owned() }),
        }
    }

    /// One version, by its number or as `latest` (or -1).
    pub(super) fn version(&self, subject: &str, version: &str) -> Result<&Version, Error> {
        let versions = self.known.get(subject).map(|known| &known.versions);
        let versions = versions
            .filter(|versions| !versions.is_empty())
            .ok_or_else(|| Error::SubjectNotFound { subject: subject.to_owned() })?;
        if version == "latest" || version == "-1" {
            return versions.values().next_back().ok_or(Error::SchemaNotFound);
        }
        let number = version
            .parse()
            .ok()
            .filter(|number| *number > 0)
            .ok_or_else(|| Error::InvalidVersion { version: version.to_owned() })?;
        versions.get(&number).ok_or_else(|| Error::VersionNotFound { version: version.to_owned() })
    }

    /// The schema with this id.
    pub(super) fn schema(&self, id: i32) -> Result<Arc<str>, Error> {
        self.ids.get(&id).map(|(schema, _)| Arc::clone(schema)).ok_or(Error::SchemaNotFound)
    }

    /// Where the schema with this id is used.
    pub(super) fn places(&self, id: i32) -> Result<Vec<Place>, Error> {
        self.schema(id)?;
        let places = self.known.iter().flat_map(|(subject, known)| {
            known
                .versions
                .values()
                .filter(|version| version.id == id)
                .map(|version| Place { subject: subject.clone(), version: version.number })
        });
        Ok(places.collect())
    }

    /// The subjects in which the schema with this id is used.
    pub(super) fn subjects_of(&self, id: i32) -> Result<BTreeSet<String>, Error> {
        Ok(self.places(id)?.into_iter().map(|place| place.subject).collect())
    }

    /// The level of all subjects that have none of their own.
    pub(super) fn level(&self) -> Level {
        self.level
    }

    /// The subject's own level.
    pub(super) fn own_level(&self, subject: &str) -> Option<Level> {
        self.known.get(subject)?.level
    }

    fn level_of(&self, subject: &str) -> Level {
        self.own_level(subject).unwrap_or(self.level)
    }

    /// The mode of all subjects that have none of their own.
    pub(super) fn mode(&self) -> Mode {
        self.mode
    }

    /// The subject's own mode.
    pub(super) fn own_mode(&self, subject: &str) -> Option<Mode> {
        self.known.get(subject)?.mode
    }

    fn mode_of(&self, subject: &str) -> Mode {
        self.own_mode(subject).unwrap_or(self.mode)
    }

    /// Whether the subject, or any if none is named, has versions.
    pub(super) fn has_versions(&self, subject: Option<&str>) -> bool {
        match subject {
            Some(subject) => self.versions(subject).is_ok(),
            None => !self.names().is_empty(),
        }
    }
}

fn goes_with(subject: &str, form: &str, version: &Version) -> Result<(), Error> {
    events::compatibility::full(form, &version.form).map_err(|error| Error::Incompatible {
        subject: subject.to_owned(),
        reason: format!("version {}: {}", version.number, runtime::chain(&error)),
    })
}
