//! Test faults: files that make decoding crash or hang, in debug builds only, because no real picture is known to do
//! so.

/// The beginning of a file that causes a fault; the rest of its first line names the fault.
const PLANTED: &[u8] = b"artificio test fault: ";

/// Causes the fault that the file names, if any.
pub fn act(bytes: &[u8]) {
    match bytes.strip_prefix(PLANTED).and_then(|rest| rest.split(|byte| *byte == b'\n').next()) {
        Some(b"abort") => std::process::abort(),
        Some(b"loop") => loop {
            std::hint::spin_loop();
        },
        Some(b"allocate") => drop(std::hint::black_box(Vec::<u8>::with_capacity(8 << 30))),
        Some(b"panic") => std::panic::resume_unwind(Box::new("a planted panic")),
        _ => {}
    }
}

/// The same of a fault that follows the picture's own bytes: for decoders that run in a process of their own, after the header was
/// read in the service's.
pub fn act_at_end(bytes: &[u8]) {
    let end = &bytes[bytes.len().saturating_sub(64)..];
    if let Some(at) = end.windows(PLANTED.len()).position(|part| part == PLANTED) {
        act(&end[at..]);
    }
}
