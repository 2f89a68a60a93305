//! Calls of Milvus's methods: gRPC, by `tonic`.
//!
//! Its runtime has one thread, on which the connection lives. Whoever calls waits on a thread of its own; nothing asynchronous leaves
//! this file.

use std::error::Error as StdError;
use std::fs;
use std::io;
use std::iter::successors;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use crossbeam_channel::{Receiver, bounded};
use prost::Message;
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;
use tonic::client::Grpc;
use tonic::metadata::AsciiMetadataValue;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use tonic::{Code, Request, Status};
use tonic_prost::ProstCodec;

use super::wire::{WireReply, WireStatus};
use crate::engine::EngineError;
use crate::error::{Trouble, reason};
use crate::threads::{self, ThreadEnd};

/// Milvus's codes: of a collection that is not there, of an alias that names none.
const NO_COLLECTION: [i32; 2] = [100, 1600];
/// The same before 2.3: `CollectionNotExists`, `CollectionNameNotFound`.
const NO_COLLECTION_FORMERLY: [i32; 2] = [4, 28];
/// A request that is wrong in itself, and one that may not be made.
const WRONG: [std::ops::Range<i32>; 2] = [1100..1200, 1400..1500];
/// The same of gRPC, and a reply that is too long.
const WRONG_OF_GRPC: [Code; 5] =
    [Code::InvalidArgument, Code::PermissionDenied, Code::Unimplemented, Code::Unauthenticated, Code::OutOfRange];
/// What a call has that takes longer than it may.
const TOO_LATE: [Code; 2] = [Code::DeadlineExceeded, Code::Cancelled];
const NO_ANSWER: &str = "it does not answer in time";
const CERTIFICATE: &[u8] = b"-----BEGIN CERTIFICATE-----";
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// A connection that nobody uses is not forgotten by what lies between, and one that broke is noticed.
const KEEP_ALIVE: Duration = Duration::from_secs(60);
/// What the server may send before it is told that it arrived.
const WINDOW_BYTES: u32 = 16 << 20;
/// A longer reply is refused: some thousand rows of the widest embeddings.
const LONGEST_REPLY_BYTES: usize = 128 << 20;

/// Where a Milvus is, and how one gets in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MilvusAccess {
    /// `http://` or `https://`, host and port.
    pub url: String,
    /// The file with the certificates (PEM) that its own may be signed by, for `https://`.
    pub ca_file: PathBuf,
    /// The file with `user:password` or a token; empty: none is needed.
    pub token_file: PathBuf,
    /// What the names of collections begin with.
    pub prefix: String,
    /// A call that takes longer has failed.
    pub timeout: Duration,
    /// The same for a search.
    pub search_timeout: Duration,
}

/// The way to a Milvus. A connection is made when it is needed, and made again when it broke.
#[derive(Debug)]
pub struct MilvusConnection {
    endpoint: Endpoint,
    /// In base64.
    token: Option<AsciiMetadataValue>,
    timeout: Duration,
    search_timeout: Duration,
    channel: Mutex<Channel>,
    runtime: Handle,
    /// Empty while the runtime's thread runs.
    ended: Receiver<ThreadEnd>,
    /// That thread ends when this is dropped.
    _end: oneshot::Sender<()>,
}

impl MilvusConnection {
    /// Reads the files; nothing is sent yet.
    ///
    /// # Errors
    /// When a file cannot be read, or the address is none.
    pub fn new(access: &MilvusAccess) -> Result<Self, Trouble> {
        let endpoint = endpoint(access)?;
        let token = match access.token_file.as_os_str().is_empty() {
            true => None,
            false => Some(token(&access.token_file)?),
        };
        let runtime = Builder::new_current_thread().enable_io().enable_time().build();
        let runtime = runtime.map_err(|error| Trouble::system("start the engine's client", &access.url, &error))?;
        let handle = runtime.handle().clone();
        let channel = Mutex::new(connect(&handle, &endpoint));
        let (ends, ended) = bounded(1);
        let (end, awaited) = oneshot::channel::<()>();
        threads::spawn("milvus", ends, move || drop(runtime.block_on(awaited)))?;
        let MilvusAccess { timeout, search_timeout, .. } = *access;
        Ok(Self { endpoint, token, timeout, search_timeout, channel, runtime: handle, ended, _end: end })
    }

    /// Calls a method of the service, and waits for its reply.
    pub fn call<Q, R>(&self, method: &str, message: Q) -> Result<R, EngineError>
    where
        Q: Message + 'static,
        R: WireReply + 'static,
    {
        // Without it no timer would end the call.
        if !self.ended.is_empty() {
            return Err(EngineError::Outage("its client broke down: restart artificio".into()));
        }
        let timeout = if method == "Search" { self.search_timeout } else { self.timeout };
        let mut request = Request::new(message);
        request.set_timeout(timeout);
        if let Some(token) = &self.token {
            request.metadata_mut().insert("authorization", token.clone());
        }
        let call = unary(self.channel().clone(), method, request);
        // A timer is made on its runtime.
        let called = self.runtime.block_on(async { tokio::time::timeout(timeout, call).await });
        let reply: R = called.unwrap_or_else(|_| Err(Status::deadline_exceeded(""))).map_err(|status| {
            if TOO_LATE.contains(&status.code()) {
                // The other end may be gone without a word; then this connection would never break.
                *self.channel() = connect(&self.runtime, &self.endpoint);
            }
            failure(&status)
        })?;
        match reply.status().filter(|status| status.code != 0 || status.error_code != 0) {
            None => Ok(reply),
            Some(status) => Err(refusal(status)),
        }
    }

