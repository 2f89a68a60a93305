//! A folder of one's own with the daemon running on it.

use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;
use tempfile::TempDir;

use artificio_demo::Food;

use super::pictures;

/// Nothing here takes that long; a wait that does has failed.
const PATIENCE: Duration = Duration::from_secs(40);
/// Long enough for the daemon to have noticed and done whatever it was wrongly going to do.
pub const A_WHILE: Duration = Duration::from_millis(1500);

/// A root folder, its settings, and the daemon on it while it runs. What runs is killed when this is dropped.
pub struct Workplace {
    place: TempDir,
    daemon: Option<Child>,
}

impl Workplace {
    /// With all folders and impatient settings; nothing runs yet.
    pub fn new() -> Self {
        Self::with_settings("")
    }

    /// ... and `more` settings.
    pub fn with_settings(more: &str) -> Self {
        let workplace = Self { place: TempDir::with_prefix("artificio-test-").unwrap(), daemon: None };
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

    /// Starts the daemon and returns when it has looked through its folders.
    pub fn start(&mut self) {
        self.launch();
        self.wait_status("a start", is_up);
    }

    /// Starts the daemon and returns at once.
    pub fn launch(&mut self) {
        self.launch_by(&[]);
    }

    /// Starts the daemon by way of another program (`unshare`, `setpriv`) that becomes it, and waits as [`Self::start`].
    pub fn start_by(&mut self, wrapper: &[&str]) {
        self.launch_by(wrapper);
        self.wait_status("a start", is_up);
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
        let deadline = Instant::now() + PATIENCE;
        let mut daemon = self.daemon.take().expect("the daemon runs");
        while Instant::now() < deadline {
            if let Some(status) = daemon.try_wait().unwrap() {
                return status;
            }
            sleep(Duration::from_millis(20));
        }
        self.daemon = Some(daemon);
        self.fail("the daemon does not end")
    }

    /// Ends it as a service manager does; it must end well.
    pub fn stop(&mut self) {
        self.signal("TERM");
        let status = self.wait_end();
        assert_eq!(status.code(), Some(0), "after SIGTERM\n{}", self.log());
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
        let mut progress = (0, Instant::now());
        while progress.1.elapsed() < PATIENCE / 2 {
            let status = self.status();
            let (now, is_done) = status.as_ref().map_or((0, false), &look);
            if let Some(status) = status.filter(|_| is_done) {
                return status;
            }
            if now != progress.0 {
                progress = (now, Instant::now());
            }
            sleep(Duration::from_millis(20));
        }
        self.fail(&format!("waited in vain for {what}"))
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
    pub fn wait<T>(&self, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = look() {
                return found;
            }
            if Instant::now() > deadline {
                self.fail(&format!("waited in vain for {what}"));
            }
            sleep(Duration::from_millis(20));
        }
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

    /// When the answer was written, to tell one writing from the next.
    pub fn written(&self, name: &str) -> [SystemTime; 2] {
        [self.record_path(name), self.sheet_path(name)].map(|path| fs::metadata(path).unwrap().modified().unwrap())
    }

    /// Asserts that the answer is left alone for a while.
    pub fn assert_left_alone(&self, name: &str, written: [SystemTime; 2]) {
        sleep(A_WHILE);
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
        let record = self.wait_record(&name);
        // Against nothing but noise, "nothing similar" is the right answer.
        assert!(record["status"] == "ok" || record["status"] == "nothing_similar", "{record:#}");
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

/// Whether a text is a sentence for a person: several words, and no debris of the program's insides.
pub fn is_sentence(text: &str) -> bool {
    let debris = ["Error", "os error", "Err(", "Some(", "::", "unwrap", "panicked"];
    text.split_whitespace().count() >= 4 && !debris.iter().any(|part| text.contains(part))
}

/// The raw bytes of a path, for names that are no text.
pub fn bytes_of(path: &Path) -> &[u8] {
    path.as_os_str().as_bytes()
}
