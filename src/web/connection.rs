//! The page's socket and its connections. Whoever sends or takes too slowly is not waited for.

use std::fmt;
use std::fs;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::address::ListenAddress;
use super::response::HttpRefusal;
use crate::error::{Fatal, Trouble};

/// A request's head must have come by then; a body may be late by as much.
const PATIENCE: Duration = Duration::from_secs(10);
/// Whoever takes or sends a body more slowly is not waited for: nanoseconds a byte, of 32 kB a second.
const SLOWEST_NS: u64 = 1_000_000_000 / (32 << 10);
/// What is left of a refused request is read for so long, so that the response arrives.
const LAST_PATIENCE: Duration = Duration::from_secs(2);

/// A socket that takes connections.
#[derive(Debug)]
pub enum WebListener {
    /// Of the network.
    Tcp(TcpListener),
    /// A file; its path where it is known.
    Unix(UnixListener, Option<PathBuf>),
}

impl WebListener {
    /// Listens there.
    ///
    /// # Errors
    /// The address is taken, or not of this machine; the file cannot be made; standard input is no socket.
    pub fn open(address: &ListenAddress) -> Result<Self, Fatal> {
        match address {
            ListenAddress::Tcp(address) => TcpListener::bind(address).map(Self::Tcp).map_err(|error| {
                Fatal::Failed(format!(
                    "{address}: nothing can listen there: {}; another address: --listen ADDRESS:PORT",
                    crate::error::reason(&error)
                ))
            }),
            ListenAddress::Unix(path) => {
                let listener = remove_abandoned(path).and_then(|()| UnixListener::bind(path));
                let listener = listener.map_err(|error| Trouble::system("make the socket", path, &error))?;
                Ok(Self::Unix(listener, Some(path.clone())))
            }
            ListenAddress::StandardInput => Self::of_standard_input().map_err(|error| {
                let how = "systemd/artificio-web.service shows how a socket is passed";
                Fatal::Usage(format!(
                    "standard input is not a socket that listens: {} ({how})",
                    crate::error::reason(&error)
                ))
            }),
        }
    }

    fn of_standard_input() -> io::Result<Self> {
        let socket = io::stdin().as_fd().try_clone_to_owned()?;
        let tcp = TcpListener::from(socket.try_clone()?);
        if tcp.local_addr().is_ok() {
            tcp.set_nonblocking(false)?;
            return Ok(Self::Tcp(tcp));
        }
        let unix = UnixListener::from(socket);
        unix.local_addr()?;
        unix.set_nonblocking(false)?;
        Ok(Self::Unix(unix, None))
    }

    /// Whether only this machine reaches it.
    pub fn is_local(&self) -> bool {
        match self {
            Self::Tcp(listener) => listener.local_addr().is_ok_and(|address| address.ip().is_loopback()),
            Self::Unix(..) => true,
        }
    }

    /// Its address for people.
    pub fn shown(&self) -> String {
        match self {
            Self::Tcp(listener) => {
                listener.local_addr().map_or_else(|_| "http://?/".into(), |at| format!("http://{at}/"))
            }
            Self::Unix(_, path) => {
                path.as_ref().map_or_else(|| "unix:?".into(), |path| format!("unix:{}", path.display()))
            }
        }
    }

    /// The next connection.
    pub fn accept(&self) -> io::Result<WebConnection> {
        let socket = match self {
            Self::Tcp(listener) => Socket::Tcp(listener.accept()?.0),
            Self::Unix(listener, _) => Socket::Unix(listener.accept()?.0),
        };
        Ok(WebConnection { socket, deadline: Instant::now() + PATIENCE })
    }
}

/// A socket on which nobody listens any more is left by a page that ended.
fn remove_abandoned(path: &Path) -> io::Result<()> {
    let is_socket = fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket());
    let is_abandoned =
        || UnixStream::connect(path).is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused);
    if is_socket && is_abandoned() { fs::remove_file(path) } else { Ok(()) }
}

enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// One connection, which is waited for until its deadline. Each byte puts that off a little.
pub struct WebConnection {
    socket: Socket,
    deadline: Instant,
}

impl fmt::Debug for WebConnection {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("WebConnection")
    }
}

impl WebConnection {
    /// The next part begins, a body or a response: it is waited for from now on.
    pub fn begin_part(&mut self) {
        self.deadline = Instant::now() + PATIENCE;
    }

    /// Ends it so that what was written arrives, also where the other side has not finished: a socket that is closed with bytes
    /// unread takes the response back.
    pub fn close(&mut self) {
        let ended = match &self.socket {
            Socket::Tcp(socket) => socket.shutdown(Shutdown::Write),
            Socket::Unix(socket) => socket.shutdown(Shutdown::Write),
        };
        let end = Instant::now() + LAST_PATIENCE;
        let mut rest = [0; 1 << 14];
        while ended.is_ok() && Instant::now() < end {
            self.deadline = end;
            if !self.read(&mut rest).is_ok_and(|count| count > 0) {
                break;
            }
        }
    }

    /// Refuses it without reading from it or waiting for it.
    pub fn refuse_at_once(&mut self, refusal: &HttpRefusal) {
        self.deadline = Instant::now() + Duration::from_millis(100);
        let _ = refusal.response().write(self, true);
    }

    fn put_off(&mut self, moved: io::Result<usize>) -> io::Result<usize> {
        moved.inspect(|bytes| self.deadline += Duration::from_nanos(*bytes as u64 * SLOWEST_NS))
    }

    fn arm(&self) -> io::Result<()> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        match &self.socket {
            Socket::Tcp(socket) => {
                socket.set_read_timeout(Some(left)).and_then(|()| socket.set_write_timeout(Some(left)))
            }
            Socket::Unix(socket) => {
                socket.set_read_timeout(Some(left)).and_then(|()| socket.set_write_timeout(Some(left)))
            }
        }
    }
}

impl Read for WebConnection {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.arm()?;
        let read = match &mut self.socket {
            Socket::Tcp(socket) => socket.read(buffer),
            Socket::Unix(socket) => socket.read(buffer),
        };
        self.put_off(read)
    }
}

impl Write for WebConnection {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.arm()?;
        let written = match &mut self.socket {
            Socket::Tcp(socket) => socket.write(bytes),
            Socket::Unix(socket) => socket.write(bytes),
        };
        self.put_off(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.socket {
            Socket::Tcp(socket) => socket.flush(),
            Socket::Unix(socket) => socket.flush(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_too_slow_is_not_waited_for() {
        let (ours, _theirs) = UnixStream::pair().unwrap();
        let deadline = Instant::now() + Duration::from_millis(30);
        let mut connection = WebConnection { socket: Socket::Unix(ours), deadline };
        assert!(connection.read(&mut [0; 9]).is_err() && Instant::now() >= deadline);
        assert_eq!(connection.write(b"late").unwrap_err().kind(), io::ErrorKind::TimedOut);
        connection.begin_part();
        let begun = connection.deadline;
        connection.write_all(&[0; 3_200]).unwrap();
        let more = connection.deadline - begun;
        assert!(Duration::from_millis(90) < more && more < Duration::from_millis(100), "{more:?}");
    }

    #[test]
    fn an_abandoned_socket_is_replaced_and_another_file_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("page");
        let open = || WebListener::open(&ListenAddress::Unix(path.clone()));
        let first = open().unwrap();
        assert!(open().is_err(), "it is in use");
        drop(first);
        assert!(open().unwrap().is_local());
        fs::remove_file(&path).unwrap();
        fs::write(&path, b"mine").unwrap();
        assert!(open().is_err() && fs::read(&path).unwrap() == b"mine");
    }
}
