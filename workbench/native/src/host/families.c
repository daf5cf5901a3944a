/* What differs between the families, except extraction (pump/extract_*.c). */
#include <stdio.h>
#include <stdlib.h>

#include "plugin.h"

typedef void *(*init_text_fn)(const char *config, int32_t *rc);
typedef void *(*init_struct_fn)(const abi_init_input *, int32_t *rc);

int32_t wb_family_init(wb_plugin *p, const char *config, bool with_tables)
{
	int32_t rc = ABI_FAILURE; /* preset: some plugins forget to set it */
	void *init = p->sym[WB_CALL_init];
	if (p->family != WB_C) {
		p->state = ((init_text_fn)init)(config, &rc);
		return rc;
	}
	/* Always the newest struct, and every pointer set unless it is Falco's way that is
	 * tried: a plugin may be built with a newer header than the version it declares. */
	abi_init_input in = {
		.config = config,
		.owner = p,
		.get_owner_last_error = wb_owner_last_error,
		.tables = with_tables ? wb_tables_for_init(p) : NULL,
		.log_fn = wb_log_fn,
	};
	p->state = ((init_struct_fn)init)(&in, &rc);
	return rc;
}

/* Family A1 hands everything over: give it back the way its version requests. */
static void give_back(wb_plugin *p, void *memory)
{
	if (!memory)
		return;
	if (p->sym[WB_CALL_free_mem])
		((wb_free_mem_fn)p->sym[WB_CALL_free_mem])(memory);
	else
		free(memory);
}

void wb_family_release(wb_plugin *p, wb_batch *batch)
{
	if (p->family == WB_A1 && batch->events.any) {
		for (uint32_t i = 0; i < batch->n; i++)
			give_back(p, (void *)batch->events.ab[i].data);
		give_back(p, batch->events.any);
	}
	batch->events.any = NULL;
	batch->n = 0;
}

const char *wb_family_keep_text(wb_plugin *p, const char *text)
{
	wb_free(p->text);
	p->text = wb_copy_text(text);
	if (text && p->family == WB_A1)
		give_back(p, (void *)text);
	return p->text;
}

int32_t wb_family_next(wb_plugin *p, void *h, wb_batch *batch)
{
	batch->n = 0;
	batch->events.any = NULL;
	int32_t rc;
	if (p->family == WB_C) {
		wb_next_c_fn next = (wb_next_c_fn)p->sym[WB_CALL_next_batch];
		rc = next(p->state, h, &batch->n, &batch->events.c);
	} else if (p->sym[WB_CALL_next_batch]) {
		wb_next_ab_fn next = (wb_next_ab_fn)p->sym[WB_CALL_next_batch];
		rc = next(p->state, h, &batch->n, &batch->events.ab);
	} else {
		wb_next_one_fn next = (wb_next_one_fn)p->sym[WB_CALL_next];
		rc = next(p->state, h, &batch->events.ab);
		batch->n = rc == ABI_SUCCESS && batch->events.ab ? 1 : 0;
	}
	if (p->family == WB_A1 && rc == ABI_EOF_DRAFT)
		rc = ABI_EOF;
	if (!batch->events.any)
		batch->n = 0;
	return rc;
}

static const char *event_ab(wb_plugin *p, wb_batch *batch, uint32_t i, wb_event *event,
                            char *message, size_t bytes)
{
	const abi_event_ab *e = &batch->events.ab[i];
	if (!e->data && e->datalen) {
		snprintf(message, bytes, "malformed plugin event produced by plugin: '%s': "
		         "its data is NULL, its length %u", p->name, e->datalen);
		return message;
	}
	if (e->datalen > UINT32_MAX - ABI_PAYLOAD_OFFSET) {
		snprintf(message, bytes, "malformed plugin event produced by plugin: '%s': "
		         "its length %u is too large", p->name, e->datalen);
		return message;
	}
	event->blob = NULL;
	event->blob_len = ABI_PAYLOAD_OFFSET + e->datalen;
	event->payload = e->data;
	event->payload_len = e->datalen;
	event->ts = e->ts == ABI_NO_TIME ? wb_real_ns() : e->ts;
	event->type = ABI_EVENT_PLUGIN;
	return NULL;
}

/* An event of type 322 with two parameters: id and payload. */
static const char *plugin_event(wb_plugin *p, abi_plugin_event *pe, wb_event *event,
                                char *message, size_t bytes)
{
	uint32_t len = event->blob_len;
	if (len < ABI_PAYLOAD_OFFSET || pe->id_len != 4 ||
	    pe->data_len != len - ABI_PAYLOAD_OFFSET) {
		snprintf(message, bytes, "malformed plugin event produced by plugin: '%s': "
		         "length %u does not hold an id of 4 bytes and a payload of %u",
		         p->name, len, len < ABI_PAYLOAD_OFFSET ? 0 : pe->data_len);
		return message;
	}
	if (!p->id && !pe->plugin_id) {
		snprintf(message, bytes,
		         "malformed plugin event produced by plugin (no ID): '%s'", p->name);
		return message;
	}
	/* Write only what differs: events may lie in read-only memory. */
	if (p->id && !pe->plugin_id) {
		pe->plugin_id = p->id;
	} else if (p->id && pe->plugin_id != p->id) {
		snprintf(message, bytes, "unexpected plugin ID in plugin event: "
		         "plugin='%s', expected_id=%u, actual_id=%u",
		         p->name, p->id, pe->plugin_id);
		return message;
	}
	if (pe->header.tid != ABI_NO_TID)
		pe->header.tid = ABI_NO_TID;
	event->payload = pe->data;
	event->payload_len = pe->data_len;
	return NULL;
}

