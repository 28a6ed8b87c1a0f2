//! What is wrong with a document, and where.

use std::{collections::HashMap, fmt};

use serde_json::{Map, Value};

use crate::{
    compile,
    document::{Dialect, Document, OperationAt, kind},
    pointer,
    request::PathTemplate,
};

/// How much a problem matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It can be served, perhaps not as it was meant.
    Warning,
    /// It can't be served as it is.
    Error,
}

/// Something wrong with a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// How much it matters.
    pub severity: Severity,
    /// Where, as a JSON pointer.
    pub pointer: String,
    /// What, as a sentence without a full stop.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = if self.pointer.is_empty() { "the document" } else { &self.pointer };
        write!(f, "{at}: {}", self.message)
    }
}

/// Problems reported at most.
const REPORTED: usize = 200;

pub(crate) fn find(document: &Document) -> Vec<Problem> {
    let mut finder = Finder { document, found: Vec::new() };
    finder.info();
    finder.paths();
    finder.operations();
    finder.references();
    finder.found
}

struct Finder<'d> {
    document: &'d Document,
    found: Vec<Problem>,
}

impl Finder<'_> {
    fn report(&mut self, severity: Severity, pointer: &str, message: impl Into<String>) {
        if self.found.len() < REPORTED {
            self.found.push(Problem { severity, pointer: pointer.to_owned(), message: message.into() });
        }
    }

    fn error(&mut self, pointer: &str, message: impl Into<String>) {
        self.report(Severity::Error, pointer, message);
    }

    fn warning(&mut self, pointer: &str, message: impl Into<String>) {
        self.report(Severity::Warning, pointer, message);
    }

    fn info(&mut self) {
        let document = self.document;
        let Some(info) = document.as_json().get("info").and_then(Value::as_object) else {
            return self.error("/info", "is missing or not an object");
        };
        for field in ["title", "version"] {
            let at = pointer::join("/info", field);
            match info.get(field) {
                Some(Value::String(text)) if !text.trim().is_empty() => {}
                Some(Value::Number(_)) => self.warning(&at, "is a number; put it in quotes"),
                Some(Value::String(_)) | None => self.error(&at, "is missing or empty"),
                Some(other) => self.error(&at, format!("is {}, not a text", kind(other))),
            }
        }
    }

    fn paths(&mut self) {
        let document = self.document;
        let root = document.as_json();
        let Some(paths) = root.get("paths") else {
            let others = ["components", "webhooks"].iter().any(|key| root.get(*key).is_some());
            if document.dialect() != Dialect::V3_1 || !others {
                self.error("/paths", "is missing");
            }
            return;
        };
        let Some(paths) = paths.as_object() else {
            return self.error("/paths", format!("is {}, not an object", kind(paths)));
        };
        let mut shapes: HashMap<String, &str> = HashMap::new();
        for (path, item) in paths.iter().filter(|(path, _)| !path.starts_with("x-")) {
            let at = pointer::join("/paths", path);
            if let Err(error) = PathTemplate::parse(path) {
                self.error(&at, error.to_string());
            } else {
                if path.contains('#') {
                    self.warning(&at, "holds a `#`; what follows it is not sent");
                }
                if let Some(other) = shapes.insert(shape(path), path) {
                    self.warning(&at, format!("can't be told from `{other}`"));
                }
            }
            match document.follow(item) {
                Some(Value::Object(_)) => {}
                Some(other) => self.error(&at, format!("is {}, not an object", kind(other))),
                None => self.error(&at, "refers to something that is not in the document"),
            }
        }
    }

    fn operations(&mut self) {
        let mut ids: HashMap<&str, String> = HashMap::new();
        let document = self.document;
        for at in document.walk() {
            let pointer = at.pointer();
            if let Some(id) = at.operation["operationId"].as_str()
                && let Some(other) = ids.insert(id, pointer.clone())
            {
                self.error(
                    &pointer::join(&pointer, "operationId"),
                    format!("`{id}` is also the id of {other}"),
                );
            }
            match at.operation.get("responses") {
                Some(Value::Object(responses)) if !responses.is_empty() => {}
                _ => self.warning(&pointer::join(&pointer, "responses"), "names no response"),
            }
            self.parameters(at, &pointer);
            self.security(at.operation.get("security"), &pointer::join(&pointer, "security"));
        }
        self.security(document.as_json().get("security"), "/security");
    }

    fn parameters(&mut self, at: OperationAt<'_>, pointer: &str) {
        let pointer = pointer::join(pointer, "parameters");
        for (index, parameter) in at.operation["parameters"].as_array().into_iter().flatten().enumerate() {
            let here = pointer::join(&pointer, &index.to_string());
            match self.document.follow(parameter) {
                Some(Value::Object(parameter)) => self.parameter(parameter, &here),
                _ => self.error(&here, "is not a parameter, nor a reference to one"),
            }
        }
        let Ok(template) = PathTemplate::parse(at.path) else { return };
        let declared = compile::declared_parameters(self.document, at);
        let in_path: Vec<&str> = declared
            .iter()
            .filter(|parameter| parameter.get("in").is_some_and(|place| place == "path"))
            .filter_map(|parameter| parameter.get("name")?.as_str())
            .collect();
        for name in template.parameters().filter(|name| !in_path.contains(name)) {
            self.warning(&pointer, format!("the path's `{name}` is not declared; any text is accepted"));
        }
        for name in in_path.iter().filter(|name| !template.parameters().any(|known| known == **name)) {
            self.warning(&pointer, format!("`{name}` is declared in the path, which has no `{{{name}}}`"));
        }
    }

    fn parameter(&mut self, parameter: &Map<String, Value>, at: &str) {
        let text = |key: &str| parameter.get(key).and_then(Value::as_str);
        if text("name").is_none_or(str::is_empty) {
            self.error(&pointer::join(at, "name"), "is missing");
        }
        let mut places = vec!["path", "query", "header"];
        places.extend(match self.document.dialect() {
            Dialect::V2_0 => ["body", "formData"].as_slice(),
            Dialect::V3_0 | Dialect::V3_1 => ["cookie"].as_slice(),
        });
        match text("in") {
            Some(place) if places.contains(&place) => {}
            Some(place) => {
                let message = format!("is `{place}`; a parameter is in {}", places.join(", "));
                self.error(&pointer::join(at, "in"), message);
            }
            None => self.error(&pointer::join(at, "in"), "is missing"),
        }
        if text("in") == Some("path") && parameter.get("required") != Some(&Value::Bool(true)) {
            self.warning(&pointer::join(at, "required"), "a parameter in the path is always required");
        }
    }

    fn security(&mut self, requirement: Option<&Value>, at: &str) {
        let schemes = compile::security_schemes(self.document);
        for (index, alternative) in requirement.and_then(Value::as_array).into_iter().flatten().enumerate() {
            for name in alternative.as_object().into_iter().flat_map(Map::keys) {
                if !schemes.contains_key(name.as_str()) {
                    let here = pointer::join(&pointer::join(at, &index.to_string()), name);
                    self.warning(&here, "no security scheme has this name");
                }
            }
        }
    }

    /// Every `$ref` of the document, found by a work list.
    fn references(&mut self) {
        let document = self.document;
        let root = document.as_json();
        let mut queue = vec![(String::new(), root, false)];
        while let Some((at, value, literal)) = queue.pop() {
            match value {
                Value::Array(items) => {
                    let items = items.iter().enumerate().rev();
                    queue.extend(
                        items.map(|(index, item)| (pointer::join(&at, &index.to_string()), item, literal)),
                    );
                }
                Value::Object(fields) => {
                    // Examples and extensions hold data, in which `$ref` is a word like any other.
                    if let (Some(Value::String(reference)), false) = (fields.get("$ref"), literal) {
                        self.reference(&pointer::join(&at, "$ref"), reference);
                    }
                    for (key, value) in fields.iter().rev() {
                        let data =
                            matches!(key.as_str(), "example" | "examples" | "default" | "enum" | "const");
                        let named = at.ends_with("/properties") || at.ends_with("/schemas");
                        let literal = literal || (!named && (data || key.starts_with("x-")));
                        if value.is_object() || value.is_array() {
                            queue.push((pointer::join(&at, key), value, literal));
                        }
                    }
                }
                _ => {}
            }
        }
    }

    fn reference(&mut self, at: &str, reference: &str) {
        let shown: String = reference.chars().take(120).collect();
        match pointer::local(reference) {
            None => {
                self.warning(
                    at,
                    format!("`{shown}` is outside the document and is not followed; anything is accepted"),
                );
            }
            Some(target) if self.document.as_json().pointer(&target).is_none() => {
                self.error(at, format!("`{shown}` is not in the document"));
            }
            Some(_) => {}
        }
    }
}

