//! The thin binary: [`artificio::cli::run`] as an exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    artificio::cli::run()
}
