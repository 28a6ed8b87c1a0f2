//! Strong entity tags from digests, and the conditions that callers put on them.

use std::future::{Ready, ready};

use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    http::header::{HeaderName, HeaderValue, IF_MATCH, IF_NONE_MATCH},
};
use domain::id::Digest;

use crate::{Kind, Problem};

/// The `ETag` of content with that digest.
#[must_use]
pub fn of(digest: &Digest) -> HeaderValue {
    let tag = format!("\"{digest}\"");
    HeaderValue::from_str(&tag).unwrap_or_else(|_| HeaderValue::from_static("\"\""))
}

/// The `If-Match` of the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IfMatch(Condition);

/// The `If-None-Match` of the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IfNoneMatch(Condition);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Condition {
    Absent,
    Any,
    Tags(Vec<String>),
}

impl IfMatch {
    /// Passes if there is no condition, or if `current` fulfils it; otherwise 412.
    pub fn check(&self, current: Option<&Digest>) -> Result<(), Problem> {
        let fulfilled = match &self.0 {
            Condition::Absent => true,
            Condition::Any => current.is_some(),
            Condition::Tags(tags) => {
                current.is_some_and(|digest| tags.iter().any(|tag| tag == digest.as_str()))
            }
        };
        if fulfilled { Ok(()) } else { Err(failed("it is no longer the version that `If-Match` names")) }
    }

    /// Like [`check`](Self::check), but 428 without a condition.
    pub fn require(&self, current: Option<&Digest>) -> Result<(), Problem> {
        if self.0 == Condition::Absent {
            let detail = "send the `ETag` that you read as `If-Match`";
            return Err(Problem::new(Kind::PreconditionRequired, detail));
        }
        self.check(current)
    }
}

impl IfNoneMatch {
    /// Whether the caller has this version already, which a read answers with 304.
    #[must_use]
    pub fn has(&self, current: &Digest) -> bool {
        match &self.0 {
            Condition::Absent => false,
            Condition::Any => true,
            Condition::Tags(tags) => tags.iter().any(|tag| tag == current.as_str()),
        }
    }

    /// Passes unless the caller wants the change only if there is nothing yet, and there is; otherwise 412.
    pub fn check(&self, current: Option<&Digest>) -> Result<(), Problem> {
        match current {
            Some(digest) if self.has(digest) => Err(failed("it exists, and `If-None-Match` excludes that")),
            _ => Ok(()),
        }
    }
}

fn failed(detail: &str) -> Problem {
    Problem::new(Kind::PreconditionFailed, detail)
}

impl FromRequest for IfMatch {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        // A weak tag never matches here: the comparison is strong.
        ready(condition(request, &IF_MATCH, false).map(Self))
    }
}

impl FromRequest for IfNoneMatch {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(condition(request, &IF_NONE_MATCH, true).map(Self))
    }
}

fn condition(request: &HttpRequest, name: &HeaderName, weak: bool) -> Result<Condition, Problem> {
    let mut tags = Vec::new();
    let mut present = false;
    for value in request.headers().get_all(name) {
        present = true;
        let invalid = || Problem::new(Kind::BadRequest, format!("`{name}` is not a list of entity tags"));
        let text = value.to_str().map_err(|_| invalid())?;
        for item in text.split(',').map(str::trim).filter(|item| !item.is_empty()) {
            if item == "*" {
                return Ok(Condition::Any);
            }
            let (is_weak, quoted) = item.strip_prefix("W/").map_or((false, item), |rest| (true, rest));
            let tag = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).ok_or_else(invalid)?;
            if weak || !is_weak {
                tags.push(tag.to_owned());
            }
        }
    }
    Ok(if present { Condition::Tags(tags) } else { Condition::Absent })
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn digest() -> Digest {
        Digest::of(b"abc")
    }

    fn if_match(value: &str) -> Result<IfMatch, Problem> {
        let request = TestRequest::default().insert_header((IF_MATCH, value)).to_http_request();
        IfMatch::from_request(&request, &mut Payload::None).into_inner()
    }

    #[test]
    fn the_present_version_passes_and_an_old_one_does_not() {
        let current = of(&digest()).to_str().unwrap().to_owned();
        assert!(if_match(&current).unwrap().require(Some(&digest())).is_ok());
        assert!(if_match(&format!("\"old\", {current}")).unwrap().require(Some(&digest())).is_ok());
        for (condition, present) in
            [("\"old\"", Some(digest())), ("*", None), (&format!("W/{current}"), Some(digest()))]
        {
            let error = if_match(condition).unwrap().require(present.as_ref()).unwrap_err();
            assert_eq!(error.kind(), Kind::PreconditionFailed, "{condition}");
        }
    }

    #[test]
    fn a_change_without_a_condition_needs_one() {
        let absent = IfMatch(Condition::Absent);
        assert!(absent.check(Some(&digest())).is_ok());
        assert_eq!(absent.require(Some(&digest())).unwrap_err().kind(), Kind::PreconditionRequired);
    }

    #[test]
    fn what_is_no_tag_is_a_bad_request() {
        assert_eq!(if_match("abc").unwrap_err().kind(), Kind::BadRequest);
    }

    #[test]
    fn a_creation_may_exclude_what_exists() {
        let only_new = IfNoneMatch(Condition::Any);
        assert!(only_new.check(None).is_ok());
        assert_eq!(only_new.check(Some(&digest())).unwrap_err().kind(), Kind::PreconditionFailed);
        assert!(IfNoneMatch(Condition::Tags(vec![digest().to_string()])).has(&digest()));
    }
}
