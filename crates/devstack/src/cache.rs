//! Where fetched servers lie: outside any data directory and any clone, shared by all of them.

use std::{ffi::OsString, path::PathBuf};

/// `${STOA_CACHE_DIR:-${XDG_CACHE_HOME:-~/.cache}/stoa}/servers`; nothing if none of them is known.
#[must_use]
pub fn servers() -> Option<PathBuf> {
    servers_from(|name| std::env::var_os(name))
}

fn servers_from(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("STOA_CACHE_DIR")
        .or_else(|| Some(set("XDG_CACHE_HOME")?.join("stoa")))
        .or_else(|| Some(set("HOME")?.join(".cache/stoa")))
        .map(|cache| cache.join("servers"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_setting_wins() {
        let with = |set: &[(&str, &str)]| {
            let set: Vec<(String, OsString)> =
                set.iter().map(|(name, value)| ((*name).to_owned(), OsString::from(value))).collect();
            servers_from(|name| set.iter().find(|(n, _)| n == name).map(|(_, value)| value.clone()))
                .map(|path| path.display().to_string())
        };
        assert_eq!(with(&[]), None);
        assert_eq!(with(&[("HOME", "/h")]).as_deref(), Some("/h/.cache/stoa/servers"));
        assert_eq!(with(&[("HOME", "/h"), ("XDG_CACHE_HOME", "/x")]).as_deref(), Some("/x/stoa/servers"));
        assert_eq!(
            with(&[("XDG_CACHE_HOME", "/x"), ("STOA_CACHE_DIR", "/c")]).as_deref(),
            Some("/c/servers")
        );
    }
}
