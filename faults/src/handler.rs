//! Answers the kernel's requests.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use fuser::{
    BsdFileFlags, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags, Generation, INodeNo, LockOwner,
    OpenFlags, RenameFlags, ReplyAttr, ReplyCreate, ReplyData, ReplyDirectory, ReplyEmpty, ReplyEntry, ReplyOpen,
    ReplyStatfs, ReplyWrite, Request, TimeOrNow, WriteFlags,
};

use crate::control::Kind;
use crate::disk::{Core, lock};
use crate::tree::{Inode, Node, ROOT};

/// The kernel asks again for everything but the bytes of files.
const NOT_KEPT: Duration = Duration::ZERO;
/// In blocks of 4 KiB: 4 GiB.
const BLOCKS: u64 = 1 << 20;

/// One mount of a disk.
#[derive(Debug)]
pub struct Handler {
    core: Arc<Mutex<Core>>,
    /// The folder that is mounted.
    root: Inode,
}

impl Handler {
    /// Of the folder `root`.
    pub fn new(core: Arc<Mutex<Core>>, root: Inode) -> Self {
        Self { core, root }
    }

    fn inode(&self, number: INodeNo) -> Inode {
        if number.0 == ROOT { self.root } else { number.0 }
    }

    /// Does something unless it is to fail. What SQLite's processes share in memory (`-shm`) is no content of the disk: its
    /// pages are read and written by the kernel, whenever it likes.
    fn act<T>(
        &self,
        request: &Request,
        kind: Kind,
        path: impl FnOnce(&Core) -> PathBuf,
        act: impl FnOnce(&mut Core) -> Result<T, Errno>,
    ) -> Result<T, Errno> {
        let mut core = lock(&self.core);
        let path = path(&core);
        let is_shared = matches!(kind, Kind::Read | Kind::Write) && path.to_string_lossy().ends_with("-shm");
        if !is_own(request) && !is_shared {
            core.control.admit(kind, &path)?;
        }
        act(&mut core)
    }

    fn on_node<T>(
        &self,
        request: &Request,
        kind: Kind,
        number: INodeNo,
        act: impl FnOnce(&mut Node) -> T,
    ) -> Result<T, Errno> {
        let inode = self.inode(number);
        let path = |core: &Core| core.tree.node(inode).map(|node| node.path.clone()).unwrap_or_default();
        self.act(request, kind, path, |core| core.tree.node_mut(inode).map(act).ok_or(Errno::ENOENT))
    }

    fn on_name<T>(
        &self,
        request: &Request,
        kind: Kind,
        (parent, name): (INodeNo, &OsStr),
        act: impl FnOnce(&mut Core, Inode) -> Result<T, Errno>,
    ) -> Result<T, Errno> {
        let folder = self.inode(parent);
        self.act(request, kind, |core| core.tree.path_of(folder, name), |core| act(core, folder))
    }

    fn attributes(&self, inode: Inode) -> Result<FileAttr, Errno> {
        lock(&self.core).tree.node(inode).map(|node| attributes(inode, node)).ok_or(Errno::ENOENT)
    }

    fn remove(&self, request: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        let removed = self.on_name(request, Kind::Remove, (parent, name), |core, folder| {
            let inode = core.tree.child(folder, name).ok_or(Errno::ENOENT)?;
            let is_full = core.tree.node(inode).and_then(Node::names).is_some_and(|names| !names.is_empty());
            if is_full {
                return Err(Errno::ENOTEMPTY);
            }
            core.tree.remove_name(folder, name);
            Ok(())
        });
        answer(removed, reply);
    }

    fn make_durable(&self, request: &Request, kind: Kind, number: INodeNo, reply: ReplyEmpty) {
        answer(self.on_node(request, kind, number, Node::flush), reply);
    }
}

/// Whether the process that has the disk asks, or the kernel itself.
fn is_own(request: &Request) -> bool {
    request.pid() == 0 || Path::new(&format!("/proc/self/task/{}", request.pid())).exists()
}

fn attributes(inode: Inode, node: &Node) -> FileAttr {
    let size = node.bytes().len() as u64;
    let is_folder = node.names().is_some();
    FileAttr {
        ino: INodeNo(inode),
        size,
        blocks: size.div_ceil(512),
        atime: node.modified,
        mtime: node.modified,
        ctime: node.changed,
        crtime: node.modified,
        kind: if is_folder { FileType::Directory } else { FileType::RegularFile },
        perm: (node.mode & 0o7777) as u16,
        nlink: if is_folder { 2 } else { 1 },
        uid: node.owner.0,
        gid: node.owner.1,
        rdev: 0,
        blksize: 4096,
        flags: 0,
    }
}

