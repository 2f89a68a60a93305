//! The options of `serve`.

use std::path::PathBuf;

use clap::Args;

use crate::web::{DEFAULT_ADDRESS, ListenAddress};

/// Of `artificio serve`.
#[derive(Debug, Args)]
pub struct ServeOptions {
    /// Where the page listens: an address with a port, a port of this machine, unix:PATH, or stdin, the socket that systemd passes
    #[arg(long, value_name = "ADDRESS", default_value = DEFAULT_ADDRESS)]
    pub listen: ListenAddress,
    /// Ask everybody for the token in the first line of FILE, of 16 letters or more; needed where other machines reach the page
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// A name under which browsers reach the page, besides localhost and addresses in figures; may be given several times
    #[arg(long = "host", value_name = "NAME")]
    pub hosts: Vec<String>,
}
