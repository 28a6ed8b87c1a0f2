//! `policies`, of an API and of the defaults.

use std::borrow::Cow;

use domain::{
    entity::{Caching, Cors, Policies, RateLimit, RequestValidation},
    variable::Templated,
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::value::{Number, is_default};

#[derive(Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct PoliciesForm {
    /// How often it may be called.
    #[serde(skip_serializing_if = "Option::is_none")]
    rate_limiting: Option<RateLimitForm>,
    /// Which web pages may call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    cors: Option<CorsForm>,
    /// How long answers are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    caching: Option<CachingForm>,
    /// Whether calls are checked against the document.
    #[serde(skip_serializing_if = "Option::is_none")]
    request_validation: Option<ValidationForm>,
}

fn yes() -> bool {
    true
}

#[derive(Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RateLimitForm {
    /// Whether it holds.
    #[serde(default = "yes", skip_serializing)]
    enabled: bool,
    /// Calls in a minute.
    requests_per_minute: Number,
    /// Calls at once above the rate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    burst_limit: Option<Number>,
}

#[derive(Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CorsForm {
    /// Whether it holds.
    #[serde(default = "yes", skip_serializing)]
    enabled: bool,
    /// Origins of the pages.
    #[serde(default)]
    allowed_origins: OneOrMany,
    /// Methods that they may use.
    #[serde(default, skip_serializing_if = "is_default")]
    allowed_methods: OneOrMany,
    /// Headers that they may send.
    #[serde(default, skip_serializing_if = "is_default")]
    allowed_headers: OneOrMany,
    /// Seconds for which a browser remembers this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_age: Option<Number>,
}

#[derive(Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CachingForm {
    /// Whether it holds.
    #[serde(default = "yes", skip_serializing)]
    enabled: bool,
    /// Seconds.
    ttl: Number,
    /// Headers by which answers differ.
    #[serde(default, skip_serializing_if = "is_default")]
    vary_headers: OneOrMany,
}

#[derive(Debug, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ValidationForm {
    /// Whether it holds.
    #[serde(default = "yes", skip_serializing)]
    enabled: bool,
    /// Check bodies.
    #[serde(default = "yes")]
    validate_body: bool,
    /// Check parameters.
    #[serde(default = "yes")]
    validate_parameters: bool,
}

/// A list of texts; one alone may stand without brackets.
#[derive(Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
struct OneOrMany(Vec<String>);

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = OneOrMany;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a text or a list of texts")
            }

            fn visit_str<E>(self, text: &str) -> Result<OneOrMany, E> {
                Ok(OneOrMany(vec![text.to_owned()]))
            }

            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut items: A) -> Result<OneOrMany, A::Error> {
                let mut texts = Vec::new();
                while let Some(text) = items.next_element()? {
                    texts.push(text);
                }
                Ok(OneOrMany(texts))
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

impl JsonSchema for OneOrMany {
    fn schema_name() -> Cow<'static, str> {
        "OneOrMany".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }] })
    }
}

impl From<PoliciesForm> for Policies {
    fn from(form: PoliciesForm) -> Self {
        Self {
            rate_limit: form.rate_limiting.filter(|it| it.enabled).map(|it| RateLimit {
                requests_per_minute: it.requests_per_minute.0,
                burst: it.burst_limit.map(|burst| burst.0),
            }),
            cors: form.cors.filter(|it| it.enabled).map(|it| Cors {
                allowed_origins: it.allowed_origins.0,
                allowed_methods: it.allowed_methods.0,
                allowed_headers: it.allowed_headers.0,
                max_age_seconds: it.max_age.map_or(Templated::Literal(600), |age| age.0),
            }),
            caching: form
                .caching
                .filter(|it| it.enabled)
                .map(|it| Caching { ttl_seconds: it.ttl.0, vary_headers: it.vary_headers.0 }),
            request_validation: form
                .request_validation
                .filter(|it| it.enabled)
                .map(|it| RequestValidation { body: it.validate_body, parameters: it.validate_parameters }),
        }
    }
}

impl From<&Policies> for PoliciesForm {
    fn from(policies: &Policies) -> Self {
        Self {
            rate_limiting: policies.rate_limit.as_ref().map(|it| RateLimitForm {
                enabled: true,
                requests_per_minute: (&it.requests_per_minute).into(),
                burst_limit: it.burst.as_ref().map(Number::from),
            }),
            cors: policies.cors.as_ref().map(|it| CorsForm {
                enabled: true,
                allowed_origins: OneOrMany(it.allowed_origins.clone()),
                allowed_methods: OneOrMany(it.allowed_methods.clone()),
                allowed_headers: OneOrMany(it.allowed_headers.clone()),
                max_age: Some((&it.max_age_seconds).into()),
            }),
            caching: policies.caching.as_ref().map(|it| CachingForm {
                enabled: true,
                ttl: (&it.ttl_seconds).into(),
                vary_headers: OneOrMany(it.vary_headers.clone()),
            }),
            request_validation: policies.request_validation.map(|it| ValidationForm {
                enabled: true,
                validate_body: it.body,
                validate_parameters: it.parameters,
            }),
        }
    }
}
