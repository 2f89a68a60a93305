//! What the help of a command says below its options, as `--help` shows it. The manual pages show the same.

mod notes;

use clap::Command;

pub use notes::notes_of;

/// Remarks, examples and exit codes of one command.
pub struct Notes {
    /// Paragraphs.
    pub remarks: &'static [&'static str],
    /// Lines to type, each with a word on what it does.
    pub examples: &'static [(&'static str, &'static str)],
    /// What each exit code means; none where the usual ones hold.
    pub exit_codes: &'static [(u8, &'static str)],
}

impl Notes {
    fn help(&self) -> String {
        let mut paragraphs: Vec<String> = self.remarks.iter().map(ToString::to_string).collect();
        // A line without an explanation may be longer than the column.
        let explained = self.examples.iter().filter(|(_, effect)| !effect.is_empty());
        let width = explained.map(|(line, _)| line.len()).max().unwrap_or(0);
        let example = |(line, effect): &(&str, &str)| format!("  {line:width$}  {effect}").trim_end().to_string();
        let examples: Vec<String> = self.examples.iter().map(example).collect();
        paragraphs.push(format!("Examples:\n{}", examples.join("\n")));
        if !self.exit_codes.is_empty() {
            let codes: Vec<String> =
                self.exit_codes.iter().map(|(code, meaning)| format!("{code} {meaning}")).collect();
            paragraphs.push(format!("Exit codes: {}.", codes.join(", ")));
        }
        paragraphs.join("\n\n")
    }
}

/// `command` and all below it with their notes. `name` is what calls it after the program's name: "models rollback".
pub fn with_notes(command: Command, name: &str) -> Command {
    let deeper: Vec<String> = command.get_subcommands().map(|command| command.get_name().to_string()).collect();
    let command = match notes_of(name) {
        Some(notes) => command.after_help(notes.help()),
        None => command,
    };
    let add = |command: Command, deeper: String| {
        let called = format!("{name} {deeper}");
        command.mut_subcommand(deeper, |command| with_notes(command, called.trim_start()))
    };
    deeper.into_iter().fold(command, add)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::arguments::command;

    /// All commands at any depth, with the words that call them.
    fn commands(command: &Command, called: &str, found: &mut Vec<(String, Command)>) {
        let is_own = |deeper: &&Command| deeper.get_name() != "help" && !deeper.is_hide_set();
        for deeper in command.get_subcommands().filter(is_own) {
            let called = format!("{called} {}", deeper.get_name());
            commands(deeper, &called, found);
            found.push((called, deeper.clone()));
        }
    }

    #[test]
    fn every_command_has_an_example_in_its_help() {
        let mut all = Vec::new();
        commands(&command(), "artificio", &mut all);
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
        let mut all = vec![("artificio".to_string(), command())];
        commands(&command(), "artificio", &mut all);
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
    fn notes_read_like_this() {
        let notes = Notes {
            remarks: &["A remark."],
            examples: &[("artificio demo", "here"), ("artificio run", "there"), ("artificio demo /tmp/try", "")],
            exit_codes: &[(0, "done"), (1, "failed")],
        };
        let expected = "\
A remark.

Examples:
  artificio demo  here
  artificio run   there
  artificio demo /tmp/try

Exit codes: 0 done, 1 failed.";
        assert_eq!(notes.help(), expected);
    }
}
