//! `artificio run`: the service.

use std::process::ExitCode;

use super::logging;
use crate::config;
use crate::config::Setup;
use crate::daemon::{Daemon, NoObserver, log_filter};
use crate::error::Fatal;

pub fn run(setup: Setup) -> Result<ExitCode, Fatal> {
    let config = config::load(&setup.source, &setup.root)?;
    logging::start(log_filter(config.log.level));
    Daemon::run(setup, &mut NoObserver)?;
    Ok(ExitCode::SUCCESS)
}
