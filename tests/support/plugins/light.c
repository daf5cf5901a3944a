/* The cheapest useful plugin: 8 fields, payloads of about 200 bytes, nothing computed
 * that a real plugin would not have at hand. For measuring what is ours. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../../workbench/native/src/common/abi.h"

#define EXPORT __attribute__((visibility("default")))
#define BATCH 128
#define SLOT 320
#define MIX 4096 /* different events; the stream repeats them with new numbers */

typedef struct row {
	uint64_t a, b;
	char user[16], verb[8], path[120];
	abi_byte_buffer ip;
	uint8_t address[16];
	uint32_t flag, ntags;
	char tag[4][12];
} row;

typedef struct state {
	row rows[MIX];
	uint64_t sent, count;
	uint8_t memory[BATCH][SLOT];
	abi_event_c *events[BATCH];
	const char *strings[4];
	const char *tags[4];
	char path[160];
} state;

EXPORT const char *plugin_get_required_api_version(void) { return "3.12.0"; }
EXPORT const char *plugin_get_name(void) { return "light"; }
EXPORT const char *plugin_get_version(void) { return "0.1.0"; }
EXPORT const char *plugin_get_description(void) { return "cheap"; }
EXPORT const char *plugin_get_contact(void) { return ""; }
EXPORT const char *plugin_get_last_error(state *s) { return ""; }
EXPORT uint32_t plugin_get_id(void) { return 998; }
EXPORT const char *plugin_get_event_source(void) { return "light"; }
EXPORT const char *plugin_get_fields(void)
{
	return "[{\"type\": \"uint64\", \"name\": \"light.a\", \"desc\": \"d\"},"
	       "{\"type\": \"uint64\", \"name\": \"light.b\", \"desc\": \"d\"},"
	       "{\"type\": \"string\", \"name\": \"light.user\", \"desc\": \"d\"},"
	       "{\"type\": \"string\", \"name\": \"light.verb\", \"desc\": \"d\"},"
	       "{\"type\": \"string\", \"name\": \"light.path\", \"desc\": \"d\"},"
	       "{\"type\": \"ipaddr\", \"name\": \"light.ip\", \"desc\": \"d\"},"
	       "{\"type\": \"string\", \"name\": \"light.tags\", \"desc\": \"d\", \"isList\": true},"
	       "{\"type\": \"bool\", \"name\": \"light.flag\", \"desc\": \"d\"}]";
}

EXPORT state *plugin_init(const abi_init_input *in, int32_t *rc)
{
	state *s = calloc(1, sizeof *s);
	uint64_t x = 88172645463325252u;
	for (int i = 0; i < MIX; i++) {
		row *r = &s->rows[i];
		x ^= x << 13, x ^= x >> 7, x ^= x << 17;
		r->a = x;
		r->b = x >> 40;
		snprintf(r->user, sizeof r->user, "user%03u", (unsigned)(x % 400));
		snprintf(r->verb, sizeof r->verb, "verb%02u", (unsigned)(x >> 9) % 40);
		snprintf(r->path, sizeof r->path, "/srv/data/%08x/%08x/objects/%u.json",
		         (unsigned)x, (unsigned)(x >> 32), i);
		memcpy(r->address, &x, 8);
		r->ip = (abi_byte_buffer){x % 10 == 0 ? 16 : 4, r->address};
		r->flag = x & 1;
		r->ntags = (uint32_t)(x >> 20) % 5;
		for (uint32_t k = 0; k < r->ntags; k++)
			snprintf(r->tag[k], sizeof r->tag[k], "tag%u", (unsigned)(x >> (k + 3)) % 32);
	}
	*rc = 0;
	return s;
}
EXPORT void plugin_destroy(state *s) { free(s); }

EXPORT void *plugin_open(state *s, const char *params, int32_t *rc)
{
	s->count = strtoull(params, NULL, 10);
	s->sent = 0;
	for (int k = 0; k < BATCH; k++) {
		abi_plugin_event *e = (abi_plugin_event *)s->memory[k];
		s->events[k] = (abi_event_c *)e;
		*e = (abi_plugin_event){{0, ABI_NO_TID, 38 + 200, 322, 2}, 4, 200, 998};
		memset(e->data, 'x', 200);
	}
	*rc = 0;
	return s;
}
EXPORT void plugin_close(state *s, void *h) {}

EXPORT int32_t plugin_next_batch(state *s, void *h, uint32_t *n, abi_event_c ***out)
{
	uint64_t left = s->count - s->sent;
	uint32_t k = left < BATCH ? (uint32_t)left : BATCH;
	for (uint32_t i = 0; i < k; i++) {
		abi_plugin_event *e = (abi_plugin_event *)s->events[i];
		uint64_t number = s->sent + i;
		e->header.ts = 1700000000000000000u + number;
		memcpy(e->data, &number, 8);
	}
	s->sent += k;
	*n = k;
	*out = s->events;
	return s->sent < s->count ? 0 : 2;
}

EXPORT int32_t plugin_extract_fields(state *s, const abi_event_input *ev,
                                     const abi_extract_input *in)
{
	uint64_t number;
	memcpy(&number, ((const abi_plugin_event *)ev->evt)->data, 8);
	row *r = &s->rows[number % MIX];
	for (uint32_t k = 0; k < in->num_fields; k++) {
		abi_field *f = &in->fields[k];
		f->res_len = 1;
		switch (f->field_id) {
		case 0: f->res.u64 = &r->a; break;
		case 1: f->res.u64 = &r->b; break;
		case 2: s->strings[0] = r->user; f->res.str = &s->strings[0]; break;
		case 3: s->strings[1] = r->verb; f->res.str = &s->strings[1]; break;
		case 4: {
			/* a unique one: the number in front of the prepared text */
			static const char digits[] = "0123456789abcdef";
			for (int i = 0; i < 8; i++)
				s->path[i] = digits[number >> (4 * i) & 15];
			strcpy(s->path + 8, r->path);
			s->strings[2] = s->path;
			f->res.str = &s->strings[2];
			break;
		}
		case 5:
			f->res.buf = &r->ip;
			f->res_len = r->a % 10 != 3;
			break;
		case 6:
			for (uint32_t i = 0; i < r->ntags; i++)
				s->tags[i] = r->tag[i];
			f->res.str = s->tags;
			f->res_len = r->ntags;
			break;
		default: f->res.boolean = &r->flag; break;
		}
	}
	return 0;
}
