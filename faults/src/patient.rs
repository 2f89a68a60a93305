//! The program on a disk that fails.

use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use artificio_faults::{Disk, Mount};
use serde_json::Value;
use tempfile::TempDir;

use crate::picture::{bmp, is_whole_png};

/// Pictures in the inventory.
const PICTURES: u32 = 6;
/// The folders on the disk.
const FOLDERS: [&str; 3] = ["query", "answer", "db"];
/// Longer than any pause that the program makes, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(240);
/// A service manager starts it again so often.
const STARTS: usize = 4;

/// What went wrong, with the log.
pub type Failure = String;

/// The program, its folders, its disk.
pub struct Patient {
    program: PathBuf,
    place: TempDir,
    pub disk: Disk,
    mounts: Vec<Mount>,
    child: Option<Child>,
    /// How often it ended by itself, with a reason.
    pub ends: Vec<String>,
    has_asked: bool,
    trains: bool,
}

impl Patient {
    /// With pictures on the disk and one query, all of it durable.
    pub fn new(program: &Path, trains: bool) -> Self {
        let place = TempDir::with_prefix("artificio-faults-").expect("a temporary folder");
        for folder in FOLDERS {
            fs::create_dir(place.path().join(folder)).expect("a folder");
        }
        // All pictures, so that a training waits for them however they come; or more than there are.
        let min_train = if trains { PICTURES } else { 1_000 };
        let settings = format!(
            "[watch]\nsettle_ms = 100\n[log]\nlevel = \"debug\"\n[limits]\nworkers = 2\n[model]\nquiet_s = 0\nmin_train = {min_train}\n"
        );
        fs::write(place.path().join("artificio.toml"), settings).expect("settings");
        let mut patient = Self {
            program: program.to_path_buf(),
            place,
            disk: Disk::new(),
            mounts: Vec::new(),
            child: None,
            ends: Vec::new(),
            has_asked: false,
            trains,
        };
        patient.mount();
        for folder in ["db/img_inventory_raw", "db/img_train_raw", "db/state"] {
            fs::create_dir_all(patient.path(folder)).expect("a folder");
        }
        for seed in 0..PICTURES {
            patient.put(&format!("db/img_inventory_raw/{seed}.bmp"), seed);
        }
        patient.put("query/early.bmp", 1);
        patient.disk.flush_all();
        patient
    }

    fn path(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    fn put(&self, name: &str, seed: u32) {
        fs::write(self.path(name), bmp(seed)).expect("a picture");
    }

    fn mount(&mut self) {
        let mount = |name: &&str| self.disk.mount(name, &self.path(name)).expect("root may mount");
        self.mounts = FOLDERS.iter().map(mount).collect();
    }

    /// The power is back, after the program has gone with it.
    pub fn restore_power(&mut self, disk: Disk) {
        self.mounts.clear();
        self.disk = disk;
        self.mount();
        self.has_asked = false;
    }

    pub fn start(&mut self) {
        let log = File::options().create(true).append(true).open(self.path("log")).expect("a log");
        let mut command = Command::new(&self.program);
        command.arg("--root").arg(self.place.path()).arg("--config").arg(self.path("artificio.toml")).arg("run");
        let command = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).env_remove("JOURNAL_STREAM");
        self.child = Some(command.spawn().expect("the program"));
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    fn status(&self) -> Option<Value> {
        let status: Value = serde_json::from_slice(&fs::read(self.path("db/state/status.json")).ok()?).ok()?;
        (status["pid"] == self.child.as_ref()?.id()).then_some(status)
    }

    /// The record of an answer.
    pub fn record(&self, name: &str) -> Option<Value> {
        serde_json::from_slice(&fs::read(self.path(&format!("answer/result_{name}.json"))).ok()?).ok()
    }

    /// Processor time it has used so far, in milliseconds.
    pub fn processor_ms(&self) -> u64 {
        let Some(child) = &self.child else { return 0 };
        let text = fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap_or_default();
        let parts = text.rsplit_once(") ").map(|(_, rest)| rest.split(' ')).into_iter().flatten();
        parts.skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).map(|ticks| ticks * 10).sum()
    }

