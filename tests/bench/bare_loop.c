/* What nobody can beat: load a plugin of API 3, pump and extract all fields, keep the
 * same bytes in fresh memory (strings with their lengths, numbers, addresses, lists).
 * Usage: bare_loop PLUGIN PARAMS; prints the CPU nanoseconds of the loop. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "../../workbench/native/src/common/abi.h"

#ifdef GO_JSON
#define FIELDS 4
static const uint32_t types[FIELDS] = {8, 9, 9, 8};
#define LIST_FIELD FIELDS
#else
#define FIELDS 8
static const uint32_t types[FIELDS] = {8, 8, 9, 9, 9, 40, 9, 25};
#define LIST_FIELD 6
#endif

static uint64_t cpu_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

int main(int argc, char **argv)
{
	void *lib = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
	if (!lib || argc < 3)
		return 2;
	void *(*init)(const abi_init_input *, int32_t *) = dlsym(lib, "plugin_init");
	void *(*open_)(void *, const char *, int32_t *) = dlsym(lib, "plugin_open");
	int32_t (*next)(void *, void *, uint32_t *, abi_event_c ***) =
		dlsym(lib, "plugin_next_batch");
	int32_t (*extract)(void *, const abi_event_input *, const abi_extract_input *) =
		dlsym(lib, "plugin_extract_fields");
	int32_t rc = 1;
	abi_init_input in = {.config = ""};
	void *s = init(&in, &rc);
	void *h = open_(s, argv[2], &rc);
	abi_field fields[FIELDS] = {0};
	for (uint32_t i = 0; i < FIELDS; i++)
		fields[i] = (abi_field){.field_id = i, .ftype = types[i], .field = "",
		                        .arg_index = UINT64_MAX, .flist = i == LIST_FIELD};
	abi_extract_input ex = {.num_fields = FIELDS, .fields = fields};
	uint64_t start = cpu_ns(), events = 0, bytes = 0;
	uint8_t *at = NULL, *end = NULL;
	const size_t block = 8 << 20;
	for (int32_t code = 0; code == 0;) {
		uint32_t n = 0;
		abi_event_c **evts = NULL;
		code = next(s, h, &n, &evts);
		for (uint32_t i = 0; i < n; i++) {
			abi_event_input ev = {evts[i], ++events, "light"};
			if (end - at < 65536) {
				at = mmap(NULL, block, PROT_READ | PROT_WRITE,
				          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
				end = at + block;
			}
			for (uint32_t k = 0; k < FIELDS; k++)
				fields[k].res_len = 0;
			if (extract(s, &ev, &ex))
				continue;
			uint8_t *first = at;
			memcpy(at, &events, 8);
			memcpy(at + 8, &evts[i]->ts, 8);
			at += 16;
			for (uint32_t k = 0; k < FIELDS; k++) {
				abi_field *f = &fields[k];
				for (uint64_t j = 0; j < f->res_len; j++) {
					if (f->ftype == 9) {
						size_t len = strlen(f->res.str[j]);
						memcpy(at, f->res.str[j], len);
						memcpy(at + len, &len, 4);
						at += len + 4;
					} else if (f->ftype == 40) {
						memcpy(at, f->res.buf[j].ptr, f->res.buf[j].len);
						memcpy(at + 16, &f->res.buf[j].len, 4);
						at += f->res.buf[j].len + 4;
					} else if (f->ftype == 25) {
						*at++ = f->res.boolean[j] != 0;
					} else {
						memcpy(at, &f->res.u64[j], 8);
						at += 8;
					}
				}
			}
			bytes += (uint64_t)(at - first);
		}
	}
	printf("%llu %llu %llu\n", (unsigned long long)(cpu_ns() - start),
	       (unsigned long long)events, (unsigned long long)bytes);
	return 0;
}
