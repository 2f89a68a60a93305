//! Many decode together, or one alone.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// With whom a picture is decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// With any number of others.
    Together,
    /// With nobody else.
    Alone,
}

/// Lets threads decode together, or one alone. Not a read-write lock: what somebody else entered can be left for them,
/// when they are given up.
#[derive(Debug, Default)]
pub struct Gate {
    inside: Mutex<Inside>,
    left: Condvar,
}

#[derive(Debug, Default)]
struct Inside {
    together: usize,
    /// Somebody is alone, or waits for the others to leave; whoever comes then waits.
    alone: bool,
}

impl Gate {
    /// Waits until decoding in this mode may begin.
    pub fn enter(&self, mode: Mode) {
        let mut inside = self.wait(self.lock(), |inside| inside.alone);
        match mode {
            Mode::Together => inside.together += 1,
            Mode::Alone => {
                inside.alone = true;
                drop(self.wait(inside, |inside| inside.together > 0));
            }
        }
    }

    /// It has ended.
    pub fn leave(&self, mode: Mode) {
        let mut inside = self.lock();
        match mode {
            Mode::Together => inside.together -= 1,
            Mode::Alone => inside.alone = false,
        }
        drop(inside);
        self.left.notify_all();
    }

    fn wait<'a>(&self, inside: MutexGuard<'a, Inside>, is_so: impl Fn(&Inside) -> bool) -> MutexGuard<'a, Inside> {
        let waited = self.left.wait_while(inside, |inside| is_so(inside));
        waited.unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use super::*;

    #[test]
    fn whoever_is_alone_is_alone_and_nobody_waits_for_ever() {
        let (gate, inside, most) = (Gate::default(), AtomicUsize::new(0), AtomicUsize::new(0));
        let visit = |mode: Mode| {
            gate.enter(mode);
            let company = inside.fetch_add(1, Ordering::SeqCst);
            most.fetch_max(company, Ordering::SeqCst);
            thread::yield_now();
            assert!(mode == Mode::Together || company == 0, "{company} beside one that is to be alone");
            inside.fetch_sub(1, Ordering::SeqCst);
            gate.leave(mode);
        };
        thread::scope(|scope| {
            for number in 0..8 {
                let mode =
                    move |turn: usize| if (turn + number).is_multiple_of(5) { Mode::Alone } else { Mode::Together };
                scope.spawn(move || (0..500).for_each(|turn| visit(mode(turn))));
            }
        });
        assert!(most.into_inner() > 0, "nobody ever met anybody: the test proves nothing");
    }
}
