/* A source and extractor of family C that does what its open params say, so that tests
 * can ask for every behaviour: n=, batch=, rc=, fault=<what>@<call>:<event>, … */
#define _GNU_SOURCE
#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../../workbench/native/src/common/abi.h"

#ifndef API
#define API "3.12.0"
#endif
#ifndef PLUGIN_NAME
#define PLUGIN_NAME "probe"
#endif
#ifndef PLUGIN_ID
#define PLUGIN_ID 999
#endif
#ifndef SOURCE
#define SOURCE "probe"
#endif
#define EXPORT __attribute__((visibility("default")))

typedef struct state {
	char error[256];
	char config[1024];
	abi_init_input in;
	uint64_t numbers[64];
	const char *strings[64];
	uint64_t big[4];
	uint32_t flag;
	abi_byte_buffer buf;
	uint8_t ip[16];
	char text[3][512];
	char tag_text[8][16];
	const char *tags[8];
	char shown[256];
	uint32_t starts[1], lengths[1];
	abi_metric metrics[2];
} state;

typedef struct instance {
	state *s;
	uint64_t n, sent, batch;
	int rc;             /* returned with the last events */
	uint64_t timeouts;  /* TIMEOUT returns before each batch */
	uint64_t owed;
	uint64_t block_ms;  /* time spent in every next_batch */
	char fault[32];
	char fault_call[32];
	uint64_t fault_at;
	long id, type, ts, bad_len;
	long takes_back; /* events are damaged once they were looked at */
	int single;
	uint8_t *memory;
	abi_event_c **events;
	char progress[64];
} instance;

static instance *running;
static char library_fault[96]; /* from the environment, for calls before open */

static void misbehave(const char *what)
{
	if (!strcmp(what, "segv"))
		*(volatile int *)0x18 = 1;
	if (!strcmp(what, "abort"))
		abort();
	if (!strcmp(what, "assert"))
		assert(!"this was expected");
	if (!strcmp(what, "exit"))
		exit(7);
	if (!strcmp(what, "_exit"))
		_exit(8);
	if (!strcmp(what, "kill"))
		kill(getpid(), SIGKILL);
	if (!strcmp(what, "fpe"))
		raise(SIGFPE);
	if (!strcmp(what, "overflow")) {
		volatile char big[1 << 16];
		memset((char *)big, 1, sizeof big);
		misbehave(what);
		big[0]++;
	}
	if (!strcmp(what, "scribble")) {
		/* Over everything that is mapped from the builder. */
		FILE *maps = fopen("/proc/self/maps", "r");
		char line[512];
		while (fgets(line, sizeof line, maps)) {
			char *from, *to;
			if (strstr(line, "workbench-builder") &&
			    sscanf(line, "%p-%p", (void **)&from, (void **)&to) == 2)
				memset(from + 16384, 0x7f, 1 << 20);
		}
		fclose(maps);
	}
	if (!strcmp(what, "memory"))
		for (;;)
			memset(malloc(8 << 20), 1, 8 << 20);
	if (!strcmp(what, "hang"))
		for (;;)
			pause();
	if (!strcmp(what, "spin"))
		for (volatile int on = 1; on;)
			continue;
}

static void maybe(const char *call, uint64_t event)
{
	char want[96];
	snprintf(want, sizeof want, "%s", library_fault);
	char *at = strchr(want, '@');
	if (at && !strcmp(at + 1, call)) {
		*at = 0;
		misbehave(want);
	}
	if (running && !strcmp(running->fault_call, call) && event == running->fault_at)
		misbehave(running->fault);
}

__attribute__((constructor)) static void loaded(void)
{
	const char *fault = getenv("PROBE_FAULT");
	if (fault)
		snprintf(library_fault, sizeof library_fault, "%s", fault);
	maybe("dlopen", 0);
}

