//! Where log lines go: to the journal with their urgency when a service manager reads them, else to standard error
//! with the time.

use std::io::Write;

use env_logger::{Builder, Target, WriteStyle};
use log::{Level, LevelFilter};

/// Starts logging at `level`; the level can be changed later by `log::set_max_level`.
pub fn start(level: LevelFilter) {
    let for_journal = std::env::var_os("JOURNAL_STREAM").is_some();
    let mut builder = Builder::new();
    // Everything of ours passes here and is held back by the changeable maximum; of the libraries only what went wrong.
    builder.filter_level(LevelFilter::Warn).filter_module("artificio", LevelFilter::Trace);
    builder.target(Target::Stderr).write_style(WriteStyle::Auto);
    builder.format(move |out, record| {
        let text = one_entry(&record.args().to_string());
        if for_journal {
            return writeln!(
                out,
                "<{}>{}",
                urgency(record.level()),
                text.replace('\n', &format!("\n<{}>", urgency(record.level())))
            );
        }
        let style = out.default_level_style(record.level());
        let time = crate::clock::local_time();
        match record.level() {
            Level::Info => writeln!(out, "{time} {text}"),
            level => writeln!(out, "{time} {style}{}{style:#} {text}", level.as_str().to_lowercase()),
        }
    });
    // Fails only when a logger is there already, which then goes on.
    let _ = builder.try_init();
    log::set_max_level(level);
}

/// Further lines are set in, and what a terminal would obey is shown instead: a file may be called anything, and must
/// not write log lines of its own.
fn one_entry(text: &str) -> String {
    let mut entry = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\n' => entry.push_str("\n    "),
            letter if letter.is_control() => entry.extend(letter.escape_default()),
            letter => entry.push(letter),
        }
    }
    entry
}

/// As syslog numbers them.
fn urgency(level: Level) -> u8 {
    match level {
        Level::Error => 3,
        Level::Warn => 4,
        Level::Info => 6,
        Level::Debug | Level::Trace => 7,
    }
}
