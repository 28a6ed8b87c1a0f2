//! The page where a person confirms a sign-in.

use super::people::User;

/// Asks for the code; `note` says why it is asked again.
pub(super) fn ask(note: &str) -> String {
    let note =
        if note.is_empty() { String::new() } else { format!("<p role=\"alert\">{}</p>", escaped(note)) };
    frame(&format!(
        "{note}<form method=\"get\" action=\"/activate\">\
         <label>The code that your terminal shows <input name=\"user_code\" autocomplete=\"off\" autofocus required></label>\
         <button>Go on</button></form>"
    ))
}

/// Lets a person choose who to be.
pub(super) fn choose<'a>(user_code: &str, form_key: &str, users: impl Iterator<Item = &'a User>) -> String {
    let options = users.map(option).collect::<Vec<_>>().concat();
    frame(&format!(
        "<p>A program asks to sign in. Go on only if you started it and it shows <strong>{code}</strong>.</p>\
         <form method=\"post\" action=\"/activate\">\
         <input type=\"hidden\" name=\"user_code\" value=\"{code}\">\
         <input type=\"hidden\" name=\"form_key\" value=\"{key}\">\
         <label>As <select name=\"username\">{options}</select></label>\
         <button name=\"decision\" value=\"allow\">Sign in</button>\
         <button name=\"decision\" value=\"deny\">Refuse</button></form>",
        code = escaped(user_code),
        key = escaped(form_key),
    ))
}

fn option(user: &User) -> String {
    let (name, tenant) = (escaped(&user.username), escaped(user.tenant.as_str()));
    let (first, last) = (escaped(&user.name.0), escaped(&user.name.1));
    let roles = escaped(&user.roles.join(", "));
    format!("<option value=\"{name}\">{name} ({first} {last}; {tenant}: {roles})</option>")
}

/// Says what came of it.
pub(super) fn say(text: &str) -> String {
    frame(&format!("<p>{}</p>", escaped(text)))
}

fn frame(body: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>Sign in to STOA</title>\
         <style>body{{font:1.1rem/1.5 system-ui;max-width:36rem;margin:4rem auto;padding:0 1rem}}\
         input,select,button{{font:inherit;margin:.5rem .5rem 0 0}}</style></head>\
         <body><h1>Sign in to STOA</h1>{body}</body></html>\n"
    )
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_are_called_is_text() {
        let mut user = User::of(&"demo".parse().unwrap(), "ada", "Ada", "viewer");
        user.name.1 = "\"><script>'&".to_owned();
        let page = choose("AAAA-BBBB", "key", [&user].into_iter());
        assert!(page.contains("(Ada &quot;&gt;&lt;script&gt;&#39;&amp;; demo: viewer)"), "{page}");
        assert!(say("<b>").contains("<p>&lt;b&gt;</p>") && ask("<b>").contains("&lt;b&gt;"));
    }
}
