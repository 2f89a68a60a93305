//! The limits that the child process sets itself before it looks at a picture.

use std::fs::File;
use std::io::{self, Write};

use rustix::process::{Resource, Rlimit, Signal, getppid, getrlimit, set_parent_process_death_signal, setrlimit};

use super::protocol::ChildRequest;
use super::usage::{address_space, memory_left};

/// Open files: standard input, output and error, and a few for libraries.
const OPEN_FILES: u64 = 16;
/// Processor time beyond that allowed for decoding after which the kernel ends a child whose parent does not.
const SPARE_SECONDS: u64 = 30;
/// Processor time between the signal and the kill.
const GRACE_SECONDS: u64 = 5;

/// Everything but the memory; and the process ends with its parent.
pub fn limit_before_reading(request: &ChildRequest) -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    if getppid().is_none_or(|parent| parent.as_raw_nonzero().get().unsigned_abs() != request.parent) {
        return Err(io::Error::other("the parent process is gone"));
    }
    limit(Resource::Core, 0)?;
    limit(Resource::Nofile, OPEN_FILES)?;
    limit(Resource::Cpu, request.task.bounds().decode_ms / 1_000 + SPARE_SECONDS)
}

/// From here on the process may allocate this many more bytes, or fewer, where less is left: it has to meet this limit before
/// that of its control group or of the machine, which end others as well. Returns how many.
pub fn limit_memory(most: u64) -> io::Result<u64> {
    let now =
        address_space().ok_or_else(|| io::Error::other("/proc/self/status does not say how much memory is used"))?;
    let more = most.min(memory_left() / 10 * 9);
    limit(Resource::As, now.saturating_add(more))?;
    Ok(more)
}

/// Lowers a limit; a lower one stays. What is over it gets a signal that says so, what is far over it is killed.
fn limit(resource: Resource, value: u64) -> io::Result<()> {
    let Rlimit { current, maximum } = getrlimit(resource);
    let lowest = |limit: Option<u64>, value: u64| Some(limit.map_or(value, |limit| limit.min(value)));
    let hard = if resource == Resource::Cpu { value + GRACE_SECONDS } else { value };
    Ok(setrlimit(resource, Rlimit { current: lowest(current, value), maximum: lowest(maximum, hard) })?)
}

/// When memory runs out, the kernel kills this process before the user's others.
pub fn volunteer_for_memory() {
    // Not allowed everywhere, and nothing depends on it.
    let score = File::options().write(true).open("/proc/self/oom_score_adj");
    let _ = score.and_then(|mut score| score.write_all(b"1000"));
}
