//! The service's side: the helper process, and a thread that tells it of the answers one after another.

use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crossbeam_channel::{Receiver, Sender, bounded};
use log::warn;
use serde::{Deserialize, Serialize};

use crate::answer::Status;
use crate::config::AnswerCommand;
use crate::error::Trouble;
use crate::threads::{self, ThreadEnd};

/// The helper's hidden command.
pub const COMMAND: &str = "run-on-answer";
/// Name of the thread.
pub const THREAD: &str = "on-answer";
/// Answers that wait for their command.
const MOST_WAITING: usize = 10_000;
const REMEDY: &str =
    "what it wrote is in the log; run it by hand, or change `on_answer` in the settings and restart artificio";

/// An answer was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerNotice {
    /// The answer is `result_<name>.json`.
    pub name: String,
    /// The sheet's file name.
    pub sheet: String,
    /// As in the record.
    pub status: Status,
}

/// What came of the command.
#[derive(Debug, Serialize, Deserialize)]
pub struct NoticeReply {
    /// The rest of a sentence that begins with the command, if it failed.
    pub failure: Option<String>,
}

/// The helper process. It ends when this is dropped.
#[derive(Debug)]
pub struct CommandHelper {
    answer: PathBuf,
    pipes: Mutex<HelperPipes>,
}

#[derive(Debug)]
struct HelperPipes {
    _process: Child,
    notices: ChildStdin,
    replies: BufReader<ChildStdout>,
}

impl CommandHelper {
    /// Starts it for the answers in the folder `answer`. It can do what this process can do now: it is not confined later.
    ///
    /// # Errors
    /// When the system starts no process.
    pub fn start(answer: &Path, command: &AnswerCommand) -> Result<Self, Trouble> {
        let mut helper = Command::new("/proc/self/exe");
        helper.arg(COMMAND).arg(answer).arg("--").args(command.texts());
        Self::of(helper, answer)
    }

    fn of(mut helper: Command, answer: &Path) -> Result<Self, Trouble> {
        // Ctrl-C on a terminal must reach the service only.
        let started = helper.stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0).spawn();
        let piped = started.and_then(|mut process| match (process.stdin.take(), process.stdout.take()) {
            (Some(notices), Some(replies)) => {
                Ok(HelperPipes { _process: process, notices, replies: BufReader::new(replies) })
            }
            _ => Err(io::ErrorKind::BrokenPipe.into()),
        });
        let pipes = piped.map_err(|error| Trouble::system("start the process for `on_answer`", answer, &error))?;
        Ok(Self { answer: answer.to_path_buf(), pipes: Mutex::new(pipes) })
    }

    /// Has the command run for one answer, and waits for its end.
    fn run(&self, notice: &AnswerNotice) -> Result<(), Trouble> {
        let record = self.answer.join(format!("result_{}.json", notice.name));
        let reply = self.ask(notice).map_err(|error| {
            let what = format!("the process for `on_answer` has ended: {}", crate::error::reason(&error));
            Trouble::new(what, &record, "restart artificio")
        })?;
        let failed = |failure| Trouble::new(format!("the command of `on_answer` {failure}"), &record, REMEDY);
        reply.failure.map_or(Ok(()), |failure| Err(failed(failure)))
    }

    fn ask(&self, notice: &AnswerNotice) -> io::Result<NoticeReply> {
        let mut pipes = locked(&self.pipes);
        let mut line = serde_json::to_vec(notice)?;
        line.push(b'\n');
        pipes.notices.write_all(&line)?;
        let mut reply = String::new();
        if pipes.replies.read_line(&mut reply)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(serde_json::from_str(&reply)?)
    }
}

/// The answers that wait for their command, and what became of the last one.
pub struct AnswerCommands {
    waiting: Option<Sender<AnswerNotice>>,
    trouble: Arc<Mutex<Option<Trouble>>>,
}

impl AnswerCommands {
    /// None is run.
    pub fn none() -> Self {
        Self { waiting: None, trouble: Arc::default() }
    }

    /// With `helper`, where there is one.
    ///
    /// # Errors
    /// When the system starts no thread.
    pub fn start(helper: Option<Arc<CommandHelper>>, ends: Sender<ThreadEnd>) -> Result<Self, Trouble> {
        let Some(helper) = helper else { return Ok(Self::none()) };
        let (sender, receiver) = bounded(MOST_WAITING);
        let commands = Self { waiting: Some(sender), trouble: Arc::default() };
        let trouble = Arc::clone(&commands.trouble);
        threads::spawn(THREAD, ends, move || run_all(&helper, &receiver, &trouble))?;
        Ok(commands)
    }

    /// An answer was written. The loop never waits for a command.
    pub fn enqueue(&self, notice: AnswerNotice) {
        if let Some(waiting) = &self.waiting
            && let Err(refused) = waiting.try_send(notice)
        {
            let name = refused.into_inner().name;
            warn!("on_answer is not run for result_{name}.json: {MOST_WAITING} answers wait for theirs already");
        }
    }

    /// What is wrong, if the last command failed.
    pub fn trouble(&self) -> Option<Trouble> {
        locked(&self.trouble).clone()
    }
}

fn run_all(helper: &CommandHelper, waiting: &Receiver<AnswerNotice>, trouble: &Mutex<Option<Trouble>>) {
    for notice in waiting {
        let failed = helper.run(&notice).err();
        if let Some(failure) = &failed {
            warn!(file:% = failure.path.display(); "{failure}");
        }
        // Other answers are no other problem: it is told once, until a command succeeds.
        *locked(trouble) = failed.map(|failure| Trouble { path: helper.answer.clone(), ..failure });
    }
}

/// Nothing that is done under these locks can leave half a value behind.
fn locked<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    fn notice(name: &str, status: Status) -> AnswerNotice {
        AnswerNotice { name: name.into(), sheet: format!("result_{name}.png"), status }
    }

    /// The shell stands for the helper: it fails for errors, and ends after "last".
    #[test]
    fn a_failure_is_a_trouble_until_a_command_succeeds() {
        let script = "while read -r line; do case $line in
            *error*) echo '{\"failure\":\"ended with exit status: 3\"}';;
            *last*) exit;;
            *) echo '{\"failure\":null}';; esac; done";
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", script]);
        let helper = Arc::new(CommandHelper::of(shell, Path::new("/answer")).unwrap());
        let failed = helper.run(&notice("a", Status::Error)).unwrap_err();
        assert_eq!(failed.path, Path::new("/answer/result_a.json"));
        assert_eq!(failed.what, "the command of `on_answer` ended with exit status: 3");
        let commands = AnswerCommands::start(Some(helper), crossbeam_channel::unbounded().0).unwrap();
        let wait = |is_so: &dyn Fn(Option<Trouble>) -> bool| {
            let deadline = Instant::now() + Duration::from_secs(60);
            while !is_so(commands.trouble()) {
                assert!(Instant::now() < deadline, "{:?}", commands.trouble());
                std::thread::sleep(Duration::from_millis(2));
            }
        };
        commands.enqueue(notice("b", Status::Error));
        wait(&|trouble| trouble.is_some_and(|trouble| trouble.path == Path::new("/answer")));
        commands.enqueue(notice("c", Status::Ok));
        wait(&|trouble| trouble.is_none());
        commands.enqueue(notice("last", Status::Ok));
        wait(&|trouble| {
            trouble.is_some_and(|trouble| trouble.what.starts_with("the process for `on_answer` has ended"))
        });
        AnswerCommands::none().enqueue(notice("d", Status::Ok));
    }
}
