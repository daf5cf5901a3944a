/* The table of system calls that a plugin may make; what is not here is denied. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "facts.h"
#include "sandbox.h"

#define ALLOW(name) {__NR_##name, WB_ALLOW},
#define WATCH(name) {__NR_##name, WB_WATCH},
#define RULE(name, rule) {__NR_##name, WB_RULE_##rule},

const wb_call_rule wb_call_rules[] = {
	/* Descriptors that are open already: reading, writing, waiting. */
	ALLOW(read) ALLOW(write) ALLOW(readv) ALLOW(writev) ALLOW(pread64)
	ALLOW(pwrite64) ALLOW(preadv) ALLOW(pwritev) ALLOW(preadv2) ALLOW(pwritev2)
	ALLOW(close) ALLOW(close_range) ALLOW(lseek) ALLOW(dup) ALLOW(dup3)
	ALLOW(pipe2) ALLOW(ppoll) ALLOW(pselect6) ALLOW(epoll_create1)
	ALLOW(epoll_ctl) ALLOW(epoll_pwait) ALLOW(eventfd2) ALLOW(signalfd4)
	ALLOW(timerfd_create) ALLOW(timerfd_settime) ALLOW(timerfd_gettime)
	ALLOW(inotify_init1) ALLOW(inotify_add_watch) ALLOW(inotify_rm_watch)
	ALLOW(fsync) ALLOW(fdatasync) ALLOW(sync_file_range) ALLOW(ftruncate)
	ALLOW(fallocate) ALLOW(fadvise64) ALLOW(readahead) ALLOW(flock)
	ALLOW(sendfile) ALLOW(splice) ALLOW(tee) ALLOW(vmsplice)
	ALLOW(copy_file_range) ALLOW(getdents64) ALLOW(memfd_create)
	RULE(fcntl, FCNTL) RULE(ioctl, IOCTL)
	/* Files by name. Landlock judges what opens or changes; names, sizes and times
	 * of files can be seen. */
	WATCH(openat) WATCH(openat2) WATCH(mkdirat) WATCH(mknodat) WATCH(unlinkat)
	WATCH(renameat2) WATCH(linkat) WATCH(symlinkat) RULE(truncate, TRUNCATE)
	ALLOW(fstat) ALLOW(statx) ALLOW(statfs) ALLOW(fstatfs) ALLOW(faccessat)
	ALLOW(readlinkat) ALLOW(getcwd) ALLOW(chdir) ALLOW(fchdir) ALLOW(umask)
	{439 /* faccessat2 */, WB_ALLOW},
	/* Memory. */
	ALLOW(mmap) ALLOW(munmap) ALLOW(mremap) ALLOW(mprotect) ALLOW(madvise)
	ALLOW(brk) ALLOW(msync) ALLOW(mincore) ALLOW(mlock) ALLOW(mlock2)
	ALLOW(munlock) ALLOW(mlockall) ALLOW(munlockall) ALLOW(membarrier)
	ALLOW(mbind) ALLOW(set_mempolicy) ALLOW(get_mempolicy)
	ALLOW(pkey_mprotect) ALLOW(pkey_alloc) ALLOW(pkey_free)
	{462 /* mseal */, WB_ALLOW},
	/* Threads, but no processes. */
	RULE(clone, CLONE) {435 /* clone3 */, WB_RULE_ABSENT},
	ALLOW(exit) ALLOW(exit_group) ALLOW(set_tid_address) ALLOW(gettid)
	ALLOW(futex) ALLOW(set_robust_list) ALLOW(get_robust_list) ALLOW(rseq)
	{449 /* futex_waitv */, WB_ALLOW}, {454 /* futex_wake */, WB_ALLOW},
	{455 /* futex_wait */, WB_ALLOW}, {456 /* futex_requeue */, WB_ALLOW},
	ALLOW(sched_yield) ALLOW(sched_getaffinity) ALLOW(sched_getscheduler)
	ALLOW(sched_getparam) ALLOW(sched_getattr) ALLOW(sched_get_priority_max)
	ALLOW(sched_get_priority_min) ALLOW(sched_rr_get_interval) ALLOW(getcpu)
	RULE(sched_setaffinity, OWN_OR_ZERO) RULE(sched_setscheduler, OWN_OR_ZERO)
	RULE(sched_setparam, OWN_OR_ZERO) RULE(sched_setattr, OWN_OR_ZERO)
	ALLOW(getpriority) RULE(setpriority, PRIORITY) ALLOW(wait4) ALLOW(waitid)
	/* Signals, to ourselves. */
	ALLOW(rt_sigaction) ALLOW(rt_sigprocmask) ALLOW(rt_sigreturn)
	ALLOW(rt_sigpending) ALLOW(rt_sigsuspend) ALLOW(rt_sigtimedwait)
	ALLOW(sigaltstack) ALLOW(restart_syscall)
	RULE(kill, OWN_PROCESS) RULE(tgkill, OWN_PROCESS)
	RULE(rt_sigqueueinfo, OWN_PROCESS) RULE(rt_tgsigqueueinfo, OWN_PROCESS)
	/* Time. */
	ALLOW(clock_gettime) ALLOW(clock_getres) ALLOW(clock_nanosleep)
	ALLOW(gettimeofday) ALLOW(nanosleep) ALLOW(times) ALLOW(getitimer)
	ALLOW(setitimer) ALLOW(timer_create) ALLOW(timer_settime)
	ALLOW(timer_gettime) ALLOW(timer_getoverrun) ALLOW(timer_delete)
	/* Who and where we are. */
	ALLOW(getpid) ALLOW(getppid) ALLOW(getuid) ALLOW(geteuid) ALLOW(getgid)
	ALLOW(getegid) ALLOW(getresuid) ALLOW(getresgid) ALLOW(getgroups)
	ALLOW(getpgid) ALLOW(getsid) ALLOW(capget) ALLOW(uname) ALLOW(sysinfo)
	ALLOW(getrusage) ALLOW(getrlimit) ALLOW(setrlimit) ALLOW(getrandom)
	RULE(prlimit64, OWN_OR_ZERO) RULE(prctl, PRCTL) RULE(personality, PERSONALITY)
	/* A plugin may bind itself further. */
	{LL_CREATE_RULESET, WB_ALLOW}, {LL_ADD_RULE, WB_ALLOW},
	{LL_RESTRICT_SELF, WB_ALLOW},
	/* Talk over sockets that are there; new ones only as the rules say. */
	ALLOW(sendto) ALLOW(recvfrom) ALLOW(sendmsg) ALLOW(recvmsg) ALLOW(sendmmsg)
	ALLOW(recvmmsg) ALLOW(shutdown) ALLOW(getsockname) ALLOW(getpeername)
	ALLOW(setsockopt) ALLOW(getsockopt)
	RULE(socket, SOCKET) RULE(socketpair, SOCKETPAIR) RULE(connect, NETWORK)
	RULE(bind, NETWORK) RULE(listen, NETWORK) RULE(accept, NETWORK)
	RULE(accept4, NETWORK)
	{441 /* epoll_pwait2 */, WB_ALLOW},
