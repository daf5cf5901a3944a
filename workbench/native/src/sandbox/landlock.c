/* Landlock: which files this process may open, and that it may not use TCP. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "facts.h"
#include "sandbox_api.h"

/* The first version that knows of … */
enum { WITH_REFER = 2, WITH_TRUNCATE = 3, WITH_NETWORK = 4, WITH_IOCTL = 5, WITH_SCOPES = 6 };

int wb_landlock_version(void)
{
	long version = syscall(LL_CREATE_RULESET, NULL, 0, LL_ASK_VERSION);
	return version < 0 ? -errno : (int)version;
}

static uint64_t known_rights(int version)
{
	uint64_t rights = LL_ALL_OF_1;
	if (version >= WITH_REFER)
		rights |= LL_REFER;
	if (version >= WITH_TRUNCATE)
		rights |= LL_TRUNCATE;
	if (version >= WITH_IOCTL)
		rights |= LL_IOCTL_DEV;
	return rights;
}

int wb_landlock_new(int network)
{
	int version = wb_landlock_version();
	if (version < 0)
		return version;
	ll_ruleset rules = {.fs = known_rights(version)};
	size_t bytes = offsetof(ll_ruleset, net);
	if (version >= WITH_NETWORK) {
		bytes = offsetof(ll_ruleset, scoped);
		if (!network)
			rules.net = LL_NET_BIND_TCP | LL_NET_CONNECT_TCP;
	}
	if (version >= WITH_SCOPES) {
		bytes = sizeof rules;
		rules.scoped = LL_SCOPE_ABSTRACT_UNIX | LL_SCOPE_SIGNAL;
	}
	long fd = syscall(LL_CREATE_RULESET, &rules, bytes, 0);
	return fd < 0 ? -errno : (int)fd;
}

int wb_landlock_allow(int rules, const char *path, int writable)
{
	static const uint64_t wanted[] = {
		LL_READ_FILE | LL_READ_DIR,
		LL_READ_FILE | LL_WRITE_FILE | LL_TRUNCATE | LL_IOCTL_DEV,
		LL_READ_FILE | LL_READ_DIR | LL_WRITE_FILE | LL_REMOVE_DIR |
			LL_REMOVE_FILE | LL_MAKE_DIR | LL_MAKE_REG | LL_MAKE_FIFO |
			LL_MAKE_SYM | LL_REFER | LL_TRUNCATE,
	};
	if (writable < 0 || writable > 2)
		return -EINVAL;
	int fd = open(path, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	struct stat facts;
	int rc = fstat(fd, &facts) ? -errno : 0;
	ll_path rule = {known_rights(wb_landlock_version()) & wanted[writable], fd};
	/* Rights over folders mean nothing for a file, and are refused there. */
	if (!S_ISDIR(facts.st_mode))
		rule.allowed &= LL_READ_FILE | LL_WRITE_FILE | LL_TRUNCATE | LL_IOCTL_DEV;
	if (!rc && syscall(LL_ADD_RULE, rules, LL_PATH_BENEATH, &rule, 0))
		rc = -errno;
	close(fd);
	return rc;
}

int wb_landlock_enforce(int rules)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	return syscall(LL_RESTRICT_SELF, rules, 0) ? -errno : 0;
}
