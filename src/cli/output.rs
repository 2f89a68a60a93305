//! Standard output of commands that end by themselves: text and JSON, to a terminal, a file or a pipe that closes early.

use std::io::{ErrorKind, Write};
use std::path::Path;

use serde::Serialize;

use crate::config::SheetFormat;
use crate::error::{Fatal, reason};
pub use crate::error::{harmless, one_line};

/// Prints `text` as it stands. A reader that has seen enough (`artificio man | head`) is no failure.
pub fn print(text: &str) -> Result<(), Fatal> {
    print_while_read(text).map(drop)
}

/// The same for output without an end: whether anybody still reads it.
pub fn print_while_read(text: &str) -> Result<bool, Fatal> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Fatal::Failed(format!("standard output: could not be written: {}", reason(&error))))
        }
        result => Ok(result.is_ok()),
    }
}

/// The format of a sheet that is to be written to `path`, by the end of its name.
pub fn sheet_format(path: &Path) -> Result<SheetFormat, Fatal> {
    match path.extension().and_then(|end| end.to_str()).map(str::to_ascii_lowercase).as_deref() {
        Some("png") => Ok(SheetFormat::Png),
        Some("jpg" | "jpeg") => Ok(SheetFormat::Jpeg),
        Some("webp") => Ok(SheetFormat::Webp),
        _ => Err(Fatal::Usage(format!("{}: a sheet is a .png, .jpg or .webp file", path.display()))),
    }
}

/// Prints `value` as JSON, for programs and for people who look at it.
pub fn print_json(value: &impl Serialize) -> Result<(), Fatal> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| Fatal::Failed(format!("the result cannot be written as JSON: {error}")))?;
    print(&format!("{text}\n"))
}