    /// What it is for: reads the inventory, trains, answers the query that was there and one that comes later. Goes on until all
    /// of that is done and nothing is wrong, or `is_over`.
    pub fn work(&mut self, mut is_over: impl FnMut(&Self) -> bool) -> Result<Duration, Failure> {
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            self.look_whether_it_runs()?;
            if is_over(self) || self.is_done() {
                return Ok(started.elapsed());
            }
            if !self.has_asked && (self.record("early").is_some() || self.disk.failed() > 0) {
                self.put("query/late.bmp", 2);
                self.has_asked = true;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let status = fs::read_to_string(self.path("db/state/status.json")).unwrap_or_default();
        Err(format!("not done after {PATIENCE:?}\n{status}\n{}", self.log()))
    }

    fn is_done(&self) -> bool {
        let Some(status) = self.status() else { return false };
        status["queries"]["answered"] == 2
            && status["queries"]["pending"] == 0
            && status["inventory"]["indexed"] == PICTURES
            && status["inventory"]["pending"] == 0
            && status["model"]["trained_on"] == if self.trains { PICTURES } else { 0 }
            && status["state"] == "ready"
    }

    /// An orderly end with a reason is none of a crash, and a service manager starts it again.
    fn look_whether_it_runs(&mut self) -> Result<(), Failure> {
        let Some(child) = &mut self.child else { return Ok(()) };
        let Ok(Some(status)) = child.try_wait() else { return Ok(()) };
        let log = self.log();
        let reason = log.lines().last().unwrap_or_default().to_string();
        self.ends.push(format!("{status}: {reason}"));
        if status.signal().is_some() || status.code() != Some(1) || reason.is_empty() || self.ends.len() > STARTS {
            return Err(format!("it ended: {status}\n{log}"));
        }
        self.start();
        Ok(())
    }

    /// As a service manager does it.
    pub fn stop(&mut self) -> Result<(), Failure> {
        let Some(mut child) = self.child.take() else { return Ok(()) };
        let _ = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
        let status = child.wait().map_err(|error| error.to_string())?;
        if status.code() == Some(0) { Ok(()) } else { Err(format!("after SIGTERM: {status}\n{}", self.log())) }
    }

    /// As the power does it.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Whether whatever is in the answer folder is whole.
    pub fn look_for_halves(&self) -> Result<(), Failure> {
        for entry in fs::read_dir(self.path("answer")).expect("the answers").flatten() {
            let path = entry.path();
            let bytes = fs::read(&path).unwrap_or_default();
            let is_whole = match path.extension().and_then(|end| end.to_str()) {
                _ if entry.file_name().to_string_lossy().starts_with('.') => true,
                Some("json") => serde_json::from_slice::<Value>(&bytes).is_ok(),
                Some("png") => is_whole_png(&bytes),
                // The page is not flushed: it is written again at each start.
                _ => bytes.is_empty() || bytes.trim_ascii_end().ends_with(b"</html>"),
            };
            if !is_whole {
                return Err(format!("{} is not whole: {} bytes\n{}", path.display(), bytes.len(), self.log()));
            }
        }
        Ok(())
    }

    /// Whether all is as if nothing had happened.
    pub fn look_at_the_end(&self) -> Result<(), Failure> {
        self.look_for_halves()?;
        for name in ["early", "late"] {
            let record = self.record(name).ok_or_else(|| format!("{name} has no answer\n{}", self.log()))?;
            let is_answer = ["ok", "nothing_similar"].contains(&record["status"].as_str().unwrap_or_default());
            if !is_answer || !self.path(&format!("answer/result_{name}.png")).exists() {
                return Err(format!("the answer of {name} is another one: {record:#}\n{}", self.log()));
            }
        }
        Ok(())
    }
}

impl Drop for Patient {
    fn drop(&mut self) {
        self.kill();
        // Before the temporary folder, which could not be removed otherwise.
        self.mounts.clear();
    }
}
