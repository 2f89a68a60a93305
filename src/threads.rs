//! Starts threads whose end is always reported, a panic included.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::thread::{self, JoinHandle};

use crossbeam_channel::Sender;

use crate::error::Trouble;

/// A thread has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThreadEnd {
    /// As it was started.
    pub name: String,
    /// The message of the panic that ended it; `None` when it ended normally.
    pub panic: Option<String>,
}

/// Starts a thread that does `work`; its end is sent to `ends`.
///
/// # Errors
/// When the system cannot start a thread.
pub fn spawn(
    name: &str,
    ends: Sender<ThreadEnd>,
    work: impl FnOnce() + Send + 'static,
) -> Result<JoinHandle<()>, Trouble> {
    let end = name.to_string();
    let supervised = move || {
        // Shared data that the work left half done is safe: it is behind locks whose owners handle panics.
        let panic = catch_unwind(AssertUnwindSafe(work)).err().map(|payload| text_of(payload.as_ref()));
        // The receiver is gone when the whole program ends.
        let _ = ends.send(ThreadEnd { name: end, panic });
    };
    let started = thread::Builder::new().name(name.into()).spawn(supervised);
    started.map_err(|error| Trouble::system(&format!("start the {name} thread"), Path::new("artificio"), &error))
}

fn text_of(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "for no given reason".into())
}

#[cfg(test)]
mod tests {
    use crossbeam_channel::unbounded;

    use super::*;

    #[test]
    fn every_end_is_reported_a_panic_with_its_words() {
        let (sender, ends) = unbounded();
        spawn("quiet", sender.clone(), || {}).unwrap();
        assert_eq!(ends.recv().unwrap(), ThreadEnd { name: "quiet".into(), panic: None });
        spawn("loud", sender.clone(), || std::panic::resume_unwind(Box::new("a reason"))).unwrap();
        assert_eq!(ends.recv().unwrap(), ThreadEnd { name: "loud".into(), panic: Some("a reason".into()) });
        let number = 7;
        spawn("loud", sender, move || std::panic::resume_unwind(Box::new(format!("reason {number}")))).unwrap();
        assert_eq!(ends.recv().unwrap().panic.as_deref(), Some("reason 7"));
    }
}
