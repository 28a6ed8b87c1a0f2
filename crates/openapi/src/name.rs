//! Names of tools: stable, safe, and short enough for every client.

use sha2::{Digest as _, Sha256};

/// Greatest length of a tool's name; some clients count the server's name into their limit of 64.
pub const NAME_LENGTH: usize = 60;

/// Length of the hash that tells shortened names apart, with its separator.
const SUFFIX: usize = 9;

/// `text` with everything outside `[a-zA-Z0-9_-]` turned into single underscores.
pub(crate) fn sanitise(text: &str) -> String {
    let mut name = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_ascii_alphanumeric() || character == '-' {
            name.push(character);
        } else if !name.ends_with('_') {
            name.push('_');
        }
    }
    name.trim_matches('_').to_owned()
}

/// `name` itself if it fits `max`, otherwise its beginning and a hash of the whole.
///
/// ```
/// assert_eq!(openapi::shorten("acme--pets--list", 60), "acme--pets--list");
/// assert_eq!(openapi::shorten(&"long".repeat(30), 20).len(), 20);
/// ```
#[must_use]
pub fn shorten(name: &str, max: usize) -> String {
    if name.len() <= max { name.to_owned() } else { with_hash(name, name, max) }
}

/// The beginning of `name` and a hash of `identity`, at most `max` long.
pub(crate) fn with_hash(name: &str, identity: &str, max: usize) -> String {
    let hash = Sha256::digest(identity.as_bytes());
    let room = max.saturating_sub(SUFFIX);
    let head: String = name.chars().take(room).collect();
    let head = head.trim_end_matches(['_', '-']);
    format!("{head}_{:02x}{:02x}{:02x}{:02x}", hash[0], hash[1], hash[2], hash[3])
}

/// The name of an operation before it is made unique.
pub(crate) fn of_operation(id: Option<&str>, method: &str, path: &str) -> String {
    if let Some(id) = id.map(sanitise).filter(|id| !id.is_empty()) {
        return id;
    }
    let mut name = method.to_owned();
    for segment in path.split('/').filter(|segment| !segment.is_empty()) {
        name.push('_');
        name.push_str(&segment.replace('{', "by_").replace('}', ""));
    }
    sanitise(&name)
}

/// Names for `operations` (wished name, identity): wishes that collide all get a hash, whichever stands first.
pub(crate) fn unique(operations: &[(String, String)]) -> Vec<String> {
    let mut wished = std::collections::HashMap::new();
    for (name, _) in operations {
        *wished.entry(shorten(name, NAME_LENGTH).to_ascii_lowercase()).or_insert(0) += 1;
    }
    let name = |(name, identity): &(String, String)| {
        let short = shorten(name, NAME_LENGTH);
        if wished[&short.to_ascii_lowercase()] > 1 { with_hash(name, identity, NAME_LENGTH) } else { short }
    };
    operations.iter().map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_from_the_id_or_from_method_and_path() {
        assert_eq!(of_operation(Some("pets.list/all"), "get", "/pets"), "pets_list_all");
        assert_eq!(of_operation(None, "get", "/pets/{petId}/photos"), "get_pets_by_petId_photos");
        assert_eq!(of_operation(Some("日本"), "get", "/"), "get");
    }

    #[test]
    fn colliding_names_all_get_a_hash_whatever_their_order() {
        let pair = |name: &str, path: &str| (name.to_owned(), path.to_owned());
        let forward = unique(&[pair("list", "get /a"), pair("List", "get /b"), pair("one", "get /c")]);
        let backward = unique(&[pair("one", "get /c"), pair("List", "get /b"), pair("list", "get /a")]);
        assert_eq!(forward[2], "one");
        assert_eq!(forward[0], backward[2]);
        assert_ne!(forward[0], forward[1]);
        assert!(forward[0].starts_with("list_"), "{}", forward[0]);
    }

    #[test]
    fn a_long_name_is_cut_and_stays_distinct() {
        let (a, b) = (format!("{}a", "x".repeat(80)), format!("{}b", "x".repeat(80)));
        assert_eq!(shorten(&a, NAME_LENGTH).len(), NAME_LENGTH);
        assert_ne!(shorten(&a, NAME_LENGTH), shorten(&b, NAME_LENGTH));
    }
}
