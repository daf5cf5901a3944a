/* What the guard says of calls, for calls made up at random: bounded, printable text,
 * whatever numbers, pointers and paths a plugin hands over. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sandbox/facts.h"
#include "sandbox/sandbox.h"

#define ROOM 4032
#define REGION (3 * 4096)

static uint64_t seed = 88172645463325252u;
static uint64_t random_number(void)
{
	seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
	return seed;
}

/* A path somewhere in a region whose end is not mapped; some have no end. */
static uint64_t random_path(char *region)
{
	static const char *const begins[] = {
		"/", "/etc/shadow", "/proc/self/", "/proc/thread-self/", "..", ".", "",
		"/usr/../", "//", "/proc/self/fd/0", "/proc/self/root/", "a/b/c", "/dev/",
	};
	size_t at = random_number() % REGION, length = random_number() % 5000;
	if (random_number() % 4 == 0)
		return random_number() % 2 ? random_number() : (uint64_t)(uintptr_t)region + REGION - 1;
	const char *begin = begins[random_number() % (sizeof begins / sizeof *begins)];
	for (size_t i = at; i < REGION && i < at + length; i++) {
		size_t k = i - at;
		int c = k < strlen(begin) ? begin[k] : (int)(random_number() % 255 + 1);
		region[i] = (char)(random_number() % 9 ? c : '/');
	}
	if (at + length < REGION)
		region[at + length] = 0;
	return (uint64_t)(uintptr_t)(region + at);
}

int main(int argc, char **argv)
{
	unsigned rounds = argc > 1 ? (unsigned)atoi(argv[1]) : 100000, told = 0;
	char *region = mmap(NULL, REGION + 4096, PROT_READ | PROT_WRITE,
	                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mprotect(region + REGION, 4096, PROT_NONE);
	wb_guard guard = {-1, getpid(), 7, NULL, "/usr/lib\n/proc/1\n", "/own\n/dev/null\n"};
	char *text = malloc(ROOM);
	for (unsigned i = 0; i < rounds; i++) {
		sc_request request = {.id = i, .pid = (uint32_t)getpid()};
		int known = (int)(random_number() % wb_call_texts_count);
		request.data.nr = random_number() % 4 ? wb_call_texts[known].nr
		                                      : (int)(random_number() % 500);
		for (int k = 0; k < 6; k++)
			request.data.args[k] = random_number() % 3 ? random_path(region)
			                                            : random_number();
		if (random_number() % 2)
			request.data.args[0] = (uint64_t)(int64_t)AT_FDCWD;
		memset(text, 1, ROOM);
		if (!wb_guard_describe(&guard, &request, text, ROOM))
			continue;
		told++;
		size_t n = strnlen(text, ROOM);
		if (n >= ROOM)
			return printf("no end: call %d\n", request.data.nr), 1;
		for (size_t k = 0; k < n; k++)
			if ((unsigned char)text[k] < 0x20 || text[k] == 0x7f)
				return printf("a control character: call %d\n", request.data.nr), 1;
		if (n < ROOM - 1 && !strstr(text, ": denied by the sandbox"))
			return printf("no verdict: %s\n", text), 1;
	}
	free(text);
	printf("%u of %u told\n", told, rounds);
	return told < rounds / 10;
}