EXPORT const char *plugin_get_required_api_version(void) { maybe("version", 0); return API; }
EXPORT const char *plugin_get_name(void) { maybe("name", 0); return PLUGIN_NAME; }
EXPORT const char *plugin_get_version(void) { return "1.2.3"; }
EXPORT const char *plugin_get_description(void) { return "Does as it is told"; }
EXPORT const char *plugin_get_contact(void) { return "nobody"; }
#ifndef NO_SOURCE
EXPORT uint32_t plugin_get_id(void) { return PLUGIN_ID; }
EXPORT const char *plugin_get_event_source(void) { return SOURCE; }
#endif

EXPORT const char *plugin_get_last_error(state *s) { return s->error; }

EXPORT const char *plugin_get_init_schema(int32_t *type)
{
#ifdef SCHEMA
	*type = 1;
	return SCHEMA;
#else
	*type = 0;
	return "";
#endif
}

EXPORT state *plugin_init(const abi_init_input *in, int32_t *rc)
{
	state *s = calloc(1, sizeof *s);
	s->in = *in;
	snprintf(s->config, sizeof s->config, "%s", in->config);
	if (in->log_fn)
		in->log_fn(in->owner, NULL, "hello from init\n", 6);
	if (strstr(in->config, "fault=")) {
		char what[32] = "";
		sscanf(strstr(in->config, "fault="), "fault=%31[a-z_]", what);
		misbehave(what);
	}
	if (strstr(in->config, "refuse")) {
		snprintf(s->error, sizeof s->error, "refused by request");
		*rc = 1;
		if (strstr(in->config, "stateless")) {
			free(s);
			return NULL;
		}
		return s;
	}
	*rc = 0;
	return s;
}

EXPORT void plugin_destroy(state *s)
{
	maybe("destroy", 0);
#ifdef DESTROY_WORDS
	puts(DESTROY_WORDS);
	fflush(stdout);
#endif
	free(s);
}

static long number(const char *params, const char *key, long fallback)
{
	char want[32];
	snprintf(want, sizeof want, "%s=", key);
	const char *at = strstr(params, want);
	return at ? strtol(at + strlen(want), NULL, 0) : fallback;
}

EXPORT instance *plugin_open(state *s, const char *params, int32_t *rc)
{
	instance *h = calloc(1, sizeof *h);
	h->s = s;
	h->n = (uint64_t)number(params, "n", 10);
	h->batch = (uint64_t)number(params, "batch", 128);
	h->rc = (int)number(params, "rc", 2);
	h->timeouts = h->owed = (uint64_t)number(params, "timeouts", 0);
	h->block_ms = (uint64_t)number(params, "block", 0);
	h->id = number(params, "id", 0);
	h->type = number(params, "type", 322);
	h->ts = number(params, "ts", 1);
	h->bad_len = number(params, "badlen", 0);
	h->takes_back = number(params, "takeback", 0);
	const char *fault = strstr(params, "fault=");
	if (fault) {
		unsigned long long at = 0;
		sscanf(fault, "fault=%31[a-z_]@%31[a-z_]:%llu", h->fault, h->fault_call, &at);
		h->fault_at = at;
	}
	if (strstr(params, "chatter"))
		for (int i = 0; i < 20000; i++)
			printf("line %d of a plugin that talks too much\n", i);
	for (long i = number(params, "skips", 0); i > 0; i--)
		fprintf(stderr, "line %ld: data not recognized, ignored\n", i);
	if (strstr(params, "refuse")) {
		snprintf(s->error, sizeof s->error, "cannot open that");
		free(h);
		*rc = 1;
		return NULL;
	}
	running = h;
	maybe("open", 0);
	size_t size = 38 + 256;
	h->memory = malloc(h->batch * size);
	h->events = malloc(h->batch * sizeof *h->events);
	*rc = 0;
	return h;
}

EXPORT void plugin_close(state *s, instance *h)
{
	maybe("close", 0);
	running = NULL;
	free(h->memory);
	free(h->events);
	free(h);
}

static const char *users[] = {"alice", "bob", "carol", "dave", "eve", "mallory", "oscar"};

