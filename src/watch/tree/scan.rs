//! Scans the folders of a tree that are due: sets the watch, lists the folder, compares the list with what is known. A turn does
//! as much of it as its budget allows; one folder may take many turns.

mod failed;
mod listed;
mod named;
mod removed;

use std::collections::HashSet;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::pass::Scope;
use super::{Change, DEPTH_LIMIT, Tree};
use crate::files::FileAt;
use crate::watch::filesystem::without_events;
use crate::watch::identity::Identity;
use crate::watch::listing::{Listed, Listing};
use crate::watch::pairs::is_partner;
use crate::watch::reconcile::{FileComparison, SightMark};
use crate::watch::turn_budget::COST_OF_A_CHANGE;
use crate::watch::{Hints, Known, Observation, TurnBudget, WatchState};

/// Setting the watch and opening the folder, in entries.
const COST_OF_A_FOLDER: usize = 4;
/// Entries that are compared with what is known at one go: finding the folder once for each takes as long as the comparison.
const BATCH: usize = 128;

pub use named::NamedFiles;

/// The scan of one folder that goes on.
#[derive(Debug)]
pub struct Scan {
    folder: PathBuf,
    step: ScanStep,
    /// The mark of what this listing has seen.
    mark: SightMark,
    /// Names that hints have named, and that were not listed yet.
    touched: HashSet<OsString>,
    armed: WatchState,
    is_mounted: bool,
    /// The folder was renamed to where it is, with all that is in it.
    is_whole: bool,
    /// It is the pass's turn to look at the folder: nothing else was a reason.
    is_of_pass: bool,
    /// No file and no sub-folder was listed yet.
    is_bare: bool,
    is_too_deep: bool,
    /// Files that were passed over because another of their stem stands for them.
    partners: usize,
    /// Files and folders that were passed over by the settings.
    excluded: usize,
    cost: Duration,
}

#[derive(Debug)]
enum ScanStep {
    /// What is listed is compared with what is known.
    List(Listing),
    /// What is known and was not listed is gone.
    Remove { after: Option<OsString>, gone: Vec<PathBuf> },
    /// The folder is away or could not be listed to its end: what was not seen stays known.
    Keep { after: Option<OsString>, gone: Vec<PathBuf> },
    /// Everything below these folders is gone.
    DropBelow(Vec<PathBuf>),
}

/// What the parts of a scan work with.
struct Look<'a> {
    now: Duration,
    quiet: Duration,
    hints: &'a mut Hints,
    budget: &'a mut TurnBudget,
    changes: Vec<Change>,
}

impl ScanStep {
    const KEEP_ALL: Self = Self::Keep { after: None, gone: Vec::new() };

    /// The same without reporting more as removed: it may only be elsewhere.
    fn without_removing(self) -> Self {
        match self {
            Self::List(_) => Self::KEEP_ALL,
            Self::Remove { after, gone } => Self::Keep { after, gone },
            other => other,
        }
    }
}

impl Scan {
    /// The folder that is scanned.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether nothing but the pass was a reason for it.
    pub fn is_of_pass(&self) -> bool {
        self.is_of_pass
    }

    /// Everything known in `folder` is gone, as if it were empty; `mark` is none that an entry of it has.
    fn of_missing(folder: PathBuf, mark: SightMark) -> Self {
        let step = ScanStep::Remove { after: None, gone: Vec::new() };
        Self { step, mark, ..Self::new(folder, HashSet::new(), WatchState::Missing) }
    }

    /// Nothing but dropping what is known: the root is gone.
    fn of_missing_root() -> Self {
        let gone = vec![PathBuf::new()];
        Self { step: ScanStep::DropBelow(gone), ..Self::new(PathBuf::new(), HashSet::new(), WatchState::Missing) }
    }

