/* What system calls that are denied or watched are called, and where their paths are. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stddef.h>

#include "facts.h"
#include "sandbox.h"

#define NAME(call) {__NR_##call, #call, -1, -1, -1, -1},
/* For the calls that every architecture numbers alike: build machines may not know. */
#define NUMBER(call, nr) {nr, #call, -1, -1, -1, -1},
#define PATH(call, path) {__NR_##call, #call, -1, path, -1, -1},
#define AT(call, text, path) {__NR_##call, text, (path) - 1, path, -1, -1},
#define TWO(call, text, first, second) \
	{__NR_##call, text, (first) - 1, first, (second) - 1, second},
#define PATHS(call) {__NR_##call, #call, -1, 0, -1, 1},

const wb_call_words wb_call_texts[] = {
	AT(openat, "open", 1) AT(openat2, "open", 1) AT(mkdirat, "mkdir", 1)
	AT(mknodat, "mknod", 1) AT(unlinkat, "unlink", 1)
	TWO(renameat2, "rename", 1, 3) TWO(linkat, "link", 1, 3)
	{__NR_symlinkat, "symlink", -1, -1, 1, 2},
	PATH(truncate, 0) AT(fchmodat, "chmod", 1) AT(fchownat, "chown", 1)
	AT(utimensat, "utimens", 1) NAME(fchmod) NAME(fchown)
	PATH(setxattr, 0) PATH(lsetxattr, 0) NAME(fsetxattr) PATH(removexattr, 0)
	PATH(lremovexattr, 0) NAME(fremovexattr) PATH(getxattr, 0)
	PATH(lgetxattr, 0) NAME(fgetxattr) PATH(listxattr, 0) PATH(llistxattr, 0)
	NAME(flistxattr) PATH(execve, 0) AT(execveat, "execve", 1) {__NR_clone, "fork", -1, -1, -1, -1},
	NAME(ptrace) NAME(process_vm_readv) NAME(process_vm_writev) NAME(kcmp)
	NAME(kill) NAME(tkill) NAME(tgkill) NAME(rt_sigqueueinfo)
	NAME(rt_tgsigqueueinfo) PATH(mount, 1) PATH(umount2, 0) PATHS(pivot_root)
	PATH(chroot, 0) NAME(unshare) NAME(setns) NAME(add_key) NAME(request_key)
	NAME(keyctl) NAME(bpf) NAME(perf_event_open) NAME(userfaultfd) NAME(seccomp)
	NAME(prctl) NAME(personality) NAME(fcntl) NAME(ioctl) NAME(socket)
	NAME(socketpair) NAME(connect) NAME(bind) NAME(listen) NAME(accept)
	NAME(accept4) NAME(init_module) NAME(finit_module) NAME(delete_module)
	NAME(kexec_load) NAME(reboot) PATH(swapon, 0) PATH(swapoff, 0)
	PATH(acct, 0) NAME(quotactl) NAME(syslog) NAME(sethostname)
	NAME(setdomainname) NAME(settimeofday) NAME(clock_settime) NAME(adjtimex)
	NAME(clock_adjtime) NAME(sync) NAME(syncfs) NAME(vhangup)
	AT(name_to_handle_at, "name_to_handle_at", 1) NAME(open_by_handle_at)
	NAME(fanotify_init) NAME(fanotify_mark)
	NAME(migrate_pages) NAME(move_pages) NAME(remap_file_pages) NAME(shmget)
	NAME(shmat) NAME(shmctl) NAME(shmdt) NAME(semget) NAME(semop)
	NAME(semtimedop) NAME(semctl) NAME(msgget) NAME(msgsnd) NAME(msgrcv)
	NAME(msgctl) PATH(mq_open, 0) PATH(mq_unlink, 0) NAME(setuid) NAME(setgid)
	NAME(setreuid) NAME(setregid) NAME(setresuid) NAME(setresgid)
	NAME(setfsuid) NAME(setfsgid) NAME(setgroups) NAME(setpgid) NAME(setsid)
	NAME(capset) NAME(setpriority) NAME(prlimit64) NAME(sched_setaffinity)
	NAME(sched_setscheduler) NAME(sched_setparam) NAME(sched_setattr)
	NAME(ioprio_set) NAME(io_setup)
	NUMBER(pidfd_send_signal, 424) NUMBER(io_uring_setup, 425)
	NUMBER(io_uring_enter, 426) NUMBER(io_uring_register, 427)
	{428, "open_tree", 0, 1, -1, -1}, NUMBER(move_mount, 429)
	NUMBER(fsopen, 430) NUMBER(fsconfig, 431) NUMBER(fsmount, 432)
	NUMBER(fspick, 433) NUMBER(pidfd_open, 434) NUMBER(pidfd_getfd, 438)
	NUMBER(process_madvise, 440) NUMBER(mount_setattr, 442)
	NUMBER(quotactl_fd, 443) NUMBER(memfd_secret, 447)
	NUMBER(process_mrelease, 448) {452, "chmod", 0, 1, -1, -1},
	{463, "setxattr", 0, 1, -1, -1}, {466, "removexattr", 0, 1, -1, -1},
	{467, "open_tree", 0, 1, -1, -1}, {469, "file_setattr", 0, 1, -1, -1},
#if defined(__x86_64__)
	PATH(open, 0) {__NR_creat, "open", -1, 0, -1, -1}, PATH(mkdir, 0)
	PATH(mknod, 0) PATH(rmdir, 0) PATH(unlink, 0) PATHS(rename)
	TWO(renameat, "rename", 1, 3) PATHS(link)
	{__NR_symlink, "symlink", -1, -1, -1, 1}, PATH(chmod, 0) PATH(chown, 0)
	PATH(lchown, 0) {__NR_utime, "utimens", -1, 0, -1, -1},
	{__NR_utimes, "utimens", -1, 0, -1, -1}, AT(futimesat, "utimens", 1)
	{__NR_fork, "fork", -1, -1, -1, -1}, {__NR_vfork, "fork", -1, -1, -1, -1},
	NAME(kexec_file_load) NAME(iopl) NAME(ioperm) NAME(modify_ldt) NAME(uselib)
#else
#ifdef __NR_renameat
	TWO(renameat, "rename", 1, 3)
#endif
#endif
};

const unsigned wb_call_texts_count = sizeof wb_call_texts / sizeof *wb_call_texts;

const wb_call_words *wb_words_of(int nr)
{
	for (unsigned i = 0; i < wb_call_texts_count; i++)
		if (wb_call_texts[i].nr == nr)
			return &wb_call_texts[i];
	return NULL;
}
