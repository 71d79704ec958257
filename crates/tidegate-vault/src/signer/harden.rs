//! What the signer gives up before it reads a secret.
//!
//! Two filters over system calls: an allow-list, which answers anything else with "not permitted", and
//! a list of what no honest signer tries (sockets, programs, processes, other processes' memory),
//! which ends it. Landlock takes away every file and port as well, where the kernel has it.

use super::protocol::{Limits, harden_full};
use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr, RulesetStatus,
    Scope,
};
use nix::libc;
use nix::sys::mman::{MlockAllFlags, mlockall};
use nix::sys::prctl;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::Signal;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, apply_filter,
};
use std::collections::BTreeMap;

/// Locked memory that Argon2id and the program need.
const LOCKED_BYTES: u64 = 256 * 1024 * 1024;

/// What stays possible: reading and writing what is open, memory, time, randomness, and ending.
const ALLOWED: &[libc::c_long] = &[
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_recvfrom,
    libc::SYS_recvmsg,
    libc::SYS_sendto,
    libc::SYS_sendmsg,
    libc::SYS_close,
    libc::SYS_fstat,
    libc::SYS_statx,
    libc::SYS_lseek,
    libc::SYS_fcntl,
    libc::SYS_ppoll,
    libc::SYS_futex,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_madvise,
    libc::SYS_brk,
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_getrandom,
    libc::SYS_getpid,
    libc::SYS_gettid,
    libc::SYS_geteuid,
    libc::SYS_sched_yield,
    libc::SYS_restart_syscall,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_exit,
    libc::SYS_exit_group,
];

/// What no honest signer tries.
const FATAL: &[libc::c_long] = &[
    libc::SYS_socket,
    libc::SYS_socketpair,
    libc::SYS_connect,
    libc::SYS_bind,
    libc::SYS_listen,
    libc::SYS_accept,
    libc::SYS_accept4,
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_clone,
    libc::SYS_clone3,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_bpf,
    libc::SYS_io_uring_setup,
];

/// First steps, before anything is opened.
pub(super) fn first() -> Limits {
    Limits {
        not_dumpable: prctl::set_dumpable(false).is_ok(),
        no_core: setrlimit(Resource::RLIMIT_CORE, 0, 0).is_ok(),
        dies_with_parent: prctl::set_pdeathsig(Signal::SIGKILL).is_ok(),
        no_new_privileges: prctl::set_no_new_privs().is_ok(),
        memory_locked: lock_memory(),
        ..Limits::default()
    }
}

/// Last steps, once everything is open that has to be: from here no file, no port, no other process.
///
/// # Errors
/// When system calls cannot be filtered: the signer must not read a secret then.
pub(super) fn last(limits: &mut Limits) -> Result<(), &'static str> {
    limits.landlock = landlock_everything();
    filter_calls().map_err(|()| "the kernel refuses to filter system calls (seccomp)")?;
    limits.seccomp = true;
    Ok(())
}

fn lock_memory() -> bool {
    // Locking what comes later fails allocations when the limit is low, so it is asked first.
    let Ok((_, hard)) = getrlimit(Resource::RLIMIT_MEMLOCK) else { return false };
    let enough = hard >= LOCKED_BYTES && setrlimit(Resource::RLIMIT_MEMLOCK, hard, hard).is_ok();
    let may = enough || nix::unistd::geteuid().is_root();
    may && mlockall(MlockAllFlags::MCL_CURRENT | MlockAllFlags::MCL_FUTURE).is_ok()
}

fn landlock_everything() -> String {
    let abi = ABI::V6;
    let restricted = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(abi))
        .and_then(|ruleset| ruleset.handle_access(AccessNet::from_all(abi)))
        .and_then(|ruleset| ruleset.scope(Scope::from_all(abi)))
        .and_then(landlock::Ruleset::create)
        .and_then(landlock::RulesetCreated::restrict_self);
    match restricted.map(|status| status.ruleset) {
        Ok(RulesetStatus::FullyEnforced) => harden_full().to_owned(),
        Ok(RulesetStatus::PartiallyEnforced) => {
            "enforced in part: this kernel knows an older version of it".to_owned()
        }
        Ok(RulesetStatus::NotEnforced) => {
            "this kernel does not have it or has it switched off; the filter on system calls \
             alone keeps the signer from files and network"
                .to_owned()
        }
        Err(error) => format!("the kernel refused it: {error}"),
    }
}

fn filter_calls() -> Result<(), ()> {
    let mut allowed: BTreeMap<libc::c_long, Vec<SeccompRule>> =
        ALLOWED.iter().map(|call| (*call, Vec::new())).collect();
    for call in [libc::SYS_mmap, libc::SYS_mprotect] {
        allowed.insert(call, vec![never_executable()?]);
    }
    let fatal = FATAL.iter().chain(FATAL_X86).map(|call| (*call, Vec::new())).collect();
    let not_permitted = SeccompAction::Errno(libc::EPERM.cast_unsigned());
    install(fatal, SeccompAction::Allow, SeccompAction::KillProcess)?;
    install(allowed, not_permitted, SeccompAction::Allow)
}

#[cfg(target_arch = "x86_64")]
const FATAL_X86: &[libc::c_long] = &[libc::SYS_fork, libc::SYS_vfork];
#[cfg(not(target_arch = "x86_64"))]
const FATAL_X86: &[libc::c_long] = &[];

/// Memory that cannot be run as code: the third argument lacks `PROT_EXEC`.
fn never_executable() -> Result<SeccompRule, ()> {
    let exec = u64::from(libc::PROT_EXEC.cast_unsigned());
    let operator = SeccompCmpOp::MaskedEq(exec);
    SeccompCondition::new(2, SeccompCmpArgLen::Dword, operator, 0)
        .and_then(|condition| SeccompRule::new(vec![condition]))
        .map_err(|_| ())
}

fn install(
    rules: BTreeMap<libc::c_long, Vec<SeccompRule>>,
    otherwise: SeccompAction,
    on_match: SeccompAction,
) -> Result<(), ()> {
    let arch = std::env::consts::ARCH.try_into().map_err(|_| ())?;
    let filter = SeccompFilter::new(rules, otherwise, on_match, arch).map_err(|_| ())?;
    let program: BpfProgram = filter.try_into().map_err(|_| ())?;
    apply_filter(&program).map_err(|_| ())
}
