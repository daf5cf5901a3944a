/* The seccomp filter: the table of rules as a program for the kernel. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <sched.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "facts.h"
#include "sandbox.h"
#include "sandbox_api.h"

#define MOST_INSTRUCTIONS 2048
#define ARG(n) (offsetof(sc_data, args) + 8u * (n))
#define COUNT(list) (sizeof(list) / sizeof *(list))

typedef struct program {
	struct sock_filter code[MOST_INSTRUCTIONS];
	unsigned length;
	uint32_t deny;	/* what is done about a denied call */
	uint32_t watch; /* … and about one that Landlock judges */
	uint32_t pid;
	int network;
	int landlock;
} program;

static void put(program *p, uint16_t code, uint32_t k, uint8_t yes, uint8_t no)
{
	if (p->length < MOST_INSTRUCTIONS)
		p->code[p->length] = (struct sock_filter){code, yes, no, k};
	p->length++;
}

/* Load an argument's lower half: what is looked at here the kernel takes as an int. */
static void load(program *p, unsigned at)
{
	put(p, BPF_LD | BPF_W | BPF_ABS, at, 0, 0);
}

static void give(program *p, uint32_t action) { put(p, BPF_RET | BPF_K, action, 0, 0); }

/* If what was loaded is `value`: `action`. */
static void on(program *p, uint32_t value, uint32_t action)
{
	put(p, BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
	give(p, action);
}

/* If what was loaded has one of `bits`: `action`. */
static void on_bits(program *p, uint32_t bits, uint32_t action)
{
	put(p, BPF_JMP | BPF_JSET | BPF_K, bits, 0, 1);
	give(p, action);
}

/* Allow the listed values of argument `n`, deny others. */
static void among(program *p, unsigned n, const uint32_t *values, size_t count)
{
	load(p, ARG(n));
	for (size_t i = 0; i < count; i++)
		on(p, values[i], SC_ALLOW);
	give(p, p->deny);
}

static void put_clone(program *p)
{
	/* Threads only, and none that a debugger gets or that has another's parent. */
	load(p, ARG(0));
	on_bits(p, CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
	               CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_PTRACE |
	               CLONE_PARENT, p->deny);
	on_bits(p, CLONE_THREAD, SC_ALLOW);
	give(p, p->deny);
}

static void put_fcntl(program *p)
{
	/* Not among them: making the kernel send signals to others, leases. */
	static const uint32_t commands[] = {
		F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_GETLK, F_SETLK, F_SETLKW,
		F_GETOWN, F_GETSIG, F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW,
		F_DUPFD_CLOEXEC, F_SETPIPE_SZ, F_GETPIPE_SZ, F_ADD_SEALS, F_GET_SEALS,
	};
	among(p, 1, commands, COUNT(commands));
}

static void put_ioctl(program *p)
{
	/* Terminals: asking; sockets and pipes: how much waits; flags of descriptors. */
	static const uint32_t always[] = {
		0x5401 /* TCGETS */, 0x802c542a /* TCGETS2 */, 0x5413 /* TIOCGWINSZ */,
		0x540f /* TIOCGPGRP */, 0x541b /* FIONREAD */, 0x5411 /* TIOCOUTQ */,
		0x5421 /* FIONBIO */, 0x5450 /* FIONCLEX */, 0x5451 /* FIOCLEX */,
	};
	/* With the network: asking what the interfaces are. */
	static const uint32_t interfaces[] = {
		0x8910 /* SIOCGIFNAME */, 0x8912 /* SIOCGIFCONF */,
		0x8913 /* SIOCGIFFLAGS */, 0x8915 /* SIOCGIFADDR */,
		0x8919 /* SIOCGIFBRDADDR */, 0x891b /* SIOCGIFNETMASK */,
		0x8921 /* SIOCGIFMTU */, 0x8927 /* SIOCGIFHWADDR */,
		0x8933 /* SIOCGIFINDEX */, 0x8905 /* SIOCATMARK */,
	};
	load(p, ARG(1));
	for (size_t i = 0; i < COUNT(always); i++)
		on(p, always[i], SC_ALLOW);
	for (size_t i = 0; p->network && i < COUNT(interfaces); i++)
		on(p, interfaces[i], SC_ALLOW);
	give(p, p->deny);
}

static void put_prctl(program *p)
{
	/* Not among them: PR_SET_DUMPABLE and PR_SET_PDEATHSIG, by which a plugin would
	 * hide from the guard or outlive the notebook. */
	static const uint32_t options[] = {
		PR_SET_NAME, PR_GET_NAME, PR_GET_DUMPABLE, PR_GET_PDEATHSIG,
		PR_CAPBSET_READ, PR_GET_NO_NEW_PRIVS, PR_SET_NO_NEW_PRIVS,
		PR_GET_SECCOMP, PR_GET_KEEPCAPS, PR_GET_SECUREBITS, PR_SET_TIMERSLACK,
		PR_GET_TIMERSLACK, PR_SET_THP_DISABLE, PR_GET_THP_DISABLE,
		0x53564d41 /* PR_SET_VMA: names for memory */,
	};
	among(p, 0, options, COUNT(options));
}

static void put_socket(program *p)
{
	if (p->network) {
		load(p, ARG(0));
		on(p, AF_INET, SC_ALLOW);
		on(p, AF_INET6, SC_ALLOW);
		/* Routes and addresses, for resolvers; not the kernel's other ears. */
		put(p, BPF_JMP | BPF_JEQ | BPF_K, AF_NETLINK, 0, 3);
		load(p, ARG(2));
		on(p, 0, SC_ALLOW);
	}
	give(p, p->deny == SC_NOTIFY ? SC_NOTIFY : SC_ERRNO | EACCES);
}

static void put_socketpair(program *p)
{
	/* Of datagram sockets one could send to any other's address. */
	load(p, ARG(0));
	put(p, BPF_JMP | BPF_JEQ | BPF_K, AF_UNIX, 1, 0);
	give(p, p->deny);
	load(p, ARG(1));
	put(p, BPF_ALU | BPF_AND | BPF_K, 0xf, 0, 0);
	on(p, SOCK_STREAM, SC_ALLOW);
	on(p, SOCK_SEQPACKET, SC_ALLOW);
	give(p, p->deny);
}

/* Watch an open; where Landlock does not know of truncating, see to that as well. */
static void put_open(program *p, int nr)
{
	int flags = nr == __NR_openat ? 2 : 1;
	if (p->landlock < 3 && nr == __NR_openat2)
		give(p, SC_ERRNO | ENOSYS); /* its flags are out of a filter's sight */
	if (p->landlock < 3) {
		load(p, ARG(flags));
		put(p, BPF_JMP | BPF_JSET | BPF_K, O_TRUNC, 0, 2);
		put(p, BPF_JMP | BPF_JSET | BPF_K, O_WRONLY | O_RDWR, 1, 0);
		give(p, SC_ERRNO | EACCES);
	}
	give(p, p->watch);
}

static bool opens(int nr)
{
#ifdef __NR_open
	if (nr == __NR_open)
		return true;
#endif
	return nr == __NR_openat || nr == __NR_openat2;
}

static void put_rule(program *p, const wb_call_rule *call)
{
	switch (call->rule) {
	case WB_ALLOW:
		give(p, SC_ALLOW);
		break;
	case WB_WATCH:
		if (opens(call->nr))
			put_open(p, call->nr);
		else
			give(p, p->watch);
		break;
	case WB_RULE_CLONE:
		put_clone(p);
		break;
	case WB_RULE_OWN_PROCESS:
		among(p, 0, (uint32_t[]){p->pid}, 1);
		break;
	case WB_RULE_OWN_OR_ZERO:
		among(p, 0, (uint32_t[]){p->pid, 0}, 2);
		break;
	case WB_RULE_PRIORITY:
		load(p, ARG(0));
		put(p, BPF_JMP | BPF_JEQ | BPF_K, 0 /* PRIO_PROCESS */, 1, 0);
		give(p, p->deny);
		among(p, 1, (uint32_t[]){p->pid, 0}, 2);
		break;
	case WB_RULE_FCNTL:
		put_fcntl(p);
		break;
	case WB_RULE_IOCTL:
		put_ioctl(p);
		break;
	case WB_RULE_PRCTL:
		put_prctl(p);
		break;
	case WB_RULE_PERSONALITY:
		among(p, 0, (uint32_t[]){0xffffffffu /* only ask */}, 1);
		break;
	case WB_RULE_SOCKET:
		put_socket(p);
		break;
	case WB_RULE_SOCKETPAIR:
		put_socketpair(p);
		break;
	case WB_RULE_NETWORK:
		give(p, p->network ? SC_ALLOW : p->deny);
		break;
	case WB_RULE_TRUNCATE:
		give(p, p->landlock >= 3 ? p->watch : p->deny);
		break;
	case WB_RULE_ABSENT:
		give(p, SC_ERRNO | ENOSYS);
		break;
	case WB_DENY:
		give(p, p->deny);
		break;
	}
}

/* What follows holds for the call `nr` only, and ends with a verdict. */
static void put_call(program *p, const wb_call_rule *call)
{
	unsigned head = p->length;
	put(p, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call->nr, 0, 0);
	put_rule(p, call);
	if (p->length <= MOST_INSTRUCTIONS)
		p->code[head].jf = (uint8_t)(p->length - head - 1);
}

static void put_all(program *p)
{
	load(p, offsetof(sc_data, arch));
	put(p, BPF_JMP | BPF_JEQ | BPF_K, SC_ARCH, 1, 0);
	give(p, SC_KILL_PROCESS);
	load(p, offsetof(sc_data, nr));
#ifdef SC_FOREIGN_FROM
	put(p, BPF_JMP | BPF_JGE | BPF_K, SC_FOREIGN_FROM, 0, 1);
	give(p, SC_KILL_PROCESS);
#endif
	for (unsigned i = 0; i < wb_call_rules_count; i++)
		put_call(p, &wb_call_rules[i]);
	/* Libraries try new calls first and take the old ones where there are none. */
	for (unsigned i = 0; i < wb_call_texts_count; i++)
		if (wb_call_texts[i].nr >= SC_COMMON_FROM)
			on(p, (uint32_t)wb_call_texts[i].nr, p->deny);
	put(p, BPF_JMP | BPF_JGE | BPF_K, SC_COMMON_FROM, 0, 1);
	give(p, SC_ERRNO | ENOSYS);
	give(p, p->deny);
}

int wb_seccomp_check(void)
{
	static const uint32_t actions[] = {SC_KILL_PROCESS, SC_ERRNO, SC_NOTIFY};
	if (!SC_ARCH)
		return -ENOEXEC;
	for (size_t i = 0; i < COUNT(actions); i++)
		if (syscall(SYS_seccomp, SC_ACTION_AVAILABLE, 0, &actions[i]))
			return -errno;
	return 0;
}

static long install(const program *p, unsigned flags)
{
	struct sock_fprog filter = {(unsigned short)p->length,
	                            (struct sock_filter *)p->code};
	return syscall(SYS_seccomp, SC_SET_FILTER, flags, &filter);
}

int wb_filter_enforce(int network, int landlock, int guarded)
{
	static program p;
	memset(&p, 0, sizeof p);
	p.network = network;
	p.landlock = landlock;
	p.pid = (uint32_t)getpid();
	p.deny = guarded ? SC_NOTIFY : SC_ERRNO | EPERM;
	p.watch = guarded ? SC_NOTIFY : SC_ALLOW;
	put_all(&p);
	if (p.length > MOST_INSTRUCTIONS)
		return -E2BIG;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	/* The mitigations that kernels before 5.16 add to filtered processes guard secrets
	 * inside one process; ours has none, and they would cost a tenth of the speed. */
	if (!guarded)
		wb_guard_dismiss();
	if (!guarded)
		return install(&p, SC_SPEC_ALLOW) < 0 ? -errno : 0;
	long fd = install(&p, SC_SPEC_ALLOW | SC_NEW_LISTENER | SC_WAIT_KILLABLE);
	if (fd < 0 && errno == EINVAL)
		fd = install(&p, SC_SPEC_ALLOW | SC_NEW_LISTENER);
	if (fd < 0)
		return -errno;
	return wb_guard_give((int)fd);
}
