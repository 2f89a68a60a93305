//! Who may ask: requests of this page itself and of programs, not those that another page has a browser make.
//!
//! A name that a stranger owns may lead to this machine (DNS rebinding): the `Host` of a request must be an address in figures,
//! `localhost` or a name that the administrator gave. A page elsewhere may send requests here (CSRF): what a browser says of their
//! origin must be this page.

use std::net::IpAddr;

use super::request::{HttpMethod, HttpRequest};
use super::response::HttpRefusal;
use super::token::PageToken;

/// The cookie that stands for the token.
pub const COOKIE: &str = "artificio_page";

/// Who may ask.
#[derive(Debug)]
pub struct AccessRules {
    /// Names besides `localhost` and addresses in figures.
    pub hosts: Vec<String>,
    /// Required where there is one.
    pub token: Option<PageToken>,
}

impl AccessRules {
    /// Whether the request comes from the page itself, or from no page at all; its token is another matter.
    pub fn check_origin(&self, request: &HttpRequest) -> Result<(), HttpRefusal> {
        let host = request.header("host").filter(|host| self.is_known(host)).ok_or_else(|| {
            HttpRefusal::new(421, "the page is not known under this name; `artificio serve --host NAME` makes it known")
        })?;
        let refused = || Err(HttpRefusal::new(403, "another page has sent this request"));
        if request.has("origin") && !request.header("origin").is_some_and(|origin| is_of_host(origin, host)) {
            return refused();
        }
        let is_own = match request.header("sec-fetch-site") {
            None => !request.has("sec-fetch-site"),
            Some(site) => ["same-origin", "none"].contains(&site),
        };
        // A link from elsewhere may open the page itself.
        let opens_page = request.method == HttpMethod::Get
            && request.path == "/"
            && request.header("sec-fetch-mode") == Some("navigate")
            && request.header("sec-fetch-dest") == Some("document");
        if is_own || opens_page { Ok(()) } else { refused() }
    }

    /// Whether the request brings the token, in a cookie or as `Authorization: Bearer TOKEN`; without a token all do.
    pub fn has_token(&self, request: &HttpRequest) -> bool {
        let Some(token) = &self.token else { return true };
        let cookies = request.header("cookie").unwrap_or_default().split(';');
        let mut values = cookies.filter_map(|cookie| cookie.trim().strip_prefix(COOKIE)?.strip_prefix('='));
        let bearer = request.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
        values.any(|value| token.is_cookie(value)) || bearer.is_some_and(|value| token.is(value))
    }

    fn is_known(&self, host: &str) -> bool {
        let name = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => name,
            _ => host,
        };
        let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
        let is_named = |known: &str| name.eq_ignore_ascii_case(known);
        bare.parse::<IpAddr>().is_ok() || is_named("localhost") || self.hosts.iter().any(|known| is_named(known))
    }
}

fn is_of_host(origin: &str, host: &str) -> bool {
    let of_scheme = |scheme| origin.strip_prefix(scheme).is_some_and(|name| name.eq_ignore_ascii_case(host));
    of_scheme("http://") || of_scheme("https://")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> AccessRules {
        AccessRules { hosts: vec!["pictures.example".into()], token: PageToken::of("a token that is long enough") }
    }

    fn request(line: &str, headers: &[&str]) -> HttpRequest {
        let text = format!("{line} HTTP/1.1\r\n{}\r\n\r\n", headers.join("\r\n"));
        HttpRequest::read(&mut text.as_bytes()).unwrap().unwrap()
    }

    fn status(line: &str, headers: &[&str]) -> u16 {
        rules().check_origin(&request(line, headers)).map_or_else(|refusal| refusal.status, |()| 200)
    }

    #[test]
    fn only_known_names_lead_here() {
        for host in ["127.0.0.1:8484", "localhost", "LOCALHOST:1", "[::1]:8484", "192.168.0.4", "pictures.example:443"]
        {
            assert_eq!(status("GET /answers", &[&format!("Host: {host}")]), 200, "{host}");
        }
        for host in ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example:8484", "", "evil.example:80:80"]
        {
            assert_eq!(status("GET /answers", &[&format!("Host: {host}")]), 421, "{host}");
        }
        assert_eq!(status("GET /", &["X: y"]), 421);
        assert_eq!(status("GET /", &["Host: localhost", "Host: localhost"]), 421);
    }

    #[test]
    fn other_pages_ask_nothing() {
        let host = "Host: localhost:8484";
        for (headers, expected) in [
            (&[host, "Origin: http://localhost:8484"][..], 200),
            (&[host, "Origin: https://localhost:8484", "Sec-Fetch-Site: same-origin"], 200),
            (&[host, "Origin: http://localhost:3000"], 403),
            (&[host, "Origin: http://evil.example"], 403),
            (&[host, "Origin: null"], 403),
            (&[host, "Origin: http://localhost:8484", "Origin: http://evil.example"], 403),
            (&[host, "Sec-Fetch-Site: cross-site"], 403),
            (&[host, "Sec-Fetch-Site: same-site"], 403),
            (&[host, "Sec-Fetch-Site: none", "Sec-Fetch-Site: cross-site"], 403),
        ] {
            assert_eq!(status("POST /ask", headers), expected, "{headers:?}");
            assert_eq!(status("GET /picture", headers), expected, "{headers:?}");
        }
        let opened = [host, "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"];
        assert_eq!((status("GET /", &opened), status("GET /answers", &opened)), (200, 403));
        let framed = [host, "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: iframe"];
        assert_eq!(status("GET /", &framed), 403);
    }

    #[test]
    fn the_token_comes_as_cookie_or_header() {
        let rules = rules();
        let cookie = rules.token.as_ref().unwrap().cookie();
        let has = |headers: &[&str]| rules.has_token(&request("GET /", headers));
        assert!(has(&[&format!("Cookie: a=b; {COOKIE}={cookie}")]));
        assert!(has(&["Authorization: Bearer a token that is long enough"]));
        for wrong in [
            "Cookie: artificio_page=",
            "Cookie: artificio_page=a token that is long enough",
            "Authorization: Bearer ",
            "X: y",
        ] {
            assert!(!has(&[wrong]), "{wrong}");
        }
        let open = AccessRules { hosts: vec![], token: None };
        assert!(open.has_token(&request("GET /", &["Host: localhost"])));
    }
}
