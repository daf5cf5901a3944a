/* A plugin that tries what a sandbox forbids. Its init config: one attempt per line, a
 * word and an argument. It answers with its last error: a line each, "ok" or an errno. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <utime.h>

#include "../../workbench/native/src/common/abi.h"

#define EXPORT __attribute__((visibility("default")))

static char answers[65536];
static char *scratch(const char *name)
{
	static char path[16][4096];
	static int next;
	char *out = path[next++ % 16];
	const char *folder = getenv("TMPDIR");
	snprintf(out, 4096, "%s/%s", folder ? folder : ".", name);
	return out;
}

/* ---- files ---------------------------------------------------------------------- */

static int finish(int fd)
{
	if (fd < 0)
		return errno;
	char byte;
	struct stat facts;
	int bad = !fstat(fd, &facts) && S_ISREG(facts.st_mode) && read(fd, &byte, 1) < 0;
	int code = bad ? errno : 0;
	close(fd);
	return code;
}

static int try_read(const char *a) { return finish(open(a, O_RDONLY)); }
static int try_list(const char *a) { return finish(open(a, O_RDONLY | O_DIRECTORY)); }
static int try_append(const char *a) { return finish(open(a, O_RDWR | O_APPEND)); }
static int try_create(const char *a) { return finish(open(a, O_CREAT | O_EXCL | O_RDWR, 0600)); }
static int try_cut(const char *a) { return finish(open(a, O_RDONLY | O_TRUNC)); }
static int try_nameless(const char *a) { return finish(open(a, O_TMPFILE | O_RDWR, 0600)); }
static int try_truncate(const char *a) { return truncate(a, 0) ? errno : 0; }
static int try_unlink(const char *a) { return unlink(a) ? errno : 0; }
static int try_mkdir(const char *a) { return mkdir(a, 0700) ? errno : 0; }
static int try_mkfifo(const char *a) { return mkfifo(a, 0600) ? errno : 0; }
static int try_chmod(const char *a) { return chmod(a, 0) ? errno : 0; }
static int try_chown(const char *a) { return chown(a, 12, 12) ? errno : 0; }
static int try_utime(const char *a) { return utime(a, NULL) ? errno : 0; }
static int try_setxattr(const char *a)
{
	return syscall(SYS_setxattr, a, "user.x", "y", 1, 0) ? errno : 0;
}
static int try_rename_away(const char *a) { return rename(a, scratch("taken")) ? errno : 0; }
static int try_rename_onto(const char *a)
{
	close(open(scratch("mine"), O_CREAT | O_RDWR, 0600));
	return rename(scratch("mine"), a) ? errno : 0;
}

static int try_openat2(const char *a)
{
	struct { uint64_t flags, mode, resolve; } how = {O_RDONLY, 0, 0};
	return finish((int)syscall(437, AT_FDCWD, a, &how, sizeof how));
}

static int try_relative(const char *a)
{
	int root = open("/", O_PATH | O_DIRECTORY);
	int code = finish(openat(root, a + 1, O_RDONLY));
	close(root);
	return code;
}

static int try_climb(const char *a)
{
	char path[4096];
	if (chdir(scratch("")))
		return 999;
	snprintf(path, sizeof path, "../../../../../../../..%s", a);
	return try_read(path);
}

static int try_own_root(const char *a)
{
	char path[4096];
	snprintf(path, sizeof path, "/proc/self/root%s", a);
	return try_read(path);
}

static int try_symlink(const char *a)
{
	char *link = scratch("link");
	unlink(link);
	return symlink(a, link) ? 998 : try_read(link);
}

static int try_folder_link(const char *a)
{
	char folder[4096], *link = scratch("folder-link"), path[8192];
	snprintf(folder, sizeof folder, "%s", a);
	char *slash = strrchr(folder, '/');
	*slash = 0;
	unlink(link);
	if (symlink(folder, link))
		return 998;
	snprintf(path, sizeof path, "%s/%s", link, slash + 1);
	return try_read(path);
}

