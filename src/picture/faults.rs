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
        Some(b"panic") => std::panic::resume_unwind(Box::new("a planted panic")),
        _ => {}
    }
}
