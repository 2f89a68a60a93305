//! The service's side: starts a child process, waits for it, and judges how it ended.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use image::DynamicImage;
use rustix::fs::{MemfdFlags, memfd_create};

use super::extract::Extracted;
use super::protocol::{ChildRequest, ChildTask, DecodeOrder, read_answer, read_ready};
use super::usage::{Activity, memory_in_all, memory_left};
use crate::picture::{self, Bounds, CrashCause, Resolution, Unusable};

/// The child's hidden command.
const COMMAND: &str = "decode-isolated";
/// Its exit code after a panic that no decoder caught.
pub(super) const PANICKED: u8 = 101;
/// No picture within the default limits takes more: 640 MiB of pixels, three copies of them, and the file.
const MOST_MEMORY: u64 = 3 << 30;
/// Largest budget that is not set: enough for one of the largest pictures, or two dozen ordinary ones.
const MOST_BUDGET: u64 = 2 << 30;
/// If less memory is left than an ordinary photograph takes, running out of it proves nothing about a picture.
const LEAST_MEMORY: u64 = 128 << 20;
/// Extra processor time of a child besides the decoding: to start, and for the network of a trial.
const SPARE_TIME_OF_TRIAL: Duration = Duration::from_secs(5);
const SPARE_TIME: Duration = Duration::from_millis(500);
/// A child that has slept this long without using a processor will never end.
const LONGEST_SLEEP: Duration = Duration::from_secs(10);
/// Time between two checks of a child, at first and at last.
const PAUSES: [Duration; 2] = [Duration::from_millis(1), Duration::from_millis(20)];
/// Signals that a process causes itself. Any other comes from outside.
const OWN_SIGNALS: [i32; 7] =
    [libc::SIGILL, libc::SIGTRAP, libc::SIGABRT, libc::SIGBUS, libc::SIGFPE, libc::SIGSEGV, libc::SIGSYS];

/// Memory that a child started now may take, in bytes: as much as this process could, so that whatever kills the child would
/// have killed this process as well.
pub fn memory_allowance() -> u64 {
    memory_left().min(MOST_MEMORY)
}

/// The budget for decoding in this process where the settings do not say, in bytes: half of what it may have, and no more than the
/// largest pictures within the default limits take. The rest is for the index, the catalog, sheets, and children.
pub fn budget_by_default() -> u64 {
    (memory_in_all() / 2).min(MOST_BUDGET)
}

/// How a child ended.
pub enum TrialOutcome {
    /// Normally: with the outputs, or the reason why it is no usable picture.
    Ended(Result<Extracted, Unusable>),
    /// The picture killed it.
    Crashed(CrashCause),
    /// Something else ended it, which proves nothing: why, for a person.
    Interrupted(String),
    /// No child can be started here: why, for a person.
    NotStarted(String),
    /// The service is about to end.
    Cancelled,
}

/// Decodes `bytes`, the content of the file at `path`, for a command: in a child process if its decoder is not memory-safe. The
/// picture may be smaller than its file says, but has the `resolution`.
///
/// # Errors
/// Why it is not usable.
pub fn decode(bytes: &[u8], path: &Path, bounds: &Bounds, resolution: Resolution) -> Result<DynamicImage, Unusable> {
    Isolation::default().decode_where_it_belongs(bytes, path, bounds, resolution).map(|(picture, _)| picture)
}

/// Starts children, any number at the same time.
pub struct Isolation {
    program: PathBuf,
    is_closing: AtomicBool,
}

impl Default for Isolation {
    /// Children of this same program, even after its file was replaced by another version.
    fn default() -> Self {
        Self { program: "/proc/self/exe".into(), is_closing: AtomicBool::new(false) }
    }
}

impl Isolation {
    /// Children of the program at this path.
    pub fn of(program: PathBuf) -> Self {
        Self { program, ..Self::default() }
    }

    /// Ends all children, present and future.
    pub fn close(&self) {
        self.is_closing.store(true, Ordering::Relaxed);
    }

    /// Decodes `bytes`, the content of the file at `path`, in a child process, computes the ordered outputs, and waits for them.
    pub fn extract(&self, bytes: &[u8], path: &Path, order: &DecodeOrder) -> TrialOutcome {
        self.run(bytes, path, ChildTask::Trial(*order), memory_allowance())
    }