static int try_hardlink(const char *a)
{
	char *name = scratch("hard");
	unlink(name);
	return link(a, name) ? errno : try_read(name);
}

/* A name that changes between the guard's look and the kernel's. */
static volatile int swapping;
static void *swap(void *name)
{
	char *other = scratch("swap-other");
	while (swapping)
		syscall(SYS_renameat2, AT_FDCWD, name, AT_FDCWD, other, 2 /* exchange */);
	return NULL;
}

static int try_race(const char *a)
{
	char *name = scratch("swap");
	close(open(name, O_CREAT | O_RDWR, 0600));
	unlink(scratch("swap-other"));
	if (symlink(a, scratch("swap-other")))
		return 998;
	pthread_t thread;
	swapping = 1;
	pthread_create(&thread, NULL, swap, name);
	int code = EACCES;
	char byte;
	time_t end = time(NULL) + 2;
	while (time(NULL) < end && code == EACCES) {
		int fd = open(name, O_RDONLY);
		if (fd >= 0 && read(fd, &byte, 1) > 0)
			code = 0; /* our own file is empty: this was the other's */
		if (fd >= 0)
			close(fd);
	}
	swapping = 0;
	pthread_join(thread, NULL);
	return code;
}

static int try_by_handle(const char *a)
{
	struct { unsigned bytes; int type; char room[128]; } handle = {128, 0, {0}};
	int mount;
	if (syscall(SYS_name_to_handle_at, AT_FDCWD, a, &handle, &mount, 0))
		return errno;
	return finish((int)syscall(SYS_open_by_handle_at, mount, &handle, O_RDONLY));
}

static int try_parent(const char *a)
{
	char path[256];
	snprintf(path, sizeof path, "/proc/%d/%s", getppid(), a);
	return try_read(path);
}

static int try_parent_mem_write(const char *a)
{
	char path[256];
	snprintf(path, sizeof path, "/proc/%d/mem", getppid());
	return try_append(path);
}

static int try_temporary(const char *a)
{
	char *file = scratch("file"), *folder = scratch("folder");
	int fd = open(file, O_CREAT | O_RDWR | O_TRUNC, 0600);
	if (fd < 0 || write(fd, "text", 4) != 4 || ftruncate(fd, 2) || fsync(fd))
		return errno;
	close(fd);
	if (mkdir(folder, 0700) || rename(file, scratch("folder/moved")))
		return errno;
	if (try_read(scratch("folder/moved")) || truncate(scratch("folder/moved"), 0))
		return errno;
	if (unlink(scratch("folder/moved")) || rmdir(folder))
		return errno;
	char name[4096];
	snprintf(name, sizeof name, "%s", scratch("XXXXXX"));
	return finish(mkstemp(name));
}

/* A tree that is hard to remove. */
static int try_litter(const char *a)
{
	if (chdir(scratch("")))
		return errno;
	for (int i = 0; i < 3000; i++)
		if (mkdir("deep", 0700) || chdir("deep"))
			return errno;
	umask(0777);
	int closed = mkdir("closed", 0777);
	umask(022);
	return closed ? errno : 0;
}

/* ---- processes ------------------------------------------------------------------ */

static int try_fork(const char *a)
{
	pid_t pid = fork();
	if (!pid)
		_exit(0);
	return pid < 0 ? errno : 0;
}

static int try_vfork(const char *a)
{
	pid_t pid = vfork();
	if (!pid)
		_exit(0);
	return pid < 0 ? errno : 0;
}

static int try_clone3(const char *a)
{
	uint64_t arguments[11] = {0};
	arguments[4] = SIGCHLD;
	long pid = syscall(435, arguments, sizeof arguments);
	if (!pid)
		_exit(0);
	return pid < 0 ? errno : 0;
}

static int try_exec(const char *a)
{
	char *argv[] = {"true", NULL};
	execve(a, argv, NULL);
	return errno;
}

