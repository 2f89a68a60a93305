//! Knows the file systems that can change without sending events, because other machines or a lower layer write to
//! them.

use std::path::Path;

/// Magic numbers of `statfs(2)` with the names of the file systems.
const EVENTLESS: [(u64, &str); 14] = [
    (0x6969, "NFS"),
    (0x517B, "SMB"),
    (0xFF53_4D42, "CIFS"),
    (0xFE53_4D42, "SMB 2"),
    (0x6573_5546, "FUSE"),
    (0x794C_7630, "overlay"),
    (0x0102_1997, "9P"),
    (0x00C3_6400, "Ceph"),
    (0x0116_1970, "GFS2"),
    (0x7461_636F, "OCFS2"),
    (0x5346_414F, "AFS"),
    (0x6B41_4653, "kAFS"),
    (0x0BD0_0BD0, "Lustre"),
    (0x786F_4256, "VirtualBox shared folder"),
];

/// The name of the folder's file system, if that can change without sending events.
pub fn without_events(folder: &Path) -> Option<&'static str> {
    let kind = rustix::fs::statfs(folder).ok()?.f_type as u64 & 0xFFFF_FFFF;
    EVENTLESS.iter().find(|(magic, _)| *magic == kind).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proc_is_local_and_a_missing_folder_is_nothing() {
        assert_eq!(without_events(Path::new("/proc")), None);
        assert_eq!(without_events(Path::new("/no/such/folder")), None);
    }
}
