/* Brings the lines of a file into the world as events of somebody else's source: for
 * official plugins whose own source is a service on the network. Built with ID and
 * SOURCE; open params: the file. One event per line, ten seconds apart; no fields. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../../workbench/native/src/common/abi.h"

#define EXPORT __attribute__((visibility("default")))
#define START 1774000000000000000u
#define STEP 10000000000u

typedef struct state {
	char error[256];
} state;

typedef struct instance {
	FILE *file;
	char *line;
	size_t size;
	uint64_t sent;
	abi_plugin_event *event;
	abi_event_c *list[1];
} instance;

EXPORT const char *plugin_get_required_api_version(void) { return "3.11.0"; }
EXPORT const char *plugin_get_name(void) { return "carrier"; }
EXPORT const char *plugin_get_version(void) { return "0.1.0"; }
EXPORT const char *plugin_get_description(void) { return "lines as events"; }
EXPORT const char *plugin_get_contact(void) { return ""; }
EXPORT const char *plugin_get_last_error(state *s) { return s->error; }
EXPORT uint32_t plugin_get_id(void) { return ID; }
EXPORT const char *plugin_get_event_source(void) { return SOURCE; }

EXPORT state *plugin_init(const abi_init_input *in, int32_t *rc)
{
	(void)in;
	*rc = 0;
	return calloc(1, sizeof(state));
}

EXPORT void plugin_destroy(state *s) { free(s); }

EXPORT instance *plugin_open(state *s, const char *params, int32_t *rc)
{
	instance *h = calloc(1, sizeof *h);
	h->file = fopen(params, "r");
	*rc = h->file == NULL;
	if (h->file == NULL)
		snprintf(s->error, sizeof s->error, "cannot read %s", params);
	return h;
}

EXPORT void plugin_close(state *s, instance *h)
{
	(void)s;
	if (h->file != NULL)
		fclose(h->file);
	free(h->line);
	free(h->event);
	free(h);
}

EXPORT int32_t plugin_next_batch(state *s, instance *h, uint32_t *n, abi_event_c ***out)
{
	(void)s;
	*n = 0;
	*out = h->list;
	ssize_t length = getline(&h->line, &h->size, h->file);
	if (length < 0)
		return 2;
	if (length && h->line[length - 1] == '\n')
		length--;
	h->event = realloc(h->event, sizeof *h->event + (size_t)length);
	*h->event = (abi_plugin_event){
		{START + STEP * h->sent++, (uint64_t)-1, 38 + (uint32_t)length, 322, 2},
		4, (uint32_t)length, ID};
	memcpy(h->event->data, h->line, (size_t)length);
	h->list[0] = (abi_event_c *)h->event;
	*n = 1;
	return 0;
}
