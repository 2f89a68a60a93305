//! A temporary folder with the daemon running on it.

use std::cell::Cell;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, SystemTime};

use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use tempfile::TempDir;

use artificio_demo::Food;

use super::pictures;
use super::waiting::WaitBudget;

/// A root folder, its settings, and the daemon on it while it runs. What runs is killed when this is dropped.
pub struct Workplace {
    place: TempDir,
    daemon: Option<Child>,
    /// Queries of [`Self::wait_all_done`].
    probes: Cell<u32>,
}

impl Workplace {
    /// With all folders and impatient settings; nothing runs yet.
    pub fn new() -> Self {
        Self::with_settings("")
    }

    /// ... and `more` settings.
    pub fn with_settings(more: &str) -> Self {
        let workplace =
            Self { place: TempDir::with_prefix("artificio-test-").unwrap(), daemon: None, probes: Cell::new(0) };
        for folder in ["query", "answer", "db/img_inventory_raw", "db/img_train_raw", "db/state", "config"] {
            fs::create_dir_all(workplace.root().join(folder)).unwrap();
        }
        workplace.set(more);
        workplace
    }

    /// With these keys in `[watch]` instead.
    pub fn with_watch(keys: &str) -> Self {
        let workplace = Self::new();
        let text = format!("[watch]\n{keys}\n[log]\nlevel = \"debug\"\n[model]\nquiet_s = 0\n");
        fs::write(workplace.root().join("config/artificio.toml"), text).unwrap();
        workplace
    }

    /// Exchanges the settings: those every test needs, and `more`, whole sections or keys of `[model]`.
    pub fn set(&self, more: &str) {
        let text = format!("[watch]\nsettle_ms = 100\n[log]\nlevel = \"debug\"\n[model]\nquiet_s = 0\n{more}\n");
        fs::write(self.root().join("config/artificio.toml"), text).unwrap();
    }

    pub fn root(&self) -> &Path {
        self.place.path()
    }

    pub fn query(&self, name: impl AsRef<Path>) -> PathBuf {
        self.root().join("query").join(name)
    }

    pub fn inventory(&self, name: impl AsRef<Path>) -> PathBuf {
        self.root().join("db/img_inventory_raw").join(name)
    }

    pub fn training(&self, name: impl AsRef<Path>) -> PathBuf {
        self.root().join("db/img_train_raw").join(name)
    }

    pub fn state(&self, name: &str) -> PathBuf {
        self.root().join("db/state").join(name)
    }

    pub fn record_path(&self, name: &str) -> PathBuf {
        self.root().join(format!("answer/result_{name}.json"))
    }

    pub fn sheet_path(&self, name: &str) -> PathBuf {
        self.root().join(format!("answer/result_{name}.png"))
    }

    /// Burgers, pizzas and sushi: `count` of each, named burger_0.jpg and so on.
    pub fn stock(&self, count: u64) {
        for kind in [Food::Burger, Food::Pizza, Food::Sushi] {
            for seed in 0..count {
                put(self.inventory(format!("{}_{seed}.jpg", kind.label())), &pictures::jpeg(kind, seed));
            }
        }
    }

    /// The program, with this root, to be given a command.
    pub fn artificio(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_artificio"));
        command.arg("--root").arg(self.root()).args(arguments).stdin(Stdio::null());
        command
    }

