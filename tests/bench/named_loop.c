/* What a rule engine cannot beat: load a plugin of API 3, pump, and extract only the named
 * fields, looking at each text once and keeping nothing.
 * Usage: named_loop PLUGIN PARAMS ID:TYPE…; prints the CPU nanoseconds and the events. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../workbench/native/src/common/abi.h"

#define MOST_FIELDS 64

static uint64_t cpu_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint64_t look_at(const abi_field *f)
{
	if (!f->res_len)
		return 0;
	return f->ftype == ABI_STRING ? (uint64_t)strcmp(f->res.str[0], "nobody") : f->res.u64[0];
}

int main(int argc, char **argv)
{
	void *lib = argc > 3 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
	if (!lib)
		return 2;
	void *(*init)(const abi_init_input *, int32_t *) = dlsym(lib, "plugin_init");
	void *(*open_)(void *, const char *, int32_t *) = dlsym(lib, "plugin_open");
	int32_t (*next)(void *, void *, uint32_t *, abi_event_c ***) =
		dlsym(lib, "plugin_next_batch");
	int32_t (*extract)(void *, const abi_event_input *, const abi_extract_input *) =
		dlsym(lib, "plugin_extract_fields");
	int32_t rc = 1;
	void *s = init(&(abi_init_input){.config = ""}, &rc);
	void *h = open_(s, argv[2], &rc);
	abi_field fields[MOST_FIELDS] = {0};
	uint32_t n_fields = (uint32_t)argc - 3;
	for (uint32_t i = 0; i < n_fields; i++) {
		fields[i] = (abi_field){.field = "", .arg_index = UINT64_MAX};
		sscanf(argv[i + 3], "%u:%u", &fields[i].field_id, &fields[i].ftype);
	}
	abi_extract_input ex = {.num_fields = n_fields, .fields = fields};
	uint64_t start = cpu_ns(), events = 0, seen = 0;
	for (int32_t code = 0; code == 0;) {
		uint32_t n = 0;
		abi_event_c **evts = NULL;
		code = next(s, h, &n, &evts);
		for (uint32_t i = 0; i < n; i++) {
			abi_event_input ev = {evts[i], ++events, "light"};
			for (uint32_t k = 0; k < n_fields; k++)
				fields[k].res_len = 0;
			if (!extract(s, &ev, &ex))
				for (uint32_t k = 0; k < n_fields; k++)
					seen += look_at(&fields[k]);
		}
	}
	printf("%llu %llu %llu\n", (unsigned long long)(cpu_ns() - start),
	       (unsigned long long)events, (unsigned long long)seen);
	return 0;
}
