/* Tell plugins that a capture begins and ends, in load order. */
#include <stdio.h>

#include "../tables/tables.h"
#include "live.h"

typedef int32_t (*set_handler_fn)(void *s, abi_owner *owner, abi_async_fn handler);
typedef int32_t (*listen_fn)(void *s, const abi_listen_input *in);

struct wb_live {
	wb_host *host;
	wb_plugin *source;
	wb_queue *queue;
	wb_pool *pool;
	bool stopped;
};

wb_live *wb_live_new(wb_host *host, wb_plugin *source, const char *event_source)
{
	wb_live *live = wb_alloc(sizeof *live);
	live->host = host;
	live->source = source;
	live->queue = wb_queue_new(event_source, source->id);
	live->pool = wb_pool_new();
	return live;
}

static bool listens(const wb_plugin *p)
{
	return p->init_ok && p->sym[WB_CALL_capture_open] && p->sym[WB_CALL_capture_close];
}

static int32_t set_handler(wb_plugin *p, bool on)
{
	wb_frame frame;
	wb_call_begin(p, WB_CALL_set_async_event_handler, &frame, "%s",
	              on ? "handler" : "NULL");
	int32_t rc = ((set_handler_fn)p->sym[WB_CALL_set_async_event_handler])(
		p->state, p, on ? wb_async_handler : NULL);
	wb_call_end(p, &frame, WB_RET_CODE, rc, NULL);
	return rc;
}

static int32_t tell(wb_plugin *p, wb_call call)
{
	abi_listen_input in = {.owner = p, .routine = &wb_routine_vtable,
	                       .table_reader_ext = wb_tables_reader(p),
	                       .table_writer_ext = wb_tables_writer(p),
	                       .get_owner_last_error = wb_owner_last_error};
	wb_frame frame;
	wb_call_begin(p, call, &frame, "%s", "");
	int32_t rc = ((listen_fn)p->sym[call])(p->state, &in);
	wb_call_end(p, &frame, WB_RET_CODE, rc, NULL);
	wb_tables_call_ended(p);
	return rc;
}

/* Its own words after a failure, never empty. */
static const char *words(wb_plugin *p)
{
	const char *text = wb_plugin_last_error(p);
	return text && *text ? text : "the plugin gave no reason";
}

/* Undo for the plugins before `end`: async first, then listening, as at every end. */
static void undo(wb_live *live, const wb_plugin *async_end, const wb_plugin *listen_end)
{
	for (wb_plugin *p = live->host->first; p && p != async_end; p = p->next) {
		if (!p->init_ok || !p->sends_async)
			continue;
		/* The framework keeps its side until the plugin has stopped. */
		if (set_handler(p, false) != ABI_SUCCESS)
			wb_warn(p, "can't unset async event handler for plugin '%s' : %s", p->name,
			        words(p));
		wb_route_set(p, NULL);
	}
	for (wb_plugin *p = live->host->first; p && p != listen_end; p = p->next)
		if (listens(p) && tell(p, WB_CALL_capture_close) != ABI_SUCCESS)
			wb_warn(p, "capture_close error for plugin '%s' : %s", p->name, words(p));
}

bool wb_live_start(wb_live *live, char *error, size_t bytes)
{
	for (wb_plugin *p = live->host->first; p; p = p->next) {
		if (!p->init_ok || !p->sends_async)
			continue;
		/* Plugins may send before set_async_event_handler returns. */
		wb_route_set(p, live->queue);
		if (set_handler(p, true) != ABI_SUCCESS) {
			snprintf(error, bytes, "can't set async event handler for plugin '%s' : %s",
			         p->name, words(p));
			wb_route_set(p, NULL);
			live->stopped = true;
			undo(live, p, live->host->first);
			return false;
		}
	}
	for (wb_plugin *p = live->host->first; p; p = p->next)
		if (p->init_ok)
			wb_pool_admit(live->pool, p);
	for (wb_plugin *p = live->host->first; p; p = p->next)
		if (listens(p) && tell(p, WB_CALL_capture_open) != ABI_SUCCESS) {
			snprintf(error, bytes, "capture_open error for plugin '%s' : %s", p->name,
			         words(p));
			live->stopped = true;
			undo(live, NULL, p);
			return false;
		}
	return true;
}

