//! One value for each watched folder.

use crate::catalog::Root;

/// As many values as there are roots.
#[derive(Debug, Default)]
pub struct ByRoot<T>([T; Root::ALL.len()]);

impl<T> ByRoot<T> {
    /// What `make` says for each root.
    pub fn new(make: impl FnMut(Root) -> T) -> Self {
        Self(Root::ALL.map(make))
    }

    /// That of one root.
    pub fn of(&self, root: Root) -> &T {
        let [query, inventory, training] = &self.0;
        match root {
            Root::Query => query,
            Root::Inventory => inventory,
            Root::Training => training,
        }
    }

    /// That of one root, to be changed.
    pub fn of_mut(&mut self, root: Root) -> &mut T {
        let [query, inventory, training] = &mut self.0;
        match root {
            Root::Query => query,
            Root::Inventory => inventory,
            Root::Training => training,
        }
    }

    /// All of them, in the order of [`Root::ALL`].
    pub fn all(&self) -> impl Iterator<Item = &T> {
        self.0.iter()
    }
}
