//! `artificio man` and `artificio completions`: what a package installs along with the program, made from the definition of
//! the command line.

mod model_ids;
mod page;

use std::path::Path;
use std::process::ExitCode;

use clap_complete::generate;

use self::model_ids::with_model_ids;
use self::page::{ManualPage, pages};
use super::arguments::{CompletionsOptions, ManOptions, Shell, absolute, command};
use super::output;
use crate::error::Fatal;
use crate::files::{make_folder, write_whole};

/// Prints the page about the program, or writes the pages of all commands.
pub fn run_man(options: &ManOptions) -> Result<ExitCode, Fatal> {
    let pages = pages().map_err(|error| Fatal::Failed(format!("the manual pages could not be made: {error}")))?;
    match &options.dir {
        Some(folder) => write(&pages, &absolute(folder)?)?,
        None => output::print(pages.first().map_or("", |page| &page.text))?,
    }
    Ok(ExitCode::SUCCESS)
}

fn write(pages: &[ManualPage], folder: &Path) -> Result<(), Fatal> {
    make_folder(folder)?;
    for page in pages {
        write_whole(&folder.join(&page.file_name), page.text.as_bytes(), "write the manual page")?;
    }
    Ok(())
}

/// Prints a shell's completions.
pub fn run_completions(options: &CompletionsOptions) -> Result<ExitCode, Fatal> {
    output::print(&completions(options.shell))?;
    Ok(ExitCode::SUCCESS)
}

fn completions(shell: Shell) -> String {
    let mut script = Vec::new();
    let mut command = command();
    match shell {
        Shell::Bash => generate(clap_complete::Shell::Bash, &mut command, "artificio", &mut script),
        Shell::Zsh => generate(clap_complete::Shell::Zsh, &mut command, "artificio", &mut script),
        Shell::Fish => generate(clap_complete::Shell::Fish, &mut command, "artificio", &mut script),
    }
    with_model_ids(shell, String::from_utf8_lossy(&script).into_owned())
}

#[cfg(test)]
mod tests {
    use clap::Command;

    use super::*;

    /// Names and long options of all commands below `command`, at any depth.
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
        words(&command(), &mut found);
        assert!(found.len() > 10, "{found:?}");
        found
    }

    #[test]
    fn the_pages_name_every_command_and_option() {
        let pages = pages().unwrap();
        let plain: String = pages.iter().map(|page| page.text.replace("\\-", "-")).collect();
        for word in all_words() {
            assert!(plain.contains(&word), "{word} is missing in\n{plain}");
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

    #[test]
    fn the_pages_are_written_under_the_names_that_man_looks_for() {
        let folder = tempfile::tempdir().unwrap();
        let man1 = folder.path().join("man1");
        run_man(&ManOptions { dir: Some(man1.clone()) }).unwrap();
        let mut names: Vec<String> =
            std::fs::read_dir(&man1).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        assert_eq!(names.len(), 1 + all_commands(&command()), "{names:?}");
        for name in ["artificio.1", "artificio-query.1", "artificio-models.1", "artificio-models-rollback.1"] {
            assert!(names.iter().any(|written| written == name), "{name} is missing in {names:?}");
        }
    }

    fn all_commands(command: &Command) -> usize {
        let shown = command.get_subcommands().filter(|deeper| !deeper.is_hide_set());
        shown.map(|deeper| 1 + all_commands(deeper)).sum()
    }
}
