/* A plugin that attacks the notebook through everything that its worker shares with it.
 * The fault is named by -DFAULT and strikes in the constructor (-DCONSTRUCTOR), in init
 * (init config "init") or in next_batch before event 3. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "../../../workbench/native/src/common/abi.h"

#define EXPORT __attribute__((visibility("default")))

static int control = -1, data = -1;
static char target[256]; /* a file to write a process id to */
static char *huge;

static void find_descriptors(void)
{
	char line[8192];
	int fd = open("/proc/self/cmdline", O_RDONLY);
	ssize_t n = read(fd, line, sizeof line - 1);
	close(fd);
	int found = 0;
	for (ssize_t at = 0; at < n && found < 2; at += (ssize_t)strlen(line + at) + 1) {
		char *end;
		long value = strtol(line + at, &end, 10);
		if (*end || end == line + at)
			continue;
		if (found++)
			data = (int)value;
		else
			control = (int)value;
	}
}

typedef struct packet {
	uint32_t magic, kind;
	uint64_t seq, rows, bytes, cost;
} packet;

static void send_with(int sock, const void *bytes, size_t size, int fd)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} extra = {{0}};
	struct iovec part = {(void *)bytes, size};
	struct msghdr msg = {.msg_iov = &part, .msg_iovlen = 1};
	if (fd >= 0) {
		msg.msg_control = &extra;
		msg.msg_controllen = sizeof extra;
		struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof fd);
		memcpy(CMSG_DATA(c), &fd, sizeof fd);
	}
	sendmsg(sock, &msg, MSG_NOSIGNAL);
}

static void say(const char *text) { send_with(control, text, strlen(text), -1); }

/* Answer whatever may have been asked, before the worker does. */
static void answer(const char *rest)
{
	char text[4096];
	for (int seq = 1; seq < 6; seq++) {
		snprintf(text, sizeof text, "{\"seq\": %d, %s}", seq, rest);
		say(text);
	}
}

static void each_memfd(void (*act)(int fd))
{
	for (int fd = 3; fd < 256; fd++) {
		char path[64], link[256];
		snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
		ssize_t n = readlink(path, link, sizeof link - 1);
		if (n > 0 && !strncmp(link, "/memfd:workbench", 16))
			act(fd);
	}
}

static void cut(int fd) { (void)!ftruncate(fd, 0); }

static void overwrite(int fd, int byte)
{
	static char block[65536];
	memset(block, byte, sizeof block);
	for (off_t at = 0; at < (off_t)8 * (off_t)sizeof block; at += (off_t)sizeof block) {
		struct stat facts;
		fstat(fd, &facts);
		size_t n = sizeof block;
		if (at + (off_t)n > facts.st_size)
			n = at < facts.st_size ? (size_t)(facts.st_size - at) : 0;
		(void)!pwrite(fd, block, n, at);
	}
}
static void zero(int fd) { overwrite(fd, 0); }
static void fill(int fd) { overwrite(fd, 0xff); }

static void *shared_page(void)
{
	char line[512];
	FILE *maps = fopen("/proc/self/maps", "r");
	void *found = NULL;
	while (fgets(line, sizeof line, maps))
		if (strstr(line, "/memfd:workbench-page"))
			found = (void *)strtoul(line, NULL, 16);
	fclose(maps);
	return found;
}

static void *later(void *act)
{
	usleep(100000);
	((void (*)(void))act)();
	return NULL;
}

static void in_a_thread(void (*act)(void))
{
	pthread_t thread;
	pthread_create(&thread, NULL, later, (void *)act);
}

static void stop_all(void) { kill(getpid(), SIGSTOP); }
static void sleep_for_ever(int signo)
{
	(void)signo;
	for (;;)
		pause();
}
static void strike_between_calls(void)
{
	/* The handler runs wherever the main thread is: mostly in the worker's own code. */
	kill(getpid(), SIGUSR1);
}
static int shrinking = -1;
static void shrink(void)
{
	for (int i = 0; i < 200; i++) {
		(void)!ftruncate(shrinking, 0);
		(void)!ftruncate(shrinking, 4 << 20);
		usleep(1000);
	}
}

static void note_pid(void)
{
	char text[32];
	int fd = open(target, O_WRONLY | O_CREAT | O_APPEND, 0600);
	int n = snprintf(text, sizeof text, "%d\n", (int)getpid());
	(void)!write(fd, text, (size_t)n);
	close(fd);
}

static void lasting_child(int daemon)
{
	pid_t child = fork();
	if (child) {
		usleep(300000);
		return;
	}
	if (daemon) {
		setsid();
		if (fork())
			_exit(0);
	}
	note_pid();
	sleep(600);
	_exit(0);
}