/// A path without the names of its parameters.
fn shape(path: &str) -> String {
    let mut shape = String::new();
    let mut inside = false;
    for character in path.chars() {
        match character {
            '{' => inside = true,
            '}' => {
                inside = false;
                shape.push_str("{}");
            }
            other if !inside => shape.push(other),
            _ => {}
        }
    }
    shape
}

#[cfg(test)]
mod tests {
    use crate::{Document, Limits};

    #[test]
    fn problems_name_their_place() {
        let text = "
openapi: 3.0.3
info: {title: Pets}
paths:
  pets: {}
  /pets/{id}:
    get:
      operationId: one
      security: [{nobody: []}]
      parameters:
        - {name: limit, in: body}
        - {$ref: '#/components/parameters/None'}
      responses: {200: {description: ok, content: {application/json: {schema: {$ref: '#/components/schemas/No'}}}}}
  /pets/{pet}:
    get: {operationId: one, parameters: [{name: pet, in: path}]}
";
        let document = Document::parse(text.as_bytes(), &Limits::default()).unwrap();
        let found: Vec<_> = document.problems().iter().map(ToString::to_string).collect();
        let schema = "/paths/~1pets~1{id}/get/responses/200/content/application~1json/schema/$ref";
        assert_eq!(
            found,
            [
                "/info/version: is missing or empty",
                "/paths/pets: a path begins with `/`",
                "/paths/~1pets~1{pet}: can't be told from `/pets/{id}`",
                "/paths/~1pets~1{id}/get/parameters/0/in: is `body`; a parameter is in path, query, header, cookie",
                "/paths/~1pets~1{id}/get/parameters/1: is not a parameter, nor a reference to one",
                "/paths/~1pets~1{id}/get/parameters: the path's `id` is not declared; any text is accepted",
                "/paths/~1pets~1{id}/get/security/0/nobody: no security scheme has this name",
                "/paths/~1pets~1{pet}/get/operationId: `one` is also the id of /paths/~1pets~1{id}/get",
                "/paths/~1pets~1{pet}/get/responses: names no response",
                "/paths/~1pets~1{pet}/get/parameters/0/required: a parameter in the path is always required",
                "/paths/~1pets~1{id}/get/parameters/1/$ref: `#/components/parameters/None` is not in the document",
                &format!("{schema}: `#/components/schemas/No` is not in the document"),
            ]
        );
    }
}
