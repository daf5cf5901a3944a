/* The first process of a virtual machine: binds a child as the workbench binds a worker,
 * lets it try what /attempts lists, and prints each answer and what the guard told. */
#define _GNU_SOURCE
#include <sys/mount.h>
#include <sys/reboot.h>

#include "intruder.c"
#include "sandbox/facts.h"
#include "sandbox_api.h"

/* The guard names the plugin call in flight; here is none. */
const char *wb_call_name(int call) { return ""; }

static void must(const char *what, int code)
{
	if (code < 0) {
		printf("FAILED %s: %s\n", what, strerror(-code));
		fflush(stdout);
		sleep(1);
		_exit(1);
	}
}

static void bind_child(int log_fd)
{
	int version = wb_landlock_version();
	printf("landlock %d, seccomp %d\n", version, wb_seccomp_check());
	must("capabilities", wb_drop_capabilities());
	int rules = wb_landlock_new(0);
	must("rules", rules);
	char own[64];
	snprintf(own, sizeof own, "/proc/%d", getpid());
	must("/proc/self", wb_landlock_allow(rules, own, 0));
	must("/lib", wb_landlock_allow(rules, "/lib", 0));
	must("/dev/null", wb_landlock_allow(rules, "/dev/null", 1));
	must("/dev/urandom", wb_landlock_allow(rules, "/dev/urandom", 1));
	must("/own", wb_landlock_allow(rules, "/own", 2));
	must("enforce", wb_landlock_enforce(rules));
	close(rules);
	char readable[128];
	snprintf(readable, sizeof readable, "%s\n/lib\n", own);
	static char board[1 << 20];
	must("guard", wb_guard_start(log_fd, board, readable, "/own\n/dev/null\n/dev/urandom\n"));
	must("filter", wb_filter_enforce(0, version, 1));
}

static void try_all(FILE *lines)
{
	char line[4096];
	while (fgets(line, sizeof line, lines)) {
		line[strcspn(line, "\n")] = 0;
		answers[0] = 0;
		attempt_line(line);
		answers[strcspn(answers, "\n")] = 0;
		printf("ANSWER\t%s\t%s\n", line, answers);
		fflush(stdout);
	}
}

static void show_told(int log_fd)
{
	struct { uint32_t plugin; int32_t severity; uint64_t time; uint32_t a, b; char text[8192]; } line;
	ssize_t n;
	while ((n = recv(log_fd, &line, sizeof line, MSG_DONTWAIT)) > 24)
		printf("TOLD\t%.*s\n", (int)line.b, line.text + line.a);
}

int main(void)
{
	mount("proc", "/proc", "proc", 0, NULL);
	mount("dev", "/dev", "devtmpfs", 0, NULL);
	setenv("TMPDIR", "/own", 1);
	int ends[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends))
		return 1;
	FILE *lines = fopen("/attempts", "r");
	fflush(stdout);
	pid_t child = fork();
	if (!child) {
		setsid();
		bind_child(ends[1]);
		try_all(lines);
		_exit(0);
	}
	int status;
	while (waitpid(child, &status, WNOHANG) == 0) {
		show_told(ends[0]);
		usleep(1000);
	}
	show_told(ends[0]);
	/* The guard ends with the last process that it guards. */
	int guards = 0;
	while (waitpid(-1, NULL, 0) > 0)
		guards++;
	printf("DONE\t%d\t%d\n", status, guards);
	fflush(stdout);
	sync();
	reboot(RB_POWER_OFF);
	return 0;
}