EXPORT int32_t plugin_next_batch(state *s, instance *h, uint32_t *n, abi_event_c ***out)
{
	maybe("next", h->sent);
	if (h->block_ms)
		usleep((useconds_t)h->block_ms * 1000);
	if (h->owed) {
		h->owed--;
		return -1;
	}
	h->owed = h->timeouts;
	uint64_t k = 0;
	for (; k < h->batch && h->sent < h->n; k++) {
		uint8_t *at = h->memory + k * (38 + 256);
		abi_plugin_event *e = (abi_plugin_event *)at;
		uint64_t i = h->sent++;
		char text[256];
		int len = snprintf(text, sizeof text,
		                   "%llu user=%s path=/var/lib/app/%llu/data/%llx.bin ip=10.%llu.%llu.%llu "
		                   "tags=a%llu,b%llu padding padding padding padding padding padding "
		                   "padding padding padding padding padding",
		                   (unsigned long long)i, users[i % 7], (unsigned long long)i,
		                   (unsigned long long)(i * 2654435761u), (unsigned long long)(i >> 16 & 255),
		                   (unsigned long long)(i >> 8 & 255), (unsigned long long)(i & 255),
		                   (unsigned long long)(i % 3), (unsigned long long)(i % 5));
		e->header.ts = h->ts < 0 ? UINT64_MAX : 1700000000000000000u + i * 1000;
		e->header.tid = 0;
		e->header.len = 38 + (uint32_t)len + (uint32_t)h->bad_len;
		e->header.type = (uint16_t)h->type;
		e->header.nparams = 2;
		e->id_len = 4;
		e->data_len = (uint32_t)len;
		e->plugin_id = (uint32_t)h->id;
		memcpy(e->data, text, (size_t)len);
		h->events[k] = (abi_event_c *)e;
	}
	*n = (uint32_t)k;
	*out = h->events;
	if (h->sent < h->n)
		return 0;
	if (h->rc == 1)
		snprintf(s->error, sizeof s->error, "the source broke");
	return h->rc;
}

EXPORT const char *plugin_get_progress(state *s, instance *h, uint32_t *pct)
{
	*pct = h->n ? (uint32_t)(h->sent * 10000 / h->n) : 10000;
	snprintf(h->progress, sizeof h->progress, "%llu of %llu", (unsigned long long)h->sent,
	         (unsigned long long)h->n);
	return h->progress;
}

EXPORT const char *plugin_list_open_params(state *s, int32_t *rc)
{
	*rc = 0;
	return "[{\"value\": \"n=10\", \"desc\": \"ten events\"}, {\"value\": \"n=1000\"}]";
}

EXPORT const char *plugin_event_to_string(state *s, const abi_event_input *in)
{
	const abi_plugin_event *e = (const abi_plugin_event *)in->evt;
	maybe("event_to_string", in->evtnum);
	snprintf(s->shown, sizeof s->shown, "#%llu: %.20s", (unsigned long long)in->evtnum,
	         (const char *)e->data);
	return s->shown;
}

