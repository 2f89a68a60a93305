//! Runs the command of the setting `on_answer` after each answer.
//!
//! The service confines itself: it can neither run other programs nor reach what they need. So a helper process is started before
//! that, this same program with a hidden command, and given program and arguments once and for all. What it is sent later is the name
//! of an answer, its sheet and its status. It runs one command at a time, in the order of the answers, for a limited time.

mod command;
mod helper;
mod service;

pub use helper::serve;
pub use service::{AnswerCommands, AnswerNotice, COMMAND, CommandHelper, THREAD};
