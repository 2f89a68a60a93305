//! Opens files below a folder while everything is tried to lead out of it.

use std::io::Read;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{RenameFlags, mkfifoat, renameat_with};

use super::*;

/// What must never be read.
const SECRET: &[u8] = b"of the daemon alone";
/// What may be.
const GOOD: &[u8] = b"a picture";

/// A folder `root`, itself reached through a link, with files and with traps; beside it a secret.
struct World {
    place: tempfile::TempDir,
    root: PathBuf,
}

impl World {
    fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        let real = place.path().join("real");
        fs::create_dir_all(real.join("sub/deep")).unwrap();
        fs::create_dir(place.path().join("outside")).unwrap();
        fs::write(place.path().join("outside/secret"), SECRET).unwrap();
        for file in ["good", "sub/good", "sub/deep/good"] {
            fs::write(real.join(file), GOOD).unwrap();
        }
        let root = place.path().join("root");
        symlink(&real, &root).unwrap();
        Self { place, root }
    }

    fn outside(&self) -> PathBuf {
        self.place.path().join("outside")
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, Unopened> {
        let (mut file, stamp) = FileAt::below(&self.root, Path::new(path)).open()?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        assert_eq!(stamp.size, bytes.len() as u64);
        Ok(bytes)
    }
}

/// The same path by the kernel's own means and by walking: what each gives, as far as it matters.
fn by_both_ways(root: &Path, path: &str, flags: OFlags) -> [Result<u64, Errno>; 2] {
    let ino = |opened: OwnedFd| fstat(&opened).unwrap().st_ino;
    let handle = openat(CWD, root, OFlags::PATH | OFlags::DIRECTORY, Mode::empty()).unwrap();
    let path = Path::new(path);
    [open_beneath(root, path, flags).map(ino), walk(handle, path, flags).map(ino)]
}

#[test]
fn only_ordinary_files_below_the_folder_are_opened() {
    let world = World::new();
    let at = |path: &str| world.root.join(path);
    let secret = world.outside().join("secret");
    symlink(&secret, at("outward")).unwrap();
    symlink(world.outside(), at("sub/out")).unwrap();
    symlink("../../outside/secret", at("sub/upward")).unwrap();
    symlink("/proc/self/root", at("magic")).unwrap();
    symlink("nothing", at("dangling")).unwrap();
    symlink("circle", at("circle")).unwrap();
    symlink("sub", at("folder link")).unwrap();
    symlink("sub/deep/good", at("inward")).unwrap();
    symlink(at("inward"), at("inward by its whole path")).unwrap();
    mkfifoat(CWD, at("fifo"), Mode::RWXU).unwrap();
    symlink("fifo", at("to a fifo")).unwrap();
    let _socket = UnixListener::bind(at("socket")).unwrap();
    for path in ["good", "sub/good", "sub/deep/good", "inward", "inward by its whole path", "folder link/good"] {
        assert_eq!(world.read(path).unwrap(), GOOD, "{path}");
        assert!(FileAt::below(&world.root, Path::new(path)).stamp().is_ok(), "{path}");
    }
    let whole = secret.to_str().unwrap();
    let outward = ["outward", "sub/out/secret", "sub/upward", "magic/etc/passwd", "../outside/secret", whole];
    for path in outward.into_iter().chain(["sub/../../outside/secret", "sub/../good"]) {
        let file = FileAt::below(&world.root, Path::new(path));
        assert!(matches!(file.open(), Err(Unopened::LeadsOutside)), "{path}: {:?}", file.open());
        assert!(matches!(file.stamp(), Err(Unopened::LeadsOutside)), "{path}: {:?}", file.stamp());
    }
    for path in ["fifo", "to a fifo", "socket", "sub"] {
        let file = FileAt::below(&world.root, Path::new(path));
        assert!(matches!(file.open(), Err(Unopened::NotAFile)), "{path}: {:?}", file.open());
        assert!(matches!(file.stamp(), Err(Unopened::NotAFile)), "{path}: {:?}", file.stamp());
    }
    for path in ["missing", "dangling", "circle", "good/under", ""] {
        assert!(matches!(world.read(path), Err(Unopened::System(_))), "{path}: {:?}", world.read(path));
    }
    // A person's own file is opened as everywhere.
    let (mut file, _) = FileAt::named(&at("outward")).open().unwrap();
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes, SECRET);
}