    fn new(folder: PathBuf, touched: HashSet<OsString>, armed: WatchState) -> Self {
        let is_too_deep = folder.components().count() >= DEPTH_LIMIT;
        Self {
            folder,
            step: ScanStep::KEEP_ALL,
            mark: false,
            touched,
            armed,
            is_mounted: false,
            is_whole: false,
            is_of_pass: false,
            is_bare: true,
            is_too_deep,
            partners: 0,
            excluded: 0,
            cost: Duration::ZERO,
        }
    }
}

impl Tree {
    /// Checks whether the root was removed, has come back, or has become another folder, and whether disks are back.
    pub fn check_root(&mut self, now: Duration, hints: &mut Hints) {
        let identity = Identity::of(&self.root);
        if identity != self.identity {
            hints.distrust_below(&self.root);
            self.identity = identity;
            self.mark_all(false);
            self.scan = self.scan.take().map(|scan| Scan { step: scan.step.without_removing(), ..scan });
        }
        let is_back = |folder: &&PathBuf| {
            let absolute = self.root.join(folder);
            let is_mounted = |found: Identity| self.is_named_root(folder) || found.is_mounted_at(&absolute);
            self.mounts.was_mounted(folder) && Identity::of(&absolute).is_some_and(is_mounted)
        };
        let back: Vec<PathBuf> = self.mounts.away().iter().filter(is_back).cloned().collect();
        back.iter().for_each(|folder| self.mark(folder, now, None));
    }

    /// Checks files whose waiting time is over and scans folders that are due, as far as the budget goes.
    pub fn turn(&mut self, now: Duration, quiet: Duration, hints: &mut Hints, budget: &mut TurnBudget) -> Vec<Change> {
        let before = budget.spent();
        let mut look = Look { now, quiet, hints, budget, changes: Vec::new() };
        self.take_settled(&mut look);
        self.look_at_named(&mut look);
        while look.budget.is_left() {
            if let Some(scan) = self.scan.take() {
                self.go_on(scan, &mut look);
            } else if let Some((folder, is_of_pass)) = self.next_folder(&mut look) {
                self.begin(folder, is_of_pass, &mut look);
            } else {
                break;
            }
        }
        let changes = look.changes;
        self.looked_at += budget.spent() - before;
        changes
    }

    fn take_settled(&mut self, look: &mut Look<'_>) {
        let limit = (look.budget.left() / COST_OF_A_CHANGE / 2).max(1);
        for (path, stamp) in self.settle.take_due(look.now, limit) {
            look.budget.spend(COST_OF_A_CHANGE);
            match FileAt::below(&self.root, &path).stamp() {
                // Its photograph came meanwhile, or other settings.
                Ok(_) if self.is_passed_over(&path) => {}
                Ok(found) if found == stamp => {
                    let comparison = self.compare(&path, &stamp);
                    // Known from now on, so that the next scan of its folder does not report it once more.
                    self.learn(&path, Known { stamp, has_failed: false });
                    look.changes.push(match comparison {
                        FileComparison::Touched => Change::Touched(path, stamp),
                        FileComparison::Same | FileComparison::Changed => Change::Ready(path, stamp),
                    });
                }
                Ok(stamp) => {
                    let is_news = self.compare(&path, &stamp) == FileComparison::Changed;
                    let seen = Observation { stamp, was_touched: false, is_news };
                    self.settle.observe(&path, seen, look.now, look.quiet);
                }
                Err(_) => self.mark(path.parent().unwrap_or(Path::new("")), look.now, None),
            }
        }
    }

    /// Whether this file is passed over: by the settings, or because another of its stem stands for it.
    fn is_passed_over(&self, file: &Path) -> bool {
        self.exclude.covers(file, false) || (self.pairs_are_one && is_partner(&self.absolute(file)))
    }