static int try_spawn(const char *a)
{
	char *argv[] = {"true", NULL};
	pid_t pid;
	return posix_spawn(&pid, a, NULL, NULL, argv, NULL);
}

static int try_fork_exec(const char *a)
{
	int status = system("true");
	return status == -1 ? errno : status ? 997 : 0;
}

static int try_exec_memory(const char *a)
{
	int from = open("/proc/self/exe", O_PATH), fd = memfd_create("x", 0);
	char *argv[] = {"true", NULL};
	close(from);
	if (write(fd, "#!/bin/true\n", 12) != 12)
		return 999;
	syscall(SYS_execveat, fd, "", argv, NULL, AT_EMPTY_PATH);
	return errno;
}

static int try_trace_parent(const char *a)
{
	return ptrace(PTRACE_ATTACH, getppid(), NULL, NULL) ? errno : 0;
}
static int try_trace_me(const char *a) { return ptrace(PTRACE_TRACEME, 0, 0, 0) ? errno : 0; }

static int try_read_parent(const char *a)
{
	char byte;
	struct iovec here = {&byte, 1}, there = {(void *)&try_read_parent, 1};
	return process_vm_readv(getppid(), &here, 1, &there, 1, 0) < 0 ? errno : 0;
}

/* ---- signals -------------------------------------------------------------------- */

static int try_kill_parent(const char *a) { return kill(getppid(), atoi(a)) ? errno : 0; }
static int try_kill_all(const char *a) { return kill(-1, 0) ? errno : 0; }
static int try_kill_group(const char *a) { return kill(0, 0) ? errno : 0; }
static int try_tkill(const char *a) { return syscall(SYS_tkill, getppid(), 0) ? errno : 0; }
static int try_tgkill(const char *a)
{
	return syscall(SYS_tgkill, getppid(), getppid(), 0) ? errno : 0;
}
static int try_sigqueue(const char *a)
{
	return sigqueue(getppid(), 0, (union sigval){0}) ? errno : 0;
}
static int try_pidfd(const char *a)
{
	int fd = (int)syscall(434, getppid(), 0);
	return fd < 0 ? errno : syscall(424, fd, 0, NULL, 0) ? errno : 0;
}
static int try_setown(const char *a)
{
	int ends[2];
	return pipe(ends) || fcntl(ends[0], F_SETOWN, getppid()) ? errno : 0;
}
static int try_setsig(const char *a)
{
	int ends[2];
	return pipe(ends) || fcntl(ends[0], F_SETSIG, SIGKILL) ? errno : 0;
}
static int try_siocspgrp(const char *a)
{
	int ends[2], pid = getppid();
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
		return 999;
	return ioctl(ends[0], 0x8901, &pid) ? errno : 0;
}
static int try_priority(const char *a)
{
	return setpriority(PRIO_PROCESS, getppid(), 19) ? errno : 0;
}
static int try_limits(const char *a)
{
	struct rlimit limit = {1, 1};
	return prlimit(getppid(), RLIMIT_NOFILE, &limit, NULL) ? errno : 0;
}
static int try_affinity(const char *a)
{
	cpu_set_t set;
	CPU_ZERO(&set);
	CPU_SET(0, &set);
	return sched_setaffinity(getppid(), sizeof set, &set) ? errno : 0;
}
static int try_own_signal(const char *a)
{
	signal(SIGUSR1, SIG_IGN);
	return raise(SIGUSR1) || kill(getpid(), SIGUSR1) ? errno : 0;
}

/* ---- sockets -------------------------------------------------------------------- */

static int reach(int family, int type, const struct sockaddr *to, socklen_t bytes)
{
	int fd = socket(family, type, 0);
	if (fd < 0)
		return errno;
	int code = connect(fd, to, bytes) ? errno : 0;
	if (!code && send(fd, "x", 1, MSG_NOSIGNAL) < 0)
		code = errno;
	close(fd);
	return code;
}

