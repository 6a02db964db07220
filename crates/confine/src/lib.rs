//! The subcommand `confined` of our programs: gives up every right that reading hostile media does not need, then
//! becomes the program that it was given (ADR 7).
//!
//! ```text
//! sightline confined --read FILE… --write DIR --memory-mib N --cpu-seconds N --file-mib N -- ffmpeg …
//! ```
//!
//! The process keeps its id, so whoever started it can still kill it and its group. What it gives up:
//!
//! * memory, processor time, size of a written file, open files: by resource limits;
//! * files: Landlock leaves the system's libraries and fonts and the named inputs readable, and one folder writable;
//! * network, other processes, the kernel's rarer doors: by a seccomp filter that answers "not permitted";
//! * the environment, which may hold the server's secrets: it is emptied.
//!
//! A kernel without Landlock is refused, unless `--allow-unconfined` says that the administrator accepts it.
//! It must run before any thread is started: both Landlock and seccomp bind the calling thread only.

use std::collections::BTreeMap;
use std::env;
use std::ffi::{OsStr, OsString};
use std::fmt::Display;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use clap::Parser;
use landlock::{
    ABI, Access as _, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible as _, Ruleset, RulesetAttr as _,
    RulesetCreatedAttr as _, RulesetStatus, Scope, path_beneath_rules,
};
use rustix::process::{Resource, Rlimit, setrlimit};
use seccompiler::{
    SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule, TargetArch,
    apply_filter,
};

/// The exit code that says "the confinement failed", as opposed to the program in it.
pub const REFUSED: u8 = 125;

/// What a media program may read besides its inputs: libraries, fonts, and facts about the processor.
const READABLE: [&str; 11] = [
    "/usr",
    "/lib",
    "/lib64",
    "/bin",
    "/etc/ld.so.cache",
    "/etc/fonts",
    "/var/cache/fontconfig",
    "/sys/devices/system",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/dev/urandom",
];

#[derive(Debug, Parser)]
#[command(name = "confined", about = "Runs a media program without the rights that it does not need")]
struct Args {
    /// A file that may be read, or a folder of them
    #[arg(long)]
    read: Vec<PathBuf>,
    /// The one folder that may be written
    #[arg(long)]
    write: Option<PathBuf>,
    /// Address space, in MiB
    #[arg(long, default_value_t = 2048)]
    memory_mib: u64,
    /// Processor time of all threads together, in seconds
    #[arg(long, default_value_t = 600)]
    cpu_seconds: u64,
    /// The longest file that may be written, in MiB
    #[arg(long, default_value_t = 4096)]
    file_mib: u64,
    /// Go on where the kernel has no Landlock; limits and seccomp hold all the same
    #[arg(long)]
    allow_unconfined: bool,
    /// The program and its arguments
    #[arg(last = true, required = true)]
    program: Vec<OsString>,
}

/// Runs the subcommand if the arguments ask for it. To be called first thing in `main`, before any thread exists.
pub fn dispatch() -> Option<ExitCode> {
    (env::args_os().nth(1)? == "confined").then(|| main(env::args_os().skip(1)))
}

/// Confines this process and replaces it; returns only if that failed. The first argument is the subcommand's name.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args = match Args::try_parse_from(args) {
        Ok(args) => args,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(REFUSED);
        }
    };
    let Err(reason) = run(&args);
    eprintln!("{reason}");
    ExitCode::from(REFUSED)
}

fn run(args: &Args) -> Result<std::convert::Infallible, String> {
    let Some((name, arguments)) = args.program.split_first() else {
        return Err("no program given".into());
    };
    let program = find(name).ok_or_else(|| format!("no program called {} is installed", name.display()))?;
    let mut command = Command::new(&program);
    command.args(arguments).env_clear().envs([
        ("PATH", "/usr/local/bin:/usr/bin:/bin"),
        ("LC_ALL", "C.UTF-8"),
        ("TZ", "UTC"),
        // glibc reserves 64 MiB of address space per arena: on a machine with many cores that alone would meet the limit.
        ("MALLOC_ARENA_MAX", "2"),
        // The threads of tesseract wait for each other by spinning: on a machine that is busy it takes twice as long by them.
        ("OMP_THREAD_LIMIT", "1"),
    ]);
    if let Some(folder) = &args.write {
        command.current_dir(folder);
    }
    rustix::thread::set_no_new_privs(true).map_err(because("no_new_privs"))?;
    restrict_files(args, &program)?;
    restrict_calls()?;
    // Last: this process itself may already use more than the program may.
    limit(args).map_err(because("resource limits"))?;
    Err(format!("{} did not start: {}", name.display(), command.exec()))
}

