//! A file that is being written, under a name that nobody can foretell, until it takes its place.
//!
//! Others may write into the folder of answers. A link that waits under the name of the next unfinished file would have something
//! else overwritten; so the name is drawn at random, and the file must not exist (`O_EXCL`, which follows no link). Everything is
//! done from a handle of the folder, so that it is the same folder from the first step to the last.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{
    AtFlags, CWD, Dir, FileType, Mode, OFlags, RawMode, Stat, fstat, fsync, openat, renameat, statat, unlinkat,
};
use rustix::io::Errno;
use rustix::process::geteuid;
use rustix::rand::{GetRandomFlags, getrandom};

/// Starts the names of half-written files, so that a crash leaves nothing that looks like an answer.
pub(super) const PREFIX: &str = ".artificio-";
/// That a random name is taken happens once in 2⁶⁴ times; that the system gives none, never.
const TRIES: usize = 4;

/// A file being written. It is removed unless it takes its place.
pub struct Unfinished {
    folder: OwnedFd,
    name: String,
    file: File,
    has_name: bool,
}

impl Unfinished {
    /// Makes one beside `path`.
    pub fn beside(path: &Path) -> io::Result<Self> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let handle = openat(CWD, folder, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        let mode = mode_of_file_in(&fstat(&handle)?);
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut tries = TRIES;
        loop {
            let name = random_name()?;
            match openat(&handle, &name, flags, mode) {
                Err(Errno::EXIST) if tries > 0 => tries -= 1,
                opened => return Ok(Self { file: opened?.into(), folder: handle, name, has_name: true }),
            }
        }
    }

    /// Appends `bytes`.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)
    }

    /// Gives it the file name of `path`, which lies in the same folder; what had that name is replaced.
    pub fn replace(mut self, path: &Path) -> io::Result<()> {
        self.rename(path)
    }

    /// The same, flushed to the disk before and after, so that it survives a loss of power.
    pub fn replace_flushed(mut self, path: &Path) -> io::Result<()> {
        self.file.sync_all()?;
        self.rename(path)?;
        Ok(fsync(&self.folder)?)
    }

    fn rename(&mut self, path: &Path) -> io::Result<()> {
        let name = path.file_name().ok_or(io::ErrorKind::InvalidFilename)?;
        renameat(&self.folder, &self.name, &self.folder, name)?;
        self.has_name = false;
        Ok(())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if self.has_name {
            // Best effort: an error is being reported already.
            let _ = unlinkat(&self.folder, &self.name, AtFlags::empty());
        }
    }
}

/// Nobody may do more with a new file than with the folder it is in: whoever cannot enter that cannot read it, and whoever cannot
/// write into that cannot write it. The process's umask takes more. What root writes into somebody's folder is for its owner as
/// well, so the folder alone keeps it from others.
pub(super) fn mode_of_file_in(folder: &Stat) -> Mode {
    match folder.st_uid == geteuid().as_raw() {
        true => mode_in(folder.st_mode),
        false => Mode::from_raw_mode(0o666),
    }
}

fn mode_in(folder: RawMode) -> Mode {
    let of_class = |shift: u32| {
        let [enters, writes] = [folder >> shift & 1, folder >> shift & 2].map(|bit| bit != 0);
        let bits = RawMode::from(enters) * 4 + RawMode::from(enters && writes) * 2;
        bits << shift
    };
    Mode::RUSR | Mode::WUSR | Mode::from_raw_mode(of_class(3) | of_class(0))
}

/// A name of an unfinished file.
pub fn random_name() -> io::Result<String> {
    let mut random = [0; 8];
    let filled = getrandom(&mut random, GetRandomFlags::empty())?;
    if filled < random.len() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(format!("{PREFIX}{:016x}", u64::from_le_bytes(random)))
}

/// Removes half-written files that a crash left in `folder`: ordinary files of this user that have such a name, and nothing of
/// anybody else's.
pub fn sweep_half_written(folder: &Path) {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let Ok(mut entries) = openat(CWD, folder, flags, Mode::empty()).and_then(Dir::new) else { return };
    let mut left = Vec::new();
    while let Some(Ok(entry)) = entries.read() {
        if entry.file_name().to_bytes().starts_with(PREFIX.as_bytes()) {
            left.push(entry.file_name().to_owned());
        }
    }
    let Ok(folder) = entries.fd() else { return };
    for name in left {
        let found = statat(folder, &name, AtFlags::SYMLINK_NOFOLLOW);
        let is_ours = |found: &Stat| {
            FileType::from_raw_mode(found.st_mode) == FileType::RegularFile && found.st_uid == geteuid().as_raw()
        };
        if found.is_ok_and(|found| is_ours(&found)) {
            let _ = unlinkat(folder, &name, AtFlags::empty());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn names_in(folder: &Path) -> Vec<String> {
        let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn no_two_files_have_the_same_name_and_none_stays_unless_it_takes_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("answer.json");
        let mut files = [Unfinished::beside(&path).unwrap(), Unfinished::beside(&path).unwrap()];
        let names = names_in(folder.path());
        assert!(names.len() == 2 && names.iter().all(|name| name.starts_with(PREFIX)), "{names:?}");
        let [one, other] = &mut files;
        one.write(b"one").unwrap();
        other.write(b"other").unwrap();
        let [one, other] = files;
        one.replace_flushed(&path).unwrap();
        drop(other);
        assert_eq!((names_in(folder.path()), fs::read(&path).unwrap()), (vec!["answer.json".into()], b"one".to_vec()));
    }

    #[test]
    fn a_link_in_the_place_of_a_file_is_replaced_and_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let [path, other] = ["answer.json", "other"].map(|name| folder.path().join(name));
        fs::write(&other, b"of another").unwrap();
        symlink(&other, &path).unwrap();
        Unfinished::beside(&path).unwrap().replace(&path).unwrap();
        assert!(fs::symlink_metadata(&path).unwrap().is_file());
        assert_eq!(fs::read(&other).unwrap(), b"of another");
    }

    #[test]
    fn a_file_is_no_more_open_than_its_folder() {
        for (folder, file) in [(0o2775, 0o664), (0o755, 0o644), (0o750, 0o640), (0o700, 0o600), (0o711, 0o644)] {
            assert_eq!(mode_in(folder).as_raw_mode(), file, "{folder:o}");
        }
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o700)).unwrap();
        let path = folder.path().join("status.json");
        Unfinished::beside(&path).unwrap().replace(&path).unwrap();
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn files_left_by_a_crash_are_removed_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at(".artificio-0123456789abcdef"), b"half").unwrap();
        fs::write(at(".artificio-of-an-older-version"), b"half").unwrap();
        fs::write(at(".hidden"), b"the user's").unwrap();
        fs::create_dir(at(".artificio-folder")).unwrap();
        symlink(at(".hidden"), at(".artificio-link")).unwrap();
        sweep_half_written(folder.path());
        assert_eq!(names_in(folder.path()), [".artificio-folder", ".artificio-link", ".hidden"]);
    }
}
