/*
 * A source that does on the side whatever its init config names: async events right and
 * wrong, floods from many threads, routines, capture listening, misuse of tables. What
 * came of it is told through metrics and the log.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "falco_plugin.h"

enum { THREADS = 4, EVENTS = 50 };

static struct {
	char mode[64];
	char error[512];
	ss_plugin_owner_t *owner;
	ss_plugin_log_fn_t log;
	ss_plugin_async_event_handler_t handler;
	const char *(*owner_error)(ss_plugin_owner_t *);
	ss_plugin_table_t *threads;
	ss_plugin_table_field_t *comm, *added;
	ss_plugin_table_reader_vtable_ext *reader;
	ss_plugin_table_writer_vtable_ext *writer;
	pthread_t pool[THREADS];
	int started;
	_Atomic int go_on;
	_Atomic unsigned long sent, refused, runs, parsed, parsed_async, closed;
	_Atomic int running;
	ss_plugin_routine_t *routine;
	char words[1024];
} g;

static int mode(const char *name) { return !strcmp(g.mode, name); }

static void say(const char *text)
{
	if (g.log)
		g.log(g.owner, NULL, text, SS_PLUGIN_LOG_SEV_INFO);
}

static void nap(long us)
{
	struct timespec t = {0, us * 1000};
	nanosleep(&t, NULL);
}

/* ---- async events ---- */

static size_t make_event(char *out, const char *name, const char *data, uint64_t ts)
{
	uint32_t name_len = (uint32_t)strlen(name) + 1, data_len = (uint32_t)strlen(data);
	uint32_t total = 42 + name_len + data_len, rest[5] = {3, 4, name_len, data_len, 77};
	uint16_t type = FALCO_ASYNC_EVENT_TYPE;
	uint64_t tid = UINT64_MAX;
	memcpy(out, &ts, 8);
	memcpy(out + 8, &tid, 8);
	memcpy(out + 16, &total, 4);
	memcpy(out + 20, &type, 2);
	memcpy(out + 22, rest, 20);
	memcpy(out + 42, name, name_len);
	memcpy(out + 42 + name_len, data, data_len);
	return total;
}

static void send(char *event)
{
	g.words[0] = 0;
	ss_plugin_rc rc = g.handler(g.owner, (ss_plugin_event *)event, g.words);
	*(rc == SS_PLUGIN_SUCCESS ? &g.sent : &g.refused) += 1;
	if (rc != SS_PLUGIN_SUCCESS)
		say(g.words);
}

static void *flood(void *arg)
{
	char event[256];
	make_event(event, "tick", "from a thread", UINT64_MAX);
	while (g.go_on) {
		if (g.handler(g.owner, (ss_plugin_event *)event, NULL) == SS_PLUGIN_SUCCESS)
			g.sent++;
		else
			g.refused++;
		if (!mode("flood"))
			nap(200);
	}
	return arg;
}

static void send_all_kinds(void)
{
	char event[256];
	uint64_t now = (uint64_t)time(NULL) * 1000000000u;
	uint16_t type = FALCO_PLUGIN_EVENT_TYPE;
	uint32_t big = 1 << 30, few = 2;
	uint64_t tid = 1;
	make_event(event, "tick", "good", UINT64_MAX);
	send(event);
	make_event(event, "tick", "early", 1);
	send(event);
	make_event(event, "unheard", "", UINT64_MAX);
	send(event);
	make_event(event, "tick", "type", UINT64_MAX);
	memcpy(event + 20, &type, 2);
	send(event);
	make_event(event, "tick", "params", UINT64_MAX);
	memcpy(event + 22, &few, 4);
	send(event);
	make_event(event, "tick", "length", UINT64_MAX);
	memcpy(event + 34, &big, 4);
	send(event);
	make_event(event, "tick", "tid", UINT64_MAX);
	memcpy(event + 8, &tid, 8);
	send(event);
	make_event(event, "tick", "future", now + 3600000000000u);
	send(event);
	int here;
	if (g.handler(&here, (ss_plugin_event *)event, g.words) != SS_PLUGIN_SUCCESS)
		say(g.words);
}

