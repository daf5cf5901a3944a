/* What the guard says of a call: which paths it names, and whether they are allowed. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "facts.h"
#include "sandbox.h"

#define PAGE 4096u
/* /proc/<pid>/fd/<n>/ before a path of the plugin's. */
#define VIEW_MAX (PATH_MAX + 64)

/* Copy a text out of the guarded process; false when there is none. */
static bool read_text(const wb_guard *guard, uint64_t from, char *text)
{
	size_t done = 0;
	while (from && done < PATH_MAX) {
		size_t part = PAGE - (from + done) % PAGE;
		if (part > PATH_MAX - done)
			part = PATH_MAX - done;
		struct iovec here = {text + done, part};
		struct iovec there = {(void *)(uintptr_t)(from + done), part};
		ssize_t n = process_vm_readv(guard->pid, &here, 1, &there, 1, 0);
		if (n <= 0)
			break;
		if (memchr(text + done, 0, (size_t)n))
			return true;
		done += (size_t)n;
	}
	text[0] = 0;
	return false;
}

/* Give `path` as the guarded thread would find it, seen from here. */
static void see(const wb_guard *guard, uint32_t tid, int folder, const char *path,
                char *view)
{
	char before[64] = "";
	if (!strncmp(path, "/proc/self/", 11)) {
		snprintf(before, sizeof before, "/proc/%d/", guard->pid);
		path += 11;
	} else if (!strncmp(path, "/proc/thread-self/", 18)) {
		snprintf(before, sizeof before, "/proc/%u/", tid);
		path += 18;
	} else if (path[0] != '/' && folder == AT_FDCWD) {
		snprintf(before, sizeof before, "/proc/%u/cwd/", tid);
	} else if (path[0] != '/') {
		snprintf(before, sizeof before, "/proc/%u/fd/%d/", tid, folder);
	}
	snprintf(view, VIEW_MAX, "%s%.*s", before, PATH_MAX - 1, path);
}

/* Put the name that the kernel has for the file `view` into `name`: 0 or errno. */
static int canonical(const char *view, int flags, char *name)
{
	int fd = (int)syscall(SYS_openat, AT_FDCWD, view, O_PATH | O_CLOEXEC | flags);
	if (fd < 0)
		return errno;
	char link[32];
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	long n = syscall(SYS_readlinkat, AT_FDCWD, link, name, PATH_MAX - 1);
	int rc = n < 0 ? errno : 0;
	name[n < 0 ? 0 : n] = 0;
	syscall(SYS_close, fd);
	return rc;
}

/* The same for a name in a folder, whether there is such a file or not. */
static int canonical_place(char *view, char *name)
{
	char *last = strrchr(view, '/');
	while (last && last > view && !last[1]) {
		*last = 0;
		last = strrchr(view, '/');
	}
	if (!last)
		return ENOENT;
	char kept = last[1];
	last[1] = 0;
	int rc = canonical(view, 0, name);
	last[1] = kept;
	size_t n = strlen(name);
	if (!rc)
		snprintf(name + n, PATH_MAX - n, "%s%s", n > 1 ? "/" : "", last + 1);
	return rc;
}

/* Whether `name` is one of `paths` or lies beneath one. */
static bool beneath(const char *name, const char *paths)
{
	for (const char *end; (end = strchr(paths, '\n')); paths = end + 1) {
		size_t n = (size_t)(end - paths);
		if (strncmp(name, paths, n))
			continue;
		if (!name[n] || name[n] == '/' || (n && paths[n - 1] == '/'))
			return true;
	}
	return false;
}

/* Whether a name is none of a file system's: pipes, sockets, memory. */
static bool is_nameless(const char *name)
{
	return name[0] != '/' || !strncmp(name, "/memfd:", 7);
}

typedef struct shown {
	char path[PATH_MAX];
	char name[PATH_MAX];
} shown;

