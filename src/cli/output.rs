//! Standard output of commands that end by themselves: text and JSON, to a terminal, a file or a pipe that closes early.

use std::io::{ErrorKind, IsTerminal, Write};

use serde::Serialize;

use super::terminal;
use crate::error::{Fatal, reason};
pub use crate::error::{harmless, one_line};

/// Prints `text` as it stands. Whoever reads may have seen enough (`artificio man | head`): that is no failure.
pub fn print(text: &str) -> Result<(), Fatal> {
    is_taken(text).map(drop)
}

/// The same for what goes on and on: whether anybody still reads.
pub fn is_taken(text: &str) -> Result<bool, Fatal> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Fatal::Failed(format!("standard output: could not be written: {}", reason(&error))))
        }
        result => Ok(result.is_ok()),
    }
}

/// Prints `value` as JSON, for programs and for people who look at it.
pub fn print_json(value: &impl Serialize) -> Result<(), Fatal> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| Fatal::Failed(format!("the result cannot be told as JSON: {error}")))?;
    print(&format!("{text}\n"))
}

/// Colours of a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// As it should be.
    Green,
    /// Worth a look.
    Yellow,
    /// To be mended.
    Red,
}

/// Whether standard output takes colours: a terminal does, unless its user wants none (<https://no-color.org>).
pub fn has_colours() -> bool {
    let is_unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    std::io::stdout().is_terminal() && !is_unwanted && !terminal::is_dumb()
}

/// `text` in a colour, where there are colours.
pub fn coloured(text: &str, colour: Colour, has_colours: bool) -> String {
    let number = match colour {
        Colour::Green => 32,
        Colour::Yellow => 33,
        Colour::Red => 31,
    };
    if has_colours { format!("\x1b[{number}m{text}\x1b[0m") } else { text.to_string() }
}
