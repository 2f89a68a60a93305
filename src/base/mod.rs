//! Helpers that know nothing of pictures, models or settings.

pub mod html;
