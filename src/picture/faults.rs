//! Faults that tests plant in files, because no picture is known that kills the decoders in use. In debug builds only.

/// How a file begins that is to be decoded with a fault; the rest of its first line says which.
const PLANTED: &[u8] = b"artificio test fault: ";

/// Does what the file asks for, if it asks for anything.
pub fn act(bytes: &[u8]) {
    match bytes.strip_prefix(PLANTED).and_then(|rest| rest.split(|byte| *byte == b'\n').next()) {
        Some(b"abort") => std::process::abort(),
        Some(b"loop") => loop {
            std::hint::spin_loop();
        },
        _ => {}
    }
}
