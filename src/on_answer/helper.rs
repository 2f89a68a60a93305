//! The helper process: waits for names of answers on its standard input, runs the command for each, and says how that went.

use std::io::{self, BufRead, Write};
use std::path::{Component, Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use super::command;
use super::service::{AnswerNotice, NoticeReply};
use crate::config::{AnswerCommand, AnswerFacts};

/// A command that takes longer is ended.
const LIMIT: Duration = Duration::from_secs(60);

/// Runs the hidden command, until the service has ended or closes the pipe. `answer` is the answer folder.
pub fn serve(answer: &Path, command: &[String]) -> ExitCode {
    let Ok(command) = AnswerCommand::try_from(command.to_vec()) else { return ExitCode::FAILURE };
    match talk(answer, &command, &mut io::stdin().lock(), &mut io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn talk(answer: &Path, command: &AnswerCommand, notices: &mut dyn BufRead, replies: &mut dyn Write) -> io::Result<()> {
    for line in notices.lines() {
        let failure = match serde_json::from_str(&line?) {
            Ok(notice) => run_for(answer, command, &notice),
            Err(error) => Some(format!("was not run: {error}")),
        };
        serde_json::to_writer(&mut *replies, &NoticeReply { failure })?;
        writeln!(replies)?;
        replies.flush()?;
    }
    Ok(())
}

/// Why the command failed, if it did. The service is not trusted with more than the name of an answer: a picture may have taken it
/// over.
fn run_for(answer: &Path, command: &AnswerCommand, notice: &AnswerNotice) -> Option<String> {
    let files = [format!("result_{}.json", notice.name), notice.sheet.clone()];
    let [Some(record), Some(sheet)] = files.map(|name| file_in(answer, &name)) else {
        return Some("was not run: this is no name of an answer".into());
    };
    let facts = AnswerFacts { record: &record, sheet: &sheet, name: &notice.name, status: notice.status.name() };
    command::run(&command.filled(&facts), LIMIT).err().map(|failure| failure.to_string())
}

fn file_in(folder: &Path, name: &str) -> Option<PathBuf> {
    let mut parts = Path::new(name).components();
    let is_name = matches!((parts.next(), parts.next()), (Some(Component::Normal(part)), None) if part == name);
    (is_name && name.starts_with("result_") && !name.contains('\0')).then(|| folder.join(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_answer_is_told_of_and_each_end_is_replied() {
        let place = tempfile::tempdir().unwrap();
        let seen = place.path().join("seen");
        let script = format!("echo \"$@\" >> '{}'; test \"$4\" != error", seen.display());
        let texts = ["/bin/sh", "-c", &script, "sh", "{record}", "{sheet}", "{name}", "{status}"];
        let command = AnswerCommand::try_from(texts.map(String::from).to_vec()).unwrap();
        let notices = "{\"name\":\"a b\",\"sheet\":\"result_a b.png\",\"status\":\"ok\"}\n\
             {\"name\":\"../x\",\"sheet\":\"result_x.png\",\"status\":\"ok\"}\n\
             {\"name\":\"x\",\"sheet\":\"/etc/passwd\",\"status\":\"ok\"}\n\
             {\"name\":\"x\",\"sheet\":\"result_x.png\",\"status\":\"; reboot\"}\n\
             {\"name\":\"c\",\"sheet\":\"result_c.jpg\",\"status\":\"error\"}\n";
        let mut replies = Vec::new();
        talk(Path::new("/answer"), &command, &mut notices.as_bytes(), &mut replies).unwrap();
        let failures: Vec<Option<String>> = String::from_utf8(replies)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str::<NoticeReply>(line).unwrap().failure)
            .collect();
        let no_name = || Some("was not run: this is no name of an answer".into());
        assert_eq!(failures[..3], [None, no_name(), no_name()]);
        assert!(failures[3].as_ref().unwrap().starts_with("was not run: unknown variant"), "{failures:?}");
        assert_eq!(failures[4..], [Some("ended with exit status: 1".into())]);
        let expected = "/answer/result_a b.json /answer/result_a b.png a b ok\n\
             /answer/result_c.json /answer/result_c.jpg c error\n";
        assert_eq!(std::fs::read_to_string(seen).unwrap(), expected);
    }
}