    /// Decodes `bytes`, the content of the file at `path`, to `resolution` or a higher one in a child process, which may take `memory_bytes`,
    /// as its header says, and waits for it. A picture that kills the child is damaged: that proves nothing else, and harms nobody.
    ///
    /// # Errors
    /// Why it is not usable. [`Unusable::TrialInterrupted`] if something else than the picture kept it from being decoded.
    pub fn decode(
        &self,
        bytes: &[u8],
        path: &Path,
        bounds: &Bounds,
        resolution: Resolution,
        memory_bytes: u64,
    ) -> Result<DynamicImage, Unusable> {
        picture_of(self.run(bytes, path, ChildTask::Decode(*bounds, resolution), memory_bytes + LEAST_MEMORY))
    }

    /// The same, whatever the header says, with so many pixels along the longer side at most.
    ///
    /// # Errors
    /// As of [`Self::decode`].
    pub fn shrink(
        &self,
        bytes: &[u8],
        path: &Path,
        bounds: &Bounds,
        longest_px: u32,
    ) -> Result<DynamicImage, Unusable> {
        picture_of(self.run(bytes, path, ChildTask::Shrink(*bounds, longest_px), memory_allowance()))
    }

    /// The same where it is needed; any other picture is decoded in this process. Width and height of the whole picture come with it.
    ///
    /// # Errors
    /// Why it is not usable.
    pub fn decode_where_it_belongs(
        &self,
        bytes: &[u8],
        path: &Path,
        bounds: &Bounds,
        resolution: Resolution,
    ) -> Result<(DynamicImage, (u32, u32)), Unusable> {
        let opened = picture::open(bytes, path, bounds)?;
        let whole = opened.size();
        if !opened.needs_process() {
            return Ok((opened.decode(resolution)?, whole));
        }
        let memory_bytes = opened.memory_bytes();
        drop(opened);
        Ok((self.decode(bytes, path, bounds, resolution, memory_bytes)?, whole))
    }

    fn run(&self, bytes: &[u8], path: &Path, task: ChildTask, memory_bytes: u64) -> TrialOutcome {
        if self.is_closing.load(Ordering::Relaxed) {
            return TrialOutcome::Cancelled;
        }
        let mut files = match ChildFiles::open(bytes) {
            Ok(files) => files,
            Err(error) => return TrialOutcome::NotStarted(crate::error::reason(&error)),
        };
        let mut child = match self.start(&files, path, task, memory_bytes) {
            Ok(child) => child,
            Err(error) => return TrialOutcome::NotStarted(crate::error::reason(&error)),
        };
        let limit_ms = task.bounds().decode_ms;
        let spare = if matches!(task, ChildTask::Trial(_)) { SPARE_TIME_OF_TRIAL } else { SPARE_TIME };
        let end = self.wait(&mut child, Duration::from_millis(limit_ms) + spare);
        match (end, files.take_answer()) {
            (Err(error), _) | (Ok(_), Err(error)) => TrialOutcome::Interrupted(crate::error::reason(&error)),
            (Ok(ChildEnd::OverTime), Ok(_)) => TrialOutcome::Crashed(CrashCause::Time { limit_ms }),
            (Ok(ChildEnd::Closed), Ok(_)) => TrialOutcome::Cancelled,
            (Ok(ChildEnd::Exited(status)), Ok(answer)) => judge(status, &answer, limit_ms),
        }
    }

    fn start(&self, files: &ChildFiles, path: &Path, task: ChildTask, memory_bytes: u64) -> io::Result<Child> {
        let extension = path.extension().unwrap_or_default().to_string_lossy().into_owned();
        let request = ChildRequest { parent: std::process::id(), extension, task, memory_bytes };
        Command::new(&self.program)
            .arg(COMMAND)
            .arg(serde_json::to_string(&request)?)
            .env_clear()
            .stdin(Stdio::from(files.input.try_clone()?))
            .stdout(Stdio::from(files.output.try_clone()?))
            .stderr(Stdio::from(files.errors.try_clone()?))
            // Ctrl-C on a terminal must reach the service only, which ends its children itself.
            .process_group(0)
            .spawn()
    }

