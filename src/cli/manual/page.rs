//! The manual pages, one a command: `clap_mangen` writes what the command line defines, and sections are added here.

use std::io;

use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, italic, roman};

use crate::cli::arguments::command;
use crate::cli::help::{Notes, notes_of};

/// Below the root.
const FILES: [(&str, &str); 9] = [
    ("query/", "A picture put here is a query. A folder of pictures put here is one query, searched together."),
    (
        "query/NAME/query.toml",
        "Settings of that query alone: results, metric, set_mode, min_score; within, not_within, after, before.",
    ),
    ("query/NAME/yes/", "Pictures of what the answer to that query should show more of."),
    ("query/NAME/not/", "Pictures that the answer to that query must not show, nor many like them."),
    ("answer/", "result_NAME.png and result_NAME.json, one pair a query; index.html shows all answers."),
    ("db/img_inventory_raw/", "The pictures to find. Read, never written."),
    ("db/img_train_raw/", "Pictures of the same kind to train on. May stay empty. Read, never written."),
    ("db/state/", "The service's own files: catalog, status.json, lock."),
    ("config/artificio.toml", "The settings. Every one has a default; the shipped file explains them all."),
];

const SIGNALS: &str = "SIGTERM and SIGINT shut the service down cleanly, SIGHUP makes it read the settings again.";

/// A manual page.
pub struct ManualPage {
    /// "artificio-query.1".
    pub file_name: String,
    /// As roff.
    pub text: String,
}

/// The page about the program, then those of its commands.
pub fn pages() -> io::Result<Vec<ManualPage>> {
    let mut program = prepare(command());
    program.build();
    let mut pages = Vec::new();
    add(&program, "", &mut pages)?;
    Ok(pages)
}

/// The words of a manual instead of those of a help text, at any depth.
fn prepare(command: Command) -> Command {
    let deeper: Vec<String> = command.get_subcommands().map(|command| command.get_name().to_string()).collect();
    let command = command.disable_help_subcommand(true);
    let command = command.subcommand_help_heading("COMMANDS").subcommand_value_name("command");
    deeper.into_iter().fold(command, |command, name| command.mut_subcommand(name, prepare))
}

/// `name` is what calls the command after the program's name: "models rollback".
fn add(command: &Command, name: &str, pages: &mut Vec<ManualPage>) -> io::Result<()> {
    pages.push(page(command, name)?);
    for deeper in command.get_subcommands().filter(|deeper| !deeper.is_hide_set()) {
        add(deeper, format!("{name} {}", deeper.get_name()).trim_start(), pages)?;
    }
    Ok(())
}

fn page(command: &Command, name: &str) -> io::Result<ManualPage> {
    let source = concat!("artificio ", env!("CARGO_PKG_VERSION"));
    // clap's own usage line also has the values, and the dots of what may be repeated.
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage:").trim_start().to_string();
    // A page has no date of its own; an argument without any letter would be lost, and the next ones move up.
    let man = Man::new(command.clone().override_usage(usage)).source(source).date(" ");
    let notes = notes_of(name);
    let mut text = Vec::new();
    man.render_title(&mut text)?;
    man.render_name_section(&mut text)?;
    man.render_synopsis_section(&mut text)?;
    man.render_description_section(&mut text)?;
    remarks(notes).to_writer(&mut text)?;
    man.render_options_section(&mut text)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut text)?;
    }
    if name.is_empty() {
        about_the_service().to_writer(&mut text)?;
    }
    examples_and_exit_status(notes, name).to_writer(&mut text)?;
    Ok(ManualPage { file_name: man.get_filename(), text: String::from_utf8_lossy(&text).into_owned() })
}

/// Paragraphs that belong to the description.
fn remarks(notes: Option<&Notes>) -> Roff {
    let mut roff = Roff::new();
    for paragraph in notes.map_or(&[][..], |notes| notes.remarks) {
        roff.control("PP", []).text([roman(*paragraph)]);
    }
    roff
}

fn about_the_service() -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["FILES"]).text([roman("Below the root:")]);
    for (path, about) in FILES {
        roff.control("TP", []).text([italic(path)]).text([roman(about)]);
    }
    roff.control("SH", ["SIGNALS"]).text([roman(SIGNALS)]);
    roff
}

fn examples_and_exit_status(notes: Option<&Notes>, name: &str) -> Roff {
    let mut roff = Roff::new();
    let Some(notes) = notes else { return roff };
    roff.control("SH", ["EXAMPLES"]);
    for (line, effect) in notes.examples {
        roff.control("TP", []).text([bold(*line)]);
        if !effect.is_empty() {
            roff.text([roman(*effect)]);
        }
    }
    if !notes.exit_codes.is_empty() {
        roff.control("SH", ["EXIT STATUS"]);
        for (code, meaning) in notes.exit_codes {
            roff.control("TP", []).text([bold(code.to_string())]).text([roman(*meaning)]);
        }
    }
    if !name.is_empty() {
        roff.control("SH", ["SEE ALSO"]).text([bold("artificio"), roman("(1)")]);
    }
    roff
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_has_its_sections_once() {
        for page in pages().unwrap() {
            let mut sections = vec!["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXAMPLES"];
            if page.file_name == "artificio.1" {
                sections.extend(["COMMANDS", "FILES", "SIGNALS", "EXIT STATUS"]);
            } else {
                sections.push("SEE ALSO");
            }
            for section in sections {
                let heading = |line: &&str| line.replace('"', "") == format!(".SH {section}");
                let count = page.text.lines().filter(heading).count();
                assert_eq!(count, 1, "{section} in {}\n{}", page.file_name, page.text);
            }
        }
    }

    #[test]
    fn a_page_keeps_what_the_help_says() {
        let pages = pages().unwrap();
        let query = pages.iter().find(|page| page.file_name == "artificio-query.1").unwrap();
        assert!(query.text.contains(".TH artificio-query 1 \" \" \"artificio "), "{}", query.text);
        assert!(query.text.contains("\n\\fBartificio query\\fR [OPTIONS] <PICTURE>...\n"), "{}", query.text);
        let expected = "\
.TP
\\fBartificio query burger.jpg\\fR
a table, the most similar first
";
        assert!(query.text.contains(expected), "{}", query.text);
        assert!(query.text.contains(".TP\n\\fB1\\fR\nnot answered (the reason is printed)\n"), "{}", query.text);
    }

    #[test]
    fn a_line_is_never_taken_for_a_request() {
        let notes = Notes { remarks: &[".SH x", "a\\-b 'c'"], examples: &[], exit_codes: &[] };
        let roff = remarks(Some(&notes)).render();
        assert!(roff.ends_with(".PP\n\\&.SH x\n.PP\na\\\\\\-b \\*(Aqc\\*(Aq\n"), "{roff}");
    }
}
