/** One group of system calls that the default profile lets through, and when. */
export interface SyscallGroup {
  /** Separated by spaces. */
  readonly names: string;
  /** `errno` refuses with `errnoRet` instead of the default EPERM. */
  readonly action?: 'allow' | 'errno';
  readonly errnoRet?: number;
  readonly args?: readonly { index: number; op: string; value: number }[];
  /** Only when the container has this capability. */
  readonly withCapability?: string;
  /** Only when the container lacks this capability. */
  readonly withoutCapability?: string;
  /** Only on these machines, as `process.arch` names them; undefined: on all. */
  readonly onlyOn?: readonly string[];
  /** Kernel version from which on it is safe. */
  readonly minKernel?: readonly [number, number];
}

/** Address families that `socket` refuses: AF_VSOCK (40) reaches the hypervisor, AF_ALG (38) the kernel's crypto. */
const socketFamilies = [
  13, 14, 15, 16, 17, 18, 21, 22, 24, 26, 27, 28, 29, 30, 31, 32, 33, 35, 36, 39, 41, 42, 43, 44, 45,
];

/** Personalities that programs ask for: Linux, UNAME26 and its like, and the query. */
const personalities = [0, 8, 0x20000, 0x20008, 0xffffffff];

/** All CLONE_NEW* flags: a clone with any of them makes a namespace. */
const namespaceFlags = 0x7e020000;

/**
 * The default profile: what the default profile of Docker (moby/profiles, seccomp/default.json) allows, as a table.
 * Everything else fails with EPERM.
 */
