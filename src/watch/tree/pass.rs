//! A pass through all folders in the order of their paths, which goes on over many turns of the event loop.

use std::ops::Bound;
use std::path::{Path, PathBuf};

/// Which folders a pass scans.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// All of them.
    Everything,
    /// Those that may change without hints.
    Polled,
}

/// How far the present pass is. A folder that was scanned since the pass was last asked for is not scanned again: it
/// carries the pass's number.
#[derive(Debug)]
pub struct Pass {
    /// Rises when a pass is asked for, also while one goes on: what was scanned before that is scanned again.
    number: u64,
    /// The number when the present round through the folders began.
    round: u64,
    position: PassPosition,
    scope: Scope,
    is_precaution: bool,
}

#[derive(Debug, PartialEq, Eq)]
enum PassPosition {
    Idle,
    Begin,
    After(PathBuf),
}

impl Pass {
    /// No pass goes on.
    pub fn idle() -> Self {
        Self { number: 0, round: 0, position: PassPosition::Idle, scope: Scope::Polled, is_precaution: true }
    }

    /// Asks for a pass. If one goes on, it does not begin again (the last folders might never be reached), but goes around
    /// once more. `is_precaution`: nothing says that something was missed.
    pub fn ask(&mut self, scope: Scope, is_precaution: bool) {
        self.number += 1;
        let is_under_way = self.is_under_way();
        if !matches!(self.position, PassPosition::After(_)) {
            (self.round, self.position) = (self.number, PassPosition::Begin);
        }
        let was_all = is_under_way && self.scope == Scope::Everything;
        self.scope = if was_all { Scope::Everything } else { scope };
        self.is_precaution = is_precaution && (!is_under_way || self.is_precaution);
    }

    /// Whether a pass goes on.
    pub fn is_under_way(&self) -> bool {
        self.position != PassPosition::Idle
    }

    /// Whether one goes on for a reason: until it ends, something may not have been noticed.
    pub fn is_needed(&self) -> bool {
        self.is_under_way() && !self.is_precaution
    }

    /// The mark of a folder that needs no scan in this pass.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Which folders it scans.
    pub fn scope(&self) -> Scope {
        self.scope
    }

    /// Where the next folder is looked for.
    pub fn next(&self) -> (Bound<&Path>, Bound<&Path>) {
        match &self.position {
            PassPosition::Idle | PassPosition::Begin => (Bound::Unbounded, Bound::Unbounded),
            PassPosition::After(folder) => (Bound::Excluded(folder), Bound::Unbounded),
        }
    }

    /// Whether the pass will come to this folder by itself.
    pub fn is_before(&self, folder: &Path) -> bool {
        match &self.position {
            PassPosition::Idle => false,
            PassPosition::Begin => self.scope == Scope::Everything,
            PassPosition::After(last) => self.scope == Scope::Everything && folder > last.as_path(),
        }
    }

    /// This folder has had its turn.
    pub fn passed(&mut self, folder: &Path) {
        self.position = PassPosition::After(folder.to_path_buf());
    }

    /// There are no more folders: another round if a pass was asked for during this one, or the end; `true` if it is.
    pub fn end_round(&mut self) -> bool {
        let is_end = self.round == self.number;
        self.round = self.number;
        self.position = if is_end { PassPosition::Idle } else { PassPosition::Begin };
        is_end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_during_a_pass_leads_to_another_round() {
        let mut pass = Pass::idle();
        assert!(!pass.is_under_way());
        pass.ask(Scope::Polled, true);
        assert!(pass.is_under_way() && !pass.is_needed() && !pass.is_before(Path::new("a")));
        pass.passed(Path::new("b"));
        pass.ask(Scope::Everything, false);
        pass.ask(Scope::Polled, true);
        assert!(pass.is_needed() && pass.scope() == Scope::Everything, "the more important reason counts");
        assert!(pass.is_before(Path::new("c")) && !pass.is_before(Path::new("b")));
        assert!(!pass.end_round());
        assert!(pass.end_round() && !pass.is_under_way());
        pass.ask(Scope::Polled, true);
        assert!(pass.scope() == Scope::Polled && !pass.is_needed() && pass.end_round());
    }
}
