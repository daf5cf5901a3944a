/*
 * The host, the pump and a plugin that does much on the side, without Python: for the
 * thread and address sanitizers. live_test LIBRARY MODE EVENTS
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common_api.h"
#include "host_api.h"
#include "live_api.h"
#include "pump_api.h"

static void fail(const char *what, const char *why)
{
	printf("%s: %s\n", what, why ? why : "-");
	exit(1);
}

static void capture(wb_host *host, wb_plugin *p, const char *events)
{
	wb_pump *m = wb_pump_new(host, p, "busy", -1, 512, 1 << 24, 1000000, 0,
	                         WB_ASYNC_COLUMNS | WB_DICTIONARIES);
	wb_pump_request(m, p, 0, "busy.parsed", 8, 0, 0, NULL, UINT64_MAX, "", 0);
	if (wb_pump_prepare(m))
		fail("prepare", "");
	if (wb_pump_open(m, events))
		fail("open", wb_plugin_last_error(p));
	if (wb_pump_live_error(m))
		fail("live", wb_pump_live_error(m));
	int why;
	do {
		uint64_t bytes;
		why = wb_pump_run(m, -1, 20000000);
		for (uint8_t *block; (block = wb_pump_take(m, &bytes));)
			wb_block_free(block);
		uint8_t *tables = wb_host_tables(host, 100, &bytes);
		wb_block_free(tables);
	} while (why != WB_RUN_ENDED);
	if (wb_pump_end(m) != WB_END_EOF)
		fail("end", wb_pump_end_message(m));
	wb_pump_close(m);
	wb_async_counts c;
	wb_pump_async_counts(m, &c);
	if (c.given > c.taken || c.taken - c.given > c.left)
		fail("counts", "they do not add up");
	printf("%llu events, %llu async, %llu dropped, %llu late\n",
	       (unsigned long long)wb_pump_events(m), (unsigned long long)c.given,
	       (unsigned long long)c.overflow, (unsigned long long)c.left);
	wb_pump_free(m);
}

int main(int argc, char **argv)
{
	char error[512];
	void *page = calloc(1, wb_shared_page_bytes());
	wb_host *host = wb_host_new(page, -1);
	wb_plugin *p = wb_plugin_open(host, 0, argv[1], argv[1], error, sizeof error);
	if (!p)
		fail("dlopen", error);
	wb_plugin_describe(p, 4, 12, "busy", "busy", 999);
	wb_plugin_scope(p, 0, "busy");
	wb_plugin_scope(p, 1, "busy");
	wb_plugin_async_name(p, "tick");
	wb_plugin_async_name(p, "state");
	wb_plugin_async_source(p, "busy");
	if (wb_plugin_init(p, argv[2], 0))
		fail("init", wb_plugin_last_error(p));
	wb_plugin_ask_types(p);
	capture(host, p, argv[3]);
	capture(host, p, argv[3]);
	uint64_t bytes;
	uint8_t *state = wb_host_dump_state(host, &bytes, error, sizeof error);
	if (!state)
		fail("dump_state", error);
	wb_block_free(state);
	wb_host_free(host);
	free(page);
	if (wb_live_objects())
		fail("objects", "some are still alive");
	puts("ok");
	return 0;
}