static struct sockaddr_in local(const char *port)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(atoi(port))};
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return to;
}

static int try_tcp(const char *a)
{
	struct sockaddr_in to = local(a);
	return reach(AF_INET, SOCK_STREAM, (struct sockaddr *)&to, sizeof to);
}
static int try_udp(const char *a)
{
	struct sockaddr_in to = local(a);
	return reach(AF_INET, SOCK_DGRAM, (struct sockaddr *)&to, sizeof to);
}
static int try_unix(const char *a)
{
	struct sockaddr_un to = {AF_UNIX, ""};
	strncpy(to.sun_path, a, sizeof to.sun_path - 1);
	return reach(AF_UNIX, SOCK_STREAM, (struct sockaddr *)&to, sizeof to);
}
static int try_abstract(const char *a)
{
	struct sockaddr_un to = {AF_UNIX, ""};
	strncpy(to.sun_path + 1, a, sizeof to.sun_path - 2);
	return reach(AF_UNIX, SOCK_STREAM, (struct sockaddr *)&to,
	             offsetof(struct sockaddr_un, sun_path) + 1 + strlen(a));
}
static int try_raw(const char *a)
{
	int fd = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
	return fd < 0 ? errno : 0;
}
static int try_packet(const char *a) { return socket(AF_PACKET, SOCK_RAW, 0) < 0 ? errno : 0; }
static int try_netlink(const char *a)
{
	return socket(AF_NETLINK, SOCK_RAW, atoi(a)) < 0 ? errno : 0;
}
static int try_listen(const char *a)
{
	struct sockaddr_in to = local("0");
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&to, sizeof to) || listen(fd, 1))
		return errno;
	close(fd);
	return 0;
}
static int try_pair(const char *a)
{
	int ends[2];
	if (socketpair(AF_UNIX, strcmp(a, "datagram") ? SOCK_STREAM : SOCK_DGRAM, 0, ends))
		return errno;
	close(ends[0]);
	close(ends[1]);
	return 0;
}
static int try_resolve(const char *a)
{
	struct addrinfo *found = NULL;
	int code = getaddrinfo(a, NULL, NULL, &found);
	if (found)
		freeaddrinfo(found);
	return code ? 900 - code : 0;
}

/* ---- the kernel ----------------------------------------------------------------- */

#define CALL(name, ...) \
	static int try_##name(const char *a) { return syscall(__VA_ARGS__) < 0 ? errno : 0; }
CALL(mount, SYS_mount, "none", a, "tmpfs", 0, NULL)
CALL(umount, SYS_umount2, a, 0)
CALL(chroot, SYS_chroot, a)
CALL(unshare_user, SYS_unshare, CLONE_NEWUSER)
CALL(unshare_mounts, SYS_unshare, CLONE_NEWNS)
CALL(setns, SYS_setns, 0, 0)
CALL(keyctl, SYS_keyctl, 0, -3, 1)
CALL(add_key, SYS_add_key, "user", "x", "y", 1, -3)
CALL(request_key, SYS_request_key, "user", "x", NULL, -3)
CALL(bpf, SYS_bpf, 0, NULL, 0)
CALL(perf, SYS_perf_event_open, NULL, 0, -1, -1, 0)
CALL(userfaultfd, SYS_userfaultfd, 1)
CALL(io_uring, 425, 1, NULL)
CALL(seccomp, SYS_seccomp, 1, 0, NULL)
CALL(load_module, SYS_init_module, "", 0, "")
CALL(kexec, SYS_kexec_load, 0, 0, NULL, 0)
CALL(reboot, SYS_reboot, 0xfee1dead, 672274793, 0 /* CAD off */, NULL)
CALL(kernel_log, SYS_syslog, 2, NULL, 0)
CALL(shared_memory, SYS_shmget, 0, 4096, 01600)
CALL(message_queue, SYS_msgget, 0, 01600)
CALL(posix_queue, SYS_mq_open, "x", O_CREAT | O_RDWR, 0600, NULL)
CALL(session, SYS_setsid, 0)
CALL(group, SYS_setpgid, 0, 0)
CALL(hide, SYS_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0)
CALL(outlive, SYS_prctl, PR_SET_PDEATHSIG, 0, 0, 0, 0)
CALL(personality, SYS_personality, 0x0040000)
CALL(become_root, SYS_setuid, 0)
CALL(hostname, SYS_sethostname, "x", 1)
CALL(set_time, SYS_settimeofday, NULL, NULL)
CALL(type_ahead, SYS_ioctl, 0, TIOCSTI, "x")
CALL(pidfd_getfd, 438, 0, 0, 0)
CALL(new_mount, 430, "tmpfs", 0)
CALL(io_priority, SYS_ioprio_set, 1, 0, 0)
CALL(unknown, 900, 0)
CALL(namespace_thread, SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0)

