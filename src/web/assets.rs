//! The page itself: files that are part of the program.

use super::response::WebResponse;
use crate::base::html::THEME;

const PAGE: &str = include_str!("page/page.html");
const LOGIN: &str = include_str!("page/login.html");
const STYLE: &str = include_str!("page/page.css");
const SCRIPTS: [(&str, &str); 4] = [
    ("/page/main.js", include_str!("page/main.js")),
    ("/page/answer.js", include_str!("page/answer.js")),
    ("/page/crop.js", include_str!("page/crop.js")),
    ("/page/parts.js", include_str!("page/parts.js")),
];
const ICON: &str = include_str!("page/icon.svg");
const HTML: &str = "text/html; charset=utf-8";

/// The page.
pub fn page() -> WebResponse {
    WebResponse::bytes(HTML, PAGE)
}

/// The page that asks for the token.
pub fn login(status: u16) -> WebResponse {
    WebResponse::bytes(HTML, LOGIN).with_status(status)
}

/// A file of the page.
pub fn asset(path: &str) -> Option<WebResponse> {
    if path == "/page/page.css" {
        return Some(WebResponse::bytes("text/css; charset=utf-8", format!("{THEME}{STYLE}")));
    }
    if path == "/page/icon.svg" {
        return Some(WebResponse::bytes("image/svg+xml", ICON));
    }
    let script = SCRIPTS.iter().find(|(name, _)| *name == path);
    script.map(|(_, text)| WebResponse::bytes("text/javascript; charset=utf-8", *text))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The policy allows neither; a browser would show the page without them.
    #[test]
    fn the_page_has_nothing_inline_and_asks_for_nothing_from_outside() {
        for html in [PAGE, LOGIN] {
            for refused in ["<style", " style=", "<script>", " onclick=", "javascript:", "http:", "https:", "//"] {
                assert!(!html.contains(refused), "{refused}");
            }
        }
        for (path, script) in SCRIPTS {
            assert!(asset(path).is_some());
            for refused in [
                "innerHTML",
                "insertAdjacentHTML",
                "document.write",
                "eval(",
                "http:",
                "https:",
                ".setAttribute(\"style\"",
            ] {
                assert!(!script.contains(refused), "{path}: {refused}");
            }
        }
        let links: Vec<&str> = PAGE.split('"').filter(|part| part.starts_with("/page/")).collect();
        assert!(links.len() > 1 && links.iter().all(|link| asset(link).is_some()), "{links:?}");
        assert!(asset("/page/../secret").is_none());
    }
}
