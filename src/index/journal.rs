//! Which pictures of an index have changed since somebody asked last, for whoever keeps a copy of it elsewhere.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::segment::Name;

/// Names kept at most. Beyond that it is only known that much has changed: the copy is compared as a whole.
pub const MOST_NAMES: usize = 100_000;

/// The names of changed pictures, bounded.
#[derive(Debug, Default)]
pub struct ChangeJournal(Mutex<Changed>);

#[derive(Debug, Default)]
struct Changed {
    names: HashSet<Name>,
    has_overflowed: bool,
}

/// What a journal had.
#[derive(Debug)]
pub struct TakenChanges(Changed);

impl TakenChanges {
    /// How many names there are.
    pub fn len(&self) -> usize {
        self.0.names.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.names.is_empty() && !self.0.has_overflowed
    }
}

impl ChangeJournal {
    fn lock(&self) -> MutexGuard<'_, Changed> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A picture came, went, or has another embedding or date.
    pub fn note(&self, name: &Name) {
        let mut changed = self.lock();
        if changed.names.len() < MOST_NAMES {
            changed.names.insert(Name::clone(name));
        } else if !changed.names.contains(name) {
            changed.has_overflowed = true;
        }
    }

    /// How many names there are.
    pub fn len(&self) -> usize {
        self.lock().names.len()
    }

    /// Whether nothing has changed.
    pub fn is_empty(&self) -> bool {
        let changed = self.lock();
        changed.names.is_empty() && !changed.has_overflowed
    }

    /// Takes some of the names.
    pub fn take(&self, most: usize) -> Vec<Name> {
        let mut changed = self.lock();
        let some: Vec<Name> = changed.names.iter().take(most).cloned().collect();
        some.iter().for_each(|name| _ = changed.names.remove(name));
        some
    }

    /// Takes all names, and forgets that there were more: the copy is about to be compared as a whole. If that fails,
    /// [`ChangeJournal::give_back`] has to follow.
    pub fn take_all(&self) -> TakenChanges {
        TakenChanges(std::mem::take(&mut *self.lock()))
    }

    /// What was taken has not been dealt with.
    pub fn give_back(&self, taken: TakenChanges) {
        let Changed { names, has_overflowed } = taken.0;
        names.iter().for_each(|name| self.note(name));
        self.lock().has_overflowed |= has_overflowed;
    }

    /// Whether more has changed than it has names for.
    pub fn has_overflowed(&self) -> bool {
        self.lock().has_overflowed
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use super::*;
    use crate::clock::WallTime;
    use crate::index::Index;

    #[test]
    fn every_change_of_a_followed_index_is_noted_once() {
        let journal = Arc::new(ChangeJournal::default());
        let mut index = Index::filled(1, [("before", [1.0])]);
        index.follow(Arc::clone(&journal));
        assert!(journal.is_empty());
        for _ in 0..2 {
            index.put(Path::new("a"), &[1.0]);
            index.put(Path::new("b"), &[2.0]);
        }
        index.set_date(Path::new("before"), WallTime::of_seconds(5));
        index.set_date(Path::new("before"), WallTime::of_seconds(5));
        index.remove([Path::new("b"), Path::new("never there")]);
        let mut names = journal.take(9);
        names.sort();
        assert_eq!(names, ["a", "b", "before"].map(|name| Name::from(std::ffi::OsStr::new(name))));
        assert!(journal.is_empty());
        let mut next = Index::empty(1);
        next.take_over(&index);
        next.put(Path::new("c"), &[1.0]);
        assert_eq!((journal.len(), journal.take(5).len(), journal.len()), (1, 1, 0));
        assert!(next.generation() > index.generation());
    }

    #[test]
    fn it_is_bounded_and_says_so() {
        let journal = ChangeJournal::default();
        let name = |number: usize| Name::from(std::ffi::OsString::from(number.to_string()));
        (0..MOST_NAMES).for_each(|number| journal.note(&name(number)));
        journal.note(&name(5));
        assert!(!journal.has_overflowed());
        journal.note(&name(MOST_NAMES));
        assert!(journal.has_overflowed() && journal.len() == MOST_NAMES);
        let taken = journal.take_all();
        assert!(journal.is_empty() && taken.len() == MOST_NAMES && !taken.is_empty());
        journal.note(&name(7));
        journal.give_back(taken);
        assert!(journal.has_overflowed() && journal.len() == MOST_NAMES);
        journal.take(MOST_NAMES);
        assert!(!journal.is_empty());
        assert_eq!((journal.take_all().len(), journal.is_empty()), (0, true));
    }
}
