//! Calls of Milvus's methods: gRPC, which is a message in a frame of five bytes over HTTP/2.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use prost::Message;

use super::http2::{Http2Connection, Http2Reply};
use super::wire::{WireReply, WireStatus};
use crate::engine::EngineError;
use crate::error::{Trouble, reason};

/// Milvus's codes: of a collection that is not there, of an alias that names none.
const NO_COLLECTION: [i32; 2] = [100, 1600];
/// The same before 2.3: `CollectionNotExists`, `CollectionNameNotFound`.
const NO_COLLECTION_FORMERLY: [i32; 2] = [4, 28];
/// A request that is wrong in itself, and one that may not be made.
const WRONG: [std::ops::Range<i32>; 2] = [1100..1200, 1400..1500];
/// The same of gRPC: an argument, a permission, a method that is not there, who asks.
const WRONG_OF_GRPC: [&str; 4] = ["3", "7", "12", "16"];
/// Connections that are kept for later calls.
const MOST_IDLE: usize = 8;
/// Before the message: whether it is compressed, and its length.
const PREFIX_BYTES: usize = 5;

/// Where a Milvus is, and how one gets in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MilvusAccess {
    /// `http://`, host and port.
    pub url: String,
    /// The file with `user:password` or a token; empty: none is needed.
    pub token_file: PathBuf,
    /// What the names of collections begin with.
    pub prefix: String,
    /// A call that takes longer has failed.
    pub timeout: Duration,
    /// The same for a search.
    pub search_timeout: Duration,
}

/// The way to a Milvus. Connections are made when they are needed, and made again when they broke.
#[derive(Debug)]
pub struct MilvusConnection {
    authority: String,
    /// In base64.
    token: Option<String>,
    timeout: Duration,
    search_timeout: Duration,
    idle: Mutex<Vec<Http2Connection>>,
}

impl MilvusConnection {
    /// Reads the token; nothing is sent yet.
    ///
    /// # Errors
    /// When the file cannot be read, or the address is none.
    pub fn new(access: &MilvusAccess) -> Result<Self, Trouble> {
        let host = access.url.strip_prefix("http://").map(|host| host.trim_end_matches('/'));
        let authority = host.filter(|host| !host.is_empty() && !host.contains('/')).ok_or_else(|| {
            let remedy = "write an address such as \"http://milvus.example:19530\" as `url` in [index]";
            Trouble::new("this is no address of an engine", &access.url, remedy)
        })?;
        let has_port = authority.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let authority = if has_port { authority.into() } else { format!("{authority}:19530") };
        let token = match access.token_file.as_os_str().is_empty() {
            true => None,
            false => Some(token(&access.token_file)?),
        };
        Ok(Self {
            authority,
            token,
            timeout: access.timeout,
            search_timeout: access.search_timeout,
            idle: Mutex::default(),
        })
    }

    /// Calls a method of the service, and waits for its reply.
    pub fn call<Q: Message, R: WireReply>(&self, method: &str, message: Q) -> Result<R, EngineError> {
        let bytes = message.encode_to_vec();
        let mut body = Vec::with_capacity(PREFIX_BYTES + bytes.len());
        body.push(0);
        body.extend_from_slice(&(bytes.len() as u32).to_be_bytes());
        body.extend_from_slice(&bytes);
        let timeout = if method == "Search" { self.search_timeout } else { self.timeout };
        let reply = self.send(method, &body, timeout).map_err(|error| EngineError::Outage(said(&error)))?;
        let message = message_of(&reply)?;
        let reply =
            R::decode(message).map_err(|error| EngineError::Refused(format!("its reply cannot be read: {error}")))?;
        match reply.status().filter(|status| status.code != 0 || status.error_code != 0) {
            None => Ok(reply),
            Some(status) => Err(refusal(status)),
        }
    }

    /// One that waited too long may be closed at the other end: then another takes its place. Calls may be made twice.
    fn send(&self, method: &str, body: &[u8], timeout: Duration) -> io::Result<Http2Reply> {
        let path = format!("/milvus.proto.milvus.MilvusService/{method}");
        let deadline = Instant::now() + timeout;
        let timeout = format!("{}m", timeout.as_millis());
        let mut headers =
            vec![("content-type", "application/grpc"), ("te", "trailers"), ("grpc-timeout", timeout.as_str())];
        headers.extend(self.token.as_ref().map(|token| ("authorization", token.as_str())));
        while let Some(mut connection) = self.take_idle() {
            match connection.call(&path, &headers, body, deadline) {
                Ok(reply) => return Ok(self.keep(connection, reply)),
                Err(error) if error.kind() == io::ErrorKind::TimedOut => return Err(error),
                Err(_) => {}
            }
        }
        let mut connection = Http2Connection::open(&self.authority)?;
        let reply = connection.call(&path, &headers, body, deadline)?;
        Ok(self.keep(connection, reply))
    }

    fn take_idle(&self) -> Option<Http2Connection> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    fn keep(&self, connection: Http2Connection, reply: Http2Reply) -> Http2Reply {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if connection.is_open() && idle.len() < MOST_IDLE {
            idle.push(connection);
        }
        reply
    }
}

/// The message of a reply; without one, what gRPC says instead.
fn message_of(reply: &Http2Reply) -> Result<&[u8], EngineError> {
    let code = reply.header("grpc-status").unwrap_or_default();
    let message = reply.body.split_at_checked(PREFIX_BYTES).filter(|(prefix, message)| {
        prefix[0] == 0 && u32::from_be_bytes([prefix[1], prefix[2], prefix[3], prefix[4]]) as usize == message.len()
    });
    match message {
        Some((_, message)) if code == "0" => Ok(message),
        _ => {
            let said = percent_encoding::percent_decode_str(reply.header("grpc-message").unwrap_or_default());
            let status = reply.header(":status").unwrap_or("none");
            let reason = match said.decode_utf8_lossy() {
                said if said.is_empty() => format!("no reply (status {status}, gRPC {code})"),
                said => said.into_owned(),
            };
            let is_wrong = WRONG_OF_GRPC.contains(&code);
            Err(if is_wrong { EngineError::Refused(reason) } else { EngineError::Outage(reason) })
        }
    }
}

/// A call that Milvus itself answered with an error.
fn refusal(status: &WireStatus) -> EngineError {
    let is_gone = NO_COLLECTION.contains(&status.code)
        || (status.code == 0 && NO_COLLECTION_FORMERLY.contains(&status.error_code));
    if is_gone {
        EngineError::NoGeneration(status.reason.clone())
    } else if WRONG.iter().any(|codes| codes.contains(&status.code)) && !status.retriable {
        EngineError::Refused(status.reason.clone())
    } else {
        EngineError::Outage(status.reason.clone())
    }
}

fn said(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::TimedOut => "it does not answer in time".into(),
        io::ErrorKind::UnexpectedEof => "it closed the connection".into(),
        _ => reason(error),
    }
}

/// As Milvus has it: `user:password`, or a token, in base64.
fn token(path: &Path) -> Result<String, Trouble> {
    let text = fs::read(path).map_err(|error| Trouble::system("read the engine's token", path, &error))?;
    match text.trim_ascii() {
        [] => Err(Trouble::new("this file holds no token", path, "put `user:password` or a token into this file")),
        text => Ok(BASE64_STANDARD.encode(text)),
    }
}