ss_plugin_rc plugin_set_async_event_handler(ss_plugin_t *s, ss_plugin_owner_t *owner,
                                            const ss_plugin_async_event_handler_t handler)
{
	char event[256];
	if (handler && mode("refuse-handler")) {
		snprintf(g.error, sizeof g.error, "no thank you");
		return SS_PLUGIN_FAILURE;
	}
	if (handler) {
		g.handler = handler;
		g.owner = owner;
		if (mode("kinds"))
			send_all_kinds();
		g.go_on = 1;
		if (mode("flood") || mode("threads") || mode("stubborn"))
			while (g.started < THREADS &&
			       !pthread_create(&g.pool[g.started], NULL, flood, NULL))
				g.started++;
		return SS_PLUGIN_SUCCESS;
	}
	if (mode("late")) {
		g.closed++;
		return SS_PLUGIN_SUCCESS;
	}
	/* A stubborn plugin's threads go on sending until it is destroyed. */
	if (!mode("stubborn")) {
		g.go_on = 0;
		while (g.started)
			pthread_join(g.pool[--g.started], NULL);
	}
	if (mode("late-sync")) {
		make_event(event, "tick", "late", UINT64_MAX);
		send(event);
	}
	return SS_PLUGIN_SUCCESS;
}

const char *plugin_get_async_events(void) { return "[\"tick\",\"state\"]"; }

ss_plugin_rc plugin_dump_state(ss_plugin_t *s, ss_plugin_owner_t *owner,
                               const ss_plugin_async_event_handler_t handler)
{
	char event[256], words[1024] = "";
	if (mode("dump-fails")) {
		snprintf(g.error, sizeof g.error, "nothing to dump");
		return SS_PLUGIN_FAILURE;
	}
	make_event(event, "state", "of things", UINT64_MAX);
	handler(owner, (ss_plugin_event *)event, NULL);
	make_event(event, "unheard", "", UINT64_MAX);
	if (handler(owner, (ss_plugin_event *)event, words) != SS_PLUGIN_SUCCESS)
		say(words);
	return SS_PLUGIN_SUCCESS;
}

/* ---- capture listening ---- */

static ss_plugin_bool turn(ss_plugin_t *s, ss_plugin_routine_state_t *state)
{
	if (++g.running != 1)
		say("a routine ran twice at once");
	g.runs++;
	nap(100);
	if (mode("routine-hangs"))
		for (;;)
			pause();
	g.running--;
	return !(mode("routine-once") && state);
}

ss_plugin_rc plugin_capture_open(ss_plugin_t *s, const ss_plugin_capture_listen_input *i)
{
	if (mode("refuse-open")) {
		snprintf(g.error, sizeof g.error, "not today");
		return SS_PLUGIN_FAILURE;
	}
	if (!strncmp(g.mode, "routine", 7)) {
		g.routine = i->routine->subscribe(i->owner, turn, &g);
		say(g.routine ? "subscribed" : i->get_owner_last_error(i->owner));
	}
	if (mode("routine-misuse")) {
		int here;
		if (i->routine->unsubscribe(i->owner, &here) != SS_PLUGIN_SUCCESS)
			say(i->get_owner_last_error(i->owner));
		if (!i->routine->subscribe(i->owner, NULL, NULL))
			say(i->get_owner_last_error(i->owner));
		if (!i->routine->subscribe((ss_plugin_owner_t *)&here, turn, NULL))
			say("a stranger may not subscribe");
		if (i->routine->unsubscribe(i->owner, g.routine) == SS_PLUGIN_SUCCESS)
			say("unsubscribed");
		if (i->routine->unsubscribe(i->owner, g.routine) != SS_PLUGIN_SUCCESS)
			say("not twice");
	}
	return SS_PLUGIN_SUCCESS;
}

ss_plugin_rc plugin_capture_close(ss_plugin_t *s,
                                  const ss_plugin_capture_listen_input *i)
{
	if (mode("close-hangs"))
		for (;;)
			pause();
	if (mode("close-crashes"))
		*(volatile int *)0 = 1;
	if (mode("close-fails")) {
		snprintf(g.error, sizeof g.error, "cannot let go");
		return SS_PLUGIN_FAILURE;
	}
	return SS_PLUGIN_SUCCESS;
}