static int try_capability(const char *a)
{
	/* 1: overriding modes, 21: the administrator's. */
	return prctl(PR_CAPBSET_READ, atoi(a)) < 0 ? errno : geteuid() ? EPERM : try_chown(a);
}

#ifdef __x86_64__
static int try_int80(const char *a)
{
	long result;
	__asm__ volatile("int $0x80" : "=a"(result) : "a"(20 /* getpid */) : "memory");
	return result < 0 ? (int)-result : 0;
}
static int try_x32(const char *a) { return syscall(0x40000000 | SYS_getpid) < 0 ? errno : 0; }
#endif

/* ---- what is allowed ------------------------------------------------------------ */

static void *nothing(void *unused) { return unused; }
static int try_threads(const char *a)
{
	pthread_t threads[64];
	for (int i = 0; i < 64; i++)
		if ((errno = pthread_create(&threads[i], NULL, nothing, NULL)))
			return errno;
	for (int i = 0; i < 64; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
static int try_generate_code(const char *a)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
	                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return page == MAP_FAILED ? errno : 0;
}
static int try_dlopen(const char *a) { return dlopen(a, RTLD_NOW) ? 0 : 996; }
static int try_local_time(const char *a)
{
	setenv("TZ", a, 1);
	tzset();
	return timezone || daylight ? 0 : 995; /* unreadable zones count as UTC */
}
static int try_variable(const char *a) { return getenv(a) ? 0 : ENOENT; }
static int try_large_file(const char *a)
{
	int fd = open(scratch("large"), O_CREAT | O_RDWR, 0600);
	return fd < 0 || ftruncate(fd, (off_t)1 << atoi(a)) ? errno : 0;
}
static int try_descriptors(const char *a)
{
	int many = atoi(a), made = 0, *fds = calloc((size_t)many, sizeof *fds);
	while (made < many && (fds[made] = dup(0)) >= 0)
		made++;
	int code = made < many ? errno : 0;
	while (made)
		close(fds[--made]);
	free(fds);
	return code;
}
static int try_abort(const char *a) { abort(); }

#define T(name) {#name, try_##name}
static const struct {
	const char *name;
	int (*attempt)(const char *argument);
} attempts[] = {
	T(read), T(list), T(append), T(create), T(cut), T(nameless), T(truncate),
	T(unlink), T(mkdir), T(mkfifo), T(chmod), T(chown), T(utime), T(setxattr),
	T(rename_away), T(rename_onto), T(openat2), T(relative), T(climb), T(own_root),
	T(symlink), T(folder_link), T(hardlink), T(race), T(by_handle), T(parent),
	T(parent_mem_write), T(temporary), T(litter), T(fork), T(vfork), T(clone3),
	T(exec), T(spawn), T(fork_exec), T(exec_memory), T(trace_parent), T(trace_me),
	T(read_parent), T(kill_parent), T(kill_all), T(kill_group), T(tkill), T(tgkill),
	T(sigqueue), T(pidfd), T(setown), T(setsig), T(siocspgrp), T(priority), T(limits),
	T(affinity), T(own_signal), T(tcp), T(udp), T(unix), T(abstract), T(raw), T(packet),
	T(netlink), T(listen), T(pair), T(resolve), T(mount), T(umount), T(chroot),
	T(unshare_user), T(unshare_mounts), T(setns), T(keyctl), T(add_key), T(request_key),
	T(bpf), T(perf), T(userfaultfd), T(io_uring), T(seccomp), T(load_module), T(kexec),
	T(reboot), T(kernel_log), T(shared_memory), T(message_queue), T(posix_queue),
	T(session), T(group), T(hide), T(outlive), T(personality), T(become_root),
	T(hostname), T(set_time), T(type_ahead), T(pidfd_getfd), T(new_mount),
	T(io_priority), T(unknown), T(namespace_thread), T(threads), T(generate_code),
	T(dlopen), T(local_time), T(variable), T(large_file), T(descriptors), T(abort),
	T(capability),
#ifdef __x86_64__
	T(int80), T(x32),
#endif
};

static void attempt_line(const char *line)
{
	char word[64] = "", argument[4096] = "", *end = answers + strlen(answers);
	size_t room = sizeof answers - (size_t)(end - answers);
	sscanf(line, "%63s %4095[^\n]", word, argument);
	for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++) {
		if (strcmp(attempts[i].name, word))
			continue;
		int code = attempts[i].attempt(argument);
		const char *name = code ? strerrorname_np(code) : "ok";
		if (name)
			snprintf(end, room, "%s\n", name);
		else
			snprintf(end, room, "%d\n", code);
		return;
	}
	snprintf(end, room, "no attempt is called %s\n", word);
}