bool wb_live_pending(wb_live *live) { return wb_queue_pending(live->queue); }

bool wb_live_take(wb_live *live, uint64_t ts, wb_event *event)
{
	return wb_queue_take(live->queue, ts, event);
}

void wb_live_close(wb_live *live) { wb_queue_close(live->queue); }

wb_async_counts wb_live_counts(wb_live *live) { return wb_queue_counts(live->queue); }

/* Plugins are told of losses they cannot see. */
static void end(wb_live *live)
{
	wb_pool_free(live->pool, live->host);
	live->pool = NULL;
	wb_queue_end(live->queue);
	wb_async_counts c = wb_queue_counts(live->queue);
	if (live->source && (c.overflow || c.future || c.left))
		wb_warn(live->source, "async events of the capture: %llu delivered, %llu dropped "
		        "because the queue was full, %llu because they were more than 10 seconds "
		        "ahead, %llu came too late", (unsigned long long)c.given,
		        (unsigned long long)c.overflow, (unsigned long long)c.future,
		        (unsigned long long)c.left);
}

void wb_live_stop(wb_live *live)
{
	if (live->stopped)
		return;
	live->stopped = true;
	undo(live, NULL, NULL);
	end(live);
}

void wb_live_free(wb_live *live)
{
	if (!live)
		return;
	if (live->pool)
		wb_pool_free(live->pool, live->host);
	wb_queue_free(live->queue);
	wb_free(live);
}

/* ---- what the loader found out ---- */

void wb_plugin_async_name(wb_plugin *p, const char *name)
{
	p->sends_async = true;
	if (!name)
		return;
	p->async_names = wb_realloc(p->async_names,
	                            (p->nasync_names + 1) * sizeof *p->async_names);
	p->async_names[p->nasync_names++] = wb_copy_text(name);
}

void wb_plugin_async_source(wb_plugin *p, const char *source)
{
	wb_scope_add(&p->async, source);
}

/* ---- tables for people ---- */

uint8_t *wb_host_tables(wb_host *host, uint64_t max_rows, uint64_t *bytes)
{
	return wbt_snapshot(wb_tables_registry(host), max_rows, bytes);
}

/* ---- dump_state ---- */

typedef struct dump {
	uint8_t *data;
	uint64_t used, room;
	const wb_plugin *plugin;
} dump;

/* dump_state runs on this thread, and only one at a time. */
static _Thread_local dump *dumping;

static int32_t dump_handler(abi_owner *owner, const abi_event_c *e, char *err)
{
	char text[1024];
	const char *wrong = "the handler of dump_state works only while dump_state runs";
	dump *d = dumping;
	if (d && d->plugin == owner)
		wrong = wb_async_wrong(d->plugin, e, text, sizeof text);
	if (wrong) {
		if (err)
			snprintf(err, sizeof text, "%s", wrong);
		return ABI_FAILURE;
	}
	uint32_t len = e->len;
	if (d->used + 4 + len > d->room) {
		d->room = (d->used + 4 + len) * 2;
		d->data = wb_realloc(d->data, d->room);
	}
	memcpy(d->data + d->used, &len, 4);
	memcpy(d->data + d->used + 4, e, len);
	d->used += 4 + (uint64_t)len;
	return ABI_SUCCESS;
}

uint8_t *wb_host_dump_state(wb_host *host, uint64_t *bytes, char *error,
                            uint64_t error_bytes)
{
	dump d = {.data = wb_alloc(64), .room = 64};
	*bytes = 0;
	for (wb_plugin *p = host->first; p; p = p->next) {
		if (!p->init_ok || !p->sends_async || !p->sym[WB_CALL_dump_state])
			continue;
		wb_frame frame;
		d.plugin = p;
		dumping = &d;
		wb_call_begin(p, WB_CALL_dump_state, &frame, "%s", "");
		int32_t rc = ((set_handler_fn)p->sym[WB_CALL_dump_state])(p->state, p,
		                                                        dump_handler);
		wb_call_end(p, &frame, WB_RET_CODE, rc, NULL);
		dumping = NULL;
		if (rc != ABI_SUCCESS) {
			snprintf(error, error_bytes, "dump error for plugin '%s' : %s", p->name,
			         words(p));
			wb_free(d.data);
			return NULL;
		}
	}
	*bytes = d.used;
	return d.data;
}
