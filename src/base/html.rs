//! Whole HTML pages that need no network, and text, paths and pictures made safe to stand in them.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

/// The colours of every page, light or dark as the reader's system is; on paper always light.
pub const THEME: &str = include_str!("theme.css");

/// What a path in a link keeps as it is: the unreserved characters of RFC 3986, and the slash.
const IN_PATHS: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// A page before it is text. Only `title` may hold text from outside; `style` and `body` are put in as they are.
pub struct Page<'a> {
    /// The browser's title.
    pub title: &'a str,
    /// Where its pictures may come from, as a Content-Security-Policy names it: `data:`, `'self' file: data:`.
    pub image_sources: &'a str,
    /// Whether the scripts on it may run; nothing else than pictures and scripts may load or run in any case.
    pub has_scripts: bool,
    /// CSS, after that of the theme.
    pub style: &'a str,
    /// What stands within `<body>`, with any scripts.
    pub body: &'a str,
}

impl Page<'_> {
    /// The page as text.
    pub fn to_html(&self) -> String {
        let Self { image_sources, style, body, .. } = self;
        let scripts = if self.has_scripts { "; script-src 'unsafe-inline'" } else { "" };
        let title = escaped(self.title);
        format!(
            r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src {image_sources}; style-src 'unsafe-inline'{scripts}">
<title>{title}</title>
<style>
{THEME}{style}</style>
</head>
<body>
{body}</body>
</html>
"#
        )
    }
}

/// Text as it may stand between tags and in quoted attributes.
pub fn escaped(text: &str) -> String {
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

/// JSON as it may stand within `<script>`: no text in it, such as a file name, can end the script.
pub fn json_in_script(json: &str) -> String {
    // In JSON, "<" stands only within strings, where it may be written like this.
    json.replace('<', "\\u003c")
}

/// A path as a link's text: every byte but letters, digits, `-._~` and the slash as %XX.
pub fn percent_encoded(path: &Path) -> String {
    percent_encode(path.as_os_str().as_encoded_bytes(), IN_PATHS).to_string()
}

/// Bytes in base64, with padding.
pub fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_outside_stays_text() {
        let page = Page {
            title: "</title><script>alert(1)</script> & \"more\"",
            image_sources: "data:",
            has_scripts: false,
            style: "",
            body: "",
        };
        let html = page.to_html();
        assert!(
            html.contains("<title>&lt;/title&gt;&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;more&quot;</title>")
        );
        assert!(html.contains("\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\""), "{html}");
        assert_eq!(escaped("it's <b>"), "it&#39;s &lt;b&gt;");
        assert_eq!(json_in_script(r#"{"a":"</script>"}"#), r#"{"a":"\u003c/script>"}"#);
    }

    #[test]
    fn a_path_is_encoded_byte_by_byte_and_keeps_its_slashes() {
        assert_eq!(percent_encoded(Path::new("50 % #1?/a-b._~ü.jpg")), "50%20%25%20%231%3F/a-b._~%C3%BC.jpg");
    }

    #[test]
    fn base64_is_that_of_the_standard() {
        let expected = ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"];
        for (length, expected) in expected.iter().enumerate() {
            assert_eq!(base64(&b"foobar"[..length]), *expected);
        }
    }
}