/* ---- parsing and tables ---- */

static void tell_error(const char *what)
{
	char text[1200];
	const char *words = g.owner_error(g.owner);
	snprintf(text, sizeof text, "%s: %s", what, words ? words : "no error");
	say(text);
}

static void misuse(void)
{
	ss_plugin_state_data key = {.s64 = 7}, value = {.str = "name"};
	ss_plugin_table_entry_t *e = g.writer->create_table_entry(g.threads);
	e = g.writer->add_table_entry(g.threads, &key, e);
	if (g.writer->write_entry_field(g.threads, e, g.comm, &value) != SS_PLUGIN_SUCCESS)
		tell_error("write");
	g.reader->release_table_entry(g.threads, e);
	g.reader->release_table_entry(g.threads, e);
	tell_error("double release");
	if (g.reader->read_entry_field(g.threads, e, g.comm, &value) != SS_PLUGIN_SUCCESS)
		tell_error("use after release");
	e = g.reader->get_table_entry(g.threads, &key);
	if (g.reader->read_entry_field(g.threads, e, (void *)e, &value) != SS_PLUGIN_SUCCESS)
		tell_error("foreign field");
	if (g.reader->read_entry_field((void *)&key, e, g.comm, &value) != SS_PLUGIN_SUCCESS)
		tell_error("foreign table");
	g.writer->destroy_table_entry(g.threads, e);
	tell_error("destroy");
	value.u64 = 5;
	if (g.writer->write_entry_field(g.threads, e, g.added, &value) != SS_PLUGIN_SUCCESS)
		tell_error("added field");
	/* Kept until the call ends, and never given back. */
	for (int i = 0; i < 1000; i++)
		g.reader->get_table_entry(g.threads, &key);
}

ss_plugin_rc plugin_parse_event(ss_plugin_t *s, const ss_plugin_event_input *evt,
                                const ss_plugin_event_parse_input *in)
{
	g.parsed++;
	g.parsed_async += evt->evt->type == FALCO_ASYNC_EVENT_TYPE;
	g.reader = in->table_reader_ext;
	g.writer = in->table_writer_ext;
	if (mode("tables") && g.parsed == 1)
		misuse();
	if (mode("parse-crashes") && evt->evtnum == 3)
		*(volatile int *)0 = 1;
	if (mode("parse-hangs") && evt->evtnum == 3)
		for (;;)
			pause();
	return mode("parse-fails") ? SS_PLUGIN_FAILURE : SS_PLUGIN_SUCCESS;
}

uint16_t *plugin_get_parse_event_types(uint32_t *n, ss_plugin_t *s)
{
	static uint16_t types[] = {FALCO_PLUGIN_EVENT_TYPE, FALCO_ASYNC_EVENT_TYPE};
	*n = 2;
	return types;
}

/* ---- the rest ---- */

ss_plugin_t *plugin_init(const ss_plugin_init_input *in, ss_plugin_rc *rc)
{
	memset(&g, 0, sizeof g);
	snprintf(g.mode, sizeof g.mode, "%s", in->config);
	g.owner = in->owner;
	g.log = in->log_fn;
	g.owner_error = in->get_owner_last_error;
	g.threads = in->tables->get_table(in->owner, "threads", SS_PLUGIN_ST_INT64);
	g.comm = in->tables->fields_ext->get_table_field(g.threads, "comm",
	                                                 SS_PLUGIN_ST_STRING);
	g.added = in->tables->fields_ext->add_table_field(g.threads, "busy",
	                                                  SS_PLUGIN_ST_UINT64);
	if (!in->tables->get_table(in->owner, "nothing", SS_PLUGIN_ST_INT64))
		tell_error("get_table");
	*rc = g.comm && g.added ? SS_PLUGIN_SUCCESS : SS_PLUGIN_FAILURE;
	return &g;
}

void plugin_destroy(ss_plugin_t *s)
{
	g.go_on = 0;
	while (g.started)
		pthread_join(g.pool[--g.started], NULL);
}

const char *plugin_get_last_error(ss_plugin_t *s) { return g.error; }