EXPORT const char *plugin_get_fields(void)
{
	return "[{\"type\": \"uint64\", \"name\": \"probe.num\", \"desc\": \"number\"},"
	       "{\"type\": \"string\", \"name\": \"probe.user\", \"desc\": \"user\"},"
	       "{\"type\": \"string\", \"name\": \"probe.path\", \"desc\": \"path\"},"
	       "{\"type\": \"ipaddr\", \"name\": \"probe.ip\", \"desc\": \"address\"},"
	       "{\"type\": \"string\", \"name\": \"probe.tags\", \"desc\": \"tags\", \"isList\": true},"
	       "{\"type\": \"bool\", \"name\": \"probe.even\", \"desc\": \"even number\"},"
	       "{\"type\": \"abstime\", \"name\": \"probe.when\", \"desc\": \"time\"},"
	       "{\"type\": \"reltime\", \"name\": \"probe.age\", \"desc\": \"age\"},"
	       "{\"type\": \"ipnet\", \"name\": \"probe.net\", \"desc\": \"network\"},"
	       "{\"type\": \"uint64\", \"name\": \"probe.nums\", \"desc\": \"numbers\", \"isList\": true},"
	       "{\"type\": \"string\", \"name\": \"probe.arg\", \"desc\": \"its argument\","
	       " \"arg\": {\"isKey\": true, \"isIndex\": true}},"
	       "{\"type\": \"string\", \"name\": \"probe.bad\", \"desc\": \"garbage by index\","
	       " \"arg\": {\"isIndex\": true}},"
	       "{\"type\": \"uint64\", \"name\": \"probe.fails\", \"desc\": \"fails\"},"
	       "{\"type\": \"uint64\", \"name\": \"probe.src\", \"desc\": \"event number seen\"},"
	       "{\"type\": \"bool\", \"name\": \"probe.bits\", \"desc\": \"bits\", \"isList\": true},"
	       "{\"type\": \"string\", \"name\": \"probe.one\", \"desc\": \"shares memory\"},"
	       "{\"type\": \"string\", \"name\": \"probe.two\", \"desc\": \"shares memory\"},"
	       "{\"type\": \"string\", \"name\": \"probe.late_one\", \"desc\": \"shares it later\"},"
	       "{\"type\": \"string\", \"name\": \"probe.late_two\", \"desc\": \"shares it later\"}]";
}

#ifdef EXTRACT_SOURCES
EXPORT const char *plugin_get_extract_event_sources(void) { return EXTRACT_SOURCES; }
#endif

static void garbage(state *s, abi_field *f)
{
	switch (f->arg_index) {
	case 0: /* a length without a result */
		f->res.any = NULL;
		f->res_len = 5;
		break;
	case 1: /* a NULL string */
		s->strings[63] = NULL;
		f->res.str = &s->strings[63];
		f->res_len = 1;
		break;
	case 2: /* nothing at all */
		break;
	case 3: /* an empty string */
		s->strings[62] = "";
		f->res.str = &s->strings[62];
		f->res_len = 1;
		break;
	case 4: /* bytes that are not UTF-8 */
		s->strings[61] = "caf\xe9 \xff";
		f->res.str = &s->strings[61];
		f->res_len = 1;
		break;
	case 5: /* a scalar with two values: the first counts */
		s->strings[59] = "first";
		s->strings[60] = "second";
		f->res.str = &s->strings[59];
		f->res_len = 2;
		break;
	}
}