/* Any other event: only plugins without an ID may give them. */
static const char *other_event(wb_plugin *p, abi_event_c *e, wb_event *event,
                               char *message, size_t bytes)
{
	uint32_t len = event->blob_len;
	if (p->id) {
		snprintf(message, bytes, "malformed plugin event produced by plugin: '%s': "
		         "type %u with %u parameters, expected type 322 with 2",
		         p->name, event->type, e->nparams);
		return message;
	}
	if (len < sizeof *e) {
		snprintf(message, bytes, "malformed plugin event produced by plugin: '%s': "
		         "length %u is less than an event header", p->name, len);
		return message;
	}
	event->payload = (uint8_t *)e + sizeof *e;
	event->payload_len = len - (uint32_t)sizeof *e;
	return NULL;
}

const char *wb_family_event(wb_plugin *p, wb_batch *batch, uint32_t i, wb_event *event,
                            char *message, size_t bytes)
{
	if (p->family != WB_C)
		return event_ab(p, batch, i, event, message, bytes);
	abi_event_c *e = batch->events.c[i];
	if (!e) {
		snprintf(message, bytes, "malformed plugin event produced by plugin: '%s': "
		         "event pointer %u of the batch is NULL", p->name, i);
		return message;
	}
	event->blob = (uint8_t *)e;
	event->blob_len = e->len;
	event->type = e->type;
	const char *wrong =
		event->type == ABI_EVENT_PLUGIN && e->nparams == 2
			? plugin_event(p, (abi_plugin_event *)e, event, message, bytes)
			: other_event(p, e, event, message, bytes);
	if (wrong)
		return wrong;
	if (e->ts == ABI_NO_TIME)
		e->ts = wb_real_ns();
	event->ts = e->ts;
	return NULL;
}

void wb_event_build(uint8_t *out, const wb_event *event, uint32_t plugin_id)
{
	abi_plugin_event *pe = (abi_plugin_event *)out;
	pe->header.ts = event->ts;
	pe->header.tid = ABI_NO_TID;
	pe->header.len = ABI_PAYLOAD_OFFSET + event->payload_len;
	pe->header.type = ABI_EVENT_PLUGIN;
	pe->header.nparams = 2;
	pe->id_len = 4;
	pe->data_len = event->payload_len;
	pe->plugin_id = plugin_id;
	if (event->payload_len)
		memcpy(pe->data, event->payload, event->payload_len);
}

bool wb_event_view(uint8_t *blob, uint32_t len, wb_event *event)
{
	abi_event_c *e = (abi_event_c *)blob;
	if (len < sizeof *e || e->len != len)
		return false;
	event->blob = blob;
	event->blob_len = len;
	event->ts = e->ts;
	event->type = e->type;
	event->payload = blob + sizeof *e;
	event->payload_len = len - (uint32_t)sizeof *e;
	if (e->type != ABI_EVENT_PLUGIN)
		return true;
	abi_plugin_event *pe = (abi_plugin_event *)e;
	if (len < ABI_PAYLOAD_OFFSET || e->nparams != 2 || pe->id_len != 4 ||
	    pe->data_len != len - ABI_PAYLOAD_OFFSET)
		return false;
	event->payload = pe->data;
	event->payload_len = pe->data_len;
	return true;
}

typedef char *(*to_string_a_fn)(void *s, const uint8_t *data, uint32_t len);
typedef const char *(*to_string_b_fn)(void *s, const abi_event_ab *);
typedef const char *(*to_string_c_fn)(void *s, const abi_event_input *);

char *wb_family_event_text(wb_plugin *p, const wb_event *event, const char *source)
{
	void *fn = p->sym[WB_CALL_event_to_string];
	if (!fn || !p->state || event->type != ABI_EVENT_PLUGIN)
		return NULL;
	const char *text;
	char *copy;
	wb_hot_of(p, WB_HOT_TO_STRING)->count++;
	wb_mark(p->host, WB_CALL_event_to_string, p->index);
	if (p->family == WB_C) {
		abi_event_input in = {(abi_event_c *)event->blob, event->serial, source};
		text = ((to_string_c_fn)fn)(p->state, &in);
	} else if (p->family == WB_B) {
		abi_event_ab e = {event->serial, event->payload, event->payload_len, event->ts};
		text = ((to_string_b_fn)fn)(p->state, &e);
	} else {
		text = ((to_string_a_fn)fn)(p->state, event->payload, event->payload_len);
	}
	copy = wb_copy_text(text);
	if (p->family == WB_A1)
		give_back(p, (void *)text);
	wb_unmark(p->host);
	return copy;
}
