//! One call after another over HTTP/2 (RFC 9113), as gRPC asks for: a request with one message, a reply with one, and trailers.
//!
//! A connection carries one call at a time and whoever calls waits on its socket: no runtime, no thread of its own. Callers that come at
//! the same time have connections of their own.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use super::hpack;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Of a frame, before its payload.
const HEAD_BYTES: usize = 9;
/// A frame is no longer, in either direction; 16 KiB is what every end takes.
const LONGEST_FRAME: usize = 16_384;
/// Windows before anybody says otherwise.
const FIRST_WINDOW: i64 = 65_535;
/// What the server may send before it is told that it arrived: everything.
const OWN_WINDOW: u32 = (1 << 31) - 1;
/// A longer reply is refused: some thousand rows of the widest embeddings.
const LONGEST_REPLY_BYTES: usize = 128 << 20;
/// Streams that a connection has had before another one is made.
const MOST_CALLS: u32 = 1 << 30;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;

const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const PADDED: u8 = 8;
const WITH_PRIORITY: u8 = 0x20;

const HEADER_TABLE_SIZE: u16 = 1;
const ENABLE_PUSH: u16 = 2;
const INITIAL_WINDOW_SIZE: u16 = 4;

/// A connection between two calls.
#[derive(Debug)]
pub struct Http2Connection {
    stream: TcpStream,
    authority: String,
    next_stream: u32,
    /// What may be sent: on the whole connection, and on a new stream of it.
    window: i64,
    first_window: i64,
    /// The server ends it after this call.
    is_leaving: bool,
}

/// A reply.
#[derive(Debug, Default)]
pub struct Http2Reply {
    /// Headers and trailers.
    pub headers: Vec<(String, String)>,
    /// All that came between.
    pub body: Vec<u8>,
}

impl Http2Reply {
    /// The last value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().rev().find(|(of, _)| of == name).map(|(_, value)| value.as_str())
    }
}

struct Frame {
    kind: u8,
    flags: u8,
    stream: u32,
    payload: Vec<u8>,
}

/// A call under way.
struct Call {
    stream: u32,
    window: i64,
    reply: Http2Reply,
    /// Of a header block in several frames.
    block: Vec<u8>,
    block_ends_stream: bool,
    has_ended: bool,
}

impl Http2Connection {
    /// Connects to `authority`, a host with its port.
    pub fn open(authority: &str) -> io::Result<Self> {
        let mut failure = io::Error::new(io::ErrorKind::NotFound, "this host has no address");
        for address in authority.to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, CONNECT_TIMEOUT) {
                Ok(stream) => return Self::begin(stream, authority),
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    fn begin(stream: TcpStream, authority: &str) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        stream.set_write_timeout(Some(CONNECT_TIMEOUT))?;
        let mut connection = Self {
            stream,
            authority: authority.into(),
            next_stream: 1,
            window: FIRST_WINDOW,
            first_window: FIRST_WINDOW,
            is_leaving: false,
        };
        let mut settings = Vec::new();
        for (name, value) in [(HEADER_TABLE_SIZE, 0), (ENABLE_PUSH, 0), (INITIAL_WINDOW_SIZE, OWN_WINDOW)] {
            settings.extend_from_slice(&name.to_be_bytes());
            settings.extend_from_slice(&value.to_be_bytes());
        }
        connection.stream.write_all(PREFACE)?;
        connection.send(SETTINGS, 0, 0, &settings)?;
        connection.send(WINDOW_UPDATE, 0, 0, &(OWN_WINDOW - FIRST_WINDOW as u32).to_be_bytes())?;
        Ok(connection)
    }

    /// Whether it can take another call.
    pub fn is_open(&self) -> bool {
        !self.is_leaving && self.next_stream < MOST_CALLS
    }

    /// Sends a request and waits for its whole reply.
    pub fn call(
        &mut self,
        path: &str,
        more: &[(&str, &str)],
        body: &[u8],
        deadline: Instant,
    ) -> io::Result<Http2Reply> {
        let authority = self.authority.clone();
        let mut headers = vec![(":method", "POST"), (":scheme", "http"), (":path", path), (":authority", &authority)];
        headers.extend_from_slice(more);
        let mut call = Call {
            stream: self.next_stream,
            window: self.first_window,
            reply: Http2Reply::default(),
            block: Vec::new(),
            block_ends_stream: false,
            has_ended: false,
        };
        self.next_stream += 2;
        self.send(HEADERS, END_HEADERS, call.stream, &hpack::write(&headers))?;
        self.send_body(&mut call, body, deadline)?;
        while !call.has_ended {
            let frame = self.receive(deadline)?;
            self.take(&mut call, frame)?;
        }
        // What arrived may be sent again.
        if let Some(bytes) = u32::try_from(call.reply.body.len()).ok().filter(|bytes| *bytes > 0) {
            self.send(WINDOW_UPDATE, 0, 0, &bytes.to_be_bytes())?;
        }
        Ok(call.reply)
    }

