//! `artificio man` and `artificio completions`: what a package installs beside the program, made from the very
//! definition of the command line.

use std::process::ExitCode;

use clap::{Command, CommandFactory};
use clap_complete::generate;
use clap_mangen::Man;

use super::arguments::{Arguments, CompletionsOptions, Shell};
use super::output;
use crate::error::Fatal;

const FILES: &str = "\
.SH FILES
Below the root:
.TP
.I query/
A picture put here is a query. A folder of pictures put here is one query, searched together.
.TP
.I answer/
result_NAME.png and result_NAME.json, one pair a query.
.TP
.I db/img_inventory_raw/
The pictures to find. Read, never written.
.TP
.I db/img_train_raw/
Pictures of the same kind to train on. May stay empty. Read, never written.
.TP
.I db/state/
The daemon's own: catalog, status.json, lock.
.TP
.I config/artificio.toml
The settings. Every one has a default; the shipped file states them all, each with a sentence.
.SH SIGNALS
SIGTERM and SIGINT end the service in order, SIGHUP has it read the settings again.
";

/// Prints the manual page.
pub fn run_man() -> Result<ExitCode, Fatal> {
    output::print(&page()?)?;
    Ok(ExitCode::SUCCESS)
}

/// Prints a shell's completions.
pub fn run_completions(options: &CompletionsOptions) -> Result<ExitCode, Fatal> {
    output::print(&completions(options.shell))?;
    Ok(ExitCode::SUCCESS)
}

fn completions(shell: Shell) -> String {
    let mut script = Vec::new();
    let mut command = Arguments::command();
    match shell {
        Shell::Bash => generate(clap_complete::Shell::Bash, &mut command, "artificio", &mut script),
        Shell::Zsh => generate(clap_complete::Shell::Zsh, &mut command, "artificio", &mut script),
        Shell::Fish => generate(clap_complete::Shell::Fish, &mut command, "artificio", &mut script),
    }
    String::from_utf8_lossy(&script).into_owned()
}

/// One page for the program and all its commands.
fn page() -> Result<String, Fatal> {
    let command = Arguments::command();
    let man = Man::new(command.clone().disable_help_subcommand(true)).manual("artificio");
    let mut page = Vec::new();
    let sections = [
        Man::render_title,
        Man::render_name_section,
        Man::render_synopsis_section,
        Man::render_description_section,
        Man::render_options_section,
    ];
    sections.iter().try_for_each(|section| section(&man, &mut page)).map_err(unwritten)?;
    let mut page = String::from_utf8_lossy(&page).into_owned();
    page += ".SH COMMANDS\n";
    for command in command.get_subcommands().filter(|command| !command.is_hide_set()) {
        page += &about_command(command, "artificio")?;
    }
    page += FILES;
    page += &after_help(&command, ".SH");
    Ok(page)
}

fn about_command(command: &Command, parent: &str) -> Result<String, Fatal> {
    let name = format!("{parent} {}", command.get_name());
    let man = Man::new(command.clone().bin_name(&name).disable_help_flag(true).disable_help_subcommand(true));
    let mut text = Vec::new();
    man.render_synopsis_section(&mut text).map_err(unwritten)?;
    text.extend_from_slice(b".PP\n");
    man.render_description_section(&mut text).map_err(unwritten)?;
    if command.get_arguments().any(|argument| !argument.is_hide_set()) {
        man.render_options_section(&mut text).map_err(unwritten)?;
    }
    // Below the command's own heading there are no further ones.
    let text = String::from_utf8_lossy(&text).into_owned();
    let lines =
        text.lines().filter(|line| !line.starts_with(".SH ") && !line.starts_with(".ie ") && !line.starts_with(".el "));
    let mut about = format!(".SS \"{}\"\n", escaped(&name));
    lines.for_each(|line| about += &format!("{line}\n"));
    about += &after_help(command, ".PP");
    for deeper in command.get_subcommands() {
        about += &about_command(deeper, &name)?;
    }
    Ok(about)
}

