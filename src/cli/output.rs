//! Standard output of commands that end by themselves: text and JSON, to a terminal, a file or a pipe that closes early.

use std::io::{ErrorKind, Write};

use serde::Serialize;

use crate::error::{Fatal, reason};

/// Prints `text` as it stands. Whoever reads may have seen enough (`artificio man | head`): that is no failure.
pub fn print(text: &str) -> Result<(), Fatal> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Fatal::Failed(format!("standard output: could not be written: {}", reason(&error))))
        }
        _ => Ok(()),
    }
}

/// Prints `value` as JSON, for programs and for people who look at it.
pub fn print_json(value: &impl Serialize) -> Result<(), Fatal> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| Fatal::Failed(format!("the result cannot be told as JSON: {error}")))?;
    print(&format!("{text}\n"))
}
