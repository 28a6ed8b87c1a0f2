//! Where a request goes: never anywhere else than below the backend's address.

use url::Url;
use web::{Kind, Problem};

/// `tenant/api` and what follows, as they were written.
pub(super) fn split(path: &str) -> Option<(&str, &str)> {
    let path = path.strip_prefix("/apis/")?;
    let tenant = path.find('/')?;
    let end = path[tenant + 1..].find('/').map_or(path.len(), |at| tenant + 1 + at);
    Some(path.split_at(end))
}

/// The address on the backend.
///
/// Whatever a server on the way may decode to another directory is refused, rather than resolved.
pub(super) fn join(base: &Url, rest: &str, query: Option<&str>) -> Result<Url, Problem> {
    let refused = |detail: &str| Problem::new(Kind::BadRequest, detail);
    if !is_encoded(rest) {
        return Err(refused("the path is not percent-encoded as it should be"));
    }
    // Twice, because some servers decode twice; and a backslash is a slash to some.
    let mut decoded = rest.to_ascii_lowercase();
    for _ in 0..2 {
        decoded = decoded.replace("%25", "%").replace("%2e", ".").replace("%2f", "/").replace("%5c", "\\");
    }
    let climbs = decoded.split(['/', '\\']).any(|segment| {
        let name = segment.split(';').next().unwrap_or(segment);
        name == "." || name == ".."
    });
    if climbs || decoded.contains("%00") {
        return Err(refused("the path has a segment that leads elsewhere"));
    }
    let prefix = base.path().trim_end_matches('/');
    let wanted = if rest.is_empty() { format!("{prefix}/") } else { format!("{prefix}{rest}") };
    let mut url = base.clone();
    url.set_fragment(None);
    url.set_path(&wanted);
    url.set_query(query);
    let inside = url.path().strip_prefix(prefix).is_some_and(|rest| rest.starts_with('/'));
    if url.origin() != base.origin() || !inside {
        return Err(refused("the path leads out of the API"));
    }
    Ok(url)
}

/// Whether every `%` begins an escape.
fn is_encoded(path: &str) -> bool {
    let bytes = path.as_bytes();
    let escape =
        |at: usize| bytes.get(at + 1..at + 3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit));
    bytes.iter().enumerate().all(|(at, byte)| *byte != b'%' || escape(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_cut_after_the_api() {
        assert_eq!(split("/apis/acme/pets"), Some(("acme/pets", "")));
        assert_eq!(split("/apis/acme/pets/"), Some(("acme/pets", "/")));
        assert_eq!(split("/apis/acme/pets/v1//x%2Fy"), Some(("acme/pets", "/v1//x%2Fy")));
        assert_eq!(split("/apis/acme"), None);
    }

    #[test]
    fn what_follows_lands_below_the_backend_as_it_was_written() {
        let base = Url::parse("http://backend:9/base/").unwrap();
        let join = |rest, query| join(&base, rest, query).map(String::from);
        assert_eq!(join("", None).unwrap(), "http://backend:9/base/");
        assert_eq!(
            join("/a%20b/c%2Fd", Some("q=%26x&y")).unwrap(),
            "http://backend:9/base/a%20b/c%2Fd?q=%26x&y"
        );
        assert_eq!(join("//x.example/..a", None).unwrap(), "http://backend:9/base//x.example/..a");
    }

    #[test]
    fn a_path_that_leads_elsewhere_is_refused() {
        let base = Url::parse("http://backend:9/base/").unwrap();
        for rest in [
            "/..",
            "/../secret",
            "/a/../../b",
            "/%2e%2e/x",
            "/.%2E/x",
            "/a/..%2f..%2fb",
            "/..%5cx",
            "/..\\x",
            "/%252e%252e/x",
            "/..;a=b/x",
            "/x%00",
            "/x%",
            "/x%zz",
            "/.",
        ] {
            assert_eq!(join(&base, rest, None).unwrap_err().kind(), Kind::BadRequest, "{rest}");
        }
    }
}
