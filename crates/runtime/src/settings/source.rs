//! Where settings come from.

use std::{
    collections::BTreeMap,
    env, fs, io,
    path::{Path, PathBuf},
};

use serde_yaml::{Mapping, Value};

/// The environment and, below it, an optional YAML file.
#[derive(Clone, Debug, Default)]
pub struct Source {
    environment: BTreeMap<String, String>,
    file: BTreeMap<String, String>,
}

/// Why a settings file could not be read.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// It could not be opened.
    #[error("could not read the settings file `{}`", path.display())]
    Read {
        /// Where it was looked for.
        path: PathBuf,
        /// What went wrong.
        #[source]
        cause: io::Error,
    },
    /// It is not YAML.
    #[error("the settings file `{}` is not YAML", path.display())]
    Syntax {
        /// Where it lies.
        path: PathBuf,
        /// What is wrong, with line and column.
        #[source]
        cause: serde_yaml::Error,
    },
    /// It is YAML, but no tree of keys and values.
    #[error("in the settings file `{}`, `{key}` {what}", path.display())]
    Shape {
        /// Where it lies.
        path: PathBuf,
        /// Which key.
        key: String,
        /// What is wrong with it.
        what: &'static str,
    },
}

impl Source {
    /// The environment of the process.
    #[must_use]
    pub fn process() -> Self {
        let text = env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        Self { environment: text.collect(), file: BTreeMap::new() }
    }

    /// Exactly these values; a name may be a key or the name of an environment variable.
    #[must_use]
    pub fn given<K: AsRef<str>, V: Into<String>>(pairs: impl IntoIterator<Item = (K, V)>) -> Self {
        pairs.into_iter().fold(Self::default(), |source, (key, value)| source.with(key, value))
    }

    /// The same with one value set or replaced.
    #[must_use]
    pub fn with(mut self, key: impl AsRef<str>, value: impl Into<String>) -> Self {
        self.environment.insert(environment_name(key.as_ref()), value.into());
        self
    }

    /// The same with the YAML file at `path` below the environment.
    pub fn with_file(mut self, path: &Path) -> Result<Self, SourceError> {
        let path = path.to_owned();
        let text =
            fs::read_to_string(&path).map_err(|cause| SourceError::Read { path: path.clone(), cause })?;
        let tree = serde_yaml::from_str::<Option<Mapping>>(&text)
            .map_err(|cause| SourceError::Syntax { path: path.clone(), cause })?;
        flatten("", &tree.unwrap_or_default(), &mut self.file).map_err(|(key, what)| SourceError::Shape {
            path,
            key,
            what,
        })?;
        Ok(self)
    }

    /// The value of `key`; a blank one counts as not set.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        let set = |value: &&String| !value.trim().is_empty();
        let value = self.environment.get(&environment_name(key)).filter(set);
        value.or_else(|| self.file.get(key).filter(set)).map(|value| value.trim())
    }

    /// The keys of the file.
    pub(super) fn file_keys(&self) -> impl Iterator<Item = &str> {
        self.file.keys().map(String::as_str)
    }
}

/// The environment variable of a key: `kafka.bootstrap_servers` is `KAFKA_BOOTSTRAP_SERVERS`.
pub(super) fn environment_name(key: &str) -> String {
    key.to_ascii_uppercase().replace(['.', '-'], "_")
}

type Misshaped = (String, &'static str);

fn flatten(prefix: &str, tree: &Mapping, into: &mut BTreeMap<String, String>) -> Result<(), Misshaped> {
    for (name, value) in tree {
        let Value::String(name) = name else {
            return Err((prefix.to_owned(), "has a key that is not a text"));
        };
        let key = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        if let Value::Mapping(inner) = value {
            flatten(&key, inner, into)?;
            continue;
        }
        match text(value) {
            Ok(text) => into.insert(key, text),
            Err(what) => return Err((key, what)),
        };
    }
    Ok(())
}

fn text(value: &Value) -> Result<String, &'static str> {
    match value {
        Value::Null => Ok(String::new()),
        Value::Bool(flag) => Ok(flag.to_string()),
        Value::Number(number) => Ok(number.to_string()),
        Value::String(text) => Ok(text.clone()),
        Value::Sequence(items)
            if items.iter().any(|item| matches!(item, Value::Sequence(_) | Value::Mapping(_))) =>
        {
            Err("is a list of something other than plain values")
        }
        Value::Sequence(items) => Ok(items.iter().map(text).collect::<Result<Vec<_>, _>>()?.join(",")),
        Value::Mapping(_) | Value::Tagged(_) => Err("is not a plain value or a list of them"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> Result<Source, SourceError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("stoa.yaml");
        fs::write(&path, text).unwrap();
        Source::given([("LOG_LEVEL", "debug"), ("LOG_FORMAT", " ")]).with_file(&path)
    }

    #[test]
    fn the_environment_outranks_the_file_and_blank_is_not_set() {
        let source =
            file("log: {level: warn, format: text}\nkafka:\n  bootstrap_servers: [a, b]\n  retries: 3\n")
                .unwrap();
        assert_eq!(source.get("log.level"), Some("debug"));
        assert_eq!(source.get("log.format"), Some("text"));
        assert_eq!(source.get("kafka.bootstrap_servers"), Some("a,b"));
        assert_eq!(source.get("kafka.retries"), Some("3"));
        assert_eq!(source.get("kafka.timeout"), None);
    }

    #[test]
    fn an_empty_file_sets_nothing() {
        assert_eq!(file("# nothing yet\n").unwrap().file_keys().count(), 0);
    }

    #[test]
    fn a_list_of_mappings_is_refused_by_key() {
        let error = file("kafka:\n  brokers:\n    - host: a\n").unwrap_err();
        let text = error.to_string();
        assert!(text.ends_with("`kafka.brokers` is a list of something other than plain values"), "{text}");
    }

    #[test]
    fn broken_yaml_is_reported_with_its_line() {
        let chain = crate::chain(&file("log:\n  level: [debug\n").unwrap_err());
        assert!(chain.contains("is not YAML") && chain.contains("line"), "{chain}");
    }
}
