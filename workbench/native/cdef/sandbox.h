/* Sandbox: what a process that runs a stranger's plugin gives up for ever. Each function
 * gives 0 or more when it did its work, else the negative errno; only the calling thread
 * is bound, so they are called before there is another. */

/* The version of Landlock here. */
int wb_landlock_version(void);
/* Whether filters of system calls, with answers from another process, work here. */
int wb_seccomp_check(void);

/* A set of rules that forbids whatever is not allowed below. network: leave TCP alone. */
int wb_landlock_new(int network);
/* Allow a file, or all beneath a folder, to be read (writable = 0), a device that holds
 * nothing to be used (1), or a folder to be written in every way (2). */
int wb_landlock_allow(int rules, const char *path, int writable);
int wb_landlock_enforce(int rules);

/* Keep no capability but that of reading what its rules allow. */
int wb_drop_capabilities(void);

/* Start the guard: a process that sees what is denied here, tells it through log_fd as
 * log lines, and ends with this process; a child of this process's parent. Lines of
 * `readable` and of `writable`: canonical paths, each followed by a line feed.
 * Gives its process ID. */
int wb_guard_start(int log_fd, void *page, const char *readable, const char *writable);
/* Filter system calls. network: allow Internet sockets. landlock: its version here.
 * guarded: hand what is denied to the guard. */
int wb_filter_enforce(int network, int landlock, int guarded);