ss_plugin_metric *plugin_get_metrics(ss_plugin_t *s, uint32_t *n)
{
	static ss_plugin_metric m[7];
	extern const int metric_base;
	const struct { const char *name; unsigned long value; } rows[] = {
		{"sent", g.sent}, {"refused", g.refused}, {"runs", g.runs},
		{"parsed", g.parsed}, {"parsed_async", g.parsed_async}, {"closed", g.closed}};
	for (int i = 0; i < 6; i++) {
		m[i].name = rows[i].name;
		m[i].type = SS_PLUGIN_METRIC_TYPE_MONOTONIC;
		m[i].value.u64 = rows[i].value;
		m[i].value_type = SS_PLUGIN_METRIC_VALUE_TYPE_U64;
	}
	m[6] = (ss_plugin_metric){.name = "level",
		.type = SS_PLUGIN_METRIC_TYPE_NON_MONOTONIC, .value.d = 0.5,
		.value_type = SS_PLUGIN_METRIC_VALUE_TYPE_D};
	for (int i = 0; i < 7; i++) {
		m[i].type += metric_base;
		m[i].value_type += metric_base;
	}
	*n = 7;
	return m;
}

ss_plugin_rc plugin_set_config(ss_plugin_t *s, const ss_plugin_set_config_input *in)
{
	if (!strcmp(in->config, "loud"))
		for (int severity = 1; severity <= 8; severity++)
			g.log(g.owner, severity % 2 ? "part" : NULL, "a line",
			      (ss_plugin_log_severity)severity);
	if (!strcmp(in->config, "refused"))
		return SS_PLUGIN_FAILURE;
	snprintf(g.mode, sizeof g.mode, "%s", in->config);
	return SS_PLUGIN_SUCCESS;
}

static int left;

ss_instance_t *plugin_open(ss_plugin_t *s, const char *params, ss_plugin_rc *rc)
{
	left = *params ? atoi(params) : EVENTS;
	*rc = SS_PLUGIN_SUCCESS;
	return &left;
}

void plugin_close(ss_plugin_t *s, ss_instance_t *h)
{
	char event[256];
	if (mode("late") && g.handler) {
		/* Between close and the end of the handler. */
		make_event(event, "tick", "at close", UINT64_MAX);
		send(event);
	}
}

ss_plugin_rc plugin_next_batch(ss_plugin_t *s, ss_instance_t *h, uint32_t *n,
                               ss_plugin_event ***evts)
{
	static char event[64];
	static ss_plugin_event *one = (ss_plugin_event *)event;
	if (!left)
		return SS_PLUGIN_EOF;
	if (!mode("flood"))
		nap(500);
	memcpy(falco_plugin_event_begin(event, UINT64_MAX, 4), "beat", 4);
	left--;
	*n = 1;
	*evts = &one;
	return left % 10 ? SS_PLUGIN_SUCCESS : SS_PLUGIN_TIMEOUT;
}

ss_plugin_rc plugin_extract_fields(ss_plugin_t *s, const ss_plugin_event_input *evt,
                                   const ss_plugin_field_extract_input *in)
{
	static uint64_t parsed;
	parsed = g.parsed;
	in->fields[0].res.u64 = &parsed;
	in->fields[0].res_len = 1;
	return SS_PLUGIN_SUCCESS;
}

uint16_t *plugin_get_extract_event_types(uint32_t *n, ss_plugin_t *s)
{
	return plugin_get_parse_event_types(n, s);
}

const char *plugin_get_fields(void)
{
	return "[{\"type\":\"uint64\",\"name\":\"busy.parsed\",\"desc\":\"events parsed\"}]";
}

/* Plugins of 3.5 number the kinds of metrics from 1. */
#ifdef BUSY_3_5
const int metric_base = 1;
const char *plugin_get_required_api_version(void) { return "3.5.0"; }
#else
const int metric_base = 0;
const char *plugin_get_required_api_version(void) { return PLUGIN_API_VERSION_STR; }
#endif
const char *plugin_get_name(void) { return "busy"; }
const char *plugin_get_version(void) { return "1.0.0"; }
const char *plugin_get_description(void) { return "does much on the side"; }
const char *plugin_get_contact(void) { return "nobody"; }
uint32_t plugin_get_id(void) { return 999; }
const char *plugin_get_event_source(void) { return "busy"; }