    /// Runs a command that ends by itself.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.artificio(arguments).output().unwrap()
    }

    /// Starts the daemon and returns when it has looked through its folders and read the inventory: on a slow machine an answer
    /// before that is a provisional one.
    pub fn start(&mut self) {
        self.launch();
        self.wait_status("a start", |status| is_up(status) && status["inventory"]["pending"] == 0);
    }

    /// Starts the daemon and returns at once.
    pub fn launch(&mut self) {
        self.launch_by(&[]);
    }

    /// Starts the daemon by way of another program (`unshare`, `setpriv`) that becomes it, and waits as [`Self::start`].
    pub fn start_by(&mut self, wrapper: &[&str]) {
        self.launch_by(wrapper);
        self.wait_status("a start", |status| is_up(status) && status["inventory"]["pending"] == 0);
    }

    /// ... and returns at once.
    pub fn launch_by(&mut self, wrapper: &[&str]) {
        assert!(self.daemon.is_none(), "it runs already");
        let log = File::options().create(true).append(true).open(self.root().join("log")).unwrap();
        let plain = self.artificio(&["run"]);
        let mut command = match wrapper {
            [] => plain,
            [program, first @ ..] => {
                let mut wrapped = Command::new(program);
                wrapped.args(first).arg(plain.get_program()).args(plain.get_args()).stdin(Stdio::null());
                wrapped
            }
        };
        self.daemon = Some(command.stdout(Stdio::null()).stderr(log).env_remove("JOURNAL_STREAM").spawn().unwrap());
    }

    pub fn pid(&self) -> u32 {
        self.daemon.as_ref().expect("the daemon runs").id()
    }

    /// Sends a signal by its name.
    pub fn signal(&self, name: &str) {
        assert!(Command::new("kill").args([format!("-{name}"), self.pid().to_string()]).status().unwrap().success());
    }

    /// Waits for the daemon to end.
    pub fn wait_end(&mut self) -> ExitStatus {
        self.wait_end_timed().0
    }

    /// ... and says how long that took, as [`WaitBudget::taken`].
    fn wait_end_timed(&mut self) -> (ExitStatus, Duration) {
        let mut daemon = self.daemon.take().expect("the daemon runs");
        let mut budget = WaitBudget::of(Some(daemon.id()));
        while !budget.is_spent() {
            if let Some(status) = daemon.try_wait().unwrap() {
                return (status, budget.taken());
            }
            budget.pause();
        }
        self.daemon = Some(daemon);
        self.fail("the daemon does not end")
    }

    /// Lets it do nothing (SIGSTOP) until [`Self::go_on`], so that what happens meanwhile happens to it all at once.
    pub fn hold(&self) {
        self.signal("STOP");
        // The signal is on its way to each of the threads.
        let stopped = || {
            let threads = fs::read_dir(format!("/proc/{}/task", self.pid())).unwrap().flatten();
            let mut states = threads.filter_map(|thread| fs::read_to_string(thread.path().join("stat")).ok());
            states.all(|state| state.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('T')))
        };
        self.wait("the daemon to stop", || stopped().then_some(()));
    }

    /// Ends [`Self::hold`].
    pub fn go_on(&self) {
        self.signal("CONT");
    }

    /// Ends it as a service manager does; it must end well. Returns how long that took, as [`WaitBudget::taken`].
    pub fn stop(&mut self) -> Duration {
        self.signal("TERM");
        // One that is held gets the signal when it goes on.
        self.go_on();
        let (status, taken) = self.wait_end_timed();
        assert_eq!(status.code(), Some(0), "after SIGTERM\n{}", self.log());
        taken
    }

    /// Ends it as a power cut does.
    pub fn kill(&mut self) {
        self.signal("KILL");
        self.wait_end();
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.root().join("log")).unwrap_or_default()
    }

    /// The status of this very daemon, as soon as it has written one.
    pub fn status(&self) -> Option<Value> {
        let status: Value =
            serde_json::from_slice(&fs::read(self.state("status.json")).ok()?).expect("status.json is JSON");
        (status["pid"] == self.pid()).then_some(status)
    }

    /// The names of the files in the answer folder, in order, without the gallery and without what is being written.
    pub fn answers(&self) -> Vec<String> {
        let entries = fs::read_dir(self.root().join("answer")).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.filter(|name| name != "index.html" && !name.starts_with('.')).collect();
        names.sort_unstable();
        names
    }

    /// Waits until the gallery names this.
    pub fn wait_gallery(&self, name: &str) {
        let page = self.root().join("answer/index.html");
        self.wait("the gallery", || fs::read_to_string(&page).ok()?.contains(name).then_some(()));
    }

    /// The record of an answer, if there is one.
    pub fn record(&self, name: &str) -> Option<Value> {
        let text = fs::read(self.record_path(name)).ok()?;
        Some(serde_json::from_slice(&text).expect("a record is JSON, whole at any time"))
    }

    pub fn wait_status(&self, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        self.wait(what, || self.status().filter(&is_so))
    }

    /// Waits until nothing is left to do and `indexed` pictures are searchable; as long as it gets on.
    pub fn wait_indexed(&self, indexed: u64) -> Value {
        self.wait_progress("pictures searchable", |status| {
            let now = status["inventory"]["indexed"].as_u64().unwrap_or(0);
            (now, now == indexed)
        });
        self.wait_status(&format!("{indexed} pictures searchable"), |status| {
            is_up(status) && status["inventory"]["indexed"] == indexed && status["inventory"]["pending"] == 0
        })
    }

    /// Waits until `look` says that all is done, as long as the number it gives changes.
    pub fn wait_progress(&self, what: &str, look: impl Fn(&Value) -> (u64, bool)) -> Value {
        let (mut progress, mut budget) = (0, self.budget());
        while !budget.is_spent() {
            let status = self.status();
            let (now, is_done) = status.as_ref().map_or((0, false), &look);
            if let Some(status) = status.filter(|_| is_done) {
                return status;
            }
            if now != progress {
                (progress, budget) = (now, self.budget());
            }
            budget.pause();
        }
        self.fail(&format!("{what} did not come"))
    }

    /// The numbers of the rows of features: a picture that is decoded again gets another one.
    pub fn decoded(&self) -> Vec<i64> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        let catalog = Connection::open_with_flags(self.state("catalog.sqlite"), flags).unwrap();
        let mut statement = catalog.prepare("SELECT rowid FROM features ORDER BY rowid").unwrap();
        let numbers = statement.query_map([], |row| row.get(0)).unwrap();
        numbers.collect::<Result<_, _>>().unwrap()
    }

    /// Waits until an answer is there.
    pub fn wait_record(&self, name: &str) -> Value {
        self.wait(&format!("result_{name}.json"), || self.record(name))
    }

    /// Waits until an answer is there that is as it should be.
    pub fn wait_record_that(&self, name: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        self.wait(&format!("result_{name}.json as it should be"), || self.record(name).filter(&is_so))
    }

    /// Waits until `look` finds what it looks for.
    pub fn wait<T>(&self, what: &str, look: impl FnMut() -> Option<T>) -> T {
        self.wait_timed(what, look).0
    }

    /// ... and says how long that took, as [`WaitBudget::taken`].
    pub fn wait_timed<T>(&self, what: &str, mut look: impl FnMut() -> Option<T>) -> (T, Duration) {
        let mut budget = self.budget();
        while !budget.is_spent() {
            if let Some(found) = look() {
                budget.look();
                return (found, budget.taken());
            }
            budget.pause();
        }
        self.fail(&format!("{what} did not come"))
    }

    /// For a wait that begins now.
    pub fn budget(&self) -> WaitBudget {
        WaitBudget::of(self.daemon.as_ref().map(Child::id))
    }

    /// Returns when the daemon has noticed and done everything that there was to do until now: a query that is put there
    /// now is answered, and after that nothing waits. What has not been done then is not going to be done.
    pub fn wait_all_done(&self) -> Value {
        let number = self.probes.replace(self.probes.get() + 1);
        let name = format!("probe_{number}");
        put(self.query(format!("{name}.png")), &pictures::tiny(1_000_000 + number));
        self.wait_record(&name);
        let answered = modified(&self.record_path(&name));
        self.wait("an end of all work", || {
            // An older status may not know of what came since.
            let is_later = fs::metadata(self.state("status.json")).ok()?.modified().unwrap() >= answered;
            let is_done = |status: &Value| status["queries"]["pending"] == 0 && status["inventory"]["pending"] == 0;
            self.status().filter(|status| is_later && is_done(status))
        })
    }

    /// Gives up, with everything a person needs to see why.
    pub fn fail(&self, what: &str) -> ! {
        let mut answers = String::new();
        for entry in fs::read_dir(self.root().join("answer")).into_iter().flatten().flatten() {
            answers += &format!("{}\n", entry.path().display());
            if entry.path().extension().is_some_and(|end| end == "json") {
                answers += &fs::read_to_string(entry.path()).unwrap_or_default();
            }
        }
        let status = fs::read_to_string(self.state("status.json")).unwrap_or_default();
        panic!("{what}\n--- log\n{}--- status\n{status}--- answers\n{answers}", self.log());
    }

    /// When the answer was written: another time means that it was written again.
    pub fn written(&self, name: &str) -> [SystemTime; 2] {
        [self.record_path(name), self.sheet_path(name)].map(|path| modified(&path))
    }

    /// Asserts that the answer is not written again, whatever has happened until now.
    pub fn assert_left_alone(&self, name: &str, written: [SystemTime; 2]) {
        // Twice: what the end of all work leads to has begun by then.
        self.wait_all_done();
        self.wait_all_done();
        if self.written(name) != written {
            self.fail(&format!("result_{name} was written again"));
        }
    }

    /// Asserts that the daemon still runs and still answers.
    pub fn assert_alive(&mut self, index: u64) {
        if self.daemon.as_mut().is_some_and(|daemon| daemon.try_wait().unwrap().is_some()) {
            self.fail("the daemon has died");
        }
        let name = format!("still_there_{index}");
        put(self.query(format!("{name}.jpg")), &pictures::jpeg(Food::Egg, index));
        // Against nothing but noise, "nothing similar" is the right answer.
        self.wait_record_that(&name, |record| record["status"] == "ok" || record["status"] == "nothing_similar");
    }

    /// Time the daemon has spent on processors.
    pub fn processor_ms(&self) -> u64 {
        let text = fs::read_to_string(format!("/proc/{}/stat", self.pid())).unwrap();
        // After the name in brackets: utime and stime are the 12th and 13th, in hundredths of a second.
        let parts = text.rsplit_once(") ").unwrap().1.split(' ');
        parts.skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap() * 10).sum()
    }

    /// A number that the kernel keeps of the daemon, in KiB: "VmHWM" is the most memory it ever used.
    pub fn memory_kib(&self, key: &str) -> u64 {
        let text = fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':')).expect(key);
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }
}

