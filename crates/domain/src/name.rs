//! Names of the things that tenants declare.
//!
//! A name is a slug: an RFC 1123 label of 2 to 40 characters without `--`, which separates the parts of
//! derived names (`{tenant}--{application}`, `stoa-{tenant}--{env}`), so that two derived names never collide.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Why a text is not a name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Shorter than 2 characters or longer than the kind allows.
    #[error("`{name}` has {length} characters; {kind} has 2 to {max}")]
    Length { kind: &'static str, name: String, length: usize, max: usize },
    /// Something other than `a-z`, `0-9` and single hyphens inside.
    #[error(
        "`{name}` is not {kind}: use lower-case letters, digits and single hyphens, starting and ending with a letter or digit"
    )]
    Characters { kind: &'static str, name: String },
    /// Looks like a UUID, which is how entities are addressed by uid.
    #[error("`{name}` looks like a UUID, which would be read as a uid")]
    UuidShaped { name: String },
    /// Kept for the platform.
    #[error("`{name}` is reserved; choose another name")]
    Reserved { name: String },
}

/// Names that nothing may take, because the platform or an outside system gives them a meaning.
const RESERVED: [&str; 6] = ["admin", "all", "default", "global", "platform", "system"];

/// First parts that the platform keeps for itself.
const RESERVED_PREFIXES: [&str; 2] = ["kube", "stoa"];

/// Environments are addressed beside APIs in some outside systems, so an API may not be called like one.
const ENVIRONMENT_WORDS: [&str; 7] = ["dev", "development", "prod", "production", "stage", "staging", "test"];

/// The name of the platform tenant, whose administrators act across tenants.
pub const PLATFORM_TENANT: &str = "stoa";

fn check_slug(kind: &'static str, max: usize, name: &str) -> Result<(), NameError> {
    let length = name.chars().count();
    if !(2..=max).contains(&length) {
        // An over-long text is cut, so that an error never repeats a megabyte of input.
        let shown = name.chars().take(60).collect();
        return Err(NameError::Length { kind, name: shown, length, max });
    }
    let legal = name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    if !legal || name.starts_with('-') || name.ends_with('-') || name.contains("--") {
        return Err(NameError::Characters { kind, name: name.to_owned() });
    }
    if uuid::Uuid::try_parse(name).is_ok() {
        return Err(NameError::UuidShaped { name: name.to_owned() });
    }
    Ok(())
}