    /// The folder to scan next: one that something happened in, a new one, or the next of the pass (`true`).
    fn next_folder(&mut self, look: &mut Look<'_>) -> Option<(PathBuf, bool)> {
        if let Some(folder) = self.dirty.first_due(look.now) {
            return Some((folder, false));
        }
        while let Some(folder) = self.found.pop() {
            if self.folders.contains_key(&folder) {
                return Some((folder, false));
            }
            self.whole.remove(&folder);
        }
        while self.pass.is_under_way() && look.budget.is_left() {
            let Some((path, folder)) = self.folders.range::<Path, _>(self.pass.next()).next() else {
                if self.pass.end_round() {
                    self.is_first_scan_done = true;
                    self.poll_cost = [self.poll_cost[1], Duration::ZERO];
                }
                continue;
            };
            let path = path.clone();
            let is_due = folder.scanned_in != self.pass.number()
                && (self.pass.scope() == Scope::Everything || folder.eventless.is_some() || self.is_troubled(&path));
            self.pass.passed(&path);
            look.budget.spend(1);
            if is_due {
                return Some((path, true));
            }
        }
        None
    }

    fn is_eventless(&self, folder: &Path) -> bool {
        self.folders.get(folder).is_some_and(|state| state.eventless.is_some())
    }

    fn is_troubled(&self, folder: &Path) -> bool {
        self.unwatched.concern(folder) || self.unreadable.concern(folder)
    }

    /// Begins the scan of one folder.
    fn begin(&mut self, folder: PathBuf, is_of_pass: bool, look: &mut Look<'_>) {
        look.budget.spend(COST_OF_A_FOLDER);
        let started = Instant::now();
        // This scan also serves requests that came meanwhile.
        let touched = self.dirty.take(&folder);
        let number = self.pass.number();
        if let Some(state) = self.folders.get_mut(&folder) {
            state.scanned_in = number;
        }
        // What is excluded by now goes with the scan of the folder in which it lies.
        if self.mounts.is_above_away(&folder) || self.exclude.covers(&folder, true) {
            return;
        }
        let absolute = self.absolute(&folder);
        let is_named_root = self.is_named_root(&folder);
        let is_mounted = Identity::of(&absolute).is_some_and(|found| is_named_root || found.is_mounted_at(&absolute));
        if is_mounted && self.mounts.away().contains(&folder) {
            // The watches went with the disk.
            look.hints.distrust_below(&absolute);
        }
        // The watch comes first: changes during the listing then cause a hint.
        let armed = look.hints.arm(&absolute);
        match Listing::open(&self.root, &folder) {
            Ok(listing) => {
                let state = self.folder_at(&folder);
                (state.mark, state.scanned_in) = (!state.mark, number);
                let (mark, is_whole) = (state.mark, self.whole.remove(&folder));
                let (cost, scan) = (started.elapsed(), Scan::new(folder, touched, armed));
                let step = ScanStep::List(listing);
                self.scan = Some(Scan { step, mark, is_mounted, is_whole, is_of_pass, cost, ..scan });
            }
            Err(error) => self.listing_failed(&folder, &error, look),
        }
    }

    /// Takes the scan on until the turn's budget is spent or the folder is done.
    fn go_on(&mut self, mut scan: Scan, look: &mut Look<'_>) {
        let started = Instant::now();
        let is_done = loop {
            if !look.budget.is_left() {
                break false;
            }
            let next = match &mut scan.step {
                ScanStep::List(listing) => {
                    let (batch, end) = next_batch(listing, look.budget);
                    self.take_listed(&mut scan, batch, look);
                    match end {
                        None => None,
                        Some(Ok(())) => Some(self.listing_ended(&mut scan, look)),
                        Some(Err(error)) => {
                            self.listing_broke_off(&scan.folder, &error, look);
                            Some(ScanStep::KEEP_ALL)
                        }
                    }
                }
                ScanStep::Remove { after, gone } => {
                    let is_end = self.remove_unseen(&scan.folder, scan.mark, after, gone, look);
                    is_end.then(|| ScanStep::DropBelow(std::mem::take(gone)))
                }
                ScanStep::Keep { after, gone } => {
                    let is_end = self.keep_unseen(&scan.folder, scan.mark, after, look);
                    is_end.then(|| ScanStep::DropBelow(std::mem::take(gone)))
                }
                ScanStep::DropBelow(gone) => match self.drop_below(gone, look) {
                    true => break true,
                    false => None,
                },
            };
            if let Some(next) = next {
                scan.step = next;
            }
        };
        scan.cost += started.elapsed();
        match is_done {
            true => self.scan_ended(scan),
            false => self.scan = Some(scan),
        }
    }

