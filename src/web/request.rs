//! The head of a request, read within bounds, and its body.

use std::io::{self, Read};

use percent_encoding::percent_decode_str;

use super::connection::WebConnection;
use super::response::HttpRefusal;

/// A browser's head has one or two kilobytes.
const LONGEST_HEAD_BYTES: usize = 16 << 10;
const MOST_HEADERS: usize = 64;
const TOO_LONG: &str = "the request's head is too long";

/// The methods that are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HttpMethod {
    /// `GET`
    Get,
    /// `HEAD`: the same without the body.
    Head,
    /// `POST`
    Post,
}

/// A request without its body.
#[derive(Debug)]
pub struct HttpRequest {
    /// Its method.
    pub method: HttpMethod,
    /// Its path, decoded.
    pub path: String,
    /// Bytes of its body.
    pub length: u64,
    parameters: Vec<(String, String)>,
    /// Names in small letters.
    headers: Vec<(String, String)>,
    /// What came of the body with the head.
    body_begin: Vec<u8>,
}

impl HttpRequest {
    /// Reads a head; `None` when the other side has closed the connection before the first byte.
    ///
    /// # Errors
    /// With the response.
    pub fn read(connection: &mut impl Read) -> Result<Option<Self>, HttpRefusal> {
        let mut bytes = Vec::with_capacity(2 << 10);
        let mut buffer = [0; 2 << 10];
        loop {
            match connection.read(&mut buffer) {
                Ok(0) if bytes.is_empty() => return Ok(None),
                Ok(0) => return Err(HttpRefusal::new(400, "the request ended early")),
                Ok(count) => bytes.extend_from_slice(&buffer[..count]),
                Err(_) if bytes.is_empty() => return Ok(None),
                Err(_) => return Err(HttpRefusal::new(408, "the request took too long")),
            }
            if let Some(request) = Self::parse(&bytes)? {
                return Ok(Some(request));
            }
            if bytes.len() > LONGEST_HEAD_BYTES {
                return Err(HttpRefusal::new(431, TOO_LONG));
            }
        }
    }

    /// The request that `bytes` begin with; `None` when its head is not whole.
    fn parse(bytes: &[u8]) -> Result<Option<Self>, HttpRefusal> {
        let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
        let mut head = httparse::Request::new(&mut headers);
        let wrong = |_| HttpRefusal::new(400, "the request cannot be understood");
        let httparse::Status::Complete(end) = head.parse(bytes).map_err(wrong)? else { return Ok(None) };
        if end > LONGEST_HEAD_BYTES {
            return Err(HttpRefusal::new(431, TOO_LONG));
        }
        let method = match head.method {
            Some("GET") => HttpMethod::Get,
            Some("HEAD") => HttpMethod::Head,
            Some("POST") => HttpMethod::Post,
            _ => return Err(HttpRefusal::new(405, "only GET, HEAD and POST are answered")),
        };
        let (path, query) = target(head.path.unwrap_or_default())?;
        let headers = head.headers.iter().map(|header| {
            let value = std::str::from_utf8(header.value).map_err(|_| HttpRefusal::new(400, "a header is not text"))?;
            Ok((header.name.to_ascii_lowercase(), value.trim().to_string()))
        });
        let headers = headers.collect::<Result<_, HttpRefusal>>()?;
        let mut request =
            Self { method, path, length: 0, parameters: parameters(query), headers, body_begin: bytes[end..].to_vec() };
        request.length = request.stated_length()?;
        Ok(Some(request))
    }

    fn stated_length(&self) -> Result<u64, HttpRefusal> {
        if self.header("transfer-encoding").is_some() || self.count("transfer-encoding") > 0 {
            return Err(HttpRefusal::new(411, "a request must say how long it is (Content-Length)"));
        }
        match (self.count("content-length"), self.header("content-length")) {
            (0, _) => Ok(0),
            // A sign would be read as part of a number.
            (1, Some(length)) if length.bytes().all(|digit| digit.is_ascii_digit()) => {
                length.parse().map_err(|_| HttpRefusal::new(413, "the request is too long"))
            }
            _ => Err(HttpRefusal::new(400, "the request's length cannot be understood")),
        }
    }

