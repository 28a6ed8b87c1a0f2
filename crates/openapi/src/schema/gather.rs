//! A schema with everything it refers to under `$defs`.
//!
//! Components are converted once per document and direction, and gathered breadth first by a work list, so neither a
//! cycle nor a chain of any length costs stack, and what a size limit cuts off is what lies farthest from the root.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    rc::Rc,
};

use serde_json::{Map, Value, json};

use super::convert::{Converter, Direction};
use crate::{document::Document, name, pointer};

/// What one component became.
struct Component {
    name: String,
    schema: Value,
    size: usize,
    refers_to: Vec<String>,
}

/// A schema and the pointers that it refers to.
pub(crate) struct Part {
    pub(crate) schema: Value,
    refers_to: Vec<String>,
}

/// Converts and gathers the schemas of one document.
pub(crate) struct Gatherer<'d> {
    document: &'d Document,
    names: HashMap<String, String>,
    taken: HashSet<String>,
    components: HashMap<(String, Direction), Rc<Component>>,
    left: usize,
}

impl<'d> Gatherer<'d> {
    pub(crate) fn new(document: &'d Document) -> Self {
        let left = document.limits().compiled_bytes;
        Self { document, names: HashMap::new(), taken: HashSet::new(), components: HashMap::new(), left }
    }

    pub(crate) fn document(&self) -> &'d Document {
        self.document
    }

    /// `schema` converted, its references renamed to `#/$defs/…`.
    pub(crate) fn part(&mut self, schema: &Value, direction: Direction) -> Part {
        let mut refers_to = Vec::new();
        let document = self.document;
        let mut rename = |reference: &str| {
            let pointer = pointer::local(reference).filter(|at| document.as_json().pointer(at).is_some())?;
            let name = self.name_of(&pointer);
            refers_to.push(pointer);
            Some(format!("#/$defs/{name}"))
        };
        let schema =
            Converter { dialect: document.dialect(), direction, rename: &mut rename }.convert(schema);
        Part { schema, refers_to }
    }

    /// `root` with all that `parts` refer to under `$defs`; whether everything found room is the second value.
    pub(crate) fn gather(
        &mut self,
        mut root: Map<String, Value>,
        parts: &[Part],
        direction: Direction,
        limit: usize,
    ) -> (Value, bool) {
        let own = size(&Value::Object(root.clone()));
        let mut space = limit.min(self.left).saturating_sub(own);
        let mut complete = own <= limit;
        let mut queue: VecDeque<String> = parts.iter().flat_map(|part| part.refers_to.clone()).collect();
        let mut seen: HashSet<String> = HashSet::new();
        let mut definitions = Map::new();
        while let Some(pointer) = queue.pop_front() {
            if !seen.insert(pointer.clone()) {
                continue;
            }
            let component = self.component(&pointer, direction);
            // Beyond the limit a definition stays, so that references to it hold, and accepts anything.
            let Some(left) = space.checked_sub(component.size) else {
                complete = false;
                definitions.insert(component.name.clone(), json!({}));
                continue;
            };
            space = left;
            definitions.insert(component.name.clone(), component.schema.clone());
            queue.extend(component.refers_to.iter().filter(|next| !seen.contains(*next)).cloned());
        }
        self.left = self.left.saturating_sub(limit.min(self.left).saturating_sub(space));
        if !definitions.is_empty() {
            root.insert("$defs".into(), Value::Object(definitions));
        }
        (Value::Object(root), complete)
    }

    fn component(&mut self, pointer: &str, direction: Direction) -> Rc<Component> {
        if let Some(known) = self.components.get(&(pointer.to_owned(), direction)) {
            return Rc::clone(known);
        }
        let document = self.document;
        let source = document.as_json().pointer(pointer).unwrap_or(&Value::Null);
        let Part { schema, refers_to } = self.part(source, direction);
        let name = self.name_of(pointer);
        let size = size(&schema) + name.len();
        let component = Rc::new(Component { name, schema, size, refers_to });
        self.components.insert((pointer.to_owned(), direction), Rc::clone(&component));
        component
    }

    fn name_of(&mut self, pointer: &str) -> String {
        if let Some(name) = self.names.get(pointer) {
            return name.clone();
        }
        let wished = name::shorten(&name::sanitise(&pointer::last(pointer)), 80);
        let free = !wished.is_empty() && self.taken.insert(wished.clone());
        let name = if free { wished } else { name::with_hash(&wished, pointer, 80) };
        self.taken.insert(name.clone());
        self.names.insert(pointer.to_owned(), name.clone());
        name
    }
}

/// The length of a value as JSON text.
fn size(value: &Value) -> usize {
    struct Count(usize);
    impl std::io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    // Writing to a counter can't fail, and a value read from a document has text keys only.
    if serde_json::to_writer(&mut count, value).is_err() {
        return usize::MAX;
    }
    count.0
}
