//! Restricts which files this process may open, with Landlock; and TCP, and signals to other processes.

use std::env;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetError, RulesetStatus,
    Scope, make_bitflags, path_beneath_rules,
};
use rustix::process::geteuid;

use super::SandboxFolders;

/// Everything that Linux 6.12 restricts; an older kernel restricts what it can. Later versions would deny what was never tried.
const TESTED: ABI = ABI::V6;
const READ: BitFlags<AccessFs> = make_bitflags!(AccessFs::{ReadFile | ReadDir});
const RUN: BitFlags<AccessFs> = make_bitflags!(AccessFs::{Execute | ReadFile});
/// Ordinary files and folders; no links, sockets or devices are made.
const WRITE: BitFlags<AccessFs> = make_bitflags!(AccessFs::{
    ReadFile | ReadDir | WriteFile | Truncate | MakeReg | MakeDir | RemoveFile | RemoveDir
});
const REARRANGE: BitFlags<AccessFs> = make_bitflags!(AccessFs::{
    ReadFile | ReadDir | WriteFile | Truncate | MakeReg | MakeDir | RemoveFile | RemoveDir | Refer
});
const WRITE_THERE: BitFlags<AccessFs> = make_bitflags!(AccessFs::{WriteFile});

/// Processor time and memory of processes, and their limits.
const MEASURES: [&str; 2] = ["/proc", "/sys/fs/cgroup"];
/// Fonts and time zones, random numbers for SQLite, and the list of libraries for children.
const OF_THE_SYSTEM: [&str; 6] =
    ["/usr/share", "/usr/local/share", "/etc/fonts", "/etc/localtime", "/dev/urandom", "/etc/ld.so.cache"];
/// Below the user's home.
const FONTS_OF_USER: [&str; 2] = [".fonts", ".local/share/fonts"];

/// What may be done with all below a path.
#[derive(Debug)]
pub(super) struct FileRule {
    path: PathBuf,
    allowed: BitFlags<AccessFs>,
}

fn rules<P: Into<PathBuf>>(
    paths: impl IntoIterator<Item = P>,
    allowed: BitFlags<AccessFs>,
) -> impl Iterator<Item = FileRule> {
    paths.into_iter().map(move |path| FileRule { path: path.into(), allowed })
}

/// Its folders, what it needs of the system, and its own program for trials.
pub(super) fn rules_of_service(folders: &SandboxFolders) -> Vec<FileRule> {
    let home = env::var_os("HOME").map(PathBuf::from);
    let fonts = home.iter().flat_map(|home| FONTS_OF_USER.map(|fonts| home.join(fonts)));
    // A child that takes a trial volunteers to be killed when memory runs out. Root could change the whole system there.
    let volunteering = (!geteuid().is_root()).then_some("/proc");
    rules(&folders.read, READ)
        .chain(rules(&folders.written, WRITE))
        .chain(rules(&folders.rearranged, REARRANGE))
        .chain(rules(MEASURES.into_iter().chain(OF_THE_SYSTEM), READ))
        .chain(rules(fonts, READ))
        .chain(rules(["/proc/self/exe"], RUN))
        .chain(rules(library_folders(), RUN))
        .chain(rules(volunteering.into_iter().chain(["/dev/null"]), WRITE_THERE))
        .collect()
}

/// It measures itself.
pub(super) fn rules_of_trial() -> Vec<FileRule> {
    rules(MEASURES, READ).collect()
}

/// Where the libraries of this process are: its children load them, even after they were exchanged for other versions.
fn library_folders() -> Vec<PathBuf> {
    let program = fs::read_link("/proc/self/exe").unwrap_or_default();
    let maps = fs::read_to_string("/proc/self/maps").unwrap_or_default();
    let code = maps.lines().filter(|line| line.contains(" r-xp ")).filter_map(|line| Some(&line[line.find('/')?..]));
    let mut folders: Vec<PathBuf> =
        code.map(Path::new).filter(|file| *file != program).filter_map(|file| Some(file.parent()?.into())).collect();
    folders.sort_unstable();
    folders.dedup();
    folders
}

/// Allows what the rules say, and nothing else, for good; connections over TCP if it `connects`. Paths that are missing are left out.
pub(super) fn restrict(rules: &[FileRule], connects: bool) -> Result<RulesetStatus, RulesetError> {
    let mut scopes = Scope::from_all(TESTED);
    // Some versions of systemd are notified through an abstract socket.
    if env::var_os("NOTIFY_SOCKET").is_some_and(|socket| socket.as_bytes().starts_with(b"@")) {
        scopes.remove(Scope::AbstractUnixSocket);
    }
    let mut ruleset = Ruleset::default()
        .handle_access(AccessFs::from_all(TESTED))?
        .handle_access(if connects { AccessNet::BindTcp.into() } else { AccessNet::from_all(TESTED) })?
        .scope(scopes)?
        .create()?;
    for rule in rules {
        ruleset = ruleset.add_rules(path_beneath_rules([&rule.path], rule.allowed))?;
    }
    Ok(ruleset.restrict_self()?.ruleset)
}