    /// Everything in the folder was listed.
    fn listing_ended(&mut self, scan: &mut Scan, look: &mut Look<'_>) -> ScanStep {
        let folder = &scan.folder;
        let is_root = folder.as_os_str().is_empty();
        for name in scan.touched.drain() {
            let gone = folder.join(name);
            self.settle.forget(&gone);
            if !self.folders.contains_key(&gone) {
                self.whole.remove(&gone);
            }
        }
        let is_kept = match is_root && self.keeps_when_empty {
            true => self.keeps_when_missing(folder),
            // Empty as it is, it may only be away, until somebody says otherwise.
            false if self.is_named_root(folder) => self.keeps_when_missing(folder),
            false => {
                let is_off_its_disk = is_root && self.mounts.is_root_without_disk(&self.root);
                is_off_its_disk || (!scan.is_mounted && self.mounts.was_mounted(folder))
            }
        };
        if is_root {
            self.accepts_empty = false;
        }
        if scan.is_bare && is_kept && self.has_files(folder) {
            self.mounts.goes_away(folder);
            return ScanStep::KEEP_ALL;
        }
        self.mounts.is_here(folder, scan.is_mounted);
        let absolute = self.absolute(folder);
        if is_root {
            self.mounts.root_is_at(&absolute);
        }
        let eventless = without_events(&absolute);
        let state = self.folders.entry(folder.clone()).or_default();
        let former = std::mem::replace(&mut state.eventless, eventless);
        self.eventless = self.eventless + usize::from(eventless.is_some()) - usize::from(former.is_some());
        self.partners = self.partners + scan.partners - std::mem::replace(&mut state.partners, scan.partners);
        self.excluded = self.excluded + scan.excluded - std::mem::replace(&mut state.excluded, scan.excluded);
        if let Some(kind) = eventless.filter(|_| is_root && former.is_none()) {
            look.changes.push(Change::Eventless(folder.clone(), kind));
        }
        let unwatched = if let WatchState::Polled(trouble) = &scan.armed { Some(trouble.clone()) } else { None };
        self.unwatched.set(folder, unwatched);
        self.unreadable.set(folder, None);
        ScanStep::Remove { after: None, gone: Vec::new() }
    }

    fn scan_ended(&mut self, scan: Scan) {
        if let Some(state) = self.folders.get_mut(&scan.folder) {
            state.scan_cost = scan.cost;
        }
        let is_polled = self.polls_everything || self.is_troubled(&scan.folder) || self.is_eventless(&scan.folder);
        if scan.is_of_pass && is_polled {
            self.poll_cost[1] += scan.cost;
        }
        // It may be the root that was dropped.
        self.folders.entry(PathBuf::new()).or_default();
    }
}

/// The next entries, as many as there is budget for, and the end of the listing where it is reached.
fn next_batch(listing: &mut Listing, budget: &mut TurnBudget) -> (Vec<Listed>, Option<io::Result<()>>) {
    let mut batch = Vec::with_capacity(BATCH);
    while batch.len() < BATCH && budget.is_left() {
        match listing.next() {
            Some(Ok(entry)) => batch.push(entry),
            Some(Err(error)) => return (batch, Some(Err(error))),
            None => return (batch, Some(Ok(()))),
        }
        budget.spend(1);
    }
    (batch, None)
}
