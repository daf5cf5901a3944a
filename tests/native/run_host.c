/* The C host without Python: load a plugin of API 3, pump it, check and count. Built with
 * sanitizers by the tests, with -O3 by whoever wants to look at the pump in a profiler.
 * Usage: run_host PLUGIN INIT PARAMS FLAGS MAX_EVENTS [PROGRAM ORDER]
 * PROGRAM: file of a packed program that leaves events out.
 * Prints: end reason, events, rows, bytes of chunks, live objects after closing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common_api.h"
#include "host_api.h"
#include "pump_api.h"
#include "pump/chunk.h"

static int call_number(const char *name)
{
	for (int i = 1; i < wb_call_count(); i++)
		if (!strcmp(wb_call_name(i), name))
			return i;
	return 0;
}

/* The few keys of get_fields that matter, read from our own plugins' tidy JSON. */
static void want_fields(wb_pump *pump, wb_plugin *p, const char *json, int flags)
{
	static const struct {
		const char *name;
		uint32_t code;
	} types[] = {{"uint64", 8}, {"string", 9}, {"reltime", 20}, {"abstime", 21},
	             {"bool", 25}, {"ipaddr", 40}, {"ipnet", 41}};
	uint32_t id = 0;
	for (const char *at = json; (at = strstr(at, "{\"type\": \"")); id++) {
		char type[16] = "", name[64] = "";
		at += 10;
		sscanf(at, "%15[^\"]\", \"name\": \"%63[^\"]", type, name);
		const char *end = strstr(at, "{\"type\": \"");
		const char *list = strstr(at, "\"isList\": true");
		const char *arg = strstr(at, "\"arg\"");
		int is_list = list && (!end || list < end);
		int has_arg = arg && (!end || arg < end);
		uint32_t code = 0;
		for (size_t i = 0; i < sizeof types / sizeof *types; i++)
			if (!strcmp(types[i].name, type))
				code = types[i].code;
		if (!has_arg) {
			wb_pump_request(pump, p, id, name, code, is_list, 0, NULL, UINT64_MAX, "", 0);
			if (flags & 32)
				wb_pump_request(pump, p, id, name, code, is_list, 0, NULL, UINT64_MAX, "",
				                1);
			continue;
		}
		for (uint64_t k = 0; k < 8; k++) {
			char key[8];
			snprintf(key, sizeof key, "%d", (int)k);
			wb_pump_request(pump, p, id, name, code, is_list, 1, key, k, key, 0);
		}
	}
}

/* Filter with the program of a file. */
static int add_filter(wb_pump *pump, const char *name, int order)
{
	FILE *file = fopen(name, "rb");
	if (!file)
		return -1;
	static uint8_t program[1 << 16];
	size_t size = fread(program, 1, sizeof program, file);
	fclose(file);
	return wb_pump_filter(pump, program, size, order);
}

int main(int argc, char **argv)
{
	if (argc < 6)
		return 2;
	void *page = calloc(1, wb_shared_page_bytes());
	wb_host *host = wb_host_new(page, -1);
	char error[512] = "";
	wb_plugin *p = wb_plugin_open(host, 0, argv[1], argv[1], error, sizeof error);
	if (!p) {
		fprintf(stderr, "%s\n", error);
		return 1;
	}
	char *fields = strdup(wb_plugin_text(p, call_number("plugin_get_fields")));
	wb_plugin_describe(p, 4, 12, wb_plugin_text(p, call_number("plugin_get_name")), "x",
	                   wb_plugin_number(p, call_number("plugin_get_id")));
	wb_plugin_scope(p, 0, NULL);
	if (wb_plugin_init(p, argv[2], 0)) {
		const char *said = wb_plugin_last_error(p);
		printf("init refused: %s\n", said ? said : "");
		wb_host_free(host);
		free(fields);
		free(page);
		printf("live %lld\n", (long long)wb_live_objects());
		return 0;
	}
	wb_plugin_ask_types(p);
	int flags = atoi(argv[4]);
	wb_pump *pump = wb_pump_new(host, p, "x", -1, 32768, 16 << 20, 20000000,
	                            strtoull(argv[5], NULL, 10), flags & 31);
	want_fields(pump, p, fields, flags);
	if (argc > 7 && add_filter(pump, argv[6], atoi(argv[7])))
		return 4;
	if (wb_pump_prepare(pump))
		return 3;
	uint64_t rows = 0, bytes = 0;
	if (!wb_pump_open(pump, argv[3])) {
		int why;
		do {
			why = wb_pump_run(pump, -1, 1000000000);
			uint64_t size;
			for (uint8_t *chunk; (chunk = wb_pump_take(pump, &size));) {
				rows += ((wb_chunk_head *)chunk)->rows;
				bytes += size;
				wb_block_free(chunk);
			}
		} while (why != WB_RUN_ENDED);
	}
	uint32_t hundredths;
	const char *text;
	wb_pump_progress(pump, &hundredths, &text);
	printf("end %d, events %llu, rows %llu, bytes %llu\n", wb_pump_end(pump),
	       (unsigned long long)wb_pump_events(pump), (unsigned long long)rows,
	       (unsigned long long)bytes);
	uint64_t used;
	double ns;
	for (int i = 0, order, staged; !wb_pump_way(pump, (uint32_t)i, &order, &staged, &used, &ns); i++)
		printf("way %d%s: %llu events, %.1f ns each\n", order, staged ? " staged" : "",
		       (unsigned long long)used, ns);
	wb_metric_copy metrics[8];
	wb_plugin_metrics(p, metrics, 8);
	wb_plugin_set_config(p, "{}");
	wb_pump_free(pump);
	wb_host_free(host);
	free(fields);
	free(page);
	printf("live %lld\n", (long long)wb_live_objects());
	return wb_live_objects() != 0;
}
