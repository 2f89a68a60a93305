//! `artificio serve`: a page in the browser on the folders.

use std::process::ExitCode;

use super::arguments::{ServeOptions, absolute};
use super::{logging, output};
use crate::config::{self, Setup};
use crate::daemon::log_filter;
use crate::error::Fatal;
use crate::web::{PageOptions, PageServer, PageToken};

pub fn run(options: ServeOptions, setup: &Setup) -> Result<ExitCode, Fatal> {
    let config = config::load(&setup.source, &setup.root)?;
    logging::start(log_filter(config.log.level));
    let token = options.token_file.map(|path| PageToken::read(&absolute(&path)?)).transpose()?;
    let page = PageOptions { listen: options.listen, token, hosts: options.hosts };
    let server = PageServer::open(page, &setup.root, &config)?;
    output::print(&format!("the page is at {}\n", server.shown()))?;
    server.run()?;
    Ok(ExitCode::SUCCESS)
}