    /// As much at once as the server takes.
    fn send_body(&mut self, call: &mut Call, body: &[u8], deadline: Instant) -> io::Result<()> {
        let mut rest = body;
        loop {
            let room = self.window.min(call.window).clamp(0, LONGEST_FRAME as i64) as usize;
            let (now, later) = rest.split_at(room.min(rest.len()));
            if !now.is_empty() || rest.is_empty() {
                let flags = if later.is_empty() { END_STREAM } else { 0 };
                self.send(DATA, flags, call.stream, now)?;
                self.window -= now.len() as i64;
                call.window -= now.len() as i64;
                rest = later;
                if rest.is_empty() {
                    return Ok(());
                }
                continue;
            }
            let frame = self.receive(deadline)?;
            self.take(call, frame)?;
            if call.has_ended {
                // It has answered before it heard all.
                return Ok(());
            }
        }
    }

    fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) -> io::Result<()> {
        if payload.len() > LONGEST_FRAME {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the headers of a request are too long"));
        }
        let mut frame = Vec::with_capacity(HEAD_BYTES + payload.len());
        frame.extend_from_slice(&(payload.len() as u32).to_be_bytes()[1..]);
        frame.extend_from_slice(&[kind, flags]);
        frame.extend_from_slice(&stream.to_be_bytes());
        frame.extend_from_slice(payload);
        self.stream.write_all(&frame)
    }

    fn receive(&mut self, deadline: Instant) -> io::Result<Frame> {
        let mut head = [0; HEAD_BYTES];
        self.read(&mut head, deadline)?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        if length > LONGEST_FRAME {
            return Err(broken("a frame that is too long"));
        }
        let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]) & OWN_WINDOW;
        let mut payload = vec![0; length];
        self.read(&mut payload, deadline)?;
        Ok(Frame { kind: head[3], flags: head[4], stream, payload })
    }

    fn read(&mut self, mut into: &mut [u8], deadline: Instant) -> io::Result<()> {
        while !into.is_empty() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            self.stream.set_read_timeout(Some(left))?;
            match self.stream.read(into) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => into = &mut into[count..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Err(io::ErrorKind::TimedOut.into()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn take(&mut self, call: &mut Call, frame: Frame) -> io::Result<()> {
        let Frame { kind, flags, stream, payload } = frame;
        match kind {
            SETTINGS if flags & ACK == 0 => {
                self.take_settings(call, &payload);
                self.send(SETTINGS, ACK, 0, &[])
            }
            PING if flags & ACK == 0 => self.send(PING, ACK, 0, &payload),
            WINDOW_UPDATE => {
                let more = i64::from(number(&payload)? & OWN_WINDOW);
                match stream {
                    0 => self.window += more,
                    _ if stream == call.stream => call.window += more,
                    _ => {}
                }
                Ok(())
            }
            GOAWAY => {
                self.is_leaving = true;
                let is_heard = number(&payload)? & OWN_WINDOW >= call.stream;
                if is_heard { Ok(()) } else { Err(io::ErrorKind::ConnectionReset.into()) }
            }
            // What belongs to no call under way is of one that was given up.
            _ if stream != call.stream => Ok(()),
            RST_STREAM => Err(broken("the engine broke off")),
            DATA => {
                call.reply.body.extend_from_slice(plain(&payload, flags)?);
                if call.reply.body.len() > LONGEST_REPLY_BYTES {
                    return Err(broken("a reply that is too long"));
                }
                call.has_ended |= flags & END_STREAM != 0;
                Ok(())
            }
            HEADERS => {
                let block = plain(&payload, flags)?;
                let start = if flags & WITH_PRIORITY != 0 { 5 } else { 0 };
                call.block = block.get(start..).ok_or_else(|| broken("headers that are cut off"))?.to_vec();
                call.block_ends_stream = flags & END_STREAM != 0;
                call.end_block(flags)
            }
            CONTINUATION => {
                call.block.extend_from_slice(&payload);
                if call.block.len() > LONGEST_FRAME {
                    return Err(broken("headers that are too long"));
                }
                call.end_block(flags)
            }
            _ => Ok(()),
        }
    }

    fn take_settings(&mut self, call: &mut Call, payload: &[u8]) {
        for pair in payload.chunks_exact(6) {
            let name = u16::from_be_bytes([pair[0], pair[1]]);
            let value = i64::from(u32::from_be_bytes([pair[2], pair[3], pair[4], pair[5]]));
            if name == INITIAL_WINDOW_SIZE {
                call.window += value - self.first_window;
                self.first_window = value;
            }
        }
    }
}

impl Call {
    fn end_block(&mut self, flags: u8) -> io::Result<()> {
        if flags & END_HEADERS != 0 {
            let headers = hpack::read(&self.block).map_err(|_| broken("headers that make no sense"))?;
            self.reply.headers.extend(headers);
            self.block.clear();
            self.has_ended |= self.block_ends_stream;
        }
        Ok(())
    }
}

/// A payload without what fills it up.
fn plain(payload: &[u8], flags: u8) -> io::Result<&[u8]> {
    if flags & PADDED == 0 {
        return Ok(payload);
    }
    let (padding, rest) = payload.split_first().ok_or_else(|| broken("a frame that is cut off"))?;
    let end = rest.len().checked_sub(usize::from(*padding)).ok_or_else(|| broken("a frame that is cut off"))?;
    Ok(&rest[..end])
}

fn number(payload: &[u8]) -> io::Result<u32> {
    let first = payload.first_chunk::<4>().ok_or_else(|| broken("a frame that is cut off"))?;
    Ok(u32::from_be_bytes(*first))
}

fn broken(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
