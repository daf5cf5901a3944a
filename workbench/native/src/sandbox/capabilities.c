/* Capabilities: what root may do beyond others; a plugin gets next to nothing of it. */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "facts.h"
#include "sandbox_api.h"

#define VERSION_3 0x20080522u
/* Reading files whatever their mode says: Landlock says which. */
#define DAC_READ_SEARCH (1u << 2)

typedef struct set_head {
	uint32_t version;
	int32_t pid;
} set_head;

typedef struct set_word {
	uint32_t effective;
	uint32_t permitted;
	uint32_t inheritable;
} set_word;

int wb_drop_capabilities(void)
{
	set_head head = {VERSION_3, 0};
	set_word words[2];
	memset(words, 0, sizeof words);
	if (syscall(SYS_capget, &head, words))
		return -errno;
	words[0].permitted &= DAC_READ_SEARCH;
	words[0].effective &= DAC_READ_SEARCH;
	words[0].inheritable = 0;
	words[1] = (set_word){0, 0, 0};
	/* Kernels without ambient capabilities have none to give up. */
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	return syscall(SYS_capset, &head, words) ? -errno : 0;
}