    fn channel(&self) -> MutexGuard<'_, Channel> {
        self.channel.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn unary<Q, R>(channel: Channel, method: &str, request: Request<Q>) -> Result<R, Status>
where
    Q: Message + 'static,
    R: WireReply + 'static,
{
    let path = format!("/milvus.proto.milvus.MilvusService/{method}");
    let path = path.parse().map_err(|_| Status::unimplemented(method))?;
    let mut client = Grpc::new(channel).max_decoding_message_size(LONGEST_REPLY_BYTES);
    client.ready().await.map_err(|error| Status::from_error(error.into()))?;
    Ok(client.unary(request, path, ProstCodec::default()).await?.into_inner())
}

/// Sends nothing until the first call.
fn connect(runtime: &Handle, endpoint: &Endpoint) -> Channel {
    let _runtime = runtime.enter();
    endpoint.connect_lazy()
}

fn endpoint(access: &MilvusAccess) -> Result<Endpoint, Trouble> {
    let no_address = || {
        let remedy = "write an address such as \"http://milvus.example:19530\" as `url` in [index]";
        Trouble::new("this is no address of an engine", &access.url, remedy)
    };
    let (scheme, host) = access.url.split_once("://").ok_or_else(no_address)?;
    let host = host.trim_end_matches('/');
    let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    let port = if has_port { "" } else { ":19530" };
    let endpoint = Endpoint::from_shared(format!("{scheme}://{host}{port}")).map_err(|_| no_address())?;
    let endpoint = endpoint
        .connect_timeout(CONNECT_TIMEOUT)
        .tcp_keepalive(Some(KEEP_ALIVE))
        .initial_stream_window_size(WINDOW_BYTES)
        .initial_connection_window_size(WINDOW_BYTES);
    match scheme {
        _ if host.is_empty() || host.contains('/') => Err(no_address()),
        "http" => Ok(endpoint),
        "https" => encrypted(endpoint, &access.ca_file),
        _ => Err(no_address()),
    }
}

fn encrypted(endpoint: Endpoint, ca_file: &Path) -> Result<Endpoint, Trouble> {
    let text =
        fs::read(ca_file).map_err(|error| Trouble::system("read the certificates of authorities", ca_file, &error))?;
    let none = || {
        let remedy =
            "set `ca_file` in [index] to a file in PEM with the certificate that the engine's own is signed by";
        Trouble::new("this file holds no certificates", ca_file, remedy)
    };
    if !text.windows(CERTIFICATE.len()).any(|part| part == CERTIFICATE) {
        return Err(none());
    }
    let tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(text)).timeout(CONNECT_TIMEOUT);
    endpoint.tls_config(tls).map_err(|_| none())
}

/// A call that brought no reply of Milvus's.
fn failure(status: &Status) -> EngineError {
    let reason = match status.source() {
        _ if TOO_LATE.contains(&status.code()) => NO_ANSWER.into(),
        Some(source) => innermost(source),
        None if status.message().is_empty() => format!("no reply ({})", status.code().description()),
        None => status.message().to_string(),
    };
    let is_wrong = WRONG_OF_GRPC.contains(&status.code());
    if is_wrong { EngineError::Refused(reason) } else { EngineError::Outage(reason) }
}

/// The operating system's reason, where there is one; otherwise the one that the others came from.
fn innermost(error: &(dyn StdError + 'static)) -> String {
    let chain: Vec<&(dyn StdError + 'static)> = successors(Some(error), |&error| error.source()).collect();
    match chain.iter().rev().find_map(|error| error.downcast_ref::<io::Error>()) {
        Some(error) if error.kind() == io::ErrorKind::TimedOut => NO_ANSWER.into(),
        Some(error) if error.kind() == io::ErrorKind::UnexpectedEof => "it closed the connection".into(),
        Some(error) if error.kind() == io::ErrorKind::InvalidData => {
            format!("{}: see `url` and `ca_file` in [index]", reason(error))
        }
        Some(error) => reason(error),
        None => chain.last().map_or_else(String::new, ToString::to_string),
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

/// As Milvus has it: `user:password`, or a token, in base64.
fn token(path: &Path) -> Result<AsciiMetadataValue, Trouble> {
    let text = fs::read(path).map_err(|error| Trouble::system("read the engine's token", path, &error))?;
    let none = || Trouble::new("this file holds no token", path, "put `user:password` or a token into this file");
    match text.trim_ascii() {
        [] => Err(none()),
        text => BASE64_STANDARD.encode(text).try_into().map_err(|_| none()),
    }
}
