//! The command that is run after each answer: a program and its arguments, never a line for a shell.

use std::borrow::Cow;
use std::ffi::OsString;
use std::path::Path;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error};
use serde::{Serialize, Serializer};

use super::Cause;
use super::suggest;

/// More arguments than a command needs.
const MOST: usize = 100;
/// What an argument may hold in braces.
const PLACEHOLDERS: [&str; 4] = ["record", "sheet", "name", "status"];

/// The setting `on_answer`; without a program nothing is run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AnswerCommand(Vec<CommandArgument>);

/// What the placeholders stand for.
#[derive(Debug, Clone, Copy)]
pub struct AnswerFacts<'a> {
    /// The record, a whole path.
    pub record: &'a Path,
    /// The sheet, a whole path.
    pub sheet: &'a Path,
    /// The answer is `result_<name>.json`.
    pub name: &'a str,
    /// As in the record.
    pub status: &'a str,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct CommandArgument {
    /// As it was written.
    text: String,
    pieces: Vec<ArgumentPiece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum ArgumentPiece {
    Text(String),
    /// Its place in [`PLACEHOLDERS`].
    Placeholder(usize),
}

impl AnswerCommand {
    /// Whether nothing is to be run.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Program and arguments as they were written.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|argument| argument.text.as_str())
    }

    /// Program and arguments for one answer.
    pub fn filled(&self, facts: &AnswerFacts<'_>) -> Vec<OsString> {
        self.0.iter().map(|argument| argument.filled(facts)).collect()
    }

    fn checked(arguments: Vec<CommandArgument>) -> Result<Self, Cause> {
        let wrong = |what: &str| Err(Cause::Refused(format!("{what}; write it as [\"program\", \"argument\", ...]")));
        match arguments.first().map(|program| program.pieces.as_slice()) {
            Some([]) => wrong("the name of a program is missing"),
            Some([ArgumentPiece::Text(name)]) if name.starts_with('~') => wrong("`~` is not your home here"),
            None | Some([ArgumentPiece::Text(_)]) if arguments.len() <= MOST => Ok(Self(arguments)),
            None | Some([ArgumentPiece::Text(_)]) => wrong(&format!("more than {MOST} arguments are not passed on")),
            Some(_) => wrong("which program runs cannot depend on the answer"),
        }
    }
}

/// What the helper process is given, which the service has read from the settings.
impl TryFrom<Vec<String>> for AnswerCommand {
    type Error = Cause;

    fn try_from(texts: Vec<String>) -> Result<Self, Cause> {
        Self::checked(texts.into_iter().map(CommandArgument::parse).collect::<Result<_, _>>()?)
    }
}

impl CommandArgument {
    fn parse(text: String) -> Result<Self, Cause> {
        if text.contains('\0') {
            return Err(Cause::Refused("no argument has a NUL in it".into()));
        }
        let (mut pieces, mut rest) = (Vec::new(), text.as_str());
        let mut plain = String::new();
        while let Some(start) = rest.find('{') {
            let inner = &rest[start + 1..];
            let word: String =
                inner.chars().take_while(|letter| letter.is_ascii_lowercase() || *letter == '_').collect();
            let is_placeholder = !word.is_empty() && inner[word.len()..].starts_with('}');
            plain.push_str(&rest[..start]);
            rest = &inner[if is_placeholder { word.len() + 1 } else { 0 }..];
            if !is_placeholder {
                plain.push('{');
                continue;
            }
            let Some(place) = PLACEHOLDERS.iter().position(|known| *known == word) else {
                let suggestion = suggest::choice(&word, &PLACEHOLDERS);
                return Err(Cause::Refused(format!("unknown placeholder `{{{word}}}`{suggestion}")));
            };
            if !plain.is_empty() {
                pieces.push(ArgumentPiece::Text(std::mem::take(&mut plain)));
            }
            pieces.push(ArgumentPiece::Placeholder(place));
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            pieces.push(ArgumentPiece::Text(plain));
        }
        Ok(Self { text, pieces })
    }

    fn filled(&self, facts: &AnswerFacts<'_>) -> OsString {
        let mut filled = OsString::new();
        for piece in &self.pieces {
            match piece {
                ArgumentPiece::Text(text) => filled.push(text),
                ArgumentPiece::Placeholder(0) => filled.push(facts.record),
                ArgumentPiece::Placeholder(1) => filled.push(facts.sheet),
                ArgumentPiece::Placeholder(2) => filled.push(facts.name),
                ArgumentPiece::Placeholder(_) => filled.push(facts.status),
            }
        }
        filled
    }
}

impl<'de> Deserialize<'de> for CommandArgument {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl<'de> Deserialize<'de> for AnswerCommand {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::checked(Vec::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl Serialize for AnswerCommand {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.texts())
    }
}

impl JsonSchema for AnswerCommand {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "AnswerCommand".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "array", "items": { "type": "string" }, "maxItems": MOST })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse;

    fn command(list: &str) -> AnswerCommand {
        parse(Path::new("x"), &format!("[answer]\non_answer = {list}")).unwrap().answer.on_answer
    }

    #[test]
    fn placeholders_are_filled_and_all_else_is_passed_on_as_it_is() {
        let facts = AnswerFacts {
            record: Path::new("/a/result_x {name}.json"),
            sheet: Path::new("/a/result_x.png"),
            name: "x; rm -rf /",
            status: "ok",
        };
        let list =
            "[\"curl\", \"--data=@{record}\", \"{sheet}\", \"{name}={status}{status}\", '{\"a\": {}, {B}}', \"\"]";
        let expected =
            ["curl", "--data=@/a/result_x {name}.json", "/a/result_x.png", "x; rm -rf /=okok", "{\"a\": {}, {B}}", ""];
        assert_eq!(command(list).filled(&facts), expected.map(OsString::from));
        assert!(command("[]").is_empty() && command("[]").filled(&facts).is_empty());
        let texts: Vec<String> = command(list).texts().map(Into::into).collect();
        assert_eq!(AnswerCommand::try_from(texts).unwrap(), command(list));
    }

    #[test]
    fn what_cannot_be_run_is_said_with_its_place() {
        for (list, said) in [
            ("[\"cmd\", \"{recrod}\"]", "x:2:21: unknown placeholder `{recrod}`; did you mean `record`?"),
            ("[\"\"]", "x:2:13: the name of a program is missing"),
            ("[\"{name}\"]", "which program runs cannot depend on the answer"),
            ("[\"~/cmd\"]", "`~` is not your home here"),
            ("[\"cmd\", 3]", "x:2:21: expected text in quotes"),
            ("[\"cmd\", \"a\\u0000b\"]", "no argument has a NUL in it"),
            ("\"cmd {record}\"", "a list is expected here"),
        ] {
            let error = parse(Path::new("x"), &format!("[answer]\non_answer = {list}")).unwrap_err().to_string();
            assert!(error.contains(said), "{list}: {error}");
        }
    }
}
