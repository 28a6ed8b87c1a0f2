//! Path templates: cut into parts once, filled without a way out.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Everything but RFC 3986's unreserved characters.
pub(super) const VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What may stand in the literal parts of a template, beside what is encoded already.
const LITERAL: &AsciiSet = &VALUE
    .remove(b'/')
    .remove(b'%')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=')
    .remove(b':')
    .remove(b'@');

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(String),
    Parameter(String),
}

/// A path such as `/pets/{petId}/photos`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PathTemplate(Vec<Part>);

/// Why a text is not a template that can be served.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TemplateError {
    #[error("a path begins with `/`")]
    NoSlash,
    #[error("a brace is not closed, or closed without being opened")]
    Braces,
    #[error("a path has no `.` or `..` segments and no `?`")]
    Segments,
}

impl PathTemplate {
    pub(crate) fn parse(path: &str) -> Result<Self, TemplateError> {
        if !path.starts_with('/') {
            return Err(TemplateError::NoSlash);
        }
        // Some documents tell operations of one path apart by a fragment, which is never sent.
        let path = path.split('#').next().unwrap_or(path);
        if path.contains('?') || path.split('/').any(is_dots) {
            return Err(TemplateError::Segments);
        }
        let mut parts = Vec::new();
        let mut rest = path;
        while let Some(open) = rest.find('{') {
            let (literal, tail) = rest.split_at(open);
            let close = tail.find('}').ok_or(TemplateError::Braces)?;
            let name = &tail[1..close];
            if literal.contains('}') || name.is_empty() || name.contains(['{', '/']) {
                return Err(TemplateError::Braces);
            }
            parts.push(Part::Literal(utf8_percent_encode(literal, LITERAL).to_string()));
            parts.push(Part::Parameter(name.to_owned()));
            rest = &tail[close + 1..];
        }
        if rest.contains('}') {
            return Err(TemplateError::Braces);
        }
        parts.push(Part::Literal(utf8_percent_encode(rest, LITERAL).to_string()));
        Ok(Self(parts))
    }

    pub(crate) fn parameters(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            Part::Parameter(name) => Some(name.as_str()),
            Part::Literal(_) => None,
        })
    }

    /// The path with every parameter replaced by what `value` gives for it, which is encoded already.
    pub(super) fn fill<E>(&self, mut value: impl FnMut(&str) -> Result<String, E>) -> Result<String, E> {
        let mut path = String::new();
        for part in &self.0 {
            match part {
                Part::Literal(text) => path.push_str(text),
                Part::Parameter(name) => path.push_str(&value(name)?),
            }
        }
        Ok(path)
    }
}

/// Whether a segment means another directory, in any spelling that a server may decode.
pub(super) fn is_dots(segment: &str) -> bool {
    let plain = segment.to_ascii_lowercase().replace("%2e", ".");
    plain == "." || plain == ".."
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_cut_at_its_braces_or_refused() {
        let template = PathTemplate::parse("/a b/{x}.{y}/c").unwrap();
        assert_eq!(template.parameters().collect::<Vec<_>>(), ["x", "y"]);
        let filled = template.fill(|name| Ok::<_, ()>(format!("<{name}>"))).unwrap();
        assert_eq!(filled, "/a%20b/<x>.<y>/c");
        for (path, error) in [
            ("a", TemplateError::NoSlash),
            ("/{a", TemplateError::Braces),
            ("/a}", TemplateError::Braces),
            ("/{}", TemplateError::Braces),
            ("/{a/b}", TemplateError::Braces),
            ("/a/../b", TemplateError::Segments),
            ("/a/%2E%2e/b", TemplateError::Segments),
            ("/a?b", TemplateError::Segments),
            ("/..#b", TemplateError::Segments),
        ] {
            assert_eq!(PathTemplate::parse(path), Err(error), "{path}");
        }
    }
}
