//! The command line: which command does the work, and which exit code the process ends with.

mod arguments;
mod check;
mod demo;
mod duplicates;
mod evaluate;
mod export;
mod help;
mod logging;
mod manual;
mod map;
mod models;
mod output;
mod progress_bar;
mod query;
mod reload;
mod report;
mod run;
mod serve;
mod status;
mod terminal;
mod train;

use std::process::ExitCode;
use std::sync::Arc;

use crate::error::Fatal;
use crate::{isolation, on_answer};
use arguments::{Arguments, Command};

/// Runs the command of this process's arguments.
pub fn run() -> ExitCode {
    survive_file_limit();
    match execute(Arguments::of_process()) {
        Ok(code) => code,
        Err(fatal) => {
            // The error names files, and a file may have any name.
            eprintln!("artificio: {}", output::harmless(&fatal.to_string()));
            ExitCode::from(fatal.exit_code())
        }
    }
}

/// A file that would outgrow the limit of file sizes is an error of that write, reported like a full disk. The signal that comes with
/// it ends a process that does not handle it.
fn survive_file_limit() {
    let _ = signal_hook::flag::register(libc::SIGXFSZ, Arc::default());
}

fn execute(arguments: Arguments) -> Result<ExitCode, Fatal> {
    if let Some(Command::DecodeIsolated { request }) = &arguments.command {
        return Ok(isolation::serve(request));
    }
    if let Some(Command::RunOnAnswer { answer, command }) = &arguments.command {
        return Ok(on_answer::serve(answer, command));
    }
    arguments.refuse_ignored()?;
    let setup = arguments.setup()?;
    match arguments.command.unwrap_or(Command::Run) {
        Command::Run => run::run(setup),
        Command::Demo(options) => demo::run(&options),
        Command::Serve(options) => serve::run(options, &setup),
        Command::Query(options) => query::run(&options, &setup),
        Command::Evaluate(options) => evaluate::run(&options, &setup),
        Command::Train(options) => train::run(&options, setup),
        Command::Models(options) => models::run(&options, &setup),
        Command::Check(options) => check::run(&options, &setup),
        Command::Status(options) => status::run(&options, &setup),
        Command::Map(options) => map::run(&options, &setup),
        Command::Reload => reload::run(&setup),
        Command::Duplicates(options) => duplicates::run(&options, &setup),
        Command::Export(options) => export::run(&options, &setup),
        Command::Completions(options) => manual::run_completions(&options),
        Command::Man(options) => manual::run_man(&options),
        Command::DecodeIsolated { request } => Ok(isolation::serve(&request)),
        Command::RunOnAnswer { answer, command } => Ok(on_answer::serve(&answer, &command)),
    }
}
