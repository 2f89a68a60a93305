//! Where the page listens, as it is written on the command line.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

/// Where it listens if nothing is said.
pub const DEFAULT_ADDRESS: &str = "127.0.0.1:8484";

/// Where the page listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListenAddress {
    /// An address and a port.
    Tcp(SocketAddr),
    /// A socket that is a file.
    Unix(PathBuf),
    /// The socket that standard input is: systemd listens, and starts the program when somebody asks.
    StandardInput,
}

/// It is no address.
#[derive(Debug, PartialEq, Eq)]
pub struct NotAnAddress;

impl fmt::Display for NotAnAddress {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "expected an address with a port ({DEFAULT_ADDRESS}, [::1]:8484), a port, unix:PATH or stdin")
    }
}

impl std::error::Error for NotAnAddress {}

impl FromStr for ListenAddress {
    type Err = NotAnAddress;

    fn from_str(text: &str) -> Result<Self, NotAnAddress> {
        if let Some(path) = text.strip_prefix("unix:") {
            return if path.is_empty() { Err(NotAnAddress) } else { Ok(Self::Unix(path.into())) };
        }
        if text == "stdin" {
            return Ok(Self::StandardInput);
        }
        let local = |port: &str| port.parse().ok().map(|port| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port));
        let address = text.parse().ok().or_else(|| local(text.strip_prefix("localhost:").unwrap_or(text)));
        address.map(Self::Tcp).ok_or(NotAnAddress)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_people_write_them() {
        let tcp = |text: &str| Ok(ListenAddress::Tcp(text.parse().unwrap()));
        assert_eq!(DEFAULT_ADDRESS.parse(), tcp("127.0.0.1:8484"));
        assert_eq!("localhost:80".parse(), tcp("127.0.0.1:80"));
        assert_eq!("9000".parse(), tcp("127.0.0.1:9000"));
        assert_eq!("[::1]:5".parse(), tcp("[::1]:5"));
        assert_eq!("unix:/run/a b".parse(), Ok(ListenAddress::Unix("/run/a b".into())));
        assert_eq!("stdin".parse(), Ok(ListenAddress::StandardInput));
        for wrong in ["", "unix:", "example.org:80", "127.0.0.1", "1.2.3.4:99999", "99999"] {
            assert_eq!(wrong.parse::<ListenAddress>(), Err(NotAnAddress), "{wrong}");
        }
    }
}
