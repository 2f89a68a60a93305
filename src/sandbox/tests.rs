//! Tests of the confinement, each in a thread of its own: it holds for the calling thread only, and for what that starts.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};
use std::thread;

use super::*;

/// Of a folder `place` with one that is read and one that is written, each with a file, and a file beside them.
fn folders(place: &Path) -> SandboxFolders {
    for folder in ["read/below", "written"] {
        fs::create_dir_all(place.join(folder)).unwrap();
        fs::write(place.join(folder).join("file"), "content").unwrap();
    }
    fs::write(place.join("secret"), "secret").unwrap();
    let [read, written] = ["read", "written"].map(|name| vec![place.join(name)]);
    SandboxFolders { read, written, rearranged: Vec::new(), connects: false }
}

fn of_thread(key: &str) -> String {
    let status = fs::read_to_string("/proc/thread-self/status").unwrap();
    status.lines().find_map(|line| line.strip_prefix(key)).unwrap().trim().to_string()
}

/// Whether the kernel has both. Where it lacks one there is nothing to test, but in CI nothing may be missing.
fn is_whole(report: &ConfinementReport) -> bool {
    let is_whole = report.by == ["landlock", "seccomp"];
    let is_ci = std::env::var("CI").is_ok_and(|value| !["", "0", "false"].contains(&value.as_str()));
    assert!(is_whole || !is_ci, "{}", report.message);
    is_whole
}

#[test]
fn the_service_reads_its_folders_writes_answers_and_state_and_nothing_else() {
    let place = tempfile::tempdir().unwrap();
    let folders = folders(place.path());
    let at = |path: &str| place.path().join(path);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let confined = thread::scope(|scope| {
        let confined = scope.spawn(|| {
            let confinement = Confinement::enter(&folders);
            if !is_whole(confinement.report()) {
                return;
            }
            let refused = |result: std::io::Result<()>, what: &str| {
                let kind = result.expect_err(what).kind();
                // From one folder to another as from one disk to another.
                let is_refused = matches!(kind, ErrorKind::PermissionDenied | ErrorKind::CrossesDevices);
                assert!(is_refused, "{what}: {kind}");
            };
            assert_eq!(fs::read(at("read/below/file")).unwrap(), b"content");
            assert_eq!(fs::read_dir(at("read")).unwrap().count(), 1);
            fs::create_dir_all(at("written/new")).unwrap();
            fs::write(at("written/new/file"), "1").unwrap();
            fs::rename(at("written/new/file"), at("written/new/other")).unwrap();
            fs::remove_dir_all(at("written/new")).unwrap();
            File::options().append(true).open(at("written/file")).unwrap();

            refused(fs::write(at("read/below/file"), "other"), "write into what is read");
            refused(fs::write(at("read/new"), "new"), "make a file in what is read");
            refused(fs::remove_file(at("read/below/file")), "remove what is read");
            refused(fs::rename(at("read/below/file"), at("written/taken")), "move what is read");
            refused(fs::hard_link(at("secret"), at("written/linked")), "link a secret");
            refused(symlink(at("secret"), at("written/link")), "make a link");
            refused(fs::read(at("secret")).map(drop), "read beside the folders");
            refused(fs::read("/etc/passwd").map(drop), "read the system's files");
            refused(fs::read_dir("/").map(drop), "list the root");
            refused(fs::create_dir(at("beside")), "make a folder beside the folders");
            refused(TcpStream::connect(listener.local_addr().unwrap()).map(drop), "connect");
            refused(UdpSocket::bind("127.0.0.1:0").map(drop), "send");
            refused(Command::new("/bin/sh").arg("-c").arg("true").status().map(drop), "run a shell");
            refused(rustix::process::chroot(place.path()).map_err(Into::into), "change the root");
            assert_eq!((of_thread("Seccomp:"), of_thread("NoNewPrivs:")), ("2".into(), "1".into()));
            // A thread and a child are started, and are no less confined.
            let of_thread = thread::spawn(move || of_thread("Seccomp:")).join().unwrap();
            assert_eq!(of_thread, "2");
            let mut itself = Command::new("/proc/self/exe");
            let listed = itself.args(["--list", "no test has this name"]).stdout(Stdio::null()).status();
            assert!(listed.unwrap().success(), "a trial is this program");
        });
        confined.join()
    });
    confined.unwrap();
    assert!(at("read/below/file").exists() && !at("beside").exists());
}