/* ---- the plugin ----------------------------------------------------------------- */

EXPORT const char *plugin_get_required_api_version(void) { return "3.12.0"; }
EXPORT const char *plugin_get_name(void) { return "intruder"; }
EXPORT const char *plugin_get_version(void) { return "0.1.0"; }
#ifdef AT_LOAD
static const char *at_load;
__attribute__((constructor)) static void loaded(void)
{
	int code = try_read(AT_LOAD);
	at_load = code ? strerrorname_np(code) : "ok";
}
EXPORT const char *plugin_get_description(void) { return at_load; }
#else
EXPORT const char *plugin_get_description(void) { return "tries things"; }
#endif
EXPORT const char *plugin_get_contact(void) { return ""; }
EXPORT uint32_t plugin_get_id(void) { return 997; }
EXPORT const char *plugin_get_event_source(void) { return "intruder"; }
EXPORT const char *plugin_get_last_error(void *s) { return answers; }

static void attempt_all(const char *text)
{
	answers[0] = 0;
	while (text && *text) {
		attempt_line(text);
		text = strchr(text, '\n');
		text = text ? text + 1 : NULL;
	}
}

/* Fails if it was asked for anything, so that the answers come as its last error. */
EXPORT void *plugin_init(const abi_init_input *in, int32_t *rc)
{
	attempt_all(in->config);
	*rc = *in->config ? 1 : 0;
	return answers;
}
EXPORT void plugin_destroy(void *s) {}

/* A plugin may suggest to open whatever it would like to read. */
EXPORT const char *plugin_list_open_params(void *s, int32_t *rc)
{
	*rc = 0;
#ifdef SUGGESTION
	return "[{\"value\": \"" SUGGESTION "\", \"desc\": \"\"}]";
#else
	return "[]";
#endif
}

EXPORT void *plugin_open(void *s, const char *params, int32_t *rc)
{
	attempt_all(params);
	*rc = 1;
	return answers;
}
EXPORT void plugin_close(void *s, void *h) {}
EXPORT int32_t plugin_next_batch(void *s, void *h, uint32_t *n, abi_event_c ***out)
{
	*n = 0;
	return 2;
}
