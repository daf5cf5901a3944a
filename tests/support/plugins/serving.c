/* Serves the events of a file with the fields that stand in it: what a test says, nothing
 * else. TABLE: the file, written by tests/conformance/serving.py:
 *   declarations (a text), number of events, events.
 * An event: time, its one-line text, number of values; a value: field, argument (or none),
 * number of items, items. Texts and items: length (4 bytes), bytes, a zero. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../../workbench/native/src/common/abi.h"

#define EXPORT __attribute__((visibility("default")))
#define BATCH 7
#define MOST_FIELDS 64
#define MOST_ITEMS 4096
#define NONE 0xffffffffu

static uint8_t *table, *first_event;
static uint32_t n_events;

typedef struct result {
	uint64_t numbers[MOST_ITEMS];
	uint32_t bools[MOST_ITEMS];
	const char *texts[MOST_ITEMS];
	abi_byte_buffer buffers[MOST_ITEMS];
	char shown[512];
} result;

typedef struct state {
	result results[MOST_FIELDS];
	uint8_t *at;
	uint32_t sent;
	abi_event_c *events[BATCH];
} state;

static uint32_t read_u32(const uint8_t **at)
{
	uint32_t value;
	memcpy(&value, *at, 4);
	*at += 4;
	return value;
}

static const uint8_t *read_text(const uint8_t **at, uint32_t *len)
{
	*len = read_u32(at);
	const uint8_t *text = *at;
	if (*len != NONE)
		*at += *len + 1;
	return text;
}

__attribute__((constructor)) static void load(void)
{
	FILE *file = fopen(TABLE, "rb");
	if (!file)
		return;
	fseek(file, 0, SEEK_END);
	size_t size = (size_t)ftell(file);
	rewind(file);
	table = malloc(size);
	if (fread(table, 1, size, file) != size)
		abort();
	fclose(file);
	const uint8_t *at = table;
	uint32_t len;
	read_text(&at, &len);
	n_events = read_u32(&at);
	first_event = (uint8_t *)at;
}

EXPORT const char *plugin_get_required_api_version(void) { return "3.12.0"; }
EXPORT const char *plugin_get_name(void) { return "probe"; }
EXPORT const char *plugin_get_version(void) { return "0.1.0"; }
EXPORT const char *plugin_get_description(void) { return "serves a table"; }
EXPORT const char *plugin_get_contact(void) { return ""; }
EXPORT const char *plugin_get_last_error(state *s) { return ""; }
EXPORT uint32_t plugin_get_id(void) { return 997; }
EXPORT const char *plugin_get_event_source(void) { return "probe"; }
EXPORT const char *plugin_get_fields(void) { return (const char *)table + 4; }

EXPORT state *plugin_init(const abi_init_input *in, int32_t *rc)
{
	*rc = table ? 0 : 1;
	return calloc(1, sizeof(state));
}
EXPORT void plugin_destroy(state *s) { free(s); }

EXPORT void *plugin_open(state *s, const char *params, int32_t *rc)
{
	s->at = first_event;
	s->sent = 0;
	*rc = 0;
	return s;
}

static void forget(state *s)
{
	for (uint32_t i = 0; i < BATCH; i++) {
		free(s->events[i]);
		s->events[i] = NULL;
	}
}
EXPORT void plugin_close(state *s, void *h) { forget(s); }

/* Memory of its own for each event: what is read after its time is seen. */
static abi_event_c *event_at(state *s)
{
	uint64_t ts;
	const uint8_t *at = s->at;
	uint32_t len = read_u32(&at);
	memcpy(&ts, at, 8);
	abi_plugin_event *e = malloc(38 + len - 8);
	*e = (abi_plugin_event){{ts, ABI_NO_TID, 38 + len - 8, 322, 2}, 4, len - 8, 997};
	memcpy(e->data, at + 8, len - 8);
	s->at = (uint8_t *)at + len;
	return (abi_event_c *)e;
}

EXPORT int32_t plugin_next_batch(state *s, void *h, uint32_t *n, abi_event_c ***out)
{
	forget(s);
	for (*n = 0; *n < BATCH && s->sent < n_events; s->sent++)
		s->events[(*n)++] = event_at(s);
	*out = s->events;
	return s->sent < n_events ? 0 : 2;
}

EXPORT const char *plugin_event_to_string(state *s, const abi_event_input *in)
{
	return (const char *)((const abi_plugin_event *)in->evt)->data + 4;
}

static int same_argument(const abi_field *f, const uint8_t *text, uint32_t len)
{
	if (len == NONE || !f->arg_present)
		return len == NONE && !f->arg_present;
	if (f->arg_key)
		return strlen(f->arg_key) == len && !memcmp(f->arg_key, text, len);
	return strtoull((const char *)text, NULL, 10) == f->arg_index;
}

static void put_item(result *r, const abi_field *f, uint32_t i, const uint8_t *item,
                     uint32_t len)
{
	r->texts[i] = (const char *)item;
	r->buffers[i] = (abi_byte_buffer){len, item};
	if (f->ftype != ABI_STRING && len == 8)
		memcpy(&r->numbers[i], item, 8);
	r->bools[i] = (uint32_t)r->numbers[i];
}

static void answer(result *r, abi_field *f, const abi_plugin_event *e)
{
	const uint8_t *at = e->data;
	uint32_t len;
	read_text(&at, &len);
	for (uint32_t left = read_u32(&at); left; left--) {
		uint32_t field = read_u32(&at), arg_len;
		const uint8_t *arg = read_text(&at, &arg_len);
		uint32_t n = read_u32(&at);
		int wanted = field == f->field_id && same_argument(f, arg, arg_len);
		for (uint32_t i = 0; i < n; i++) {
			const uint8_t *item = read_text(&at, &len);
			if (wanted && i < MOST_ITEMS)
				put_item(r, f, i, item, len);
		}
		if (wanted)
			f->res_len = n < MOST_ITEMS ? n : MOST_ITEMS;
	}
}

/* Fields whose value is how they were asked. */
static int shows_argument(const char *name)
{
	return !strcmp(name, "probe.both") || !strcmp(name, "probe.oboth");
}

EXPORT int32_t plugin_extract_fields(state *s, const abi_event_input *ev,
                                     const abi_extract_input *in)
{
	for (uint32_t k = 0; k < in->num_fields && k < MOST_FIELDS; k++) {
		abi_field *f = &in->fields[k];
		result *r = &s->results[k];
		answer(r, f, (const abi_plugin_event *)ev->evt);
		if (shows_argument(f->field)) {
			snprintf(r->shown, sizeof r->shown, "key=%s;index=%llu;present=%u",
			         f->arg_key ? f->arg_key : "<null>",
			         (unsigned long long)f->arg_index, f->arg_present);
			r->texts[0] = r->shown;
			f->res_len = 1;
		}
		if (f->ftype == ABI_STRING)
			f->res.str = r->texts;
		else if (f->ftype == ABI_BOOL)
			f->res.boolean = r->bools;
		else if (f->ftype == ABI_IPADDR || f->ftype == ABI_IPNET)
			f->res.buf = r->buffers;
		else
			f->res.u64 = r->numbers;
	}
	return 0;
}