/// What stands below a command's help: examples keep their lines, everything else flows.
fn after_help(command: &Command, heading: &str) -> String {
    let text = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let mut roff = String::new();
    for paragraph in text.split("\n\n") {
        let lines: Vec<&str> = paragraph.lines().collect();
        let Some((first, rest)) = lines.split_first() else { continue };
        let is_section = heading == ".SH";
        if *first == "Examples:" {
            roff += if is_section { ".SH EXAMPLES\n.nf\n" } else { ".PP\nExamples:\n.nf\n" };
            rest.iter().for_each(|line| roff += &format!("{}\n", escaped(line)));
            roff += ".fi\n";
        } else if let Some(codes) = first.strip_prefix("Exit codes: ") {
            let codes = [&[codes], rest].concat().join(" ");
            let named = if is_section { ".SH EXIT STATUS\n" } else { ".PP\nExit codes: " };
            roff += &format!("{named}{}\n", escaped(&codes));
        } else {
            roff += ".PP\n";
            lines.iter().for_each(|line| roff += &format!("{}\n", escaped(line)));
        }
    }
    roff
}

/// What roff would take for commands of its own is text here.
fn escaped(line: &str) -> String {
    let text = line.replace('\\', "\\e").replace('-', "\\-");
    if text.starts_with(['.', '\'']) { format!("\\&{text}") } else { text }
}

fn unwritten(error: std::io::Error) -> Fatal {
    Fatal::Failed(format!("the manual page could not be made: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names and long options of all commands, at any depth.
    fn words(command: &Command, found: &mut Vec<String>) {
        for command in command.get_subcommands().filter(|command| !command.is_hide_set()) {
            found.push(command.get_name().to_string());
            let options = command.get_arguments().filter(|argument| !argument.is_hide_set());
            found.extend(options.filter_map(|argument| argument.get_long().map(str::to_string)));
            words(command, found);
        }
    }

    fn all_words() -> Vec<String> {
        let mut found = vec!["root".to_string(), "config".to_string()];
        words(&Arguments::command(), &mut found);
        assert!(found.len() > 10, "{found:?}");
        found
    }

    #[test]
    fn the_page_tells_of_every_command_and_option() {
        let page = page().unwrap();
        let plain = page.replace("\\-", "-");
        for word in all_words() {
            assert!(plain.contains(&word), "{word} is missing in\n{page}");
        }
        for section in ["NAME", "SYNOPSIS", "OPTIONS", "COMMANDS", "FILES", "EXAMPLES", "EXIT STATUS"] {
            let heading = format!(".SH {section}\n");
            assert_eq!(page.matches(&heading).count(), 1, "{section} in\n{page}");
        }
    }

    #[test]
    fn completions_know_every_command_and_option() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let script = completions(shell);
            for word in all_words() {
                assert!(script.contains(&word), "{word} is missing for {shell:?}");
            }
        }
    }

    /// All commands at any depth, with the words that call them.
    fn commands(command: &Command, called: &str, found: &mut Vec<(String, Command)>) {
        for deeper in command.get_subcommands().filter(|deeper| deeper.get_name() != "help") {
            let called = format!("{called} {}", deeper.get_name());
            commands(deeper, &called, found);
            found.push((called, deeper.clone()));
        }
    }

    #[test]
    fn every_command_has_an_example_in_its_help() {
        let mut all = Vec::new();
        commands(&Arguments::command(), "artificio", &mut all);
        assert!(all.len() > 12);
        let lacks = |(called, command): &(String, Command)| {
            let help = command.clone().render_long_help().to_string();
            let is_plain = ["man", "completions"].iter().any(|name| called.ends_with(name));
            !help.contains(called) || !help.contains("Examples:") || !(is_plain || help.contains("Exit codes:"))
        };
        let without: Vec<&String> = all.iter().filter(|one| lacks(one)).map(|one| &one.0).collect();
        assert!(without.is_empty(), "no example or no exit codes in the help of {without:?}");
    }

    /// clap breaks lines for the terminal; a line broken by hand as well would end twice, in the middle of a sentence.
    #[test]
    fn paragraphs_of_the_help_are_one_line_and_examples_fit_a_terminal() {
        let mut all = vec![("artificio".to_string(), Arguments::command())];
        commands(&Arguments::command(), "artificio", &mut all);
        for (called, command) in all {
            let text = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            for line in text.lines().filter(|line| !line.is_empty()) {
                match line.starts_with("  ") {
                    true => assert!(line.chars().count() <= 80, "{called}: an example is too wide: {line}"),
                    false => assert!(line.ends_with(['.', ':']), "{called}: broken by hand: {line}"),
                }
            }
        }
    }

    #[test]
    fn a_line_is_never_taken_for_a_request() {
        assert_eq!(escaped(".SH x"), "\\&.SH x");
        assert_eq!(escaped("a\\-b"), "a\\e\\-b");
    }
}
