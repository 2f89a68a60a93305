//! The catalog's file at the start of the service: it is upgraded, replaced where it is damaged, and checked while the service
//! runs.

use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime};

use crossbeam_channel::Sender;
use log::{info, warn};

use super::reporting::manager;
use crate::catalog::{Catalog, FormerFile, Upgraded};
use crate::error::Trouble;
use crate::progress::Progress;
use crate::threads::{self, ThreadEnd};
use crate::training::job::run_when_idle;

/// Name of the thread that checks the file.
pub const THREAD: &str = "catalog-check";
/// An upgrade reports its progress this often.
const REPORT_PAUSE: Duration = Duration::from_secs(5);

/// What is known of the file before it is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// Nothing: it was not looked at.
    Unknown,
    /// It is damaged.
    Damaged,
}

/// Opens the catalog of a state folder, and logs what was done to its file.
pub fn open(state: &Path, condition: Condition) -> Result<Catalog, Trouble> {
    let opened = match condition {
        Condition::Unknown => Catalog::open_followed(state, &UpgradeLog::begin())?,
        Condition::Damaged => Catalog::replace(state, "is damaged")?,
    };
    for trouble in opened.set_aside.iter().chain(&opened.journal) {
        warn!("{trouble}");
    }
    if let Some(Upgraded { from, former }) = &opened.upgraded {
        let kept = match former {
            FormerFile::Kept(former) => format!("the former file is kept for two weeks as {}", former.display()),
            FormerFile::Lost => "the former file could not be kept on this file system".into(),
            FormerFile::Extended => "it has one more table, which an older program does not know".into(),
        };
        info!("the catalog is upgraded from version {from}; {kept}");
    }
    for former in Catalog::drop_former(state, SystemTime::now()) {
        info!("{}: deleted, it was kept for two weeks after an upgrade", former.display());
    }
    Ok(opened.catalog)
}

/// Checks the whole file on a thread of its own: it takes a second for every gigabyte at best. `Catalog::is_damaged` says
/// what was found.
pub fn start_check(catalog: &Catalog, ends: Sender<ThreadEnd>) -> Result<(), Trouble> {
    let reader = catalog.reader()?;
    let check = move || {
        run_when_idle();
        if let Err(trouble) = reader.check() {
            warn!("{trouble}");
        }
    };
    threads::spawn(THREAD, ends, check).map(drop)
}

/// Reports the progress of an upgrade, in the log and to the service manager, which is asked for more time meanwhile.
struct UpgradeLog {
    next: Mutex<Instant>,
}

impl UpgradeLog {
    fn begin() -> Self {
        Self { next: Mutex::new(Instant::now() + REPORT_PAUSE) }
    }
}

impl Progress for UpgradeLog {
    fn set_share(&self, share: f32) {
        let Ok(mut next) = self.next.lock() else { return };
        let now = Instant::now();
        if now >= *next {
            *next = now + REPORT_PAUSE;
            let text = format!("upgrading the catalog: {:.0} %", share * 100.0);
            manager::status(&text);
            manager::goes_on();
            info!("{text}");
        }
    }
}