EXPORT int32_t plugin_extract_fields(state *s, const abi_event_input *ev,
                                     const abi_extract_input *in)
{
	const abi_plugin_event *e = (const abi_plugin_event *)ev->evt;
	uint64_t i = strtoull((const char *)e->data, NULL, 10);
	maybe("extract", ev->evtnum);
	uint32_t strings = 0;
	int32_t rc = 0;
	for (uint32_t k = 0; k < in->num_fields; k++) {
		abi_field *f = &in->fields[k];
#ifdef CRASHING_FIELDS /* a bit per field */
		if (CRASHING_FIELDS >> f->field_id & 1)
			abort();
#endif
		switch (f->field_id) {
		case 0:
			s->numbers[0] = i;
			f->res.u64 = &s->numbers[0];
			f->res_len = 1;
			break;
		case 1:
			if (i % 11 == 10) /* absent now and then */
				break;
			s->strings[strings] = users[i % 7];
			f->res.str = &s->strings[strings++];
			f->res_len = 1;
			break;
		case 2: {
			const char *from = strstr((const char *)e->data, "path=");
			uint32_t n = (uint32_t)(strchr(from, ' ') - from) - 5;
			memcpy(s->text[0], from + 5, n);
			s->text[0][n] = 0;
			s->strings[strings] = s->text[0];
			f->res.str = &s->strings[strings++];
			f->res_len = 1;
			if (in->value_offsets) {
				s->starts[0] = (uint32_t)((const uint8_t *)from + 5 - (const uint8_t *)e);
				s->lengths[0] = n;
				in->value_offsets->start = s->starts;
				in->value_offsets->length = s->lengths;
			}
			break;
		}
		case 3:
		case 8:
			if (i % 10 == 9)
				break;
			memset(s->ip, 0, sizeof s->ip);
			s->ip[0] = i % 2 ? 0x20 : 10;
			s->ip[1] = (uint8_t)(i >> 16);
			s->ip[2] = (uint8_t)(i >> 8);
			s->ip[3] = (uint8_t)i;
			s->buf = (abi_byte_buffer){i % 2 ? 16 : 4, s->ip};
			f->res.buf = &s->buf;
			f->res_len = 1;
			break;
		case 4: {
			uint32_t n = (uint32_t)(i % 4);
			for (uint32_t j = 0; j < n; j++) {
				snprintf(s->tag_text[j], sizeof s->tag_text[j], "tag%llu",
				         (unsigned long long)((i + j) % 9));
				s->tags[j] = s->tag_text[j];
			}
			f->res.str = s->tags;
			f->res_len = n;
			break;
		}
		case 5:
			s->flag = i % 2 ? 0 : 0x100; /* any bit is true */
			f->res.boolean = &s->flag;
			f->res_len = 1;
			break;
		case 6:
			s->big[0] = e->header.ts;
			f->res.u64 = &s->big[0];
			f->res_len = 1;
			break;
		case 7:
			s->big[1] = i * 1000;
			f->res.u64 = &s->big[1];
			f->res_len = 1;
			break;
		case 9:
			for (uint32_t j = 0; j < 3; j++)
				s->numbers[10 + j] = i + j;
			f->res.u64 = &s->numbers[10];
			f->res_len = i % 5 ? 3 : i ? 0 : 1ull << 40; /* garbage on the first event */
			break;
		case 10:
			/* One buffer for the field, whatever the argument: as Go plugins have it. */
			if (!f->arg_present)
				break;
			snprintf(s->text[1], sizeof s->text[1], "key=%s index=%lld",
			         f->arg_key ? f->arg_key : "(none)", (long long)f->arg_index);
			s->strings[40] = s->text[1];
			f->res.str = &s->strings[40];
			f->res_len = 1;
			break;
		case 11:
			garbage(s, f);
			break;
		case 12:
			rc = 1;
			return rc;
		case 13:
			s->big[2] = ev->evtnum;
			f->res.u64 = &s->big[2];
			f->res_len = 1;
			break;
		case 15:
		case 16:
			/* One buffer for two fields: good enough for a framework that asks singly. */
			snprintf(s->text[2], sizeof s->text[2], "field %u of %llu", f->field_id,
			         (unsigned long long)i);
			s->strings[41 + f->field_id] = s->text[2];
			f->res.str = &s->strings[41 + f->field_id];
			f->res_len = 1;
			break;
		case 17:
		case 18: {
			static char late[2][32];
			char *to = i < 100 ? late[f->field_id - 17] : late[0];
			snprintf(to, 32, "late %u of %llu", f->field_id, (unsigned long long)i);
			s->strings[30 + f->field_id] = to;
			f->res.str = &s->strings[30 + f->field_id];
			f->res_len = 1;
			break;
		}
		case 14: {
			static uint32_t bits[12];
			for (uint32_t j = 0; j < 12; j++)
				bits[j] = (uint32_t)((i >> j) & 1);
			f->res.boolean = bits;
			f->res_len = i % 13;
			break;
		}
		}
	}
	if (running && running->takes_back)
		((abi_plugin_event *)e)->data_len++;
	return rc;
}

EXPORT int32_t plugin_set_config(state *s, const abi_set_config_input *in)
{
	snprintf(s->config, sizeof s->config, "%s", in->config);
	return strstr(in->config, "bad") ? 1 : 0;
}

EXPORT const abi_metric *plugin_get_metrics(state *s, uint32_t *n)
{
	s->metrics[0] = (abi_metric){"seen", 0, {.u64 = UINT64_MAX}, 2};
	s->metrics[1] = (abi_metric){"ratio", 1, {.d = -0.5}, 4};
	*n = 2;
	return s->metrics;
}