fn check_not_reserved(name: &str) -> Result<(), NameError> {
    let prefixed = RESERVED_PREFIXES.iter().any(|prefix| name.starts_with(prefix));
    if prefixed || RESERVED.contains(&name) {
        return Err(NameError::Reserved { name: name.to_owned() });
    }
    Ok(())
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $kind:literal, $max:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schemars(extend("pattern" = "^[a-z0-9](-?[a-z0-9])*$", "minLength" = 2, "maxLength" = $max))]
        pub struct $type(String);

        impl $type {
            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $type {
            type Error = NameError;

            fn try_from(name: String) -> Result<Self, NameError> {
                check_slug($kind, $max, &name)?;
                let check: fn(&str) -> Result<(), NameError> = $check;
                check(&name)?;
                Ok(Self(name))
            }
        }

        impl FromStr for $type {
            type Err = NameError;

            fn from_str(name: &str) -> Result<Self, NameError> {
                Self::try_from(name.to_owned())
            }
        }

        impl From<$type> for String {
            fn from(name: $type) -> Self {
                name.0
            }
        }

        impl AsRef<str> for $type {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name!(
    /// A tenant; the built-in [`PLATFORM_TENANT`] is the only one that begins with `stoa`.
    TenantName,
    "a tenant name",
    40,
    |name| if name == PLATFORM_TENANT { Ok(()) } else { check_not_reserved(name) }
);
name!(
    /// An API inside its tenant.
    ApiName,
    "an API name",
    40,
    |name| {
        if ENVIRONMENT_WORDS.contains(&name) {
            return Err(NameError::Reserved { name: name.to_owned() });
        }
        check_not_reserved(name)
    }
);
name!(
    /// A deployment target such as `dev`; short, so that `stoa-{tenant}--{env}` fits a Kubernetes namespace.
    EnvironmentName,
    "an environment name",
    16,
    check_not_reserved
);
name!(
    /// A gateway inside its environment.
    GatewayName,
    "a gateway name",
    40,
    check_not_reserved
);
name!(
    /// A consumer of APIs inside its tenant.
    ApplicationName,
    "an application name",
    40,
    check_not_reserved
);
name!(
    /// A plan that subscriptions choose.
    PlanName,
    "a plan name",
    40,
    check_not_reserved
);

impl TenantName {
    /// The built-in tenant of the platform itself.
    #[must_use]
    pub fn platform() -> Self {
        Self(PLATFORM_TENANT.to_owned())
    }

    /// Whether this is the platform tenant.
    #[must_use]
    pub fn is_platform(&self) -> bool {
        self.0 == PLATFORM_TENANT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_is_a_name() {
        for name in ["ab", "a1", "payments", "petstore-v2", "x9-y8-z7"] {
            assert_eq!(ApiName::from_str(name).unwrap().to_string(), name);
        }
    }

    #[test]
    fn what_is_no_slug_is_refused_with_its_reason() {
        let reasons: Vec<String> = ["a", "Acme", "a--b", "-ab", "ab-", "a_b", "../x", "ünal"]
            .iter()
            .map(|name| TenantName::from_str(name).unwrap_err().to_string())
            .collect();
        insta::assert_snapshot!(reasons.join("\n"), @r"
        `a` has 1 characters; a tenant name has 2 to 40
        `Acme` is not a tenant name: use lower-case letters, digits and single hyphens, starting and ending with a letter or digit
        `a--b` is not a tenant name: use lower-case letters, digits and single hyphens, starting and ending with a letter or digit
        `-ab` is not a tenant name: use lower-case letters, digits and single hyphens, starting and ending with a letter or digit
        `ab-` is not a tenant name: use lower-case letters, digits and single hyphens, starting and ending with a letter or digit
        `a_b` is not a tenant name: use lower-case letters, digits and single hyphens, starting and ending with a letter or digit
        `../x` is not a tenant name: use lower-case letters, digits and single hyphens, starting and ending with a letter or digit
        `ünal` is not a tenant name: use lower-case letters, digits and single hyphens, starting and ending with a letter or digit
        ");
    }

    #[test]
    fn reserved_names_and_uuids_are_refused() {
        for name in ["system", "all", "kube-public", "stoa-x", "stoapi"] {
            assert_eq!(TenantName::from_str(name), Err(NameError::Reserved { name: name.to_owned() }));
        }
        let uuid = "0198c0de-0000-7000-8000-000000000001";
        assert_eq!(ApiName::from_str(uuid), Err(NameError::UuidShaped { name: uuid.to_owned() }));
        assert_eq!(ApiName::from_str("staging"), Err(NameError::Reserved { name: "staging".to_owned() }));
    }

    #[test]
    fn the_platform_tenant_is_a_tenant_and_nothing_else() {
        assert!(TenantName::from_str("stoa").unwrap().is_platform());
        assert!(ApiName::from_str("stoa").is_err());
    }

    #[test]
    fn an_environment_fits_a_namespace() {
        assert!(EnvironmentName::from_str("a-very-long-environment").is_err());
        assert!(EnvironmentName::from_str("staging").is_ok());
    }

    proptest::proptest! {
        #[test]
        fn parsing_what_is_displayed_gives_the_same_name(text in "[a-z0-9-]{0,45}") {
            if let Ok(name) = ApplicationName::from_str(&text) {
                let displayed = name.to_string();
                proptest::prop_assert_eq!(ApplicationName::from_str(&displayed).unwrap(), name);
            }
        }
    }
}