#[test]
fn a_trial_opens_nothing_and_starts_nothing() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("file");
    fs::write(&file, "content").unwrap();
    let confined = thread::spawn(move || {
        if !is_whole(&report(&files::restrict(&files::rules_of_trial(), false), &calls::deny(calls::of_trial()))) {
            return;
        }
        let open = [File::open(&file), File::create(&file), File::open("/etc/passwd")];
        let open = open.map(|opened| opened.unwrap_err().kind());
        assert_eq!(open, [ErrorKind::PermissionDenied; 3]);
        assert_eq!(UnixDatagram::unbound().unwrap_err().kind(), ErrorKind::PermissionDenied);
        assert_eq!(Command::new("/proc/self/exe").status().unwrap_err().kind(), ErrorKind::PermissionDenied);
        assert_eq!(thread::spawn(|| 1 + 1).join().unwrap(), 2);
        assert_eq!(of_thread("Seccomp:"), "2", "it measures itself");
    });
    confined.join().unwrap();
}

#[test]
fn another_folder_at_the_same_path_is_out_of_reach_unless_it_lies_below_one_that_is_not() {
    let place = tempfile::tempdir().unwrap();
    let at = |path: &str| place.path().join(path);
    let mut folders = folders(place.path());
    folders.read.push(at("later"));
    let reach = Reach::of(&folders);
    assert!(reach.allows(&at("read"), false) && !reach.allows(&at("read"), true));
    assert!(reach.allows(&at("written"), true) && reach.allows(&at("written"), false));
    assert!(reach.allows(&at("read/below"), false) && !reach.allows(place.path(), false));
    for folder in ["read", "written"] {
        fs::rename(at(folder), at("aside")).unwrap();
        fs::create_dir(at(folder)).unwrap();
        assert!(!reach.allows(&at(folder), false), "{folder} is another one");
        fs::remove_dir(at(folder)).unwrap();
        fs::rename(at("aside"), at(folder)).unwrap();
        assert!(reach.allows(&at(folder), false), "{folder} is back");
    }
    fs::create_dir(at("later")).unwrap();
    assert!(!reach.allows(&at("later"), false), "it was missing then");
    let root = vec![place.path().into()];
    let rearranged = vec![at("written")];
    let of_root = Reach::of(&SandboxFolders { read: root, written: Vec::new(), rearranged, connects: false });
    fs::remove_dir_all(at("read")).unwrap();
    fs::create_dir(at("read")).unwrap();
    assert!(of_root.allows(&at("read"), false));
    fs::remove_dir(at("later")).unwrap();
    symlink("/usr", at("later")).unwrap();
    assert!(!of_root.allows(&at("later"), false), "a link leads out of it");
}

#[test]
fn what_is_missing_can_be_made_where_its_folder_is() {
    let place = tempfile::tempdir().unwrap();
    let at = |path: &str| place.path().join(path);
    assert!(reach::can_be_made(&at("new")) && reach::can_be_made(&at("new/er")));
    fs::write(at("file"), "").unwrap();
    symlink("nowhere", at("link")).unwrap();
    for path in ["", "file", "link", "file/new"] {
        assert!(!reach::can_be_made(&at(path)), "{path}");
    }
}

#[test]
fn what_is_not_in_force_is_said() {
    let calls = || Err(seccompiler::Error::EmptyFilter);
    let none = report(&Ok(RulesetStatus::NotEnforced), &calls());
    assert!(none.by.is_empty() && none.message.starts_with("not to its folders: "), "{}", none.message);
    let part = report(&Ok(RulesetStatus::PartiallyEnforced), &Ok(()));
    assert_eq!(
        (part.message.as_str(), part.by),
        (
            "to its folders (Landlock, as far as this kernel has it), to ordinary system calls (seccomp)",
            vec!["landlock", "seccomp"]
        )
    );
    let confinement = Confinement::none("nobody asked");
    assert_eq!(confinement.report().message, "no: nobody asked");
    assert!(!confinement.has_lost(Path::new("/"), true) && !confinement.keeps_from_making(Path::new("/new")));
}
