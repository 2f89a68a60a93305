//! One budget of memory for all threads that decode: each reserves what its picture needs by its header, or waits until others are
//! done.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::picture::{Bounds, Unusable};

/// The budget; shared by all threads.
#[derive(Debug)]
pub struct MemoryBudget {
    queue: Mutex<MemoryQueue>,
    changed: Condvar,
    /// How large it is where the settings do not say.
    default_bytes: u64,
}

/// Whoever reserves draws a number and is served in turn, so that a picture that needs much is not passed over for ever by those
/// that need little.
#[derive(Debug, Default)]
struct MemoryQueue {
    reserved: u64,
    next_number: u64,
    serving: u64,
}

/// Memory that is reserved until this is dropped or released.
#[derive(Debug)]
pub struct Reservation {
    budget: Arc<MemoryBudget>,
    bytes: AtomicU64,
}

impl MemoryBudget {
    /// One of `default_bytes`, if the settings do not say how large it is.
    pub fn new(default_bytes: u64) -> Arc<Self> {
        Arc::new(Self { queue: Mutex::default(), changed: Condvar::new(), default_bytes })
    }

    /// Reserves `bytes` and waits until they are free. A thread reserves once at a time: it never waits for one that waits for it.
    ///
    /// # Errors
    /// [`Unusable::NeedsMemory`] for more than the whole budget.
    pub fn reserve(self: &Arc<Self>, bytes: u64, bounds: &Bounds) -> Result<Arc<Reservation>, Unusable> {
        let all = if bounds.memory_bytes > 0 { bounds.memory_bytes } else { self.default_bytes };
        if bytes > all {
            return Err(Unusable::NeedsMemory { megabytes: bytes.div_ceil(1 << 20), limit: all >> 20 });
        }
        let mut queue = self.queue();
        let number = queue.next_number;
        queue.next_number += 1;
        while queue.serving != number || queue.reserved.saturating_add(bytes) > all {
            queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        queue.serving += 1;
        queue.reserved += bytes;
        // The next one may fit as well.
        self.changed.notify_all();
        Ok(Arc::new(Reservation { budget: Arc::clone(self), bytes: AtomicU64::new(bytes) }))
    }

    fn queue(&self) -> MutexGuard<'_, MemoryQueue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reservation {
    /// Others may have the memory: it is free, or it belongs to a thread that was abandoned and may never end. Once released it stays
    /// so.
    pub fn release(&self) {
        let bytes = self.bytes.swap(0, Ordering::Relaxed);
        self.budget.queue().reserved -= bytes;
        self.budget.changed.notify_all();
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.release();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    const BOUNDS: Bounds = Bounds { file_bytes: 1, pixels: 1, decode_ms: 1, memory_bytes: 0 };

    #[test]
    fn whoever_does_not_fit_waits_for_the_others_and_in_turn() {
        let budget = MemoryBudget::new(100);
        let first = budget.reserve(60, &BOUNDS).unwrap();
        let (sender, order) = channel();
        std::thread::scope(|scope| {
            for (name, bytes, numbers_before) in [("large", 95, 1), ("small", 10, 2)] {
                let (sender, budget) = (sender.clone(), &budget);
                scope.spawn(move || {
                    // Each waits until those before it have drawn their numbers.
                    while budget.queue().next_number != numbers_before {
                        std::thread::yield_now();
                    }
                    let reservation = budget.reserve(bytes, &BOUNDS).unwrap();
                    sender.send((name, budget.queue().reserved)).unwrap();
                    reservation
                });
            }
            while budget.queue().next_number != 3 {
                std::thread::yield_now();
            }
            assert!(order.try_recv().is_err(), "the small one would fit, but it is not its turn");
            drop(first);
            assert_eq!(order.recv().unwrap().0, "large");
            let (name, reserved) = order.recv().unwrap();
            assert!(name == "small" && reserved <= 100, "{reserved}");
        });
        assert_eq!(budget.queue().reserved, 0);
    }

    #[test]
    fn more_than_all_is_refused_and_the_settings_say_what_all_is() {
        let budget = MemoryBudget::new(8 << 20);
        let needs = |megabytes, limit| Some(Unusable::NeedsMemory { megabytes, limit });
        assert_eq!(budget.reserve(9 << 20, &BOUNDS).err(), needs(9, 8));
        let set = Bounds { memory_bytes: 20 << 20, ..BOUNDS };
        assert_eq!(budget.reserve((20 << 20) + 1, &set).err(), needs(21, 20));
        let abandoned = budget.reserve(20 << 20, &set).unwrap();
        abandoned.release();
        assert!(budget.reserve(8 << 20, &BOUNDS).is_ok(), "what an abandoned thread holds keeps nobody waiting");
        drop(abandoned);
        assert_eq!(budget.queue().reserved, 0, "released once");
    }
}
