//! The limits that the child process sets itself before it looks at a picture.

use std::io;

use rustix::process::{Resource, Rlimit, Signal, getppid, getrlimit, set_parent_process_death_signal, setrlimit};

use super::protocol::ChildRequest;
use super::usage::address_space;

/// Open files: standard input, output and error, and a few for libraries.
const OPEN_FILES: u64 = 16;
/// Processor time beyond that allowed for decoding after which the kernel ends a child whose parent does not.
const SPARE_SECONDS: u64 = 30;

/// Everything but the memory; and the process ends with its parent.
pub fn limit_before_reading(request: &ChildRequest) -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    if getppid().is_none_or(|parent| parent.as_raw_nonzero().get().unsigned_abs() != request.parent) {
        return Err(io::Error::other("the parent process is gone"));
    }
    volunteer_for_memory();
    limit(Resource::Core, 0)?;
    limit(Resource::Nofile, OPEN_FILES)?;
    limit(Resource::Cpu, request.order.bounds.decode_ms / 1_000 + SPARE_SECONDS)
}

/// From here on the process may allocate this many more bytes.
pub fn limit_memory(more: u64) -> io::Result<()> {
    let now =
        address_space().ok_or_else(|| io::Error::other("/proc/self/status does not say how much memory is used"))?;
    limit(Resource::As, now.saturating_add(more))
}

/// Lowers a limit; a lower one stays.
fn limit(resource: Resource, value: u64) -> io::Result<()> {
    let Rlimit { current, maximum } = getrlimit(resource);
    let lowest = |limit: Option<u64>| Some(limit.map_or(value, |limit| limit.min(value)));
    Ok(setrlimit(resource, Rlimit { current: lowest(current), maximum: lowest(maximum) })?)
}

/// When memory runs out, the kernel kills this process before the user's others.
fn volunteer_for_memory() {
    // Not allowed everywhere, and nothing depends on it.
    let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
}
