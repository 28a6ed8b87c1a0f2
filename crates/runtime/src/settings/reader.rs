//! Reads typed values and remembers every problem.

use std::{collections::BTreeSet, fmt};

use super::{Setting, Source, source::environment_name};

/// Reads one service's settings from a source.
#[derive(Debug)]
pub struct Reader<'source> {
    source: &'source Source,
    read: BTreeSet<String>,
    problems: Vec<Problem>,
}

/// One setting that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The key, as in the settings file.
    pub key: String,
    /// What is wrong with it.
    pub what: String,
}

/// All settings that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsError {
    /// In the order they were met.
    pub problems: Vec<Problem>,
}

impl<'source> Reader<'source> {
    /// Reads from `source`.
    #[must_use]
    pub fn new(source: &'source Source) -> Self {
        Self { source, read: BTreeSet::new(), problems: Vec::new() }
    }

    /// The value of `key`; that it is missing or wrong is a problem.
    pub fn required<T: Setting>(&mut self, key: &str) -> Option<T> {
        if !self.is_set(key) {
            self.problem(key, "is not set");
        }
        self.optional(key)
    }

    /// The value of `key`, if it is set; that it is wrong is a problem.
    pub fn optional<T: Setting>(&mut self, key: &str) -> Option<T> {
        self.read.insert(key.to_owned());
        let text = self.source.get(key)?;
        match T::parse(text) {
            Ok(value) => Some(value),
            Err(invalid) if T::SECRET => {
                self.problem(key, format!("has a wrong value: {invalid}"));
                None
            }
            Err(invalid) => {
                self.problem(key, format!("is `{}`: {invalid}", shortened(text)));
                None
            }
        }
    }

    /// The value of `key`, or `default` if it is not set; that it is wrong is a problem.
    pub fn or<T: Setting>(&mut self, key: &str, default: T) -> T {
        self.optional(key).unwrap_or(default)
    }

    /// The choice that `key` names, in any case, if it is set; another name is a problem.
    pub fn one_of<T: Copy>(&mut self, key: &str, choices: &[(&str, T)]) -> Option<T> {
        let given: String = self.optional(key)?;
        let found = choices.iter().find(|(name, _)| name.eq_ignore_ascii_case(&given));
        if found.is_none() {
            let names: Vec<_> = choices.iter().map(|(name, _)| format!("`{name}`")).collect();
            self.problem(key, format!("is `{}`: expected one of {}", shortened(&given), names.join(", ")));
        }
        found.map(|(_, choice)| *choice)
    }

    /// Whether `key` has a value.
    #[must_use]
    pub fn is_set(&self, key: &str) -> bool {
        self.source.get(key).is_some()
    }

    /// Notes a problem that only the caller can see, such as two settings that exclude each other.
    pub fn problem(&mut self, key: &str, what: impl Into<String>) {
        self.read.insert(key.to_owned());
        self.problems.push(Problem { key: key.to_owned(), what: what.into() });
    }

    /// Succeeds if there was no problem; a key of the file that was never asked for is one.
    pub fn finish(mut self) -> Result<(), SettingsError> {
        let unread: Vec<_> = self.source.file_keys().filter(|key| !self.read.contains(*key)).collect();
        for key in unread {
            let what = match self.closest(key) {
                Some(known) => format!("is unknown; did you mean `{known}`?"),
                None => "is unknown".to_owned(),
            };
            self.problems.push(Problem { key: key.to_owned(), what });
        }
        if self.problems.is_empty() { Ok(()) } else { Err(SettingsError { problems: self.problems }) }
    }

    /// What `build` makes of the values, if there was no problem.
    ///
    /// `build` gives nothing exactly if a required value was missing, and that is a problem already.
    pub fn complete<T>(mut self, build: impl FnOnce() -> Option<T>) -> Result<T, SettingsError> {
        let value = build();
        if value.is_none() && self.problems.is_empty() {
            self.problem("settings", "are incomplete");
        }
        match (self.finish(), value) {
            (Ok(()), Some(value)) => Ok(value),
            (Ok(()), None) => Err(SettingsError { problems: Vec::new() }),
            (Err(error), _) => Err(error),
        }
    }

    fn closest(&self, key: &str) -> Option<&str> {
        let distances = self.read.iter().map(|known| (strsim::damerau_levenshtein(key, known), known));
        distances.filter(|(distance, _)| *distance <= 3).min().map(|(_, known)| known.as_str())
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(80).collect()
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}) {}", environment_name(&self.key), self.key, self.what)
    }
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.problems.as_slice() {
            [one] => write!(f, "a setting is wrong: {one}"),
            many => {
                write!(f, "{} settings are wrong:", many.len())?;
                many.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
            }
        }
    }
}

impl std::error::Error for SettingsError {}
