//! Files that are put into a folder that others watch, whole: they are made in a folder with a dot name beside, and renamed.
//!
//! Nothing that is there is replaced. Everything is done from handles, so that whoever may write there as well has nothing written
//! anywhere else.

use std::fs::{self, File};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, RenameFlags, fstat, mkdirat, openat, renameat, renameat_with, statat};
use rustix::io::Errno;
use rustix::process::geteuid;

use super::unfinished::{PREFIX, mode_of_file_in, random_name};

const OPEN_FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Files on their way into a folder. What has not taken its place is removed.
#[derive(Debug)]
pub struct Arrival {
    target: OwnedFd,
    name: String,
    path: PathBuf,
    handle: OwnedFd,
}

impl Arrival {
    /// On the way into `folder`.
    pub fn into_folder(folder: &Path) -> io::Result<Self> {
        let target = openat(CWD, folder, OPEN_FOLDER.difference(OFlags::NOFOLLOW), Mode::empty())?;
        let name = random_name()?;
        mkdirat(&target, &name, mode_of_folder_in(&target)?)?;
        let path = folder.join(&name);
        match openat(&target, &name, OPEN_FOLDER, Mode::empty()) {
            Ok(handle) => Ok(Self { target, name, path, handle }),
            Err(error) => {
                let _ = fs::remove_dir(&path);
                Err(error.into())
            }
        }
    }

    /// Makes an empty file of this name, in a sub-folder if one is named; it must be new.
    pub fn create(&self, folder: Option<&str>, name: &str) -> io::Result<File> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let inner = folder.map(|folder| self.inner(folder)).transpose()?;
        let place = inner.as_ref().unwrap_or(&self.handle);
        Ok(openat(place, name, flags, mode_of_file_in(&fstat(place)?))?.into())
    }

    fn inner(&self, folder: &str) -> io::Result<OwnedFd> {
        match mkdirat(&self.handle, folder, mode_of_folder_in(&self.handle)?) {
            Ok(()) | Err(Errno::EXIST) => Ok(openat(&self.handle, folder, OPEN_FOLDER, Mode::empty())?),
            Err(error) => Err(error.into()),
        }
    }

    /// Puts the one file of this name into the folder as `name`; `false` where that is taken.
    pub fn place_file(&self, file: &str, name: &str) -> io::Result<bool> {
        rename_to_new(&self.handle, file, &self.target, name)
    }

    /// Puts all files into the folder, as a folder of this name; `false` where that is taken.
    pub fn place_all(&self, name: &str) -> io::Result<bool> {
        rename_to_new(&self.target, &self.name, &self.target, name)
    }
}

impl Drop for Arrival {
    fn drop(&mut self) {
        // After `place_all` there is nothing of this name.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// As open as the folder it is in; the process's umask takes more.
fn mode_of_folder_in(folder: &OwnedFd) -> io::Result<Mode> {
    Ok(Mode::from_raw_mode(fstat(folder)?.st_mode & 0o777) | Mode::RWXU)
}

fn rename_to_new(from: &OwnedFd, name: &str, to: &OwnedFd, new: &str) -> io::Result<bool> {
    match renameat_with(from, name, to, new, RenameFlags::NOREPLACE) {
        Ok(()) => Ok(true),
        Err(Errno::EXIST) => Ok(false),
        // File systems of the network and of user space lack it: whoever takes the name within this moment loses a query.
        Err(Errno::INVAL | Errno::NOSYS) => match statat(to, new, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => renameat(from, name, to, new).map(|()| true).map_err(io::Error::from),
            found => found.map(|_| false).map_err(io::Error::from),
        },
        Err(error) => Err(error.into()),
    }
}

/// Removes what an earlier process left of arrivals in `folder`: folders of this user that have such a name.
pub fn sweep_arrivals(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let has_name = entry.file_name().to_string_lossy().starts_with(PREFIX);
        let is_ours = |found: fs::Metadata| found.file_type().is_dir() && found.uid() == geteuid().as_raw();
        if has_name && entry.metadata().is_ok_and(is_ours) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn names_in(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn a_file_takes_a_free_name_and_replaces_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("a.jpg"), b"mine").unwrap();
        symlink("/nowhere", at("b.jpg")).unwrap();
        let arrival = Arrival::into_folder(folder.path()).unwrap();
        arrival.create(None, "one").unwrap().write_all(b"new").unwrap();
        assert!(arrival.create(None, "one").is_err(), "it is there already");
        assert!(!arrival.place_file("one", "a.jpg").unwrap() && !arrival.place_file("one", "b.jpg").unwrap());
        assert!(arrival.place_file("one", "c.jpg").unwrap());
        drop(arrival);
        assert_eq!(names_in(folder.path()), ["a.jpg", "b.jpg", "c.jpg"]);
        assert_eq!(
            (fs::read(at("a.jpg")).unwrap(), fs::read(at("c.jpg")).unwrap()),
            (b"mine".to_vec(), b"new".to_vec())
        );
    }

    #[test]
    fn a_set_arrives_as_a_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o750)).unwrap();
        let arrival = Arrival::into_folder(folder.path()).unwrap();
        for (place, name) in [(None, "1.jpg"), (Some("not"), "2.jpg"), (Some("not"), "3.jpg")] {
            arrival.create(place, name).unwrap();
        }
        assert!(names_in(folder.path()).iter().all(|name| name.starts_with(PREFIX)));
        assert!(arrival.place_all("set").unwrap());
        drop(arrival);
        assert_eq!(names_in(folder.path()), ["set"]);
        assert_eq!(names_in(&folder.path().join("set/not")), ["2.jpg", "3.jpg"]);
        assert_eq!(fs::metadata(folder.path().join("set")).unwrap().permissions().mode() & 0o7777, 0o750);
        let second = Arrival::into_folder(folder.path()).unwrap();
        second.create(Some("yes"), "1.jpg").unwrap();
        assert!(!second.place_all("set").unwrap());
        drop(second);
        assert_eq!(names_in(folder.path()), ["set"]);
    }

    #[test]
    fn what_a_crash_left_is_swept_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at(".artificio-1/not")).unwrap();
        fs::create_dir_all(at(".mine")).unwrap();
        fs::write(at(".artificio-file"), b"of an answer").unwrap();
        symlink(at(".mine"), at(".artificio-link")).unwrap();
        sweep_arrivals(folder.path());
        assert_eq!(names_in(folder.path()), [".artificio-file", ".artificio-link", ".mine"]);
    }
}
