/*
 * The guard: hears of every call that the filter denies or Landlock may, says what was
 * denied, and answers.
 *
 * A process of its own, so that the plugin cannot reach it; under the same Landlock
 * rules, and with few system calls. It decides nothing: a call that the filter denies
 * fails whatever the guard says, and a call that Landlock judges goes on to Landlock.
 * Should the guard be gone, those calls fail as unknown to the kernel.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <linux/filter.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "facts.h"
#include "host/plugin.h"
#include "host_api.h"
#include "sandbox.h"
#include "sandbox_api.h"

#define TEXT_MAX 4096
/* What is told again is told once a second; and no more than so many lines a second. */
#define REMEMBERED 64
#define AGAIN_NS 1000000000ull
#define LINES_PER_SEC 200
#define WARNING 4

static int guard_end = -1; /* our end of the pipe to the guard */

/* ---- telling -------------------------------------------------------------------- */

static bool is_news(const char *text, uint64_t now)
{
	static struct {
		uint64_t hash, when;
	} told[REMEMBERED];
	static unsigned next, lines;
	static uint64_t second;
	uint64_t hash = 1469598103934665603ull;
	for (const char *c = text; *c; c++)
		hash = (hash ^ (unsigned char)*c) * 1099511628211ull;
	for (unsigned i = 0; i < REMEMBERED; i++)
		if (told[i].hash == hash && now - told[i].when < AGAIN_NS)
			return false;
	if (now / AGAIN_NS != second) {
		second = now / AGAIN_NS;
		lines = 0;
	}
	if (lines++ >= LINES_PER_SEC)
		return false;
	told[next].hash = hash;
	told[next].when = now;
	next = (next + 1) % REMEMBERED;
	return true;
}

static void tell(const wb_guard *guard, const sc_request *request)
{
	static char text[TEXT_MAX];
	if (!wb_guard_describe(guard, request, text, TEXT_MAX - 64))
		return;
	const char *call = wb_call_name((int)guard->page->call);
	if (*call)
		snprintf(text + strlen(text), 64, " (in %s)", call);
	if (is_news(text, wb_mono_ns()))
		wb_log_send(guard->log_fd, guard->page->plugin, WARNING, "sandbox", text);
}

/* ---- answering ------------------------------------------------------------------ */

static void answer(const wb_guard *guard, int listener, const sc_request *request)
{
	sc_answer reply = {.id = request->id};
	if (wb_guard_watches(guard, request->data.nr))
		reply.flags = SC_CONTINUE;
	else
		reply.error = request->data.nr == __NR_socket ? -EACCES : -EPERM;
	tell(guard, request);
	/* It fails when the call was interrupted or its thread has ended. */
	syscall(SYS_ioctl, listener, SC_SEND, &reply);
}

static void serve(const wb_guard *guard, int listener)
{
	static sc_request request;
	for (;;) {
		struct pollfd one = {listener, POLLIN, 0};
		if (syscall(SYS_ppoll, &one, 1, NULL, NULL, 0) < 0 && errno != EINTR)
			return;
		if (one.revents & POLLIN) {
			memset(&request, 0, sizeof request);
			if (!syscall(SYS_ioctl, listener, SC_RECEIVE, &request))
				answer(guard, listener, &request);
			else if (errno != EINTR && errno != ENOENT)
				return;
		} else if (one.revents) {
			return; /* nobody is left that could call */
		}
	}
}

/* ---- starting ------------------------------------------------------------------- */

static int receive_listener(int from)
{
	char byte;
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} extra;
	struct iovec part = {&byte, 1};
	struct msghdr message = {.msg_iov = &part,
	                         .msg_iovlen = 1,
	                         .msg_control = &extra,
	                         .msg_controllen = sizeof extra};
	if (syscall(SYS_recvmsg, from, &message, 0) != 1)
		return -1;
	struct cmsghdr *head = CMSG_FIRSTHDR(&message);
	if (!head || head->cmsg_type != SCM_RIGHTS)
		return -1;
	int fd;
	memcpy(&fd, CMSG_DATA(head), sizeof fd);
	return fd;
}

