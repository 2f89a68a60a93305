//! Where log lines go: to the journal, with level and fields, when standard error is connected to it; else to standard
//! error, with the time.

use std::io::Write;

use env_logger::{Builder, Target, WriteStyle};
use log::{Level, LevelFilter, Log, Metadata, Record};
use systemd_journal_logger::{JournalLog, connected_to_journal};

use crate::error::is_obeyed;

/// Starts logging at `level`; the level can be changed later by `log::set_max_level`.
pub fn start(level: LevelFilter) {
    let journal = connected_to_journal().then(JournalLog::new).and_then(Result::ok);
    // Either fails only when there is a logger already, which is then kept.
    match journal {
        Some(journal) => drop(log::set_boxed_logger(Box::new(Journal(journal)))),
        None => drop(to_standard_error().try_init()),
    }
    log::set_max_level(level);
}

/// All of our own entries, which `log::set_max_level` filters; of the libraries only errors: their warnings are for programmers, and
/// say nothing that is not in an entry of ours, such as that a folder was removed before its watch.
fn is_enabled(metadata: &Metadata<'_>) -> bool {
    let target = metadata.target();
    metadata.level() <= Level::Error || target == "artificio" || target.starts_with("artificio::")
}

/// The journal, by its native protocol: an entry keeps its fields (`QUERY`, `FILE`, `MODEL`, `MS`).
struct Journal(JournalLog);

impl Log for Journal {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        is_enabled(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let text = one_entry(&record.args().to_string());
        let metadata = Metadata::builder().level(journal_level(record.level())).target(record.target()).build();
        let sent = self.0.journal_send(
            &Record::builder().metadata(metadata).args(format_args!("{text}")).key_values(&record.key_values()).build(),
        );
        if sent.is_err() {
            // Standard error leads to the journal as well, without fields and with an entry a line.
            let priority = priority(record.level());
            eprintln!("<{priority}>{}", text.replace('\n', &format!("\n<{priority}>")));
        }
    }

    fn flush(&self) {}
}

fn to_standard_error() -> Builder {
    let mut builder = Builder::new();
    builder.filter_level(LevelFilter::Error).filter_module("artificio", LevelFilter::Trace);
    builder.target(Target::Stderr).write_style(WriteStyle::Auto);
    builder.format(|out, record| {
        let text = one_entry(&record.args().to_string());
        let style = out.default_level_style(record.level());
        let time = crate::clock::local_time();
        match record.level() {
            Level::Info => writeln!(out, "{time} {text}"),
            level => writeln!(out, "{time} {style}{}{style:#} {text}", level.as_str().to_lowercase()),
        }
    });
    builder
}

/// Continued lines are indented and control characters escaped: a file may have any name, and must not forge log lines.
fn one_entry(text: &str) -> String {
    let mut entry = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\n' => entry.push_str("\n    "),
            letter if is_obeyed(letter) => entry.extend(letter.escape_default()),
            letter => entry.push(letter),
        }
    }
    entry
}

/// The crate for the journal sends `Info` as "notice" (5) and `Debug` as "informational" (6); everybody else counts as
/// [`priority`] does.
fn journal_level(level: Level) -> Level {
    match level {
        Level::Error | Level::Warn => level,
        Level::Info => Level::Debug,
        Level::Debug | Level::Trace => Level::Trace,
    }
}

/// As syslog numbers them.
fn priority(level: Level) -> u8 {
    match level {
        Level::Error => 3,
        Level::Warn => 4,
        Level::Info => 6,
        Level::Debug | Level::Trace => 7,
    }
}