fn answer(done: Result<(), Errno>, reply: ReplyEmpty) {
    match done {
        Ok(()) => reply.ok(),
        Err(error) => reply.error(error),
    }
}

fn enter(found: Result<FileAttr, Errno>, reply: ReplyEntry) {
    match found {
        Ok(attributes) => reply.entry(&NOT_KEPT, &attributes, Generation(0)),
        Err(error) => reply.error(error),
    }
}

fn open(opened: Result<(), Errno>, reply: ReplyOpen) {
    match opened {
        Ok(()) => reply.opened(FileHandle(0), FopenFlags::empty()),
        Err(error) => reply.error(error),
    }
}

impl Filesystem for Handler {
    fn lookup(&self, _request: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let found = lock(&self.core).tree.child(self.inode(parent), name).ok_or(Errno::ENOENT);
        enter(found.and_then(|inode| self.attributes(inode)), reply);
    }

    fn getattr(&self, _request: &Request, number: INodeNo, _handle: Option<FileHandle>, reply: ReplyAttr) {
        match self.attributes(self.inode(number)) {
            Ok(attributes) => reply.attr(&NOT_KEPT, &attributes),
            Err(error) => reply.error(error),
        }
    }

    fn setattr(
        &self,
        request: &Request,
        number: INodeNo,
        mode: Option<u32>,
        uid: Option<u32>,
        gid: Option<u32>,
        size: Option<u64>,
        _atime: Option<TimeOrNow>,
        mtime: Option<TimeOrNow>,
        _ctime: Option<SystemTime>,
        _handle: Option<FileHandle>,
        _crtime: Option<SystemTime>,
        _chgtime: Option<SystemTime>,
        _bkuptime: Option<SystemTime>,
        _flags: Option<BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        let inode = self.inode(number);
        let set = self.on_node(request, Kind::Write, number, |node| {
            node.mode = mode.unwrap_or(node.mode);
            node.owner = (uid.unwrap_or(node.owner.0), gid.unwrap_or(node.owner.1));
            node.changed = SystemTime::now();
            if let Some(size) = size {
                node.change(|bytes| bytes.resize(usize::try_from(size).unwrap_or(usize::MAX), 0));
            }
            match mtime {
                Some(TimeOrNow::SpecificTime(time)) => node.modified = time,
                Some(TimeOrNow::Now) => node.modified = SystemTime::now(),
                None => {}
            }
            attributes(inode, node)
        });
        match set {
            Ok(attributes) => reply.attr(&NOT_KEPT, &attributes),
            Err(error) => reply.error(error),
        }
    }

    fn mkdir(&self, request: &Request, parent: INodeNo, name: &OsStr, mode: u32, umask: u32, reply: ReplyEntry) {
        let owner = (request.uid(), request.gid());
        let made = self.on_name(request, Kind::MakeFolder, (parent, name), |core, folder| {
            match core.tree.child(folder, name) {
                Some(_) => Err(Errno::EEXIST),
                None => Ok(core.tree.make(folder, name, true, mode & !umask, owner)),
            }
        });
        enter(made.and_then(|inode| self.attributes(inode)), reply);
    }

    fn unlink(&self, request: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        self.remove(request, parent, name, reply);
    }

    fn rmdir(&self, request: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        self.remove(request, parent, name, reply);
    }

    fn rename(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        new_parent: INodeNo,
        new_name: &OsStr,
        flags: RenameFlags,
        reply: ReplyEmpty,
    ) {
        let to = self.inode(new_parent);
        let renamed = self.on_name(request, Kind::Rename, (new_parent, new_name), |core, _| {
            let from = self.inode(parent);
            let inode = core.tree.child(from, name).ok_or(Errno::ENOENT)?;
            match core.tree.child(to, new_name) {
                Some(_) if flags.contains(RenameFlags::RENAME_NOREPLACE) => return Err(Errno::EEXIST),
                _ if flags.contains(RenameFlags::RENAME_EXCHANGE) => return Err(Errno::EINVAL),
                _ => {}
            }
            core.tree.remove_name(from, name);
            core.tree.put_name(to, new_name, inode);
            Ok(())
        });
        answer(renamed, reply);
    }

