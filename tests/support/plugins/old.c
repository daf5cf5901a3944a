/* The same small source in the layouts of families A1, A2 and B (-DFAMILY=1, 2, 3), as
 * source and as separate extractor (-DEXTRACTOR). -DAPI= names the version. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../../workbench/native/src/common/abi.h"

#ifndef EVENT_COUNT
#define EVENT_COUNT 10
#endif
#ifndef EOF_CODE
#define EOF_CODE 2
#endif
#define EXPORT __attribute__((visibility("default")))

static long live; /* blocks handed to the host and not given back (family A1) */

#if FAMILY == 1
static char *give(const char *text)
{
	live++;
	return strdup(text);
}
typedef char *text_result;
#ifndef NO_FREE
EXPORT void plugin_free_mem(void *p)
{
	live--;
	free(p);
}
#endif
#else
#define give(text) (text)
typedef const char *text_result;
#endif

typedef struct state {
	char error[64];
	char config[64];
	int opened;
	uint64_t sent;
	abi_event_ab events[4];
	char payload[4][64];
	char shown[64];
	char text[64];
	const char *strings[8];
	uint64_t numbers[8];
} state;

EXPORT text_result plugin_get_required_api_version(void) { return give(API); }
EXPORT text_result plugin_get_name(void)
{
#ifdef EXTRACTOR
	return give("old_extractor");
#else
	return give("old");
#endif
}
EXPORT text_result plugin_get_version(void) { return give("0.1.0"); }
EXPORT text_result plugin_get_description(void) { return give("an old plugin"); }
EXPORT text_result plugin_get_contact(void) { return give("nobody"); }
EXPORT text_result plugin_get_last_error(state *s) { return give(s->error); }
#if FAMILY < 3
EXPORT uint32_t plugin_get_type(void)
{
#ifdef EXTRACTOR
	return 2;
#else
	return 1;
#endif
}
#endif

EXPORT state *plugin_init(const char *config, int32_t *rc)
{
	state *s = calloc(1, sizeof *s);
	snprintf(s->config, sizeof s->config, "%s", config);
	*rc = strcmp(config, "refuse") ? 0 : 1;
	if (*rc)
		snprintf(s->error, sizeof s->error, "refused");
	return s;
}
EXPORT void plugin_destroy(state *s) { free(s); }

#ifndef EXTRACTOR
EXPORT uint32_t plugin_get_id(void) { return 77; }
EXPORT text_result plugin_get_event_source(void) { return give("old"); }
EXPORT void *plugin_open(state *s, const char *params, int32_t *rc)
{
	*rc = strcmp(params, "refuse") ? 0 : 1;
	if (*rc)
		snprintf(s->error, sizeof s->error, "cannot open %s", params);
	s->sent = 0;
	return *rc ? NULL : (void *)1; /* as Go: a number, no pointer */
}
EXPORT void plugin_close(state *s, void *h)
{
#if FAMILY == 1 && !defined(NO_FREE)
	fprintf(stderr, "blocks not given back: %ld\n", live);
#endif
}

static int fill(state *s, abi_event_ab *e, char *payload)
{
	if (s->sent >= EVENT_COUNT)
		return 0;
	uint64_t i = s->sent++;
	int n = snprintf(payload, 64, "%llu:word%llu", (unsigned long long)i,
	                 (unsigned long long)i % 3);
	*e = (abi_event_ab){.evtnum = 1000 + i, .data = (uint8_t *)payload,
	                    .datalen = (uint32_t)n + 1, .ts = 1600000000000000000u + i};
	if (i == 3)
		e->ts = UINT64_MAX; /* "now" */
	return 1;
}

#ifdef ONE_BY_ONE
EXPORT int32_t plugin_next(state *s, void *h, abi_event_ab **out)
{
	abi_event_ab *e = malloc(sizeof *e);
	char *payload = malloc(64);
	if (!fill(s, e, payload)) {
		free(e);
		free(payload);
		return EOF_CODE;
	}
	live += 2;
	*out = e;
	return 0;
}
#else
EXPORT int32_t plugin_next_batch(state *s, void *h, uint32_t *n, abi_event_ab **out)
{
#if FAMILY == 1
	abi_event_ab *events = malloc(4 * sizeof *events);
	live++;
#else
	abi_event_ab *events = s->events;
#endif
	uint32_t k = 0;
	for (; k < 4; k++) {
#if FAMILY == 1
		char *payload = malloc(64);
		if (!fill(s, &events[k], payload)) {
			free(payload);
			break;
		}
		live++;
#else
		if (!fill(s, &events[k], s->payload[k]))
			break;
#endif
	}
	*n = k;
	*out = events;
	return s->sent >= EVENT_COUNT ? EOF_CODE : 0; /* with the last events */
}
#endif