/// The program as an absolute path; `PATH` is read before the environment is emptied.
fn find(name: &OsStr) -> Option<PathBuf> {
    let path = Path::new(name);
    let found = if path.components().count() > 1 {
        path.to_path_buf()
    } else {
        env::split_paths(&env::var_os("PATH")?).map(|folder| folder.join(path)).find(|candidate| candidate.is_file())?
    };
    found.canonicalize().ok()
}

fn limit(args: &Args) -> rustix::io::Result<()> {
    const MIB: u64 = 1 << 20;
    let set = |resource, value: u64| setrlimit(resource, Rlimit { current: Some(value), maximum: Some(value) });
    set(Resource::Core, 0)?;
    set(Resource::Nofile, 64)?;
    set(Resource::Fsize, args.file_mib.saturating_mul(MIB))?;
    set(Resource::Cpu, args.cpu_seconds)?;
    // Not Nproc: it counts all processes of the user, the server's own included. The filter forbids new processes instead.
    set(Resource::As, args.memory_mib.saturating_mul(MIB))
}

/// Landlock, as strict as this kernel can: newer rights are handled where it knows them, files always.
fn restrict_files(args: &Args, program: &Path) -> Result<(), String> {
    let because = because::<landlock::RulesetError>("Landlock");
    let abi = ABI::V6;
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    let write: BitFlags<AccessFs> =
        read | AccessFs::WriteFile | AccessFs::MakeReg | AccessFs::RemoveFile | AccessFs::Truncate;
    let ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(abi))
        .map_err(&because)?
        .handle_access(AccessNet::from_all(abi))
        .map_err(&because)?
        .scope(Scope::from_all(abi))
        .map_err(&because)?
        .create()
        .map_err(&because)?
        .add_rules(path_beneath_rules(READABLE, read | AccessFs::Execute))
        .map_err(&because)?
        .add_rules(path_beneath_rules([program], AccessFs::ReadFile | AccessFs::Execute))
        .map_err(&because)?
        .add_rules(path_beneath_rules(["/dev/null"], AccessFs::ReadFile | AccessFs::WriteFile))
        .map_err(&because)?
        .add_rules(path_beneath_rules(&args.read, read))
        .map_err(&because)?
        .add_rules(path_beneath_rules(&args.write, write))
        .map_err(&because)?;
    let status = ruleset.restrict_self().map_err(&because)?;
    if status.ruleset == RulesetStatus::NotEnforced && !args.allow_unconfined {
        return Err("this kernel has no Landlock, so the program could read every file that its user may; \
                    enable Landlock (Linux 5.13 or later), or accept that with allow_unconfined = true in the configuration"
            .into());
    }
    Ok(())
}

/// System calls that no demuxer, decoder or encoder needs.
const DENIED: &[libc::c_long] = &[
    // network
    libc::SYS_socket,
    libc::SYS_socketpair,
    libc::SYS_connect,
    libc::SYS_bind,
    libc::SYS_listen,
    libc::SYS_accept,
    libc::SYS_accept4,
    libc::SYS_sendto,
    libc::SYS_sendmsg,
    libc::SYS_sendmmsg,
    // other processes
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_pidfd_open,
    libc::SYS_pidfd_getfd,
    libc::SYS_pidfd_send_signal,
    libc::SYS_kill,
    libc::SYS_tkill,
    libc::SYS_tgkill,
    libc::SYS_rt_sigqueueinfo,
    libc::SYS_rt_tgsigqueueinfo,
    libc::SYS_kcmp,
    libc::SYS_setpgid,
    libc::SYS_setsid,
    // the kernel's rarer doors
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_setns,
    libc::SYS_unshare,
    libc::SYS_name_to_handle_at,
    libc::SYS_open_by_handle_at,
    libc::SYS_memfd_create,
    libc::SYS_memfd_secret,
    libc::SYS_execveat,
    libc::SYS_personality,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_adjtimex,
    libc::SYS_clock_adjtime,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_syslog,
    libc::SYS_fanotify_init,
    libc::SYS_mq_open,
    libc::SYS_shmget,
    libc::SYS_msgget,
    libc::SYS_semget,
    // whose process and whose file it is
    libc::SYS_setuid,
    libc::SYS_setgid,
    libc::SYS_setreuid,
    libc::SYS_setregid,
    libc::SYS_setresuid,
    libc::SYS_setresgid,
    libc::SYS_setgroups,
    libc::SYS_capset,
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    libc::SYS_fchown,
    libc::SYS_fchownat,
    libc::SYS_setxattr,
    libc::SYS_mknodat,
    libc::SYS_linkat,
    libc::SYS_symlinkat,
];