    fn link(&self, request: &Request, number: INodeNo, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let inode = self.inode(number);
        let linked = self.on_name(request, Kind::Rename, (parent, name), |core, folder| {
            core.tree.put_name(folder, name, inode);
            Ok(inode)
        });
        enter(linked.and_then(|inode| self.attributes(inode)), reply);
    }

    fn open(&self, request: &Request, number: INodeNo, _flags: OpenFlags, reply: ReplyOpen) {
        open(self.on_node(request, Kind::Open, number, |_| ()), reply);
    }

    fn create(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        umask: u32,
        _flags: i32,
        reply: ReplyCreate,
    ) {
        let owner = (request.uid(), request.gid());
        let made = self.on_name(request, Kind::Create, (parent, name), |core, folder| {
            let known = core.tree.child(folder, name);
            Ok(known.unwrap_or_else(|| core.tree.make(folder, name, false, mode & !umask, owner)))
        });
        match made.and_then(|inode| self.attributes(inode)) {
            Ok(attributes) => {
                reply.created(&NOT_KEPT, &attributes, Generation(0), FileHandle(0), FopenFlags::empty());
            }
            Err(error) => reply.error(error),
        }
    }

    fn read(
        &self,
        request: &Request,
        number: INodeNo,
        _handle: FileHandle,
        offset: u64,
        size: u32,
        _flags: OpenFlags,
        _owner: Option<LockOwner>,
        reply: ReplyData,
    ) {
        let read = self.on_node(request, Kind::Read, number, |node| {
            let start = usize::try_from(offset).unwrap_or(usize::MAX).min(node.bytes().len());
            let end = start.saturating_add(size as usize).min(node.bytes().len());
            node.bytes()[start..end].to_vec()
        });
        match read {
            Ok(bytes) => reply.data(&bytes),
            Err(error) => reply.error(error),
        }
    }

    fn write(
        &self,
        request: &Request,
        number: INodeNo,
        _handle: FileHandle,
        offset: u64,
        data: &[u8],
        _write_flags: WriteFlags,
        _flags: OpenFlags,
        _owner: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let written = self.on_node(request, Kind::Write, number, |node| {
            node.change(|bytes| {
                bytes.resize(bytes.len().max(start + data.len()), 0);
                bytes[start..start + data.len()].copy_from_slice(data);
            });
        });
        match written {
            Ok(()) => reply.written(data.len() as u32),
            Err(error) => reply.error(error),
        }
    }

    fn flush(&self, _request: &Request, _number: INodeNo, _handle: FileHandle, _owner: LockOwner, reply: ReplyEmpty) {
        reply.ok();
    }

    fn fsync(&self, request: &Request, number: INodeNo, _handle: FileHandle, _data_only: bool, reply: ReplyEmpty) {
        self.make_durable(request, Kind::Flush, number, reply);
    }

    fn fsyncdir(&self, request: &Request, number: INodeNo, _handle: FileHandle, _data_only: bool, reply: ReplyEmpty) {
        self.make_durable(request, Kind::FlushFolder, number, reply);
    }

    fn opendir(&self, request: &Request, number: INodeNo, _flags: OpenFlags, reply: ReplyOpen) {
        open(self.on_node(request, Kind::List, number, |_| ()), reply);
    }

    fn readdir(
        &self,
        _request: &Request,
        number: INodeNo,
        _handle: FileHandle,
        offset: u64,
        mut reply: ReplyDirectory,
    ) {
        let core = lock(&self.core);
        let names = core.tree.node(self.inode(number)).and_then(Node::names);
        let own = [(OsStr::new("."), number.0), (OsStr::new(".."), number.0)];
        let all = own.into_iter().chain(names.into_iter().flatten().map(|(name, inode)| (name.as_os_str(), *inode)));
        for (at, (name, inode)) in all.enumerate().skip(usize::try_from(offset).unwrap_or(usize::MAX)) {
            let is_folder = core.tree.node(inode).is_none_or(|node| node.names().is_some());
            let kind = if is_folder { FileType::Directory } else { FileType::RegularFile };
            if reply.add(INodeNo(inode), at as u64 + 1, kind, name) {
                break;
            }
        }
        reply.ok();
    }

    fn statfs(&self, _request: &Request, _number: INodeNo, reply: ReplyStatfs) {
        reply.statfs(BLOCKS, BLOCKS, BLOCKS, BLOCKS, BLOCKS, 4096, 255, 4096);
    }
}
