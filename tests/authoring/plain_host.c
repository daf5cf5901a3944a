/* A host without Python: loads a plugin, streams it, prints every field of every event.
 * usage: plain_host LIBRARY CONFIG PARAMS [quiet] */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct { uint8_t *evt; uint64_t num; const char *src; } event_input;
typedef struct {
	void *res; uint64_t res_len; uint32_t field_id; const char *field;
	const char *arg_key; uint64_t arg_index; uint32_t arg_present, ftype, flist;
} extract_field;
typedef struct {
	void *owner; void *last_error; uint32_t n; extract_field *fields; void *rest[6];
} extract_input;
typedef struct {
	const char *config; void *owner; const char *(*last_error)(void *);
	void *tables; void (*log)(void *, const char *, const char *, int32_t);
} init_input;

static void log_line(void *owner, const char *component, const char *text, int32_t sev)
{
	(void)owner;
	fprintf(stderr, "log %d %s: %s\n", sev, component ? component : "-", text);
}

static const char *no_error(void *owner) { (void)owner; return ""; }

#define SYM(type, name, args) type (*name) args = (type (*) args)dlsym(lib, "plugin_" #name)

int main(int argc, char **argv)
{
	if (argc < 4)
		return 2;
	int quiet = argc > 4;
	void *lib = dlopen(argv[1], RTLD_LOCAL | RTLD_NOW);
	if (!lib) {
		fprintf(stderr, "%s\n", dlerror());
		return 1;
	}
	SYM(const char *, get_name, (void));
	SYM(const char *, get_fields, (void));
	SYM(void *, init, (const init_input *, int32_t *));
	SYM(const char *, get_last_error, (void *));
	SYM(void *, open, (void *, const char *, int32_t *));
	SYM(int32_t, next_batch, (void *, void *, uint32_t *, uint8_t ***));
	SYM(int32_t, extract_fields, (void *, const event_input *, const extract_input *));
	SYM(void, close, (void *, void *));
	SYM(void, destroy, (void *));

	init_input in = {argv[2], NULL, no_error, NULL, log_line};
	int32_t rc = 1;
	void *s = init(&in, &rc);
	if (rc) {
		printf("init failed: %s\n", get_last_error(s));
		destroy(s);
		return 1;
	}
	void *h = open(s, argv[3], &rc);
	if (rc) {
		printf("open failed: %s\n", get_last_error(s));
		destroy(s);
		return 1;
	}
	/* Fields as this test's plugin declares them: u64, string, bool, list of u64. */
	extract_field proto[4] = {
		{.field_id = 0, .field = "ticker.value", .ftype = 8},
		{.field_id = 1, .field = "ticker.text", .ftype = 9},
		{.field_id = 2, .field = "ticker.even", .ftype = 25},
		{.field_id = 3, .field = "ticker.digits", .ftype = 8, .flist = 1},
	};
	uint64_t total = 0;
	struct timespec t0, t1;
	clock_gettime(CLOCK_MONOTONIC, &t0);
	for (;;) {
		uint32_t n = 0;
		uint8_t **evts = NULL;
		rc = next_batch(s, h, &n, &evts);
		for (uint32_t i = 0; i < n; i++) {
			extract_field f[4];
			memcpy(f, proto, sizeof(f));
			event_input ev = {evts[i], ++total, "ticker"};
			extract_input ex = {.n = 4, .fields = f};
			if (extract_fields(s, &ev, &ex) != 0) {
				printf("extract failed: %s\n", get_last_error(s));
				continue;
			}
			if (quiet)
				continue;
			printf("%llu %llu %s %u", (unsigned long long)total,
			       (unsigned long long)*(uint64_t *)f[0].res,
			       *(char **)f[1].res, *(uint32_t *)f[2].res);
			for (uint64_t k = 0; k < f[3].res_len; k++)
				printf(" %llu", (unsigned long long)((uint64_t *)f[3].res)[k]);
			printf("\n");
		}
		if (rc != 0 && rc != -1)
			break;
	}
	clock_gettime(CLOCK_MONOTONIC, &t1);
	fprintf(stderr, "rc %d, %llu events of %s, %.0f per second, fields %zu bytes\n", rc,
		(unsigned long long)total, get_name(),
		(double)total / ((double)(t1.tv_sec - t0.tv_sec) + 1e-9 * (double)(t1.tv_nsec - t0.tv_nsec)),
		strlen(get_fields()));
	close(s, h);
	destroy(s);
	return rc == 2 ? 0 : 1;
}