impl Drop for Workplace {
    fn drop(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
    }
}

fn modified(path: &Path) -> SystemTime {
    fs::metadata(path).unwrap().modified().unwrap()
}

fn is_up(status: &Value) -> bool {
    status["state"] == "ready" || status["state"] == "degraded"
}

/// Writes a file the plain way, as `cp` does: in place, with its folders.
pub fn put(path: impl AsRef<Path>, bytes: &[u8]) {
    let path = path.as_ref();
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

/// Changes a file's times and nothing else.
pub fn touch(path: impl AsRef<Path>) {
    File::options().append(true).open(path).unwrap().set_modified(SystemTime::now()).unwrap();
}

/// The paths of a record's matches, in their order.
pub fn found(record: &Value) -> Vec<String> {
    record["matches"].as_array().unwrap().iter().map(|found| found["path"].as_str().unwrap().to_string()).collect()
}

/// Whether a text is a sentence for a person: several words, and nothing of the program's internals.
pub fn is_sentence(text: &str) -> bool {
    let internals = ["Error", "os error", "Err(", "Some(", "::", "unwrap", "panicked"];
    text.split_whitespace().count() >= 4 && !internals.iter().any(|part| text.contains(part))
}

/// The raw bytes of a path, for names that are no text.
pub fn bytes_of(path: &Path) -> &[u8] {
    path.as_os_str().as_bytes()
}
