//! Limits how much of the folders is looked at in one turn of the event loop, so that other events are served in between.

use std::time::{Duration, Instant};

/// A change costs the loop more than an entry that is as known: a row in the catalog, a place in the index.
pub const COST_OF_A_CHANGE: usize = 8;

/// What one turn may still look at, in directory entries.
#[derive(Debug)]
pub struct TurnBudget {
    left: usize,
    spent: usize,
    until: Option<Instant>,
}

impl TurnBudget {
    /// For this many entries.
    pub fn of(entries: usize) -> Self {
        Self { left: entries, spent: 0, until: None }
    }

    /// The same for no longer than `most`, which a slow disk may take for fewer.
    pub fn within(self, most: Duration) -> Self {
        Self { until: Some(Instant::now() + most), ..self }
    }

    /// Something was looked at that costs as much as `entries`.
    pub fn spend(&mut self, entries: usize) {
        self.left = self.left.saturating_sub(entries);
        self.spent += entries;
    }

    /// Whether there is more to spend.
    pub fn is_left(&self) -> bool {
        self.left > 0 && self.until.is_none_or(|until| Instant::now() < until)
    }

    /// What is left.
    pub fn left(&self) -> usize {
        self.left
    }

    /// What was looked at so far.
    pub fn spent(&self) -> usize {
        self.spent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_spent_is_gone() {
        let mut budget = TurnBudget::of(10);
        budget.spend(COST_OF_A_CHANGE);
        assert!(budget.is_left());
        budget.spend(COST_OF_A_CHANGE);
        assert!(!budget.is_left());
        assert_eq!(budget.spent(), 2 * COST_OF_A_CHANGE);
        assert!(!TurnBudget::of(0).is_left() && !TurnBudget::of(1).within(Duration::ZERO).is_left());
    }
}