/* Leave the guard with the calls that it makes. */
static int bind_guard(void)
{
	static const int calls[] = {
		__NR_ppoll, __NR_ioctl, __NR_recvmsg, __NR_sendmsg, __NR_process_vm_readv,
		__NR_openat, __NR_readlinkat, __NR_close,
		__NR_clock_gettime, __NR_exit_group,
	};
	enum { COUNT = sizeof calls / sizeof *calls };
	struct sock_filter code[2 * COUNT + 6];
	unsigned n = 0;
	code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
	                                         offsetof(sc_data, arch));
	code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SC_ARCH, 1, 0);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SC_KILL_PROCESS);
	code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
	                                         offsetof(sc_data, nr));
	for (unsigned i = 0; i < COUNT; i++) {
		code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
		                                         (uint32_t)calls[i], 0, 1);
		code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SC_ALLOW);
	}
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SC_KILL_PROCESS);
	struct sock_fprog filter = {(unsigned short)n, code};
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	return syscall(SYS_seccomp, SC_SET_FILTER, SC_SPEC_ALLOW, &filter) ? -errno : 0;
}

/* Keep two descriptors, close all others. */
static void close_others(int a, int b)
{
	unsigned low = (unsigned)(a < b ? a : b), high = (unsigned)(a < b ? b : a);
	if (low)
		syscall(__NR_close_range, 0, low - 1, 0);
	if (high > low + 1)
		syscall(__NR_close_range, low + 1, high - 1, 0);
	syscall(__NR_close_range, high + 1, ~0u, 0);
}

static void run(wb_guard *guard, int from)
{
	close_others(guard->log_fd, from);
	prctl(PR_SET_NAME, "workbench-guard", 0, 0, 0);
	int listener = bind_guard() ? -1 : receive_listener(from);
	if (listener >= 0) {
		syscall(SYS_close, from);
		/* Linux 6.6: the caller and the guard take turns on one processor. */
		syscall(SYS_ioctl, listener, SC_SET_FLAGS, SC_SYNC_WAKE_UP);
		serve(guard, listener);
	}
	syscall(SYS_exit_group, 0);
}

int wb_guard_start(int log_fd, void *page, const char *readable, const char *writable)
{
	int ends[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return -errno;
	wb_guard guard = {log_fd,           (int)getpid(), wb_landlock_version(),
	                  (wb_shared_page *)page, readable,      writable};
	sigset_t all, before;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	/* A child of our parent: its end is not ours to wait for, and no plugin sees it. */
	long pid = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
	if (!pid)
		run(&guard, ends[1]);
	int rc = pid < 0 ? -errno : (int)pid;
	sigprocmask(SIG_SETMASK, &before, NULL);
	close(ends[1]);
	if (pid < 0)
		close(ends[0]);
	else
		guard_end = ends[0];
	/* Where only descendants may be looked at, say that the guard may. */
	if (pid > 0)
		prctl(PR_SET_PTRACER, pid, 0, 0, 0);
	return rc;
}

void wb_guard_dismiss(void)
{
	if (guard_end >= 0)
		close(guard_end);
	guard_end = -1;
}

int wb_guard_give(int listener)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} extra;
	char byte = 0;
	struct iovec part = {&byte, 1};
	struct msghdr message = {.msg_iov = &part,
	                         .msg_iovlen = 1,
	                         .msg_control = &extra,
	                         .msg_controllen = sizeof extra};
	memset(&extra, 0, sizeof extra);
	extra.head.cmsg_level = SOL_SOCKET;
	extra.head.cmsg_type = SCM_RIGHTS;
	extra.head.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&extra.head), &listener, sizeof listener);
	int rc = sendmsg(guard_end, &message, MSG_NOSIGNAL) == 1 ? 0 : -errno;
	close(listener);
	wb_guard_dismiss();
	return rc;
}