#if FAMILY < 3
EXPORT text_result plugin_event_to_string(state *s, const uint8_t *data, uint32_t len)
{
	snprintf(s->shown, sizeof s->shown, "[%.*s]", (int)len - 1, (const char *)data);
	return give(s->shown);
}
#else
EXPORT text_result plugin_event_to_string(state *s, const abi_event_ab *e)
{
	snprintf(s->shown, sizeof s->shown, "[%s]", (const char *)e->data);
	return s->shown;
}
#endif
EXPORT text_result plugin_get_progress(state *s, void *h, uint32_t *pct)
{
	*pct = (uint32_t)(s->sent * 10000 / EVENT_COUNT);
	return give("on the way");
}
#else
EXPORT text_result plugin_get_extract_event_sources(void) { return give("[\"old\"]"); }
#endif

EXPORT text_result plugin_get_fields(void)
{
	return give("[{\"type\": \"uint64\", \"name\": \"" PREFIX ".num\", \"desc\": \"d\"},"
	            "{\"type\": \"string\", \"name\": \"" PREFIX ".word\", \"desc\": \"d\"},"
	            "{\"type\": \"string\", \"name\": \"" PREFIX ".arg\", \"desc\": \"d\","
	            " \"arg\": {\"isKey\": true, \"isIndex\": true}},"
	            "{\"type\": \"string\", \"name\": \"" PREFIX ".rare\", \"desc\": \"d\"}"
#if FAMILY == 3
	            ",{\"type\": \"string\", \"name\": \"" PREFIX ".list\", \"desc\": \"d\", \"isList\": true}"
#endif
	            "]");
}

#if FAMILY < 3
#if FAMILY == 1
typedef abi_field_a1 field;
#else
typedef abi_field_a2 field;
#endif
EXPORT int32_t plugin_extract_fields(state *s, const abi_event_ab *e, uint32_t n, field *f)
{
	const char *data = (const char *)e->data;
	for (uint32_t k = 0; k < n; k++) {
		f[k].field_present = 1;
		if (strstr(f[k].field, ".num"))
			f[k].res_u64 = strtoull(data, NULL, 10);
		else if (strstr(f[k].field, ".word"))
			f[k].res_str = give(strchr(data, ':') + 1);
		else if (strstr(f[k].field, ".arg")) {
			snprintf(s->text, sizeof s->text, "<%s>", f[k].arg ? f[k].arg : "(null)");
			f[k].res_str = give(s->text);
		} else if (strtoull(data, NULL, 10) % 4 == 0)
			f[k].res_str = give("rare");
		else
			f[k].field_present = 0;
	}
	return 0;
}
#else
EXPORT int32_t plugin_extract_fields(state *s, const abi_event_ab *e, uint32_t n,
                                     abi_field *f)
{
	const char *data = (const char *)e->data;
	for (uint32_t k = 0; k < n; k++) {
		/* One-byte flags of the 1.x layout, read as such. */
		_Bool present = *(_Bool *)&f[k].arg_present, list = *(_Bool *)&f[k].flist;
		f[k].res_len = 1;
		switch (f[k].field_id) {
		case 0:
			s->numbers[0] = strtoull(data, NULL, 10);
			f[k].res.u64 = s->numbers;
			break;
		case 1:
			s->strings[0] = strchr(data, ':') + 1;
			f[k].res.str = &s->strings[0];
			break;
		case 2:
			snprintf(s->text, sizeof s->text, "<%s>",
			         present ? f[k].arg_key ? f[k].arg_key : "index" : "");
			s->strings[1] = s->text;
			f[k].res.str = &s->strings[1];
			break;
		case 3:
			s->strings[2] = "rare";
			f[k].res.str = &s->strings[2];
			f[k].res_len = strtoull(data, NULL, 10) % 4 == 0;
			break;
		default:
			s->strings[3] = list ? "list" : "scalar";
			s->strings[4] = "of two";
			f[k].res.str = &s->strings[3];
			f[k].res_len = 2;
		}
	}
	return 0;
}
#endif
