/* Stand-ins for the plugins that the recorded configurations name: 123 empty events,
 * or limit=N of them; one field that shows the init config. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../../workbench/native/src/common/abi.h"

#ifndef API
#define API "3.12.0"
#endif
#ifndef NAME
#define NAME "probe"
#endif
#ifndef FIELD
#define FIELD NAME ".initconfig"
#endif
#define EXPORT __attribute__((visibility("default")))

typedef struct state {
	char error[128];
	char config[4096];
	const char *text;
} state;

#ifdef EMPTY
EXPORT int unrelated(void) { return 0; }
#else

EXPORT const char *plugin_get_required_api_version(void) { return API; }
EXPORT const char *plugin_get_name(void) { return NAME; }
EXPORT const char *plugin_get_version(void) { return "1.2.3"; }
EXPORT const char *plugin_get_description(void) { return "stand-in"; }
EXPORT const char *plugin_get_contact(void) { return "nobody"; }
EXPORT const char *plugin_get_last_error(state *s) { return s->error; }

#ifdef SCHEMA
EXPORT const char *plugin_get_init_schema(int32_t *type)
{
	*type = 1;
	return "{\"type\": \"object\", \"additionalProperties\": false, \"properties\": {"
	       "\"label\": {\"type\": \"string\"}, \"count\": {\"type\": \"integer\", \"minimum\": 0},"
	       "\"ratio\": {\"type\": \"number\"}, \"on\": {\"type\": \"boolean\"},"
	       "\"fail\": {\"type\": \"boolean\"}, \"nested\": {\"type\": \"object\"}, \"nothing\": {},"
	       "\"tags\": {\"type\": \"array\", \"items\": {\"type\": \"string\"}}}}";
}
#endif

EXPORT state *plugin_init(const abi_init_input *in, int32_t *rc)
{
	state *s = calloc(1, sizeof *s);
	snprintf(s->config, sizeof s->config, "%s", in->config);
	*rc = 0;
	if (!strcmp(s->config, "fail") || strstr(s->config, "\"fail\":true")) {
		snprintf(s->error, sizeof s->error, "init failed on request");
		*rc = 1;
	}
	return s;
}

EXPORT void plugin_destroy(state *s) { free(s); }

#ifdef SOURCE
typedef struct instance {
	unsigned left;
	abi_plugin_event event;
	abi_event_c *list[1];
} instance;

EXPORT uint32_t plugin_get_id(void) { return ID; }
EXPORT const char *plugin_get_event_source(void) { return SOURCE; }

EXPORT instance *plugin_open(state *s, const char *params, int32_t *rc)
{
	(void)s;
	instance *h = calloc(1, sizeof *h);
	h->left = strncmp(params, "limit=", 6) ? 123 : (unsigned)atoi(params + 6);
	*rc = 0;
	return h;
}

EXPORT void plugin_close(state *s, instance *h) { (void)s; free(h); }

EXPORT int32_t plugin_next_batch(state *s, instance *h, uint32_t *n, abi_event_c ***out)
{
	(void)s;
	*n = 0;
	*out = h->list;
	if (!h->left)
		return 2;
	h->left--;
	h->event.header = (abi_event_c){1700000000000000000u, (uint64_t)-1, 38, 322, 2};
	h->event.id_len = 4;
	h->event.plugin_id = ID;
	h->list[0] = (abi_event_c *)&h->event;
	*n = 1;
	return 0;
}
#endif

EXPORT const char *plugin_get_fields(void)
{
	return "[{\"type\": \"string\", \"name\": \"" FIELD "\", \"desc\": \"init config\"}"
#ifdef SCHEMA
	       ", {\"type\": \"string\", \"name\": \"probe.str\", \"desc\": \"a text\"}"
#endif
	       "]";
}

#ifdef EXTRACT
EXPORT const char *plugin_get_extract_event_sources(void) { return "[\"" EXTRACT "\"]"; }
#endif

EXPORT int32_t plugin_extract_fields(state *s, const abi_event_input *ev,
                                     const abi_extract_input *in)
{
	(void)ev;
	s->text = s->config;
	for (uint32_t k = 0; k < in->num_fields; k++) {
		in->fields[k].res_len = in->fields[k].field_id == 0;
		in->fields[k].res.str = &s->text;
	}
	return 0;
}
#endif
