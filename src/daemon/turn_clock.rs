//! Measures the turns of the event loop, and which step of a slow one took longest.

use std::time::{Duration, Instant};

use log::debug;
use rustix::time::{ClockId, clock_gettime};

/// A turn that takes longer is worth a line in the log of a developer: queries and signals wait for it.
const SLOW: Duration = Duration::from_millis(50);

/// Measures one turn.
pub struct TurnClock {
    started: Instant,
    /// Processor time of the loop's thread at the start.
    worked: Duration,
    step_started: Instant,
    slowest: (&'static str, Duration),
}

impl TurnClock {
    /// An event has arrived.
    pub fn start() -> Self {
        let now = Instant::now();
        Self { started: now, worked: worked(), step_started: now, slowest: ("nothing", Duration::ZERO) }
    }

    /// A step of the turn is done.
    pub fn step(&mut self, name: &'static str) {
        let now = Instant::now();
        let took = now - self.step_started;
        if took > self.slowest.1 {
            self.slowest = (name, took);
        }
        self.step_started = now;
    }

    /// The turn is over: what it took.
    pub fn end(self) -> Duration {
        let took = self.started.elapsed();
        if took > SLOW {
            let (name, of_it) = self.slowest;
            // On a busy machine a turn waits more than it works.
            let worked = worked().saturating_sub(self.worked).as_millis();
            let (took, of_it) = (took.as_millis(), of_it.as_millis());
            debug!(
                "a turn of the loop took {took} ms, {of_it} ms of it to {name}; {worked} ms of it were processor time"
            );
        }
        took
    }
}

/// Processor time of this thread.
fn worked() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32)
}
