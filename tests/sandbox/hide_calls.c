/* Run a command on a kernel that seems to lack system calls: NUMBER:ERRNO …, then the
 * command. The word "listen" takes the one place for a listener instead. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ABSENT 999

static long hide(unsigned nr, unsigned action, unsigned flags)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, action),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof code / sizeof *code, code};
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	/* By prctl where that will do: the system call may be hidden already. */
	return flags ? syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program)
	             : prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

int main(int argc, char **argv)
{
	int i = 1;
	for (; i < argc && (strchr(argv[i], ':') || !strcmp(argv[i], "listen")); i++) {
		char *code = strchr(argv[i], ':');
		long rc = code ? hide(atoi(argv[i]), SECCOMP_RET_ERRNO | atoi(code + 1), 0)
		               : hide(ABSENT, SECCOMP_RET_USER_NOTIF,
		                      SECCOMP_FILTER_FLAG_NEW_LISTENER);
		if (rc < 0 || (!code && fcntl((int)rc, F_SETFD, 0)))
			return perror(argv[i]), 125;
	}
	execvp(argv[i], argv + i);
	return perror(argv[i]), 126;
}
