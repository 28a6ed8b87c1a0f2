//! The first pass over a document: its shape, before anybody looks at its meaning.
//!
//! Refuses what a typed reader would accept or choke on: duplicate keys, deep nesting, aliases that multiply.
//! Also finds the place of a field, for errors that are noticed only later: the position of a field is the
//! position of the error that a visitor raises on meeting it.

use std::{collections::HashSet, fmt};

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

/// The deepest nesting of a document.
const MAX_DEPTH: usize = 32;

/// The most values of a document, those that aliases repeat counted each time.
const MAX_VALUES: usize = 500_000;

/// What is wrong, and where.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) line: Option<u32>,
    pub(super) column: Option<u32>,
    pub(super) message: String,
}

/// What a document says about itself.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) api_version: Option<String>,
    pub(super) kind: Option<String>,
}

/// Checks the shape of a document and reads its header.
pub(super) fn check(text: &str) -> Result<Header, Fault> {
    refuse_deep_brackets(text)?;
    let mut state = State { header: Header::default(), values: 0 };
    let node = Node { state: &mut state, depth: 0, header: None };
    match node.deserialize(serde_yaml::Deserializer::from_str(text)) {
        Ok(()) => Ok(state.header),
        Err(error) => Err(fault(&error)),
    }
}

/// The line and column of the field with this path, such as `spec.users[3].email`.
pub(super) fn locate(text: &str, field: &str) -> Option<(u32, u32)> {
    let parts = parts(field);
    let finder = Finder { rest: &parts };
    let error = finder.deserialize(serde_yaml::Deserializer::from_str(text)).err()?;
    error.location().map(|place| (number(place.line()), number(place.column())))
}

/// A document has far fewer lines and columns than would not fit.
fn number(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

/// The message and place of an error of the YAML reader.
pub(super) fn fault(error: &serde_yaml::Error) -> Fault {
    let message = error.to_string();
    let place = error.location();
    // The place is told apart from the message.
    let end = match &place {
        Some(at) => message.rfind(&format!(" at line {} column", at.line())).unwrap_or(message.len()),
        None => message.len(),
    };
    Fault {
        line: place.as_ref().map(|place| number(place.line())),
        column: place.as_ref().map(|place| number(place.column())),
        message: message[..end].to_owned(),
    }
}

/// The scanner's work grows with the square of open brackets, so a wall of them is refused before it starts.
fn refuse_deep_brackets(text: &str) -> Result<(), Fault> {
    const MOST_OPEN: usize = 1024;
    let mut open = 0_usize;
    for byte in text.bytes() {
        match byte {
            b'[' | b'{' => open += 1,
            b']' | b'}' => open = open.saturating_sub(1),
            _ => continue,
        }
        if open > MOST_OPEN {
            let message = format!("more than {MOST_OPEN} brackets are open at once");
            return Err(Fault { line: None, column: None, message });
        }
    }
    Ok(())
}

struct State {
    header: Header,
    values: usize,
}

/// A value somewhere in the document; `header` names the header field that it is the value of.
struct Node<'a> {
    state: &'a mut State,
    depth: usize,
    header: Option<String>,
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.state.values += 1;
        if self.state.values > MAX_VALUES {
            return Err(de::Error::custom(format!(
                "more than {MAX_VALUES} values, aliases counted each time"
            )));
        }
        if self.depth > MAX_DEPTH {
            return Err(de::Error::custom(format!("nested deeper than {MAX_DEPTH} levels")));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value without a YAML tag")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_i128<E>(self, _: i128) -> Result<(), E> {
        Ok(())
    }

    fn visit_u128<E>(self, _: u128) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        self.visit_none()
    }

    fn visit_none<E: de::Error>(self) -> Result<(), E> {
        if self.depth == 0 { Err(E::custom("the document is empty")) } else { Ok(()) }
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        match self.header.as_deref() {
            Some("kind") => self.state.header.kind = Some(text.to_owned()),
            Some("apiVersion") => self.state.header.api_version = Some(text.to_owned()),
            _ => {}
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let depth = self.depth + 1;
        while items.next_element_seed(Node { state: self.state, depth, header: None })?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let mut seen = HashSet::new();
        let depth = self.depth + 1;
        while let Some(key) = entries.next_key_seed(UniqueKey(&mut seen))? {
            let header = (self.depth == 0).then_some(key);
            entries.next_value_seed(Node { state: self.state, depth, header })?;
        }
        Ok(())
    }
}