#[test]
fn without_the_kernels_help_the_walk_says_the_same() {
    let world = World::new();
    symlink(world.outside(), world.root.join("sub/out")).unwrap();
    symlink("good", world.root.join("link")).unwrap();
    let paths = ["good", "sub/deep/good", "sub", "link", "sub/out/secret", "missing", "good/under", "sub/missing/x"];
    for path in paths.into_iter().chain([""]) {
        for flags in [READ, LOOK, READ | OFlags::DIRECTORY] {
            let [by_kernel, by_walk] = by_both_ways(&world.root, path, flags);
            let is_link = |found: &Result<u64, Errno>| matches!(found, Err(Errno::LOOP | Errno::XDEV));
            // A link in the place of a folder is refused either way.
            let are_same = by_kernel == by_walk || (is_link(&by_kernel) && by_walk == Err(Errno::NOTDIR));
            assert!(are_same, "{path}: {by_kernel:?}, {by_walk:?}");
        }
    }
}

#[test]
fn a_folder_that_is_a_link_is_not_listed() {
    let world = World::new();
    symlink(world.outside(), world.root.join("out")).unwrap();
    symlink("sub", world.root.join("in")).unwrap();
    for path in ["", "sub", "sub/deep"] {
        assert!(open_folder_beneath(&world.root, Path::new(path)).is_ok(), "{path}");
    }
    for path in ["out", "in", "good", "in/deep"] {
        let error = open_folder_beneath(&world.root, Path::new(path)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotADirectory, "{path}");
    }
}

#[test]
fn another_file_than_the_one_listed_is_not_opened() {
    let world = World::new();
    let file = FileAt::below(&world.root, Path::new("good"));
    let stamp = file.stamp().unwrap();
    assert!(file.as_listed(stamp).open().is_ok());
    fs::remove_file(world.root.join("good")).unwrap();
    fs::write(world.root.join("good"), GOOD).unwrap();
    assert!(matches!(file.as_listed(stamp).open(), Err(Unopened::Changed)));
}

/// Exchanges two names for each other for as long as `opens` runs.
fn while_exchanging(one: &Path, other: &Path, opens: impl FnOnce()) {
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE).unwrap();
            }
        });
        opens();
        is_over.store(true, Ordering::Relaxed);
    });
}

#[test]
fn whoever_exchanges_files_for_links_has_nothing_else_opened() {
    const TRIES: usize = 20_000;
    let world = World::new();
    let at = |path: &str| world.root.join(path);
    symlink(world.outside().join("secret"), at("link")).unwrap();
    fs::rename(at("sub/good"), at("sub/secret")).unwrap();
    symlink(world.outside(), at("folder link")).unwrap();
    for (one, other, path) in [("good", "link", "good"), ("sub", "folder link", "sub/secret")] {
        let (mut read, mut refused) = (0, 0);
        while_exchanging(&at(one), &at(other), || {
            for _ in 0..TRIES {
                match world.read(path) {
                    Ok(bytes) => {
                        assert_eq!(bytes, GOOD, "the secret was read");
                        read += 1;
                    }
                    Err(Unopened::LeadsOutside) => refused += 1,
                    // Exchanged between the look at the link and the opening of where it leads.
                    Err(Unopened::Changed | Unopened::System(_)) => {}
                    Err(other) => panic!("{other:?}"),
                }
            }
        });
        assert!(read > TRIES / 100 && refused > TRIES / 100, "{path}: {read} read, {refused} refused: no race");
    }
}
