//! What the user sees: the sheet (PNG) and the record (JSON).

pub mod sheet;
pub mod text;
