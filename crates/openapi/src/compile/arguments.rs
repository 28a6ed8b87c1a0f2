//! Names of arguments: one flat object, whatever places the request has.
//!
//! A name that occurs in one place only stays as it is; one that occurs in several gets its place behind it
//! (`id__path`, `id__query`). Characters that some clients refuse in property names become underscores.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::{body::DeclaredBody, parameters::Parameter};
use crate::{
    name,
    request::{BodyPlan, BodyShape, ParameterPlan},
    schema::{Direction, Gatherer, Part},
    text,
};

/// Longest name of an argument; the limit of the strictest client.
const LENGTH: usize = 64;

/// The arguments of one tool while it is compiled.
pub(super) struct Arguments {
    occurrences: HashMap<String, usize>,
    taken: HashSet<String>,
    properties: Map<String, Value>,
    required: Vec<String>,
    parts: Vec<Part>,
    flat_body: bool,
}

impl Arguments {
    pub(super) fn of(parameters: &[Parameter], body: Option<&DeclaredBody>) -> Self {
        let mut occurrences = HashMap::new();
        for parameter in parameters {
            *occurrences.entry(legal(&parameter.name)).or_insert(0) += 1;
        }
        // A body's fields stand beside the parameters only if none has the name of another argument.
        let fields = body.and_then(|body| body.fields.as_ref());
        let flat_body = fields.is_some_and(|fields| {
            let mut seen = HashSet::new();
            fields.iter().all(|field| {
                let name = legal(&field.name);
                !occurrences.contains_key(&name) && seen.insert(name)
            })
        });
        if body.is_some() && !flat_body {
            *occurrences.entry("body".to_owned()).or_insert(0) += 1;
        }
        Self {
            occurrences,
            taken: HashSet::new(),
            properties: Map::new(),
            required: Vec::new(),
            parts: Vec::new(),
            flat_body,
        }
    }

    pub(super) fn parameter(&mut self, parameter: &Parameter, gatherer: &mut Gatherer<'_>) -> ParameterPlan {
        let argument = self.name(&parameter.name, parameter.location.as_str());
        let description = parameter.description.as_deref();
        self.add(&argument, &parameter.schema, description, parameter.required, gatherer);
        ParameterPlan {
            argument,
            name: parameter.name.clone(),
            location: parameter.location,
            required: parameter.required,
            encoding: parameter.encoding,
        }
    }

    pub(super) fn body(&mut self, body: DeclaredBody, gatherer: &mut Gatherer<'_>) -> BodyPlan {
        let fields = body.fields.filter(|_| self.flat_body);
        let shape = if let Some(fields) = fields {
            let mut named = Vec::new();
            for field in fields {
                let argument = self.name(&field.name, "body");
                self.add(&argument, &field.schema, None, field.required && body.required, gatherer);
                named.push((argument, field.name));
            }
            BodyShape::Fields(named)
        } else {
            let argument = self.name("body", "body");
            self.add(&argument, &body.schema, body.description.as_deref(), body.required, gatherer);
            BodyShape::Whole { argument }
        };
        BodyPlan { media_type: body.media_type, kind: body.kind, shape, required: body.required }
    }

    pub(super) fn finish(self) -> (Map<String, Value>, Vec<String>, Vec<Part>) {
        (self.properties, self.required, self.parts)
    }

    fn name(&mut self, name: &str, place: &str) -> String {
        let plain = legal(name);
        let collides = self.occurrences.get(&plain).is_some_and(|count| *count > 1);
        let wished = if collides { name::shorten(&format!("{plain}__{place}"), LENGTH) } else { plain };
        let mut argument = wished.clone();
        // Two names that differ only in refused characters, or a parameter that is really called `id__path`.
        let mut number = 2;
        while !self.taken.insert(argument.clone()) {
            argument = name::shorten(&format!("{wished}_{number}"), LENGTH);
            number += 1;
        }
        argument
    }

    fn add(
        &mut self,
        argument: &str,
        schema: &Value,
        description: Option<&str>,
        required: bool,
        gatherer: &mut Gatherer<'_>,
    ) {
        let part = gatherer.part(schema, Direction::Input);
        let mut property = part.schema.clone();
        if let (Value::Object(property), Some(description)) = (&mut property, description) {
            property.insert("description".into(), Value::String(text::clean(description, 600)));
        }
        self.properties.insert(argument.to_owned(), property);
        self.parts.push(part);
        if required {
            self.required.push(argument.to_owned());
        }
    }
}

/// `name` with characters that some clients refuse turned into underscores.
fn legal(name: &str) -> String {
    let is_legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if name.chars().all(is_legal) && name.len() <= LENGTH {
        return name.to_owned();
    }
    let plain = name::sanitise(name);
    if plain.is_empty() { name::with_hash("argument", name, LENGTH) } else { name::shorten(&plain, LENGTH) }
}