/* Append, without what would change a terminal or forge a line. */
static void append(char *text, unsigned room, const char *format, ...)
{
	size_t n = strlen(text);
	va_list args;
	va_start(args, format);
	vsnprintf(text + n, room - n, format, args);
	va_end(args);
	for (char *c = text + n; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
}

static void append_path(char *text, unsigned room, const shown *path)
{
	append(text, room, " %.1500s", path->path);
	if (path->name[0] && strcmp(path->name, path->path))
		append(text, room, " (%.1500s)", path->name);
}

/* Whether Landlock refuses an open; `writes` says whether it would have written. */
static bool open_refused(const wb_guard *guard, const char *view_of, uint64_t flags,
                         char *name, bool *writes)
{
	char view[VIEW_MAX];
	snprintf(view, sizeof view, "%s", view_of);
	if (flags & O_PATH)
		return false;
	*writes = (flags & O_ACCMODE) != O_RDONLY || flags & O_TRUNC ||
	          (flags & O_TMPFILE) == O_TMPFILE;
	int missing = canonical(view, flags & O_NOFOLLOW ? O_NOFOLLOW : 0, name);
	if (missing == ENOENT && flags & O_CREAT) {
		*writes = true;
		if (canonical_place(view, name))
			return false;
		return !beneath(name, guard->writable);
	}
	/* Where this user may not even look, the path has to do. */
	if (missing == EACCES && view[0] == '/')
		return !beneath(view, guard->writable) && !beneath(view, guard->readable);
	if (missing || is_nameless(name) || beneath(name, guard->writable))
		return false;
	return *writes || !beneath(name, guard->readable);
}

static uint64_t open_flags(const wb_guard *guard, const sc_data *call)
{
	uint64_t flags = 0;
	if (call->nr == __NR_openat2) {
		struct iovec here = {&flags, sizeof flags};
		struct iovec there = {(void *)(uintptr_t)call->args[2], sizeof flags};
		if (process_vm_readv(guard->pid, &here, 1, &there, 1, 0) < 0)
			return O_PATH; /* nothing to say: the kernel refuses it as well */
		return flags;
	}
#ifdef __NR_creat
	if (call->nr == __NR_creat)
		return O_CREAT | O_WRONLY | O_TRUNC;
	if (call->nr == __NR_open)
		return call->args[1] & 0xffffffffu;
#endif
	return call->args[2] & 0xffffffffu;
}

static bool path_refused(const wb_guard *guard, const sc_request *request,
                         const wb_call_words *words, int folder, int path, char *text,
                         unsigned room)
{
	static shown shown;
	static char view[VIEW_MAX];
	const sc_data *call = &request->data;
	bool writes = false, refused;
	shown.name[0] = 0;
	if (!read_text(guard, call->args[path], shown.path))
		return false;
	see(guard, request->pid, folder < 0 ? AT_FDCWD : (int)call->args[folder],
	    shown.path, view);
	if (!strcmp(words->name, "open"))
		refused = open_refused(guard, view, open_flags(guard, call), shown.name,
		                       &writes);
	else
		refused = !canonical_place(view, shown.name) &&
		          !beneath(shown.name, guard->writable);
	if (!refused)
		return false;
	append_path(text, room, &shown);
	if (writes)
		append(text, room, " for writing");
	return true;
}

static const char *family_name(uint64_t family)
{
	switch ((int)family) {
	case AF_UNIX:
		return "AF_UNIX";
	case AF_INET:
		return "AF_INET";
	case AF_INET6:
		return "AF_INET6";
	case AF_NETLINK:
		return "AF_NETLINK";
	default:
		return NULL;
	}
}

/* What a call that is denied whatever it names was about. */
static void append_details(const wb_guard *guard, const sc_request *request,
                           const wb_call_words *words, char *text, unsigned room)
{
	static shown shown;
	const sc_data *call = &request->data;
	shown.name[0] = 0;
	if (words && words->path >= 0 &&
	    read_text(guard, call->args[(int)words->path], shown.path)) {
		append_path(text, room, &shown);
		return;
	}
	const char *family;
	switch (call->nr) {
	case __NR_kill:
	case __NR_rt_sigqueueinfo:
		append(text, room, " process %d with signal %d", (int)call->args[0],
		       (int)call->args[1]);
		break;
	case __NR_tgkill:
	case __NR_rt_tgsigqueueinfo:
		append(text, room, " process %d with signal %d", (int)call->args[0],
		       (int)call->args[2]);
		break;
	case __NR_socket:
	case __NR_socketpair:
		family = family_name(call->args[0]);
		if (family)
			append(text, room, " %s", family);
		else
			append(text, room, " family %d", (int)call->args[0]);
		break;
	case __NR_ioctl:
	case __NR_fcntl:
		append(text, room, " %#x", (unsigned)call->args[1]);
		break;
	case __NR_prctl:
		append(text, room, " %d", (int)call->args[0]);
		break;
	}
}

bool wb_guard_watches(const wb_guard *guard, int nr)
{
	wb_rule rule = wb_rule_of(nr);
	return rule == WB_WATCH || (rule == WB_RULE_TRUNCATE && guard->landlock >= 3);
}

bool wb_guard_describe(const wb_guard *guard, const struct sc_request *request, char *text,
                       unsigned room)
{
	int nr = request->data.nr;
	const wb_call_words *words = wb_words_of(nr);
	text[0] = 0;
	if (!words)
		append(text, room, "system call %d", nr);
	else
		append(text, room, "%s", words->name);
	if (!wb_guard_watches(guard, nr)) {
		append_details(guard, request, words, text, room);
	} else {
		bool refused = words->path >= 0 &&
		               path_refused(guard, request, words, words->folder,
		                            words->path, text, room);
		if (!refused && words->path2 >= 0)
			refused = path_refused(guard, request, words, words->folder2,
			                       words->path2, text, room);
		if (!refused)
			return false;
	}
	append(text, room, ": denied by the sandbox");
	return true;
}
