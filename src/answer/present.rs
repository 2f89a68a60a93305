//! How a record looks on its sheet.

use super::sheet::{Footer, Notice, NoticeKind, SheetStyle, Theme};
use super::{Record, Status};
use crate::clock;
use crate::config::{self, AnswerSettings};

/// The sheet's style as configured.
pub fn style(settings: &AnswerSettings) -> SheetStyle {
    let theme = match settings.theme {
        config::Theme::Light => Theme::Light,
        config::Theme::Dark => Theme::Dark,
    };
    SheetStyle { theme, width_px: settings.width_px.get() as u32, ..SheetStyle::default() }
}

/// What the sheet says above or instead of its matches.
pub fn notice(record: &Record) -> Option<Notice> {
    let (kind, headline) = match record.status {
        Status::Ok => return None,
        Status::NothingSimilar => (NoticeKind::NothingSimilar, "Nothing similar here"),
        Status::Partial => (NoticeKind::Partial, "Not everything could be compared"),
        Status::Error => (NoticeKind::Error, "This could not be answered"),
    };
    Some(Notice { kind, headline: headline.into(), detail: record.message.clone() })
}

/// Where the answer comes from.
pub fn footer(record: &Record) -> Footer {
    let model = match record.model.trained_on {
        0 => "not trained yet".to_string(),
        count => format!("model {}, trained on {count} pictures", record.model.id),
    };
    Footer { model, inventory: record.inventory, date: clock::local_text(record.answered_s) }
}
