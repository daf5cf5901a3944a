/* What a plugin that parses costs by itself: a source, and one plugin that parses every
 * event and extracts all its fields from it. The values are kept, as in bare_loop.c.
 * Usage: stateful_loop SOURCE PARSER PARAMS NAME; prints the CPU nanoseconds. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "../../workbench/native/src/common/abi.h"

#define FIELDS 7

typedef void *(*init_fn)(const abi_init_input *, int32_t *);

static const uint32_t types[FIELDS] = {9, 8, 8, 8, 8, 20, 25};
static const char *const names[FIELDS] = {
	"session.client", "session.requests", "session.errors", "session.paths",
	"session.total", "session.age", "session.suspect"};

static uint64_t cpu_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int32_t take_table(abi_owner *owner, const abi_table_input *in) { return 0; }

int main(int argc, char **argv)
{
	if (argc < 5)
		return 2;
	void *source = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
	void *parser = dlopen(argv[2], RTLD_NOW | RTLD_LOCAL);
	if (!source || !parser)
		return 2;
	void *(*open_)(void *, const char *, int32_t *) = dlsym(source, "plugin_open");
	int32_t (*next)(void *, void *, uint32_t *, abi_event_c ***) =
		dlsym(source, "plugin_next_batch");
	int32_t (*parse)(void *, const abi_event_input *, const abi_parse_input *) =
		dlsym(parser, "plugin_parse_event");
	int32_t (*extract)(void *, const abi_event_input *, const abi_extract_input *) =
		dlsym(parser, "plugin_extract_fields");
	int32_t rc = 1;
	abi_init_tables_input tables = {.add_table = take_table};
	abi_init_input in = {.config = "{}", .tables = &tables};
	void *s = ((init_fn)dlsym(source, "plugin_init"))(&in, &rc);
	void *p = ((init_fn)dlsym(parser, "plugin_init"))(&in, &rc);
	if (rc)
		return 3;
	void *h = open_(s, argv[3], &rc);
	if (rc)
		return 4;
	abi_field fields[FIELDS] = {0};
	for (uint32_t i = 0; i < FIELDS; i++)
		fields[i] = (abi_field){.field_id = i, .ftype = types[i], .field = names[i],
		                        .arg_index = UINT64_MAX};
	abi_extract_input ex = {.num_fields = FIELDS, .fields = fields};
	abi_parse_input pa = {0};
	uint64_t start = cpu_ns(), events = 0;
	uint8_t *at = NULL, *end = NULL;
	const size_t block = 8 << 20;
	for (int32_t code = 0; code == 0;) {
		uint32_t n = 0;
		abi_event_c **evts = NULL;
		code = next(s, h, &n, &evts);
		for (uint32_t i = 0; i < n; i++) {
			abi_event_input ev = {evts[i], ++events, argv[4]};
			if (end - at < 4096) {
				at = mmap(NULL, block, PROT_READ | PROT_WRITE,
				          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
				end = at + block;
			}
			parse(p, &ev, &pa);
			for (uint32_t k = 0; k < FIELDS; k++)
				fields[k].res_len = 0;
			if (extract(p, &ev, &ex))
				continue;
			for (uint32_t k = 0; k < FIELDS; k++) {
				if (!fields[k].res_len)
					continue;
				if (types[k] == 9) {
					size_t len = strnlen(fields[k].res.str[0], 1024) + 1;
					memcpy(at, fields[k].res.str[0], len);
					at += len;
				} else {
					memcpy(at, fields[k].res.any, types[k] == 25 ? 4 : 8);
					at += 8;
				}
			}
			memcpy(at, &ev.evtnum, 8);
			memcpy(at + 8, &evts[i]->ts, 8);
			at += 16;
		}
	}
	printf("%llu %llu\n", (unsigned long long)(cpu_ns() - start),
	       (unsigned long long)events);
	return 0;
}
