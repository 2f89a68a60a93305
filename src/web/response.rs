//! Responses, each with the headers that keep other pages from using this one.

use std::fs::File;
use std::io::{self, Read, Write};

use serde::Serialize;

use super::connection::WebConnection;

/// Scripts, styles and pictures of its own only; pictures that the page has made itself (`blob:`); nothing else, and no frames.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; \
    base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// What a response carries.
enum Content {
    Bytes(Vec<u8>),
    File(File, u64),
}

/// A response.
pub struct WebResponse {
    status: u16,
    kind: &'static str,
    policy: &'static str,
    headers: Vec<(&'static str, String)>,
    content: Content,
}

impl WebResponse {
    /// Bytes of this media type.
    pub fn bytes(kind: &'static str, bytes: impl Into<Vec<u8>>) -> Self {
        Self { status: 200, kind, policy: POLICY, headers: Vec::new(), content: Content::Bytes(bytes.into()) }
    }

    /// A file of so many bytes.
    pub fn file(kind: &'static str, file: File, bytes: u64) -> Self {
        Self { content: Content::File(file, bytes), ..Self::bytes(kind, Vec::new()) }
    }

    /// JSON.
    pub fn json(value: &impl Serialize) -> Self {
        // Texts, numbers and lists always have a JSON form.
        Self::bytes("application/json", serde_json::to_vec(value).unwrap_or_default())
    }

    /// ... with another status.
    pub fn with_status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    /// ... under another Content-Security-Policy.
    pub fn under(self, policy: &'static str) -> Self {
        Self { policy, ..self }
    }

    /// ... with one more header, whose value must hold no line break.
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Writes it, its body only where `has_body`.
    pub fn write(self, connection: &mut WebConnection, has_body: bool) -> io::Result<()> {
        let length = match &self.content {
            Content::Bytes(bytes) => bytes.len() as u64,
            Content::File(_, bytes) => *bytes,
        };
        connection.begin_part();
        let head = self.head(&format!("Content-Length: {length}\r\n"));
        connection.write_all(head.as_bytes())?;
        match self.content {
            _ if !has_body => Ok(()),
            Content::Bytes(bytes) => connection.write_all(&bytes),
            Content::File(file, bytes) => io::copy(&mut file.take(bytes), connection).map(|_| ()),
        }
    }

    /// Writes the head of a response that has no end.
    pub fn begin(&self, connection: &mut WebConnection) -> io::Result<()> {
        connection.write_all(self.head("").as_bytes())
    }

    fn head(&self, length: &str) -> String {
        let Self { status, kind, policy, headers, .. } = self;
        let mut head = format!(
            "HTTP/1.1 {status} {}\r\nContent-Type: {kind}\r\n{length}Connection: close\r\n\
             Content-Security-Policy: {policy}\r\nX-Content-Type-Options: nosniff\r\nX-Frame-Options: DENY\r\n\
             Referrer-Policy: no-referrer\r\nCross-Origin-Resource-Policy: same-origin\r\n\
             Cross-Origin-Opener-Policy: same-origin\r\n",
            phrase(*status)
        );
        if !headers.iter().any(|(name, _)| *name == "Cache-Control") {
            head += "Cache-Control: no-store\r\n";
        }
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        head + "\r\n"
    }
}

/// Why a request is not answered: a status, and a sentence for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpRefusal {
    /// HTTP status.
    pub status: u16,
    /// What happened and what to do.
    pub message: String,
}

impl HttpRefusal {
    /// With this status and these words.
    pub fn new(status: u16, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }

    /// There is no such thing.
    pub fn not_found() -> Self {
        Self::new(404, "this is not here (any more)")
    }

    /// Others are served at the moment.
    pub fn busy(message: &str) -> Self {
        Self::new(503, message)
    }

    /// As a response.
    pub fn response(&self) -> WebResponse {
        WebResponse::json(&serde_json::json!({ "message": self.message })).with_status(self.status)
    }
}

fn phrase(status: u16) -> &'static str {
    match status {
        200 => "OK",
        303 => "See Other",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        409 => "Conflict",
        411 => "Length Required",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        421 => "Misdirected Request",
        431 => "Request Header Fields Too Large",
        503 => "Service Unavailable",
        507 => "Insufficient Storage",
        _ => "Internal Server Error",
    }
}
