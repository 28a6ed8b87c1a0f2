//! What of a call's arguments goes where in the request; decided when the document is compiled.

use serde_json::{Map, Value};

use super::{
    ArgumentError, Request,
    body::BodyPlan,
    path::{PathTemplate, is_dots},
    style::{self, Encoding},
};
use crate::tool::Method;

/// Where a parameter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Location {
    Path,
    Query,
    Header,
    Cookie,
}

impl Location {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Query => "query",
            Self::Header => "header",
            Self::Cookie => "cookie",
        }
    }
}

/// One parameter of the request and the argument that fills it.
#[derive(Clone, Debug)]
pub(crate) struct ParameterPlan {
    pub(crate) argument: String,
    pub(crate) name: String,
    pub(crate) location: Location,
    pub(crate) required: bool,
    pub(crate) encoding: Encoding,
}

/// How arguments become a request.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) template: PathTemplate,
    pub(crate) parameters: Vec<ParameterPlan>,
    pub(crate) body: Option<BodyPlan>,
    pub(crate) accept: Option<String>,
}

impl Plan {
    pub(crate) fn is_optional_parameter(&self, argument: &str) -> bool {
        self.parameters.iter().any(|parameter| parameter.argument == argument && !parameter.required)
    }

    pub(crate) fn request(
        &self,
        method: Method,
        arguments: &Map<String, Value>,
    ) -> Result<Request, ArgumentError> {
        let path = self.template.fill(|name| self.path_value(name, arguments))?;
        // A value next to literal text can complete a dot segment, so whole segments are looked at.
        if let Some(parameter) = self.first_path_parameter()
            && path.split('/').any(is_dots)
        {
            return Err(unfit(parameter, "would lead to another path"));
        }
        let mut query = String::new();
        let mut headers: Vec<(String, String)> = Vec::new();
        let mut cookies: Vec<String> = Vec::new();
        for parameter in &self.parameters {
            let Some(value) = given(parameter, arguments)? else { continue };
            match parameter.location {
                Location::Path => {}
                Location::Query => style::in_query(&mut query, &parameter.name, value, parameter.encoding),
                Location::Header => headers.push((parameter.name.clone(), header(parameter, value)?)),
                Location::Cookie => {
                    cookies.push(format!(
                        "{}={}",
                        parameter.name,
                        style::in_cookie(value, parameter.encoding)
                    ));
                }
            }
        }
        if !cookies.is_empty() {
            headers.push(("Cookie".into(), cookies.join("; ")));
        }
        if let Some(accept) = &self.accept {
            headers.push(("Accept".into(), accept.clone()));
        }
        let body = self.body.as_ref().map(|body| body.build(arguments)).transpose()?.flatten();
        Ok(Request { method, path, query: (!query.is_empty()).then_some(query), headers, body })
    }

    fn first_path_parameter(&self) -> Option<&ParameterPlan> {
        self.parameters.iter().find(|parameter| parameter.location == Location::Path)
    }

    fn path_value(&self, name: &str, arguments: &Map<String, Value>) -> Result<String, ArgumentError> {
        let here =
            |parameter: &&ParameterPlan| parameter.location == Location::Path && parameter.name == name;
        let missing = || ArgumentError::Missing { argument: name.to_owned() };
        let parameter = self.parameters.iter().find(here).ok_or_else(missing)?;
        let value = arguments.get(&parameter.argument).filter(|value| !value.is_null());
        let value = value.ok_or_else(|| ArgumentError::Missing { argument: parameter.argument.clone() })?;
        let text = style::in_path(name, value, parameter.encoding);
        if text.is_empty() {
            return Err(unfit(parameter, "must not be empty"));
        }
        let plain = style::plain(value);
        // Some servers decode a slash before they normalise, so a value may not spell a way up either.
        if plain.split(['/', '\\']).any(is_dots) {
            return Err(unfit(parameter, "would lead to another path"));
        }
        if plain.chars().any(char::is_control) {
            return Err(unfit(parameter, "must not hold control characters"));
        }
        Ok(text)
    }
}

fn unfit(parameter: &ParameterPlan, reason: &'static str) -> ArgumentError {
    ArgumentError::Unfit { argument: parameter.argument.clone(), reason }
}

fn given<'a>(
    parameter: &ParameterPlan,
    arguments: &'a Map<String, Value>,
) -> Result<Option<&'a Value>, ArgumentError> {
    match arguments.get(&parameter.argument) {
        Some(Value::Null) | None if parameter.required => {
            Err(ArgumentError::Missing { argument: parameter.argument.clone() })
        }
        Some(Value::Null) | None => Ok(None),
        value => Ok(value),
    }
}

fn header(parameter: &ParameterPlan, value: &Value) -> Result<String, ArgumentError> {
    let text = style::in_header(value, parameter.encoding);
    if text.chars().any(|character| character.is_control() && character != '\t') {
        return Err(unfit(parameter, "must not hold control characters"));
    }
    Ok(text.trim().to_owned())
}