    /// Waits for the child's end, counting its processor time: time in which it, the service or the machine was stopped does not
    /// count.
    fn wait(&self, child: &mut Child, limit: Duration) -> io::Result<ChildEnd> {
        let process = child.id().to_string();
        let (mut pause, mut asleep, mut used) = (PAUSES[0], Duration::ZERO, Duration::ZERO);
        loop {
            if let Some(status) = child.try_wait()? {
                return Ok(ChildEnd::Exited(status));
            }
            if self.is_closing.load(Ordering::Relaxed) {
                return end(child, ChildEnd::Closed);
            }
            if let Some(activity) = Activity::of(&process) {
                let is_idle = activity.is_asleep && activity.processor_time == used;
                asleep = if is_idle { asleep + pause } else { Duration::ZERO };
                used = activity.processor_time;
            }
            if used > limit || asleep > LONGEST_SLEEP {
                return end(child, ChildEnd::OverTime);
            }
            thread::sleep(pause);
            pause = (pause * 3 / 2).min(PAUSES[1]);
        }
    }
}

/// The picture that a child sent, or why there is none.
fn picture_of(outcome: TrialOutcome) -> Result<DynamicImage, Unusable> {
    match outcome {
        TrialOutcome::Ended(result) => {
            let no_picture = || Unusable::TrialInterrupted("the process that decoded it sent no picture".into());
            result.and_then(|extracted| extracted.picture.ok_or_else(no_picture))
        }
        TrialOutcome::Crashed(cause) => Err(Unusable::Damaged(match cause {
            CrashCause::Signal { number } => format!("its decoder crashed on it (signal {number})"),
            CrashCause::Memory { .. } => "it needs more memory than a picture of its size should".into(),
            CrashCause::Time { limit_ms } => format!("its decoder did not end within {limit_ms} ms"),
        })),
        TrialOutcome::Interrupted(why) => Err(Unusable::TrialInterrupted(why)),
        TrialOutcome::NotStarted(why) => {
            Err(Unusable::TrialInterrupted(format!("no process of its own can be started for it: {why}")))
        }
        TrialOutcome::Cancelled => Err(Unusable::AwaitsTrial),
    }
}

enum ChildEnd {
    Exited(ExitStatus),
    OverTime,
    Closed,
}

fn end(child: &mut Child, why: ChildEnd) -> io::Result<ChildEnd> {
    child.kill()?;
    child.wait()?;
    Ok(why)
}

/// Whether a process brings this signal upon itself.
fn is_own(number: i32) -> bool {
    OWN_SIGNALS.contains(&number) || number == libc::SIGXCPU
}

fn judge(status: ExitStatus, answer: &ChildOutput, limit_ms: u64) -> TrialOutcome {
    if let Some(number) = status.signal().filter(|number| !is_own(*number)) {
        return TrialOutcome::Interrupted(format!(
            "the process that decoded it was ended from outside by signal {number}"
        ));
    }
    let Some((memory_bytes, output)) = read_ready(&answer.output) else {
        let message = String::from_utf8_lossy(&answer.errors).trim().to_owned();
        return TrialOutcome::NotStarted(if message.is_empty() { format!("it ended with {status}") } else { message });
    };
    match (status.signal(), status.code()) {
        (Some(libc::SIGXCPU), _) => TrialOutcome::Crashed(CrashCause::Time { limit_ms }),
        (Some(number), _) => match answer.ran_out_of_memory() {
            true if memory_bytes < LEAST_MEMORY => {
                TrialOutcome::Interrupted(format!("only {} MB of memory are left", memory_bytes >> 20))
            }
            true => TrialOutcome::Crashed(CrashCause::Memory { megabytes: memory_bytes >> 20 }),
            false => TrialOutcome::Crashed(CrashCause::Signal { number }),
        },
        (None, Some(code)) if code == i32::from(PANICKED) => {
            TrialOutcome::Ended(Err(Unusable::Damaged("artificio itself gave up on it; please report this".into())))
        }
        (None, Some(0)) => match read_answer(output) {
            Some((_, decode_ms)) if decode_ms > limit_ms => TrialOutcome::Crashed(CrashCause::Time { limit_ms }),
            Some((result, _)) => TrialOutcome::Ended(result),
            None => TrialOutcome::Interrupted("its answer is not whole".into()),
        },
        _ => TrialOutcome::Interrupted(format!("its answer could not be written ({status})")),
    }
}

/// Files in memory: the picture, the child's answer, and its error messages.
struct ChildFiles {
    input: File,
    output: File,
    errors: File,
}

struct ChildOutput {
    output: Vec<u8>,
    errors: Vec<u8>,
}

impl ChildOutput {
    /// When an allocation fails, Rust's standard library ends the process with this message.
    fn ran_out_of_memory(&self) -> bool {
        String::from_utf8_lossy(&self.errors).contains("memory allocation of ")
    }
}