/// A key that must not have come before. The error is raised here, where the reader knows the place.
struct UniqueKey<'a>(&'a mut HashSet<String>);

impl<'de> DeserializeSeed<'de> for UniqueKey<'_> {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for UniqueKey<'_> {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name as key")
    }

    fn visit_str<E: de::Error>(self, key: &str) -> Result<String, E> {
        if self.0.insert(key.to_owned()) {
            Ok(key.to_owned())
        } else {
            Err(E::custom(format!("duplicate key `{key}`")))
        }
    }
}

/// A step on the way to a field.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Key(String),
    Index(usize),
}

fn parts(field: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    for piece in field.split('.') {
        let (key, indices) = piece.split_at(piece.find('[').unwrap_or(piece.len()));
        if !key.is_empty() {
            parts.push(Part::Key(key.to_owned()));
        }
        let numbers = indices.split(['[', ']']).filter(|number| !number.is_empty());
        parts.extend(numbers.filter_map(|number| number.parse().ok()).map(Part::Index));
    }
    parts
}

/// Walks to a field and raises an error there.
struct Finder<'a> {
    rest: &'a [Part],
}

impl<'de> DeserializeSeed<'de> for Finder<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.rest.first() {
            None => deserializer.deserialize_any(Found),
            Some(Part::Key(_)) => deserializer.deserialize_map(self),
            Some(Part::Index(_)) => deserializer.deserialize_seq(self),
        }
    }
}

impl<'de> Visitor<'de> for Finder<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the way to a field")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let [Part::Key(wanted), rest @ ..] = self.rest else { return Ok(()) };
        while let Some(here) = entries.next_key_seed(KeyFinder { wanted, last: rest.is_empty() })? {
            if here {
                entries.next_value_seed(Finder { rest })?;
            } else {
                entries.next_value::<de::IgnoredAny>()?;
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let [Part::Index(wanted), rest @ ..] = self.rest else { return Ok(()) };
        for _ in 0..*wanted {
            items.next_element::<de::IgnoredAny>()?;
        }
        items.next_element_seed(Finder { rest })?;
        while items.next_element::<de::IgnoredAny>()?.is_some() {}
        Ok(())
    }
}

struct KeyFinder<'a> {
    wanted: &'a str,
    last: bool,
}

impl<'de> DeserializeSeed<'de> for KeyFinder<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for KeyFinder<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: de::Error>(self, key: &str) -> Result<bool, E> {
        match key == self.wanted {
            true if self.last => Err(E::custom("found")),
            here => Ok(here),
        }
    }
}

/// Refuses whatever it meets, so that the reader tells where that is.
struct Found;

impl Visitor<'_> for Found {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nothing")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_read_wherever_it_stands() {
        let header = check("spec: {kind: no}\nkind: API\napiVersion: stoa.io/v1\n").unwrap();
        assert_eq!(header.kind.as_deref(), Some("API"));
        assert_eq!(header.api_version.as_deref(), Some("stoa.io/v1"));
    }

    #[test]
    fn a_duplicate_key_is_an_error_at_the_second() {
        let fault = check("a: 1\nb:\n  c: 1\n  d: 2\n  c: 3\n").unwrap_err();
        assert_eq!(fault.message, "b: duplicate key `c`");
        assert_eq!((fault.line, fault.column), (Some(5), Some(3)));
    }

    #[test]
    fn a_field_is_found_by_its_path() {
        let text = "spec:\n  users:\n    - email: a\n    - email: b\n      roles: [x, y]\n";
        assert_eq!(locate(text, "spec.users[1].email"), Some((4, 7)));
        assert_eq!(locate(text, "spec.users[1].roles[1]"), Some((5, 18)));
        assert_eq!(locate(text, "spec.nothing"), None);
    }

    #[test]
    fn aliases_that_multiply_are_refused() {
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..12 {
            let last = format!("*a{}", level - 1);
            bomb = format!("{bomb}a{level}: &a{level} [{}]\n", [last.as_str(); 9].join(", "));
        }
        assert!(check(&bomb).is_err());
    }

    #[test]
    fn a_wall_of_brackets_and_deep_nesting_are_refused() {
        assert!(check(&"[".repeat(1_000_000)).is_err());
        let nested = format!("a: {}1{}", "[".repeat(40), "]".repeat(40));
        assert!(check(&nested).unwrap_err().message.contains("nested deeper"));
        let lines: Vec<String> = (0..2_000).map(|level| format!("{}a:\n", " ".repeat(level))).collect();
        assert!(check(&lines.concat()).is_err());
    }
}