/// Older names of the same doors, which only this processor has.
#[cfg(target_arch = "x86_64")]
const DENIED_HERE: &[libc::c_long] = &[
    libc::SYS_fork,
    libc::SYS_vfork,
    libc::SYS_chmod,
    libc::SYS_chown,
    libc::SYS_lchown,
    libc::SYS_mknod,
    libc::SYS_link,
    libc::SYS_symlink,
    libc::SYS_kexec_file_load,
    libc::SYS_iopl,
    libc::SYS_ioperm,
    libc::SYS_modify_ldt,
    libc::SYS_uselib,
    libc::SYS_ustat,
];
#[cfg(not(target_arch = "x86_64"))]
const DENIED_HERE: &[libc::c_long] = &[];

/// Calls by the second table of an x86-64 kernel bear this bit; a list without it would be walked around.
#[cfg(target_arch = "x86_64")]
const SECOND_TABLE: Option<i64> = Some(0x4000_0000);
#[cfg(not(target_arch = "x86_64"))]
const SECOND_TABLE: Option<i64> = None;

fn restrict_calls() -> Result<(), String> {
    let arch = TargetArch::try_from(env::consts::ARCH).map_err(because("seccomp"))?;
    // Threads, but no processes: `clone` without CLONE_THREAD is refused. Its flags can be looked at, those of `clone3`
    // cannot: that one is said not to exist, and the C library takes `clone`.
    let not_a_thread = rule(SeccompCmpOp::MaskedEq(libc::CLONE_THREAD as u64), SeccompCmpArgLen::Qword)?;
    // A process may look at its own limits; it could lower those of the server.
    let of_another = rule(SeccompCmpOp::Ne, SeccompCmpArgLen::Dword)?;
    let mut refused: BTreeMap<i64, Vec<SeccompRule>> = BTreeMap::new();
    for call in DENIED.iter().chain(DENIED_HERE) {
        refused.insert(*call, Vec::new());
    }
    refused.insert(libc::SYS_clone, vec![not_a_thread]);
    refused.insert(libc::SYS_prlimit64, vec![of_another]);
    if let Some(bit) = SECOND_TABLE {
        // 512 to 547 are the calls that only the second table has.
        let second: Vec<_> = refused.keys().copied().chain(512..=547).map(|call| call | bit).collect();
        refused.extend(second.into_iter().map(|call| (call, Vec::new())));
    }
    let absent = BTreeMap::from([(libc::SYS_clone3, Vec::new())]);
    for (calls, errno) in [(refused, libc::EPERM), (absent, libc::ENOSYS)] {
        let filter = SeccompFilter::new(calls, SeccompAction::Allow, SeccompAction::Errno(errno as u32), arch)
            .map_err(because("seccomp"))?;
        let program: seccompiler::BpfProgram =
            filter.try_into().map_err(because::<seccompiler::BackendError>("seccomp"))?;
        apply_filter(&program).map_err(because("seccomp"))?;
    }
    Ok(())
}

/// A rule on the first argument, compared with zero.
fn rule(compare: SeccompCmpOp, length: SeccompCmpArgLen) -> Result<SeccompRule, String> {
    SeccompCondition::new(0, length, compare, 0)
        .and_then(|condition| SeccompRule::new(vec![condition]))
        .map_err(because("seccomp"))
}

fn because<E: Display>(what: &'static str) -> impl Fn(E) -> String {
    move |error| format!("{what}: {error}")
}