    fn count(&self, name: &str) -> usize {
        self.headers.iter().filter(|(found, _)| found == name).count()
    }

    /// A header that is there once; its name in small letters.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(found, _)| found == name).map(|(_, value)| value.as_str());
        values.next().filter(|_| values.next().is_none())
    }

    /// Whether a header is there, once or more.
    pub fn has(&self, name: &str) -> bool {
        self.count(name) > 0
    }

    /// A value in the address.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// Its body, of the stated length.
    pub fn body<'a>(&'a self, connection: &'a mut WebConnection) -> impl Read + 'a {
        connection.begin_part();
        self.body_begin.as_slice().chain(connection).take(self.length)
    }

    /// Its body as text, of `most` bytes at most.
    ///
    /// # Errors
    /// It is longer, does not come, or is no text.
    pub fn text(&self, connection: &mut WebConnection, most: u64) -> Result<String, HttpRefusal> {
        if self.length > most {
            return Err(HttpRefusal::new(413, "the request is too long"));
        }
        let mut text = String::new();
        let read: io::Result<usize> = self.body(connection).read_to_string(&mut text);
        read.map(|_| text).map_err(|_| HttpRefusal::new(400, "the request ended early"))
    }
}

/// Path and query of a request's target.
fn target(target: &str) -> Result<(String, &str), HttpRefusal> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let decoded = percent_decode_str(path).decode_utf8();
    match decoded {
        Ok(decoded) if path.starts_with('/') => Ok((decoded.into_owned(), query)),
        _ => Err(HttpRefusal::new(400, "the address cannot be understood")),
    }
}

/// The values of a query or of a form.
pub fn parameters(query: &str) -> Vec<(String, String)> {
    let decoded = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Option<HttpRequest>, u16> {
        HttpRequest::read(&mut text.as_bytes()).map_err(|refusal| refusal.status)
    }

    #[test]
    fn a_request_is_understood() {
        let text = "GET /answers?text=a%20b+c&n=1 HTTP/1.1\r\nHost: localhost:1\r\nX-A:  b \r\n\r\n";
        let request = read(text).unwrap().unwrap();
        assert_eq!((request.method, request.path.as_str(), request.length), (HttpMethod::Get, "/answers", 0));
        assert_eq!((request.parameter("text"), request.parameter("no")), (Some("a b c"), None));
        assert_eq!((request.header("host"), request.header("x-a")), (Some("localhost:1"), Some("b")));
        assert!(read("").unwrap().is_none());
    }

    #[test]
    fn what_two_readers_could_understand_differently_is_refused() {
        let post = |headers: &str| read(&format!("POST /ask HTTP/1.1\r\nHost: a\r\n{headers}\r\n")).map(|_| ());
        assert_eq!(post("Content-Length: 5\r\n"), Ok(()));
        for (headers, status) in [
            ("Transfer-Encoding: chunked\r\n", 411),
            ("Transfer-Encoding: a\r\nTransfer-Encoding: b\r\n", 411),
            ("Content-Length: 5\r\nContent-Length: 6\r\n", 400),
            ("Content-Length: +5\r\n", 400),
            ("Content-Length: 99999999999999999999\r\n", 413),
        ] {
            assert_eq!(post(headers), Err(status), "{headers}");
        }
        let long = format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "a".repeat(LONGEST_HEAD_BYTES));
        assert_eq!(read(&long).map(|_| ()), Err(431));
        let many = format!("GET / HTTP/1.1\r\n{}\r\n", "X: a\r\n".repeat(MOST_HEADERS + 1));
        for (text, status) in [
            (many.as_str(), 400),
            ("GET http://a/ HTTP/1.1\r\n\r\n", 400),
            ("GET /%ff HTTP/1.1\r\n\r\n", 400),
            ("PUT / HTTP/1.1\r\n\r\n", 405),
            ("GET / HTTP/1.1\r\nHost: a", 400),
            ("\x16\x03\x01 tls", 400),
        ] {
            assert_eq!(read(text).map(|_| ()), Err(status), "{text:?}");
        }
    }
}
