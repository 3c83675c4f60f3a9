//! The system call filter: refuses calls that a build or a test never needs but an attack does.
use std::collections::BTreeMap;

use seccompiler::{
    apply_filter, sock_filter, BpfProgram, SeccompAction, SeccompCmpArgLen as Width, SeccompCmpOp as Op,
    SeccompCondition, SeccompFilter, SeccompRule, TargetArch,
};

use crate::failure::{Failure, Layer, Outcome};

#[cfg(target_arch = "x86_64")]
const ARCH: TargetArch = TargetArch::x86_64;
#[cfg(target_arch = "aarch64")]
const ARCH: TargetArch = TargetArch::aarch64;
#[cfg(target_arch = "riscv64")]
const ARCH: TargetArch = TargetArch::riscv64;

/// Refused with EPERM whatever the arguments.
const DENIED: &[libc::c_long] = &[
    // mounts and roots
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    SYS_OPEN_TREE_ATTR,
    // namespaces
    libc::SYS_unshare,
    libc::SYS_setns,
    // other processes
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    libc::SYS_migrate_pages,
    libc::SYS_move_pages,
    // the kernel's wide inner surfaces
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_fanotify_init,
    libc::SYS_kexec_load,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    // keys
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    // files by handle go around every path check
    libc::SYS_open_by_handle_at,
    libc::SYS_name_to_handle_at,
    // the machine
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_reboot,
    libc::SYS_acct,
    libc::SYS_quotactl,
    SYS_QUOTACTL_FD,
    libc::SYS_syslog,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
    libc::SYS_vhangup,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_lookup_dcookie,
    libc::SYS_nfsservctl,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_kexec_file_load,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_iopl,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_ioperm,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_modify_ldt,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_uselib,
    #[cfg(target_arch = "x86_64")]
    libc::SYS__sysctl,
];

/// Answered with ENOSYS: programs then fall back to what can be filtered or counted.
const UNKNOWN: &[libc::c_long] = &[
    // its flags lie in memory, where no filter sees them
    libc::SYS_clone3,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    // memory that no limit but a cgroup counts
    libc::SYS_memfd_create,
    libc::SYS_memfd_secret,
];

const SYS_OPEN_TREE_ATTR: libc::c_long = 467;
// asm-generic/ioctls.h; libc's types for them differ by platform.
const TIOCSTI: u64 = 0x5412;
const TIOCLINUX: u64 = 0x541c;
const TIOCCONS: u64 = 0x541d;
const TIOCSETD: u64 = 0x5423;

const SYS_QUOTACTL_FD: libc::c_long = 443;

const NEW_NAMESPACES: &[libc::c_int] = &[
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWNS,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWNET,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWUTS,
    libc::CLONE_NEWCGROUP,
];

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

fn fail(what: &str, error: impl std::fmt::Display) -> Failure {
    Failure::new(Layer::Seccomp, format!("{what}: {error}"))
}

fn all(conditions: Vec<(u8, Width, Op, u64)>) -> Outcome<SeccompRule> {
    let conditions = conditions
        .into_iter()
        .map(|(index, width, op, value)| SeccompCondition::new(index, width, op, value))
        .collect::<Result<_, _>>()
        .map_err(|e| fail("condition", e))?;
    SeccompRule::new(conditions).map_err(|e| fail("rule", e))
}

fn denied(loopback: bool) -> Outcome<Rules> {
    let mut rules: Rules = DENIED.iter().map(|&number| (number, Vec::new())).collect();
    let clones = NEW_NAMESPACES
        .iter()
        .map(|&flag| all(vec![(0, Width::Qword, Op::MaskedEq(flag as u64), flag as u64)]))
        .collect::<Outcome<_>>()?;
    rules.insert(libc::SYS_clone, clones);
    // The kernel looks at the low 32 bits of an ioctl's number only.
    let terminals = [TIOCSTI, TIOCLINUX, TIOCSETD, TIOCCONS]
        .into_iter()
        .map(|number| all(vec![(1, Width::Dword, Op::Eq, number)]))
        .collect::<Outcome<_>>()?;
    rules.insert(libc::SYS_ioctl, terminals);
    let mut families = vec![libc::AF_UNIX];
    if loopback {
        families.extend([libc::AF_INET, libc::AF_INET6]);
    }
    let others = || families.iter().map(|&family| (0, Width::Dword, Op::Ne, family as u64)).collect();
    rules.insert(libc::SYS_socket, vec![all(others())?]);
    rules.insert(libc::SYS_socketpair, vec![all(others())?]);
    let changes = vec![(0, Width::Dword, Op::Ne, 0), (0, Width::Dword, Op::Ne, 0xffff_ffff)];
    rules.insert(libc::SYS_personality, vec![all(changes)?]);
    let devices = |index| {
        [libc::S_IFCHR, libc::S_IFBLK]
            .into_iter()
            .map(|kind| all(vec![(index, Width::Dword, Op::MaskedEq(libc::S_IFMT.into()), kind.into())]))
            .collect::<Outcome<Vec<_>>>()
    };
    rules.insert(libc::SYS_mknodat, devices(2)?);
    #[cfg(target_arch = "x86_64")]
    rules.insert(libc::SYS_mknod, devices(1)?);
    Ok(rules)
}

fn compile(rules: Rules, answer: libc::c_int) -> Outcome<BpfProgram> {
    let answer = SeccompAction::Errno(answer as u32);
    SeccompFilter::new(rules, SeccompAction::Allow, answer, ARCH)
        .and_then(BpfProgram::try_from)
        .map_err(|e| fail("compile", e))
}

/// Kills on a call of the x32 interface, whose numbers the other filters would not know. Foreign
/// architectures are killed by the compiled filters themselves.
fn no_x32() -> BpfProgram {
    const LOAD_NUMBER: u16 = 0x20; // BPF_LD | BPF_W | BPF_ABS, offset 0 of seccomp_data
    const AT_LEAST: u16 = 0x35; // BPF_JMP | BPF_JGE | BPF_K
    const RETURN: u16 = 0x06; // BPF_RET | BPF_K
    vec![
        sock_filter { code: LOAD_NUMBER, jt: 0, jf: 0, k: 0 },
        sock_filter { code: AT_LEAST, jt: 0, jf: 1, k: 0x4000_0000 },
        sock_filter { code: RETURN, jt: 0, jf: 0, k: libc::SECCOMP_RET_KILL_PROCESS },
        sock_filter { code: RETURN, jt: 0, jf: 0, k: libc::SECCOMP_RET_ALLOW },
    ]
}

/// Filters the calling process irrevocably. Needs `no_new_privs`.
pub fn restrict(loopback: bool) -> Outcome<()> {
    let unknown = UNKNOWN.iter().map(|&number| (number, Vec::new())).collect();
    for program in [no_x32(), compile(unknown, libc::ENOSYS)?, compile(denied(loopback)?, libc::EPERM)?] {
        apply_filter(&program).map_err(|e| fail("apply", e))?;
    }
    Ok(())
}
