//! Types that a setting can have.

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use domain::name::{ApiName, ApplicationName, EnvironmentName, GatewayName, PlanName, TenantName};
use jiff::SignedDuration;
use secrecy::SecretString;
use url::Url;

/// A type that a setting can have.
pub trait Setting: Sized {
    /// A value must never appear in a message.
    const SECRET: bool = false;

    /// The value that `text` stands for.
    fn parse(text: &str) -> Result<Self, Invalid>;
}

/// What was expected instead of a text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}")]
pub struct Invalid {
    expected: String,
}

impl Invalid {
    /// Completes the sentence "expected …".
    pub fn expected(what: impl Into<String>) -> Self {
        Self { expected: what.into() }
    }
}

macro_rules! parsed {
    ($($type:ty: $expected:literal),+ $(,)?) => {
        $(impl Setting for $type {
            fn parse(text: &str) -> Result<Self, Invalid> {
                text.parse().map_err(|error| Invalid::expected(format!("{}: {error}", $expected)))
            }
        })+
    };
}

parsed! {
    u16: "a number", u32: "a number", u64: "a number", usize: "a number", i64: "a number", f64: "a number",
    IpAddr: "an IP address", SocketAddr: "an address such as `127.0.0.1:8000`",
    Url: "a URL such as `https://example.org`",
    ApiName: "the name of an API", ApplicationName: "the name of an application",
    EnvironmentName: "the name of an environment", GatewayName: "the name of a gateway",
    PlanName: "the name of a plan", TenantName: "the name of a tenant",
}

impl Setting for String {
    fn parse(text: &str) -> Result<Self, Invalid> {
        Ok(text.to_owned())
    }
}

impl Setting for PathBuf {
    fn parse(text: &str) -> Result<Self, Invalid> {
        Ok(Self::from(text))
    }
}

impl Setting for SecretString {
    const SECRET: bool = true;

    fn parse(text: &str) -> Result<Self, Invalid> {
        Ok(Self::from(text))
    }
}

impl Setting for bool {
    fn parse(text: &str) -> Result<Self, Invalid> {
        match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "1" => Ok(true),
            "false" | "no" | "off" | "0" => Ok(false),
            _ => Err(Invalid::expected("`true` or `false`")),
        }
    }
}

impl Setting for Duration {
    fn parse(text: &str) -> Result<Self, Invalid> {
        let invalid = || Invalid::expected("a duration such as `30s`, `500ms` or `1h 30m`");
        let signed: SignedDuration = text.parse().map_err(|_| invalid())?;
        signed.try_into().map_err(|_| invalid())
    }
}

impl<T: Setting> Setting for Vec<T> {
    const SECRET: bool = T::SECRET;

    fn parse(text: &str) -> Result<Self, Invalid> {
        text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(T::parse).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_need_a_unit() {
        assert_eq!(Duration::parse("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(Duration::parse("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(Duration::parse("1h 30m"), Ok(Duration::from_mins(90)));
        for text in ["30", "soon", "-5s", ""] {
            assert!(Duration::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn lists_are_separated_by_commas() {
        assert_eq!(Vec::<u16>::parse("1, 2,,3,"), Ok(vec![1, 2, 3]));
        assert!(Vec::<u16>::parse("1,two").is_err());
    }

    #[test]
    fn flags_have_several_spellings() {
        assert_eq!((bool::parse("TRUE"), bool::parse("off")), (Ok(true), Ok(false)));
        assert_eq!(bool::parse("maybe"), Err(Invalid::expected("`true` or `false`")));
    }
}
