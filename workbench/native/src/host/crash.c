/* Say how we died: signal handlers and an exit hook that write to the shared page, only
 * with calls that are safe inside a signal handler. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#if __has_include(<execinfo.h>)
#include <execinfo.h>
#else /* musl has none: reports come without a backtrace there */
static int backtrace(void **frames, int count) { return 0; }
static void backtrace_symbols_fd(void *const *frames, int count, int fd) {}
#endif
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "host_api.h"
#include "plugin.h"

#define ALT_STACK_BYTES (128u << 10)
#define FRAMES 48

static wb_shared_page *crash_page;
static int crash_text_fd = -1;
static pid_t main_thread;
static volatile int in_crash;

static const int fatal_signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS,
                                    SIGTRAP};

static uint64_t stack_pointer_of(const ucontext_t *context)
{
#if defined(__x86_64__)
	return (uint64_t)context->uc_mcontext.gregs[REG_RSP];
#elif defined(__aarch64__)
	return context->uc_mcontext.sp;
#else
	return 0;
#endif
}

static void on_fatal(int signo, siginfo_t *info, void *context)
{
	/* Several threads may crash at once: the first one reports. */
	if (!__atomic_exchange_n(&in_crash, 1, __ATOMIC_SEQ_CST)) {
		wb_shared_page *b = crash_page;
		b->signal = signo;
		b->signal_code = info->si_code;
		b->fault_address = (uint64_t)(uintptr_t)info->si_addr;
		b->stack_pointer = stack_pointer_of(context);
		bool foreign = (pid_t)syscall(SYS_gettid) != main_thread;
		/* What a call handed out may be what we died of while reading it. */
		b->crash_call = b->call || foreign ? b->call : b->reading;
		b->crash_plugin = b->plugin;
		b->crash_event = b->event_number;
		b->crash_foreign_thread = foreign;
		b->crashed = 1;
		void *frames[FRAMES];
		int n = backtrace(frames, FRAMES);
		if (crash_text_fd >= 0 && n > 0)
			backtrace_symbols_fd(frames, n, crash_text_fd);
	}
	/* The default action, so that the parent sees the signal. */
	signal(signo, SIG_DFL);
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, signo);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	syscall(SYS_tgkill, getpid(), (pid_t)syscall(SYS_gettid), signo);
	_exit(128 + signo);
}

static void on_process_exit(void) { crash_page->exited = 1; }

int wb_crash_install(void *page, int text_fd)
{
	crash_page = page;
	crash_text_fd = text_fd;
	main_thread = (pid_t)syscall(SYS_gettid);
	/* The first backtrace() loads libgcc: not something to do while dying. */
	void *prime[2];
	backtrace(prime, 2);
	stack_t stack = {.ss_size = ALT_STACK_BYTES};
	stack.ss_sp = mmap(NULL, ALT_STACK_BYTES, PROT_READ | PROT_WRITE,
	                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (stack.ss_sp == MAP_FAILED || sigaltstack(&stack, NULL))
		return -1;
	struct sigaction action = {.sa_sigaction = on_fatal,
	                           .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof fatal_signals / sizeof *fatal_signals; i++)
		if (sigaction(fatal_signals[i], &action, NULL))
			return -1;
	/* What a plugin prints goes into a pipe: line by line, not lost in a buffer. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	return atexit(on_process_exit);
}

static void *wait_for_hangup(void *fd)
{
	struct pollfd one = {(int)(intptr_t)fd, 0, 0};
	while (poll(&one, 1, -1) <= 0 || !(one.revents & (POLLHUP | POLLERR | POLLNVAL)))
		continue;
	/* The main thread closes the plugins unless it is stuck in one. */
	sleep(2);
	_exit(1);
}

void wb_end_with_parent(int parent)
{
	/* Children of children stay below us, where the notebook finds them. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	/* Also a stopped process ends with the thread that started it, which lives as long
	 * as the notebook. Whoever lost the race to it has another parent already. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != (pid_t)parent)
		_exit(1);
}

int wb_watch_socket(int fd)
{
	sigset_t all, old;
	pthread_t thread;
	pthread_attr_t attr;
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	int rc = pthread_create(&thread, &attr, wait_for_hangup, (void *)(intptr_t)fd);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	return rc;
}