static void hold_parent(void)
{
	prctl(PR_SET_PTRACER, -1L);
	if (fork()) {
		usleep(300000);
		return;
	}
	setsid();
	note_pid();
	ptrace(PTRACE_SEIZE, getppid(), NULL, (void *)(long)PTRACE_O_TRACEEXIT);
	sleep(600);
	_exit(0);
}

static void hog(size_t bytes)
{
	volatile char *memory = malloc(bytes);
	for (size_t at = 0; at < bytes; at += 4096)
		memory[at] = 1;
	sleep(600);
}

static void strike(const char *fault)
{
	packet p = {0x4b434257u, 1, 1, 1, 4 << 20, 0};
	find_descriptors();
#define IS(name) (!strcmp(fault, name))
	if (IS("control_garbage")) say("\xff\xfenonsense");
	if (IS("control_empty")) send_with(control, "", 0, -1);
	if (IS("control_list")) say("[1, 2]");
	if (IS("control_deep")) {
		char *deep = malloc(50000);
		memset(deep, '[', 50000);
		send_with(control, deep, 50000, -1);
	}
	if (IS("control_number")) say("{\"seq\": 99999, \"ok\": null}");
	if (IS("control_no_number")) say("{\"ok\": null}");
	if (IS("reply_wrong_type")) answer("\"ok\": 17");
	if (IS("reply_nothing")) answer("\"nothing\": 1");
	if (IS("reply_error")) answer("\"error\": {\"kind\": 5}");
	if (IS("reply_facts")) answer("\"error\": {\"kind\": \"PluginFailure\", \"message\": \"m\", \"facts\": 3}");
	if (IS("reply_long")) {
		char *text = malloc(60000);
		memset(text, 'x', 60000);
		memcpy(text, "{\"seq\": 2, \"error\": {\"kind\": \"", 30);
		memcpy(text + 59990, "\"}}", 4);
		say(text);
	}
	if (IS("reply_body")) {
		int fd = memfd_create("body", 0);
		(void)!ftruncate(fd, (off_t)1 << 40);
		send_with(control, "@", 1, fd);
	}
	if (IS("reply_pipe")) {
		int ends[2];
		(void)!pipe(ends);
		send_with(control, "@", 1, ends[0]);
	}
	if (IS("data_garbage")) send_with(data, "garbage", 7, -1);
	if (IS("data_empty")) send_with(data, "", 0, -1);
	if (IS("data_kind")) { p.kind = 77; send_with(data, &p, sizeof p, -1); }
	if (IS("data_no_fd")) send_with(data, &p, sizeof p, -1);
	if (IS("data_end")) {
		char text[200];
		p.kind = 2;
		memcpy(text, &p, sizeof p);
		strcpy(text + sizeof p, "{\"end\": [], \"error\": 4}");
		send_with(data, text, sizeof p + strlen(text + sizeof p), -1);
	}
	if (IS("end_ways") || IS("end_seen")) {
		/* Ways of filtering that there are not; fewer events than there were. */
		char text[200];
		p.kind = 2;
		p.rows = IS("end_ways") ? 1u << 30 : 1;
		memcpy(text, &p, sizeof p);
		strcpy(text + sizeof p, IS("end_seen")
		       ? "{\"end\": \"eof\", \"error\": null}"
		       : "{\"end\": \"eof\", \"error\": null, \"ways\": [{\"order\": 9, "
		         "\"staged\": true, \"events\": 1, \"ns\": 1.0}]}");
		send_with(data, text, sizeof p + strlen(text + sizeof p), -1);
	}
	if (IS("data_shutdown")) shutdown(data, SHUT_WR);
	if (IS("data_close")) { shutdown(data, SHUT_RDWR); close(data); }
	if (IS("data_flood"))
		for (int i = 0; i < 5000; i++)
			send_with(data, &p, sizeof p, -1);
	if (IS("chunk_pipe")) {
		int ends[2];
		(void)!pipe(ends);
		send_with(data, &p, sizeof p, ends[0]);
	}
	if (IS("chunk_file")) send_with(data, &p, sizeof p, open("/proc/self/exe", O_RDONLY));
	if (IS("chunk_zero") || IS("chunk_shrinks")) {
		shrinking = memfd_create("chunk", MFD_ALLOW_SEALING);
		(void)!ftruncate(shrinking, 4 << 20);
		if (IS("chunk_shrinks")) in_a_thread(shrink);
		send_with(data, &p, sizeof p, shrinking);
	}
	if (IS("chunk_huge")) {
		int fd = memfd_create("chunk", MFD_ALLOW_SEALING);
		(void)!ftruncate(fd, (off_t)1 << 42);
		fcntl(fd, F_ADD_SEALS, 15);
		p.bytes = (uint64_t)1 << 42;
		send_with(data, &p, sizeof p, fd);
	}
	if (IS("cut")) each_memfd(cut);
	if (IS("zero")) each_memfd(zero);
	if (IS("fill")) each_memfd(fill);
	if (IS("zero_page") && shared_page()) memset(shared_page(), 0, 100000);
	if (IS("fill_page") && shared_page()) memset(shared_page(), 0xff, 100000);
	if (IS("fill_and_die") && shared_page()) { each_memfd(fill); abort(); }
	if (IS("cut_and_die")) { each_memfd(cut); abort(); }
	if (IS("stop")) stop_all();
	if (IS("stop_later")) in_a_thread(stop_all);
	if (IS("stuck_later")) { signal(SIGUSR1, sleep_for_ever); in_a_thread(strike_between_calls); }
	if (IS("child")) lasting_child(0);
	if (IS("daemon")) lasting_child(1);
	if (IS("daemon_and_die")) { lasting_child(1); abort(); }
	if (IS("traced")) hold_parent();
	if (IS("memfd_hog")) {
		static char block[1 << 20];
		memset(block, 1, sizeof block);
		for (int i = 0; i < 400; i++) {
			int fd = i % 100 ? shrinking : (shrinking = memfd_create("hog", 0));
			(void)!write(fd, block, sizeof block);
		}
		sleep(600);
	}
	if (IS("child_hog")) {
		if (!fork())
			hog(400u << 20);
		sleep(600);
	}
}