impl ChildFiles {
    fn open(bytes: &[u8]) -> io::Result<Self> {
        let make = |name: &str| Ok::<_, io::Error>(File::from(memfd_create(name, MemfdFlags::CLOEXEC)?));
        let (mut input, output, errors) = (make("picture")?, make("answer")?, make("errors")?);
        input.write_all(bytes)?;
        input.rewind()?;
        Ok(Self { input, output, errors })
    }

    fn take_answer(&mut self) -> io::Result<ChildOutput> {
        let read = |file: &mut File| {
            let mut bytes = Vec::new();
            file.rewind()?;
            file.read_to_end(&mut bytes)?;
            Ok::<_, io::Error>(bytes)
        };
        Ok(ChildOutput { output: read(&mut self.output)?, errors: read(&mut self.errors)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Encoder;
    use crate::isolation::{FeatureMaker, Outputs};
    use crate::picture::Bounds;

    const READY: &[u8] = b"ready 536870912\n";
    const NO_MEMORY: &str = "memory allocation of 9 bytes failed\n";

    fn order() -> DecodeOrder {
        let bounds = Bounds { file_bytes: 1 << 20, pixels: 1_000_000, decode_ms: 2_000, memory_bytes: 0 };
        let outputs = Outputs { square: true, features: true, longest_px: None, crop: None };
        DecodeOrder { bounds, outputs, features_by: FeatureMaker::Child(Encoder::Pretrained) }
    }

    fn answer(output: &[u8], errors: &str) -> ChildOutput {
        ChildOutput { output: output.into(), errors: errors.into() }
    }

    /// Decodes a raw wait status: a signal in the low bits, an exit code above them.
    fn ended(raw: i32, answer: &ChildOutput) -> String {
        match judge(ExitStatus::from_raw(raw), answer, 2_000) {
            TrialOutcome::Ended(Ok(_)) => "a picture".into(),
            TrialOutcome::Ended(Err(problem)) => problem.to_string(),
            TrialOutcome::Crashed(cause) => format!("{cause:?}"),
            TrialOutcome::Interrupted(why) => format!("interrupted: {why}"),
            TrialOutcome::NotStarted(why) => format!("not started: {why}"),
            TrialOutcome::Cancelled => "cancelled".into(),
        }
    }

    #[test]
    fn only_a_crash_of_its_own_counts_against_a_picture() {
        let (begun, no_memory) = (answer(READY, ""), answer(READY, NO_MEMORY));
        assert_eq!(ended(11, &begun), "Signal { number: 11 }");
        assert_eq!(ended(6, &begun), "Signal { number: 6 }");
        assert_eq!(ended(6, &no_memory), "Memory { megabytes: 512 }");
        assert_eq!(ended(24, &begun), "Time { limit_ms: 2000 }");
        for signal in [1, 2, 9, 13, 15] {
            assert!(ended(signal, &begun).starts_with("interrupted"), "signal {signal} came from outside");
        }
        assert!(
            ended(6, &answer(b"ready 10485760\n", NO_MEMORY)).starts_with("interrupted"),
            "that is too little for any process"
        );
        assert!(ended(0, &begun).starts_with("interrupted"), "there is no answer");
    }

    #[test]
    fn what_happens_before_decoding_does_not_count_against_the_picture() {
        assert_eq!(ended(11, &answer(b"", "")), "not started: it ended with signal: 11 (SIGSEGV)");
        assert!(ended(9, &answer(b"", "")).starts_with("interrupted"), "nor does it say that none can be started");
        assert_eq!(ended(1 << 8, &answer(b"", "operation not permitted\n")), "not started: operation not permitted");
        let nowhere = Isolation::of("/nonexistent".into());
        let verdict = nowhere.extract(b"bytes", Path::new("a.png"), &order());
        assert!(matches!(verdict, TrialOutcome::NotStarted(why) if why.contains("no such file")));
    }

    #[test]
    fn a_child_is_given_time_by_its_own_clock() {
        let isolation = Isolation::default();
        let run = |script: &str| Command::new("sh").args(["-c", script]).spawn().unwrap();
        let limit = Duration::from_millis(100);
        let waits = isolation.wait(&mut run("sleep 0.4"), limit).unwrap();
        assert!(matches!(waits, ChildEnd::Exited(status) if status.success()), "sleeping takes no processor time");
        assert!(matches!(isolation.wait(&mut run("while :; do :; done"), limit).unwrap(), ChildEnd::OverTime));
        isolation.close();
        assert!(matches!(isolation.wait(&mut run("sleep 60"), limit).unwrap(), ChildEnd::Closed));
    }
}
