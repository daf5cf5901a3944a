/* Remembers what it parsed by the event's number, as official Go plugins do: a number
 * that comes again for another event gives the other event's values. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../../workbench/native/src/common/abi.h"

#define EXPORT __attribute__((visibility("default")))
#define MOST 64

typedef struct state {
	uint64_t extracted, parsed, told;
	char text[MOST], seen[MOST], line[MOST];
	const char *strings[2];
	char word[MOST];
	uint64_t count, sent;
	uint8_t memory[38 + MOST];
	abi_event_c *events[1];
} state;

EXPORT const char *plugin_get_required_api_version(void) { return "3.12.0"; }
EXPORT const char *plugin_get_name(void) { return "caching"; }
EXPORT const char *plugin_get_version(void) { return "0.1.0"; }
EXPORT const char *plugin_get_description(void) { return "caches by number"; }
EXPORT const char *plugin_get_contact(void) { return ""; }
EXPORT const char *plugin_get_last_error(state *s) { return ""; }
EXPORT uint32_t plugin_get_id(void) { return 996; }
EXPORT const char *plugin_get_event_source(void) { return "caching"; }
EXPORT const char *plugin_get_fields(void)
{
	return "[{\"type\": \"string\", \"name\": \"caching.text\", \"desc\": \"by extract\"},"
	       "{\"type\": \"string\", \"name\": \"caching.seen\", \"desc\": \"by parse\"}]";
}

EXPORT state *plugin_init(const abi_init_input *in, int32_t *rc)
{
	*rc = 0;
	return calloc(1, sizeof(state));
}
EXPORT void plugin_destroy(state *s) { free(s); }

/* "word,count": events with the payloads word1, word2 ... */
EXPORT void *plugin_open(state *s, const char *params, int32_t *rc)
{
	s->sent = 0;
	s->count = 1;
	*rc = sscanf(params, "%31[a-z],%lu", s->word, &s->count) < 1;
	return s;
}
EXPORT void plugin_close(state *s, void *h) {}

EXPORT int32_t plugin_next_batch(state *s, void *h, uint32_t *n, abi_event_c ***out)
{
	*n = 0;
	if (s->sent == s->count)
		return 2;
	abi_plugin_event *e = (abi_plugin_event *)s->memory;
	int size = snprintf((char *)s->memory + 38, MOST, "%s%lu", s->word, ++s->sent);
	*e = (abi_plugin_event){{1700000000000000000u + s->sent, ABI_NO_TID, 38 + (uint32_t)size,
	                         322, 2}, 4, (uint32_t)size, 996};
	s->events[0] = (abi_event_c *)e;
	*n = 1;
	*out = s->events;
	return 0;
}

static void remember(uint64_t *number, char *text, const abi_event_input *ev)
{
	const abi_plugin_event *e = (const abi_plugin_event *)ev->evt;
	if (*number == ev->evtnum)
		return;
	*number = ev->evtnum;
	snprintf(text, MOST, "%.*s", (int)((const abi_event_c *)e)->len - 38,
	         (const char *)ev->evt + 38);
}

EXPORT int32_t plugin_parse_event(state *s, const abi_event_input *ev, const void *in)
{
	remember(&s->parsed, s->seen, ev);
	return 0;
}

EXPORT const char *plugin_event_to_string(state *s, const abi_event_input *ev)
{
	remember(&s->told, s->line, ev);
	return s->line;
}

EXPORT int32_t plugin_extract_fields(state *s, const abi_event_input *ev,
                                     const abi_extract_input *in)
{
	remember(&s->extracted, s->text, ev);
	s->strings[0] = s->text;
	s->strings[1] = s->seen;
	for (uint32_t k = 0; k < in->num_fields; k++) {
		in->fields[k].res.str = &s->strings[in->fields[k].field_id];
		in->fields[k].res_len = 1;
	}
	return 0;
}