export const defaultSyscalls: readonly SyscallGroup[] = [
  {
    names: `accept accept4 access adjtimex alarm bind brk cachestat capget capset chdir chmod chown chown32
      clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime clock_gettime64 clock_nanosleep
      clock_nanosleep_time64 close close_range connect copy_file_range creat dup dup2 dup3 epoll_create epoll_create1
      epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd eventfd2 execve execveat exit
      exit_group faccessat faccessat2 fadvise64 fadvise64_64 fallocate fanotify_mark fchdir fchmod fchmodat fchmodat2
      fchown fchown32 fchownat fcntl fcntl64 fdatasync fgetxattr flistxattr flock fork fremovexattr fsetxattr fstat
      fstat64 fstatat64 fstatfs fstatfs64 fsync ftruncate ftruncate64 futex futex_requeue futex_time64 futex_wait
      futex_waitv futex_wake futimesat getcpu getcwd getdents getdents64 getegid getegid32 geteuid geteuid32 getgid
      getgid32 getgroups getgroups32 getitimer getpeername getpgid getpgrp getpid getppid getpriority getrandom
      getresgid getresgid32 getresuid getresuid32 getrlimit get_robust_list getrusage getsid getsockname getsockopt
      get_thread_area gettid gettimeofday getuid getuid32 getxattr getxattrat inotify_add_watch inotify_init
      inotify_init1 inotify_rm_watch io_cancel ioctl io_destroy io_getevents io_pgetevents io_pgetevents_time64
      ioprio_get ioprio_set io_setup io_submit ipc kill landlock_add_rule landlock_create_ruleset
      landlock_restrict_self lchown lchown32 lgetxattr link linkat listen listmount listxattr listxattrat llistxattr
      _llseek lremovexattr lseek lsetxattr lstat lstat64 madvise map_shadow_stack membarrier memfd_create memfd_secret
      mincore mkdir mkdirat mknod mknodat mlock mlock2 mlockall mmap mmap2 mprotect mq_getsetattr mq_notify mq_open
      mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64 mq_unlink mremap mseal msgctl msgget
      msgrcv msgsnd msync munlock munlockall munmap name_to_handle_at nanosleep newfstatat _newselect open openat
      openat2 pause pidfd_open pidfd_send_signal pipe pipe2 pkey_alloc pkey_free pkey_mprotect poll ppoll
      ppoll_time64 prctl pread64 preadv preadv2 prlimit64 process_mrelease pselect6 pselect6_time64 pwrite64 pwritev
      pwritev2 read readahead readlink readlinkat readv recv recvfrom recvmmsg recvmmsg_time64 recvmsg
      remap_file_pages removexattr removexattrat rename renameat renameat2 restart_syscall riscv_hwprobe rmdir rseq
      rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait
      rt_sigtimedwait_time64 rt_tgsigqueueinfo sched_getaffinity sched_getattr sched_getparam sched_get_priority_max
      sched_get_priority_min sched_getscheduler sched_rr_get_interval sched_rr_get_interval_time64 sched_setaffinity
      sched_setattr sched_setparam sched_setscheduler sched_yield seccomp select semctl semget semop semtimedop
      semtimedop_time64 send sendfile sendfile64 sendmmsg sendmsg sendto setfsgid setfsgid32 setfsuid setfsuid32
      setgid setgid32 setgroups setgroups32 setitimer setpgid setpriority setregid setregid32 setresgid setresgid32
      setresuid setresuid32 setreuid setreuid32 setrlimit set_robust_list setsid setsockopt set_thread_area
      set_tid_address setuid setuid32 setxattr setxattrat shmat shmctl shmdt shmget shutdown sigaltstack signalfd
      signalfd4 sigprocmask sigreturn socketcall socketpair splice stat stat64 statfs statfs64 statmount statx
      symlink symlinkat sync sync_file_range syncfs sysinfo tee tgkill time timer_create timer_delete
      timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64 timerfd_create timerfd_gettime
      timerfd_gettime64 timerfd_settime timerfd_settime64 times tkill truncate truncate64 ugetrlimit umask uname
      unlink unlinkat uretprobe utime utimensat utimensat_time64 utimes vfork vmsplice wait4 waitid waitpid write
      writev`,
  },
  { names: 'process_vm_readv process_vm_writev ptrace', minKernel: [4, 8] },
  { names: 'socket', args: [{ index: 0, op: 'SCMP_CMP_LT', value: 12 }] },
  ...socketFamilies.map((value) => ({ names: 'socket', args: [{ index: 0, op: 'SCMP_CMP_EQ', value }] })),
  ...personalities.map((value) => ({ names: 'personality', args: [{ index: 0, op: 'SCMP_CMP_EQ', value }] })),
  { names: 'sync_file_range2 swapcontext', onlyOn: ['ppc64'] },
  {
    names: 'arm_fadvise64_64 arm_sync_file_range sync_file_range2 breakpoint cacheflush set_tls',
    onlyOn: ['arm', 'arm64'],
  },
  { names: 'arch_prctl', onlyOn: ['x64'] },
  { names: 'modify_ldt', onlyOn: ['x64', 'ia32'] },
  { names: 's390_pci_mmio_read s390_pci_mmio_write s390_runtime_instr', onlyOn: ['s390x'] },
  { names: 'riscv_flush_icache', onlyOn: ['riscv64'] },
  { names: 'open_by_handle_at', withCapability: 'CAP_DAC_READ_SEARCH' },
  {
    names: `bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie lsm_get_self_attr
      lsm_list_modules lsm_set_self_attr mount mount_setattr move_mount open_tree perf_event_open quotactl quotactl_fd
      setdomainname sethostname setns syslog umount umount2 unshare`,
    withCapability: 'CAP_SYS_ADMIN',
  },
  {
    names: 'clone',
    args: [{ index: 0, op: 'SCMP_CMP_MASKED_EQ', value: namespaceFlags }],
    withoutCapability: 'CAP_SYS_ADMIN',
    onlyOn: ['x64', 'ia32', 'arm', 'arm64', 'riscv64', 'ppc64', 'loong64', 'mips', 'mipsel'],
  },
  // The order of clone's parameters differs on s390.
  {
    names: 'clone',
    args: [{ index: 1, op: 'SCMP_CMP_MASKED_EQ', value: namespaceFlags }],
    withoutCapability: 'CAP_SYS_ADMIN',
    onlyOn: ['s390x'],
  },
  // Its flags lie behind a pointer; ENOSYS makes C libraries fall back to clone.
  { names: 'clone3', action: 'errno', errnoRet: 38, withoutCapability: 'CAP_SYS_ADMIN' },
  { names: 'reboot', withCapability: 'CAP_SYS_BOOT' },
  { names: 'chroot', withCapability: 'CAP_SYS_CHROOT' },
  { names: 'delete_module init_module finit_module', withCapability: 'CAP_SYS_MODULE' },
  { names: 'acct', withCapability: 'CAP_SYS_PACCT' },
  {
    names: 'kcmp pidfd_getfd process_madvise process_vm_readv process_vm_writev ptrace',
    withCapability: 'CAP_SYS_PTRACE',
  },
  { names: 'iopl ioperm', withCapability: 'CAP_SYS_RAWIO' },
  { names: 'settimeofday stime clock_settime clock_settime64', withCapability: 'CAP_SYS_TIME' },
  { names: 'vhangup', withCapability: 'CAP_SYS_TTY_CONFIG' },
  { names: 'get_mempolicy mbind set_mempolicy set_mempolicy_home_node', withCapability: 'CAP_SYS_NICE' },
  { names: 'syslog', withCapability: 'CAP_SYSLOG' },
  { names: 'bpf', withCapability: 'CAP_BPF' },
  { names: 'perf_event_open', withCapability: 'CAP_PERFMON' },
];

/**
 * The architectures whose programs a machine runs, by `process.arch`: its own first. Without x32, which kernels of
 * distributions have switched off: its programs are killed, and a filter for it would take a fifth of the time that the
 * runtime needs for all of a container.
 */
export const seccompArchitectures: Readonly<Record<string, readonly string[]>> = {
  x64: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86'],
  arm64: ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM'],
  riscv64: ['SCMP_ARCH_RISCV64'],
  s390x: ['SCMP_ARCH_S390X', 'SCMP_ARCH_S390'],
  ppc64: ['SCMP_ARCH_PPC64LE'],
  loong64: ['SCMP_ARCH_LOONGARCH64'],
};
