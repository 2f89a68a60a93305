//! A shell script that moves the copies of each group away. It deletes nothing, and does nothing without a folder to move them
//! to; what is only possible it leaves where it is.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::report::DuplicatesReport;

/// The script, in POSIX sh. Every name stands in single quotes, below a folder of which the path is absolute: no name can be an
/// option, end its line or start another command.
pub fn script(report: &DuplicatesReport, inventory: &Path) -> Vec<u8> {
    let mut text = HEAD.as_bytes().to_vec();
    text.extend(b"inventory=");
    text.extend(quoted(inventory));
    text.extend(FUNCTIONS.as_bytes());
    for (number, group) in report.groups.iter().enumerate() {
        let how = if group.is_certain { "" } else { ", possible: look at it" };
        text.extend(format!("\n# Group {}, similarity {:.3}{how}\n", number + 1, group.similarity).as_bytes());
        for member in &group.members {
            let command = match (member.keep, group.is_certain && member.is_certain) {
                (true, _) => "keep",
                (false, true) => "move",
                (false, false) => "possible",
            };
            text.extend(command.as_bytes());
            text.push(b' ');
            text.extend(quoted(&member.file));
            text.push(b'\n');
        }
    }
    text
}

const HEAD: &str = "#!/bin/sh
# Written by `artificio duplicates --script`. READ IT before you run it:
#     sh THIS_FILE FOLDER
# moves every copy that is marked `move` into FOLDER, under the path it had. It deletes nothing.
# `keep` and `possible` do nothing; write `move` in their place, or the other way round, as you like.
into=${1:?the folder to move copies into is missing}
";

const FUNCTIONS: &str = r#"
case $into in /*) ;; *) into=$PWD/$into ;; esac
case $into/ in "$inventory"/*) echo "$into lies in the inventory folder: choose another" >&2; exit 2 ;; esac
keep() { :; }
possible() { :; }
move() {
    if [ -e "$into/$1" ] || [ -L "$into/$1" ]; then
        printf '%s\n' "not moved, it is there already: $into/$1" >&2
        return
    fi
    case $1 in */*) mkdir -p "$into/${1%/*}" ;; *) mkdir -p "$into" ;; esac && mv "$inventory/$1" "$into/$1"
}
"#;

/// A path as one word of the shell, whatever its bytes.
fn quoted(path: &Path) -> Vec<u8> {
    let mut word = vec![b'\''];
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b'\'' => word.extend(b"'\\''"),
            byte => word.push(*byte),
        }
    }
    word.push(b'\'');
    word
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;
    use std::process::Command;

    use super::*;
    use crate::cli::duplicates::report::{GroupPart, MemberPart};

    fn member(file: &str, is_certain: bool, keep: bool) -> MemberPart {
        MemberPart { is_certain, keep, ..MemberPart::of(PathBuf::from(file)) }
    }

    #[test]
    fn the_script_moves_certain_copies_whatever_their_names_and_nothing_else() {
        let place = tempfile::tempdir().unwrap();
        let (inventory, away) = (place.path().join("it's \"the\" inventory"), place.path().join("away"));
        let moved = ["-rf", "a\ntouch owned\n.jpg", "it's $(touch owned) `touch owned`.jpg", "deep/er/x y.jpg"];
        let others = ["kept.jpg", "maybe\ntouch owned\n.jpg"];
        for name in moved.iter().chain(&others) {
            fs::create_dir_all(inventory.join(name).parent().unwrap()).unwrap();
            fs::write(inventory.join(name), name).unwrap();
        }
        let mut members: Vec<MemberPart> = moved.iter().map(|name| member(name, true, false)).collect();
        members.push(member("kept.jpg", true, true));
        let possible = vec![member("kept.jpg", true, true), member(others[1], false, false)];
        let groups = [(true, members), (false, possible)];
        let groups = groups.map(|(is_certain, members)| GroupPart { is_certain, ..GroupPart::of(members) });
        let report = DuplicatesReport { least_similarity: 0.9, pictures: 6, waiting: 0, groups: groups.to_vec() };
        let file = place.path().join("script.sh");
        fs::write(&file, script(&report, &inventory)).unwrap();
        let run = |arguments: &[&Path]| {
            let mut command = Command::new("sh");
            command.current_dir(place.path()).arg(&file).args(arguments).output().unwrap()
        };
        assert!(!run(&[]).status.success(), "without a folder nothing happens");
        assert!(!run(&[&inventory.join("in")]).status.success(), "nor with one in the inventory");
        assert!(moved.iter().all(|name| inventory.join(name).exists()));
        let output = run(&[&away]);
        assert!(output.status.success(), "{output:?}");
        for name in moved {
            assert_eq!(fs::read_to_string(away.join(name)).unwrap(), name);
        }
        assert!(others.iter().all(|name| inventory.join(name).exists() && !away.join(name).exists()));
        assert!(!place.path().join("owned").exists() && !inventory.join("owned").exists());
        fs::write(inventory.join("-rf"), "another").unwrap();
        run(&[&away]);
        assert_eq!(fs::read_to_string(away.join("-rf")).unwrap(), "-rf", "nothing is overwritten");
    }
}
