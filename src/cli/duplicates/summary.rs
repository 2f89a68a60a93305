//! What `artificio duplicates` found, as text for people.

use std::path::Path;

use super::report::{DuplicatesReport, GroupPart, MemberPart};
use crate::overview::SHOWN_GROUPS;

/// The groups, a line for each file, and where more was written.
pub fn summary(report: &DuplicatesReport, sheet: Option<&Path>, written: &[&Path]) -> String {
    let mut text = String::new();
    let possible = report.groups.iter().filter(|group| !group.is_certain).count();
    for (number, group) in report.groups.iter().enumerate() {
        if number + possible == report.groups.len() {
            text += "Possible, look at them before you remove one:\n";
        }
        text += &format!("{}\n", how(group));
        for member in &group.members {
            text += &line(member, group);
        }
    }
    let members: usize = report.groups.iter().map(|group| group.paths.len()).sum();
    text += &match report.groups.len() {
        0 => format!("no near-duplicates among {} pictures\n", report.pictures),
        1 => format!("{members} of {} pictures in one group", report.pictures),
        count => format!("{members} of {} pictures in {count} groups", report.pictures),
    };
    if !report.groups.is_empty() {
        let certain = report.groups.len() - possible;
        text += &format!(", {certain} certain and {possible} possible; * is the copy to keep\n");
    }
    if report.waiting > 0 {
        text += &format!("{} more are waiting to be read\n", report.waiting);
    }
    if let Some(sheet) = sheet {
        let left_out = report.groups.len().saturating_sub(SHOWN_GROUPS);
        let more = match left_out {
            0 => String::new(),
            1 => " (without the last group)".into(),
            count => format!(" (without the last {count} groups)"),
        };
        text += &format!("{}{more}\n", sheet.display());
    }
    written.iter().for_each(|file| text += &format!("{}\n", file.display()));
    text
}

/// How many files a group has, and how similar they are.
pub fn how(group: &GroupPart) -> String {
    match group.is_one_content {
        true => format!("{} pictures, identical", group.paths.len()),
        false => format!("{} pictures, similarity {:.3} or more", group.paths.len(), group.similarity),
    }
}

fn line(member: &MemberPart, group: &GroupPart) -> String {
    let keep = if member.keep { "  * " } else { "    " };
    let size = Some(size_words(member)).filter(|words| !words.is_empty()).map(|words| format!("  {words}"));
    let mut words: Vec<&str> = Vec::new();
    if !group.is_one_content {
        words.extend(member.relations.iter().map(|relation| relation.words()));
    }
    if !member.is_certain {
        words.push("possible");
    }
    let words = if words.is_empty() { String::new() } else { format!("  ({})", words.join(", ")) };
    format!("{keep}{}{}{words}\n", member.path.escape_debug(), size.unwrap_or_default())
}

/// Pixels and bytes, as far as they are known: "1600×1200, 412 kB".
pub fn size_words(member: &MemberPart) -> String {
    let pixels = member.width.zip(member.height).map(|(width, height)| format!("{width}×{height}"));
    let bytes = member.bytes.map(|bytes| match bytes {
        0..1_000 => format!("{bytes} bytes"),
        1_000..10_000_000 => format!("{} kB", bytes / 1_000),
        _ => format!("{} MB", bytes / 1_000_000),
    });
    pixels.into_iter().chain(bytes).collect::<Vec<String>>().join(", ")
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::cli::duplicates::keep::{FileFacts, KeepRule};
    use crate::cli::duplicates::report::report;
    use crate::dedup::{Alignment, Group, GroupMember, Link, Window};
    use crate::overview::InventoryContents;

    #[test]
    fn groups_read_like_this() {
        let whole = Alignment { similarity: 0.9312, is_mirrored: false, quarter_turns: 0, window: Window::WHOLE };
        let part = Window { width: 20.0, height: 22.0, ..Window::WHOLE };
        let mirrored = Alignment { similarity: 0.96, is_mirrored: true, quarter_turns: 2, window: part };
        let link = |other, alignment, is_certain| Some(Link { one: 1, other, alignment, is_certain });
        let members = vec![
            GroupMember { at: 1, link: None },
            GroupMember { at: 2, link: link(2, whole, false) },
            GroupMember { at: 3, link: link(3, mirrored, true) },
        ];
        let groups = [Group { hub: 1, members, similarity: 0.9312 }];
        let paths = [vec!["a.jpg", "b/a.jpg"], vec!["c.jpg", "cc.jpg"], vec!["d\n.jpg"], vec!["e.jpg"], vec!["f.jpg"]];
        let paths = paths.map(|of_one| of_one.into_iter().map(PathBuf::from).collect()).to_vec();
        let contents = InventoryContents { paths, waiting: 2, ..InventoryContents::default() };
        let mut report = report(&contents, &groups, 0.9);
        let facts = |size, bytes| FileFacts { size: Some(size), bytes: Some(bytes), mtime_ns: Some(-1) };
        let unread = FileFacts::default();
        let all = [facts((40, 30), 999), facts((40, 30), 999), unread, unread, facts((9, 9), 12_345_678), unread];
        report.set_facts(&all, &KeepRule::Largest);
        let expected = "\
2 pictures, identical
  * a.jpg  40×30, 999 bytes
    b/a.jpg  40×30, 999 bytes
Possible, look at them before you remove one:
4 pictures, similarity 0.931 or more
    c.jpg
    cc.jpg  (identical)
  * d\\n.jpg  9×9, 12 MB  (possible)
    e.jpg  (cropped, mirrored, rotated)
6 of 7 pictures in 2 groups, 1 certain and 1 possible; * is the copy to keep
2 more are waiting to be read
";
        assert_eq!(summary(&report, None, &[]), expected);
        assert_eq!(report.groups[0].members[0].modified_s, Some(-1));
        let none = DuplicatesReport { least_similarity: 0.9, pictures: 30, waiting: 0, groups: Vec::new() };
        assert_eq!(summary(&none, None, &[Path::new("x.html")]), "no near-duplicates among 30 pictures\nx.html\n");
    }
}
