//! What the user sees: the sheet (PNG) and the record (JSON).
