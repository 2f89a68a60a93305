//! Denies system calls that the service never makes, with seccomp: they fail with EPERM.
//!
//! A list of what is denied, not of what is allowed: which calls an allocator or a C library makes changes with their versions, and
//! one that is missing in such a list would show after an upgrade. The unit has such a list, of systemd, beside this one.

use std::collections::BTreeMap;

use libc::c_long;
use seccompiler::{
    BpfProgram, Error, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    TargetArch, apply_filter,
};

/// By number; a call is denied if any rule of its list holds, or if there is none.
pub(super) type DeniedCalls = BTreeMap<i64, Vec<SeccompRule>>;

/// Other processes, the kernel and its modules, name spaces and mounts, keys, the clock, and interfaces whose flaws have made
/// others root.
const NEVER_CALLED: [c_long; 60] = [
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_acct,
    libc::SYS_syslog,
    libc::SYS_quotactl,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_open_tree,
    libc::SYS_move_mount,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_name_to_handle_at,
    libc::SYS_open_by_handle_at,
    libc::SYS_fanotify_init,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_adjtimex,
    libc::SYS_clock_adjtime,
    libc::SYS_personality,
    libc::SYS_vhangup,
    libc::SYS_mknodat,
    libc::SYS_symlinkat,
    libc::SYS_fchownat,
    libc::SYS_setxattr,
    libc::SYS_lsetxattr,
    libc::SYS_fsetxattr,
    libc::SYS_removexattr,
    libc::SYS_lremovexattr,
    libc::SYS_fremovexattr,
    libc::SYS_mq_open,
    libc::SYS_shmget,
];

/// The same under names that newer processors no longer have.
#[cfg(target_arch = "x86_64")]
const NEVER_CALLED_OF_OLD: [c_long; 8] = [
    libc::SYS_mknod,
    libc::SYS_symlink,
    libc::SYS_chown,
    libc::SYS_lchown,
    libc::SYS_ioperm,
    libc::SYS_iopl,
    libc::SYS_modify_ldt,
    libc::SYS_kexec_file_load,
];
#[cfg(not(target_arch = "x86_64"))]
const NEVER_CALLED_OF_OLD: [c_long; 0] = [];

/// Programs and connections, which a trial needs none of.
const NOT_IN_TRIALS: [c_long; 8] = [
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_socket,
    libc::SYS_socketpair,
    libc::SYS_connect,
    libc::SYS_bind,
    libc::SYS_kill,
    libc::SYS_tkill,
];

const NAME_SPACES: [i32; 7] = [
    libc::CLONE_NEWNS,
    libc::CLONE_NEWUTS,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWNET,
    libc::CLONE_NEWCGROUP,
];

/// What the service never calls. Its sockets are those of the service manager and the journal.
pub(super) fn of_service() -> Result<DeniedCalls, Error> {
    let mut denied: DeniedCalls = whole(&NEVER_CALLED).chain(whole(&NEVER_CALLED_OF_OLD)).collect();
    denied.insert(libc::SYS_socket, vec![rule(0, SeccompCmpOp::Ne, libc::AF_UNIX)?]);
    let has_flag = |flag: i32| rule(0, SeccompCmpOp::MaskedEq(flag as u64), flag);
    denied.insert(libc::SYS_clone, NAME_SPACES.into_iter().map(has_flag).collect::<Result<_, _>>()?);
    Ok(denied)
}

/// The same for a service that connects to an engine: its sockets are of the network as well.
pub(super) fn of_node() -> Result<DeniedCalls, Error> {
    let mut denied = of_service()?;
    let others = [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6].map(|family| condition(0, SeccompCmpOp::Ne, family));
    denied.insert(libc::SYS_socket, vec![SeccompRule::new(others.into_iter().collect::<Result<_, _>>()?)?]);
    Ok(denied)
}

/// What a trial never calls beyond that: it starts threads, and no processes.
pub(super) fn of_trial() -> Result<DeniedCalls, Error> {
    let mut denied = of_service()?;
    denied.extend(whole(&NOT_IN_TRIALS));
    denied.insert(libc::SYS_clone, vec![rule(0, SeccompCmpOp::MaskedEq(libc::CLONE_THREAD as u64), 0)?]);
    #[cfg(target_arch = "x86_64")]
    denied.extend(whole(&[libc::SYS_fork, libc::SYS_vfork]));
    Ok(denied)
}

fn whole(calls: &[c_long]) -> impl Iterator<Item = (i64, Vec<SeccompRule>)> {
    calls.iter().map(|call| (*call, Vec::new()))
}

/// Holds when an argument, of 32 bits, compares so with `value`.
fn rule(argument: u8, comparison: SeccompCmpOp, value: i32) -> Result<SeccompRule, Error> {
    Ok(SeccompRule::new(vec![condition(argument, comparison, value)?])?)
}

fn condition(argument: u8, comparison: SeccompCmpOp, value: i32) -> Result<SeccompCondition, Error> {
    Ok(SeccompCondition::new(argument, SeccompCmpArgLen::Dword, comparison, value as u64)?)
}

/// Denies them to this thread and what it starts later, for good.
pub(super) fn deny(denied: Result<DeniedCalls, Error>) -> Result<(), Error> {
    apply_filter(&filter(denied?, libc::EPERM)?)?;
    // Its flags are in memory, where no filter can look. The C library then takes `clone`, as on a kernel without it.
    apply_filter(&filter(whole(&[libc::SYS_clone3]).collect(), libc::ENOSYS)?)
}

fn filter(denied: DeniedCalls, error: i32) -> Result<BpfProgram, Error> {
    let processor: TargetArch = std::env::consts::ARCH.try_into()?;
    let filter = SeccompFilter::new(denied, SeccompAction::Allow, SeccompAction::Errno(error as u32), processor)?;
    Ok(filter.try_into()?)
}
