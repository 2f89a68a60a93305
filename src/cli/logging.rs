//! Where log lines go: to the journal with their urgency and their fields when standard error is connected to it, else to
//! standard error with the time.

use std::io::Write;

use env_logger::{Builder, Target, WriteStyle};
use log::{Level, LevelFilter, Log, Metadata, Record};
use systemd_journal_logger::{JournalLog, connected_to_journal};

use crate::error::is_obeyed;

/// Starts logging at `level`; the level can be changed later by `log::set_max_level`.
pub fn start(level: LevelFilter) {
    let journal = connected_to_journal().then(JournalLog::new).and_then(Result::ok);
    // Either fails only when a logger is there already, which then goes on.
    match journal {
        Some(journal) => drop(log::set_boxed_logger(Box::new(Journal(journal)))),
        None => drop(to_standard_error().try_init()),
    }
    log::set_max_level(level);
}

/// Everything of ours passes and is held back by the changeable maximum; of the libraries only what went wrong.
fn is_of_interest(metadata: &Metadata<'_>) -> bool {
    let target = metadata.target();
    metadata.level() <= Level::Warn || target == "artificio" || target.starts_with("artificio::")
}

/// The journal, by its own protocol: an entry keeps its fields (`QUERY`, `FILE`, `MODEL`, `MS`).
struct Journal(JournalLog);

impl Log for Journal {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        is_of_interest(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let text = one_entry(&record.args().to_string());
        let metadata = Metadata::builder().level(as_journal_counts(record.level())).target(record.target()).build();
        let sent = self.0.journal_send(
            &Record::builder().metadata(metadata).args(format_args!("{text}")).key_values(&record.key_values()).build(),
        );
        if sent.is_err() {
            // Standard error leads to the journal as well, without fields and with an entry a line.
            let urgency = urgency(record.level());
            eprintln!("<{urgency}>{}", text.replace('\n', &format!("\n<{urgency}>")));
        }
    }

    fn flush(&self) {}
}

fn to_standard_error() -> Builder {
    let mut builder = Builder::new();
    builder.filter_level(LevelFilter::Warn).filter_module("artificio", LevelFilter::Trace);
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

/// Further lines are set in, and what a terminal would obey is shown instead: a file may be called anything, and must
/// not write log lines of its own.
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

/// The journal's crate takes `Info` for a notice (5) and `Debug` for an information (6); everybody else counts as
/// [`urgency`] does.
fn as_journal_counts(level: Level) -> Level {
    match level {
        Level::Error | Level::Warn => level,
        Level::Info => Level::Debug,
        Level::Debug | Level::Trace => Level::Trace,
    }
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
