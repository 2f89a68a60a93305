//! `artificio query`: the answer to a query on the terminal.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use super::arguments::{QueryOptions, absolute};
use super::output;
use super::terminal::wrap_for_stdout;
use crate::answer::sheet::{decimals, percent};
use crate::answer::{Grade, MEANING, MatchPart, ORDER, Record, Status, mark, rises};
use crate::base::csv::quoted;
use crate::config::{Bounded, DateRange, InventoryFolders, SearchScope, Setup, SheetFormat};
use crate::error::Fatal;
use crate::files::write_whole;
use crate::query::Ask;

/// Columns before the path of a match; its reason stands below the path.
const INDENT: usize = 13;

pub fn run(options: &QueryOptions, setup: &Setup) -> Result<ExitCode, Fatal> {
    let pictures = options.pictures.iter().map(|picture| absolute(picture)).collect::<Result<Vec<_>, _>>()?;
    let missing = pictures.iter().find(|picture| !picture.exists());
    if let Some(missing) = missing {
        return Err(Fatal::Usage(format!("{}: there is no such picture", missing.display())));
    }
    let mut ask = Ask::new(setup, pictures)?;
    ask.results = options.results.map(Bounded::new);
    ask.crop = options.crop;
    ask.scope = SearchScope {
        within: folders(&options.within)?,
        not_within: folders(&options.not_within)?,
        taken: DateRange { after: options.after, before: options.before },
    };
    let sheet_path = sheet_path(options, &ask)?;
    if let Some((path, format)) = &sheet_path {
        if ask.pictures.contains(path) {
            return Err(Fatal::Usage(format!("{}: the sheet would replace the picture itself", path.display())));
        }
        (ask.with_sheet, ask.config.answer.format) = (true, *format);
    }
    let reply = ask.reply()?;
    let is_for_programs = options.json || options.csv || options.null;
    let mut text = match options {
        QueryOptions { json: true, .. } => String::from_utf8_lossy(&reply.record.to_json()).into_owned(),
        QueryOptions { csv: true, .. } => csv(&reply.record.matches),
        QueryOptions { null: true, .. } => {
            reply.record.matches.iter().map(|found| format!("{}\0", found.absolute_path)).collect()
        }
        _ => table(&reply.record, options.why),
    };
    if reply.record.status == Status::Error && is_for_programs && !options.json {
        // Standard output holds matches alone.
        eprintln!("artificio: {}", output::harmless(&reply.record.message));
    }
    if let (Some((path, _)), Some(sheet)) = (&sheet_path, &reply.sheet) {
        write_whole(path, sheet, "write the sheet")?;
        if !is_for_programs {
            text += &format!("sheet: {}\n", path.display());
        }
    }
    output::print(&text)?;
    if let Some((path, _)) = sheet_path.filter(|_| options.open) {
        open(&path)?;
    }
    Ok(if reply.record.status == Status::Error { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn folders(named: &[PathBuf]) -> Result<InventoryFolders, Fatal> {
    InventoryFolders::of(named.iter().cloned()).map_err(|folder| {
        let folder = folder.display();
        Fatal::Usage(format!(
            "{folder}: this is no folder inside the inventory; name one from there, such as shirts/2024"
        ))
    })
}

/// Path and format of the sheet; `None` when none is wanted.
fn sheet_path(options: &QueryOptions, ask: &Ask) -> Result<Option<(PathBuf, SheetFormat)>, Fatal> {
    let configured = ask.config.answer.format;
    let Some(path) = &options.sheet else {
        let name = format!("artificio-{}.{}", std::process::id(), configured.extension());
        return Ok(options.open.then(|| (std::env::temp_dir().join(name), configured)));
    };
    let format = output::sheet_format(path)?;
    Ok(Some((absolute(path)?, format)))
}

/// With the reason for each match, if that is wanted.
fn table(record: &Record, with_reasons: bool) -> String {
    // Mistakes in the set's own settings have several lines. What follows is indented: a file may have any name, and must not pass for
    // a line of the table.
    let mut text = format!("{}\n", output::harmless(&record.message).replace('\n', "\n    "));
    let digits = decimals(record.matches.iter().map(|found| found.closer_than));
    for found in &record.matches {
        text += &format!("{}\n", row(found, digits));
        if let Some(why) = found.why.as_ref().filter(|_| with_reasons) {
            let reason = format!("{:INDENT$}{}", "", output::one_line(&why.message));
            text += &format!("{}\n", wrap_for_stdout(&reason, INDENT));
        }
    }
    if with_reasons && !record.query.expanded_with.is_empty() {
        let pictures = output::one_line(&record.query.expanded_with.join(", "));
        text += &format!("asked together with what is most like it: {pictures}\n");
    }
    match record.matches.first().map(|found| found.grade) {
        Some(Some(_)) => text += &format!("{MEANING}\n"),
        Some(None) => text += "99 %: of 100 random inventory pairs, 99 are less similar\n",
        None => {}
    }
    if rises(record.matches.iter().filter_map(|found| found.grade)) {
        text += &format!("{ORDER}\n");
    }
    text
}

/// A heading and a line for each match (RFC 4180).
fn csv(matches: &[MatchPart]) -> String {
    let line = |found: &MatchPart| {
        let grade = found.grade.map_or("", Grade::name);
        let (path, absolute) = (quoted(&found.path), quoted(&found.absolute_path));
        format!("{},{path},{grade},{},{},{absolute}\n", found.rank, found.similarity, found.closer_than)
    };
    let lines: String = matches.iter().map(line).collect();
    format!("rank,path,grade,similarity,closer_than,absolute_path\n{lines}")
}

/// " 1  strong  burgers/one.jpg  (1 more like it)".
fn row(found: &MatchPart, digits: usize) -> String {
    let figure = || percent(found.closer_than, digits).unwrap_or_else(|| format!("{:.2}", found.similarity));
    let score = found.grade.map_or_else(figure, |grade| grade.name().into());
    let mark = mark(found).into_iter().next().map(|mark| format!("  ({mark})")).unwrap_or_default();
    format!("{:>2}  {score:<7}  {}{mark}", found.rank, output::one_line(&found.path))
}

fn open(path: &Path) -> Result<(), Fatal> {
    let started =
        Command::new("xdg-open").arg(path).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    started.map(drop).map_err(|error| {
        let reason = crate::error::reason(&error);
        Fatal::Failed(format!("{}: the sheet is written, but xdg-open could not be started: {reason}", path.display()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::MetadataPart;

    #[test]
    fn a_match_is_a_line_of_values_whatever_its_name() {
        let found = |rank, path: &str, grade| MatchPart {
            rank,
            path: path.into(),
            absolute_path: format!("/i/{path}"),
            node: None,
            is_remote: false,
            similarity: 0.5,
            closer_than: 0.995,
            likeness: None,
            grade,
            relation: None,
            away: false,
            why: None,
            duplicates: Vec::new(),
            metadata: MetadataPart::default(),
        };
        let matches = [found(1, "a.jpg", Some(Grade::Strong)), found(2, "b, \"c\".jpg", None)];
        let expected = "rank,path,grade,similarity,closer_than,absolute_path\n\
             1,a.jpg,strong,0.5,0.995,/i/a.jpg\n\
             2,\"b, \"\"c\"\".jpg\",,0.5,0.995,\"/i/b, \"\"c\"\".jpg\"\n";
        assert_eq!(csv(&matches), expected);
        assert_eq!(csv(&[]).lines().count(), 1);
    }
}
