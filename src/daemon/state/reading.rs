//! What the log says while the inventory is read: how far it is, at growing intervals, and at the end how many pictures there are.
//! Pure: the time is an argument.

use std::time::Duration;

use crate::base::duration::two_units;
use crate::service_status::InventoryPart;

/// A few new pictures are read sooner than this, and get no line.
const FIRST: Duration = Duration::from_secs(3);
/// In the first minute there is a line this often ...
const OFTEN: Duration = Duration::from_secs(10);
/// ... then this often.
const SELDOM: Duration = Duration::from_secs(60);

/// What was logged so far.
#[derive(Debug, Default)]
pub struct ReadingLog {
    /// Searchable and unusable pictures, when all had been read last.
    logged: Option<(usize, usize)>,
    /// When the reading under way began, and when its next line is due.
    reading: Option<(Duration, Duration)>,
}

impl ReadingLog {
    /// The line that is due, if any. Called once all folders have been listed.
    pub fn line(&mut self, now: Duration, inventory: &InventoryPart) -> Option<String> {
        if inventory.pending == 0 {
            self.reading = None;
            return self.end_line(inventory);
        }
        let (began, due) = *self.reading.get_or_insert((now, now + FIRST));
        if now < due {
            return None;
        }
        let pause = if now - began < SELDOM { OFTEN } else { SELDOM };
        self.reading = Some((began, now + pause));
        let done = inventory.files.saturating_sub(inventory.pending);
        let pace = inventory.per_second.map(|pace| format!(", {pace:.1} a second")).unwrap_or_default();
        let left = inventory.remaining_s.map(|left| format!(", {} to go", two_units(left))).unwrap_or_default();
        Some(format!("inventory: {done} of {} pictures read{pace}{left}", inventory.files))
    }

    fn end_line(&mut self, inventory: &InventoryPart) -> Option<String> {
        let now = (inventory.indexed, inventory.failed);
        if self.logged.replace(now) == Some(now) {
            return None;
        }
        let unusable = if inventory.failed > 0 { format!(", {} unusable", inventory.failed) } else { String::new() };
        Some(format!("inventory: {} pictures searchable{unusable}", inventory.indexed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(indexed: usize, pending: usize, failed: usize, remaining_s: Option<u64>) -> InventoryPart {
        let files = indexed + pending + failed;
        let per_second = remaining_s.map(|_| 21.25);
        InventoryPart { files, indexed, pending, failed, paired: 0, excluded: 0, per_second, remaining_s }
    }

    #[test]
    fn a_long_reading_is_logged_ever_less_often() {
        let mut log = ReadingLog::default();
        let lines = (0..300_u64).filter_map(|second| {
            let left = 300 - second as usize;
            let line = log.line(Duration::from_secs(second), &part(300 - left, left, 0, Some(left as u64)))?;
            Some((second, line))
        });
        let lines: Vec<(u64, String)> = lines.collect();
        let seconds: Vec<u64> = lines.iter().map(|(second, _)| *second).collect();
        assert_eq!(seconds, [3, 13, 23, 33, 43, 53, 63, 123, 183, 243]);
        let last = "inventory: 243 of 300 pictures read, 21.2 a second, 57 s to go";
        assert_eq!(lines.last().map(|(_, line)| line.as_str()), Some(last));
        let end = log.line(Duration::from_secs(300), &part(299, 0, 1, None));
        assert_eq!(end.as_deref(), Some("inventory: 299 pictures searchable, 1 unusable"));
    }

    #[test]
    fn a_few_pictures_are_logged_when_they_are_read_and_only_then() {
        let mut log = ReadingLog::default();
        let mut line = |millis: u64, part: InventoryPart| log.line(Duration::from_millis(millis), &part);
        assert_eq!(line(0, part(5, 0, 0, None)).as_deref(), Some("inventory: 5 pictures searchable"));
        assert_eq!(line(1, part(5, 0, 0, None)), None);
        assert_eq!(line(2, part(5, 1, 0, None)), None);
        assert_eq!(line(900, part(6, 0, 0, None)).as_deref(), Some("inventory: 6 pictures searchable"));
        assert_eq!(line(5_000, part(6, 1, 0, None)), None, "a reading of its own");
    }
}
