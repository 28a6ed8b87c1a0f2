//! Descriptions made fit for a model: plain, bounded, without hidden characters.

/// `text` without markup tags and invisible characters, at most `max` characters long.
pub(crate) fn clean(text: &str, max: usize) -> String {
    let mut out = String::with_capacity(text.len().min(max * 2));
    let mut length = 0;
    let mut newlines = 0;
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        if character == '<'
            && let Some(end) = tag_length(rest)
        {
            rest = &rest[end..];
            continue;
        }
        rest = &rest[character.len_utf8()..];
        if is_hidden(character) {
            continue;
        }
        newlines = if character == '\n' { newlines + 1 } else { 0 };
        if newlines > 2 || (length == 0 && character.is_whitespace()) {
            continue;
        }
        if length == max {
            out.push('…');
            break;
        }
        out.push(character);
        length += 1;
    }
    out.trim_end().to_owned()
}

/// The length of the markup tag at the beginning of `text`, if one stands there.
fn tag_length(text: &str) -> Option<usize> {
    let mut characters = text.bytes().skip(1);
    let first = characters.next()?;
    if !(first.is_ascii_alphabetic() || matches!(first, b'/' | b'!')) {
        return None;
    }
    let window = &text.as_bytes()[..text.len().min(1_000)];
    let end = window.iter().position(|&byte| byte == b'>')?;
    // `<https://example.org>` is an address, and `a < b && c > d` is not a tag.
    let inside = &window[1..end];
    let name_end = inside.iter().position(|&byte| byte == b' ').unwrap_or(inside.len());
    (!inside[..name_end].contains(&b':') && !inside.contains(&b'<')).then_some(end + 1)
}

/// Control, zero-width, direction and tag characters: a person doesn't see them, a model reads them.
fn is_hidden(character: char) -> bool {
    (character.is_control() && !matches!(character, '\n' | '\t'))
        || matches!(character, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(character, '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_and_hidden_characters_go_and_the_rest_stays() {
        assert_eq!(
            clean("  <p>Lists <b>pets</b>\u{200b}</p>\n\n\n\nif a < b", 100),
            "Lists pets\n\nif a < b"
        );
        assert_eq!(clean("see <https://example.org>", 100), "see <https://example.org>");
        assert_eq!(clean("abcdef", 3), "abc…");
    }
}