#ifdef CONSTRUCTOR
__attribute__((constructor)) static void on_load(void) { strike(CONSTRUCTOR); }
#endif

typedef struct state {
	char fault[64];
	unsigned left;
	uint64_t value;
	abi_plugin_event event;
	abi_event_c *list[1];
} state;

EXPORT const char *plugin_get_required_api_version(void) { return "3.12.0"; }
EXPORT const char *plugin_get_name(void) { return "hostile"; }
EXPORT const char *plugin_get_version(void) { return "1.0.0"; }
EXPORT const char *plugin_get_description(void) { return "attacks its host"; }
EXPORT const char *plugin_get_contact(void) { return "nobody"; }
EXPORT uint32_t plugin_get_id(void) { return 999; }
EXPORT const char *plugin_get_event_source(void) { return "hostile"; }
EXPORT const char *plugin_get_last_error(state *s)
{
	(void)s;
	return huge ? huge : "no error";
}

/* "FAULT" or "FAULT:FILE" */
static void remember(state *s, const char *text)
{
	const char *colon = strchr(text, ':');
	size_t n = colon ? (size_t)(colon - text) : strlen(text);
	snprintf(s->fault, sizeof s->fault, "%.*s", (int)n, text);
	if (colon)
		snprintf(target, sizeof target, "%s", colon + 1);
}

EXPORT state *plugin_init(const abi_init_input *in, int32_t *rc)
{
	state *s = calloc(1, sizeof *s);
	*rc = 0;
	if (*in->config) {
		remember(s, in->config);
		strike(s->fault);
		s->fault[0] = 0;
	}
	return s;
}

EXPORT void plugin_destroy(state *s) { free(s); }

EXPORT void *plugin_open(state *s, const char *params, int32_t *rc)
{
	remember(s, params);
	s->left = 20000;
	*rc = 0;
	return s;
}

EXPORT void plugin_close(state *s, void *h) { (void)s; (void)h; }

EXPORT int32_t plugin_next_batch(state *s, void *h, uint32_t *n, abi_event_c ***out)
{
	(void)h;
	*n = 0;
	*out = s->list;
	if (!s->left)
		return 2;
	if (--s->left == 10000 && s->fault[0]) {
		if (!strcmp(s->fault, "last_error")) {
			huge = malloc((1 << 20) + 1);
			memset(huge, 'e', 1 << 20);
			huge[1 << 20] = 0;
			return 1;
		}
		usleep(100000); /* what came before is on its way */
		strike(s->fault);
	}
	if (s->left < 10000 && strstr(s->fault, "later"))
		usleep(100); /* the stream is still running then */
	s->event.header = (abi_event_c){1700000000000000000u, (uint64_t)-1, 38, 322, 2};
	s->event.id_len = 4;
	s->event.plugin_id = 999;
	s->list[0] = (abi_event_c *)&s->event;
	*n = 1;
	return 0;
}

EXPORT const char *plugin_get_fields(void)
{
	return "[{\"type\": \"uint64\", \"name\": \"hostile.number\", \"desc\": \"a number\"}]";
}

EXPORT int32_t plugin_extract_fields(state *s, const abi_event_input *ev,
                                     const abi_extract_input *in)
{
	s->value = ev->evtnum;
	for (uint32_t k = 0; k < in->num_fields; k++) {
		in->fields[k].res_len = 1;
		in->fields[k].res.u64 = &s->value;
	}
	return 0;
}