#if defined(__x86_64__)
	/* What later architectures do by the calls above. */
	WATCH(open) WATCH(creat) WATCH(mkdir) WATCH(mknod) WATCH(rmdir)
	WATCH(unlink) WATCH(rename) WATCH(renameat) WATCH(link) WATCH(symlink)
	ALLOW(stat) ALLOW(lstat) ALLOW(newfstatat) ALLOW(access) ALLOW(readlink)
	ALLOW(getdents) ALLOW(dup2) ALLOW(pipe) ALLOW(poll) ALLOW(select)
	ALLOW(epoll_create) ALLOW(epoll_wait) ALLOW(eventfd) ALLOW(signalfd)
	ALLOW(inotify_init) ALLOW(alarm) ALLOW(pause) ALLOW(time) ALLOW(getpgrp)
	ALLOW(arch_prctl)
#else
	ALLOW(newfstatat)
#ifdef __NR_renameat
	WATCH(renameat)
#endif
#endif
};

const unsigned wb_call_rules_count = sizeof wb_call_rules / sizeof *wb_call_rules;

wb_rule wb_rule_of(int nr)
{
	for (unsigned i = 0; i < wb_call_rules_count; i++)
		if (wb_call_rules[i].nr == nr)
			return wb_call_rules[i].rule;
	return WB_DENY;
}
