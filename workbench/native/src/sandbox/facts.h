/* What the kernel calls things: numbers and layouts of Landlock and seccomp, here because
 * the headers of a build machine may be older than the kernel that we run on. */
#ifndef WB_SANDBOX_FACTS_H
#define WB_SANDBOX_FACTS_H

#include <stdint.h>
#include <sys/syscall.h>

/* ---- Landlock ------------------------------------------------------------------- */

#define LL_CREATE_RULESET 444
#define LL_ADD_RULE 445
#define LL_RESTRICT_SELF 446

#define LL_ASK_VERSION 1u
#define LL_PATH_BENEATH 1

/* Rights over files; each version of Landlock knows those up to its last one. */
#define LL_EXECUTE (1ull << 0)
#define LL_WRITE_FILE (1ull << 1)
#define LL_READ_FILE (1ull << 2)
#define LL_READ_DIR (1ull << 3)
#define LL_REMOVE_DIR (1ull << 4)
#define LL_REMOVE_FILE (1ull << 5)
#define LL_MAKE_DIR (1ull << 7)
#define LL_MAKE_REG (1ull << 8)
#define LL_MAKE_FIFO (1ull << 10)
#define LL_MAKE_SYM (1ull << 12)
#define LL_REFER (1ull << 13)
#define LL_TRUNCATE (1ull << 14)
#define LL_IOCTL_DEV (1ull << 15)
#define LL_ALL_OF_1 ((1ull << 13) - 1)

#define LL_NET_BIND_TCP (1ull << 0)
#define LL_NET_CONNECT_TCP (1ull << 1)
#define LL_SCOPE_ABSTRACT_UNIX (1ull << 0)
#define LL_SCOPE_SIGNAL (1ull << 1)

typedef struct ll_ruleset {
	uint64_t fs;
	uint64_t net;
	uint64_t scoped;
} ll_ruleset;

typedef struct ll_path {
	uint64_t allowed;
	int32_t fd;
} __attribute__((packed)) ll_path;

/* ---- seccomp -------------------------------------------------------------------- */

#define SC_SET_FILTER 1u
#define SC_ACTION_AVAILABLE 2u
#define SC_NOTIFY_SIZES 3u

#define SC_SPEC_ALLOW (1u << 2)
#define SC_NEW_LISTENER (1u << 3)
#define SC_WAIT_KILLABLE (1u << 5)

#define SC_KILL_PROCESS 0x80000000u
#define SC_ERRNO 0x00050000u
#define SC_NOTIFY 0x7fc00000u
#define SC_ALLOW 0x7fff0000u

#define SC_CONTINUE 1u

typedef struct sc_data {
	int32_t nr;
	uint32_t arch;
	uint64_t instruction_pointer;
	uint64_t args[6];
} sc_data;

typedef struct sc_request {
	uint64_t id;
	uint32_t pid;
	uint32_t flags;
	sc_data data;
} sc_request;

typedef struct sc_answer {
	uint64_t id;
	int64_t value;
	int32_t error;
	uint32_t flags;
} sc_answer;

#define SC_RECEIVE 0xc0502100u
#define SC_SEND 0xc0182101u
#define SC_SET_FLAGS 0x40082104u
#define SC_SYNC_WAKE_UP 1u

_Static_assert(sizeof(sc_request) == 80, "the size is part of SC_RECEIVE");
_Static_assert(sizeof(sc_answer) == 24, "the size is part of SC_SEND");

#if defined(__x86_64__)
#define SC_ARCH 0xc000003eu
/* The x32 ABI has the same architecture and numbers from here on. */
#define SC_FOREIGN_FROM 0x40000000u
#elif defined(__aarch64__)
#define SC_ARCH 0xc00000b7u
#else
#define SC_ARCH 0u /* none that the table of rules was made for: no filter */
#endif

/* From this number on every architecture has the same system calls. */
#define SC_COMMON_FROM 424

#ifndef __NR_close_range
#define __NR_close_range 436
#endif
#ifndef __NR_openat2
#define __NR_openat2 437
#endif

#endif
