/* A pump from its making to its end, and what is asked of it meanwhile. */
#include <signal.h>
#include <stdio.h>

#include "state.h"

wb_pump *wb_pump_new(wb_host *host, wb_plugin *source, const char *event_source,
                     int data_fd, uint32_t chunk_rows, uint64_t window_bytes,
                     uint64_t flush_ns, uint64_t max_events, int flags)
{
	wb_pump *m = wb_alloc(sizeof *m);
	m->host = host;
	m->source = source;
	m->event_source = wb_copy_text(event_source);
	m->data_fd = data_fd;
	m->chunk_rows = chunk_rows;
	m->window = window_bytes;
	m->flush_ns = flush_ns;
	m->max_events = max_events;
	m->flags = flags;
	pthread_mutex_init(&m->lock, NULL);
	m->builder.arena.fd = -1;
	return m;
}

void wb_pump_number_from(wb_pump *m, uint64_t base) { m->number_base = base; }

int wb_pump_request(wb_pump *m, wb_plugin *plugin, uint32_t field_id,
                    const char *field, uint32_t type, int is_list, int arg_present,
                    const char *arg_key, uint64_t arg_index, const char *arg,
                    int offsets)
{
	wb_request *r = wb_selection_add(&m->selection);
	r->plugin = plugin;
	r->field_id = field_id;
	r->field = wb_copy_text(field);
	r->type = type;
	r->is_list = is_list != 0;
	r->arg_present = arg_present != 0;
	r->key = wb_copy_text(arg_key);
	r->arg = wb_copy_text(arg);
	r->index = arg_index;
	r->offsets = offsets != 0;
	return (int)m->selection.nrequests - 1;
}

int wb_pump_filter(wb_pump *m, const uint8_t *program, uint64_t bytes, int order)
{
	if (!m->filter)
		m->filter = wb_filter_new();
	m->filter->order = order;
	return wb_filter_stage(m->filter, program, bytes);
}

/* Number the columns; returns how many there are. */
static uint32_t number_columns(wb_pump *m)
{
	uint32_t n = COL_FIRST_REQUEST;
	for (uint32_t i = 0; i < m->selection.nrequests; i++) {
		m->selection.requests[i]->col = n;
		n += m->selection.requests[i]->offsets ? 3 : 1;
	}
	m->col_payload = m->flags & WB_KEEP_PAYLOAD ? n++ : 0;
	m->col_raw = m->flags & WB_KEEP_RAW ? n++ : 0;
	m->col_info = m->flags & WB_PLUGIN_INFO ? n++ : 0;
	m->col_async = m->flags & WB_ASYNC_COLUMNS ? n : 0;
	return n + (m->col_async ? 2 : 0);
}

/* Would a plugin answer the same about an event after later ones? Not where state changes
 * between events. */
static bool may_look_back(const wb_pump *m)
{
	for (const wb_plugin *p = m->host->first; p; p = p->next)
		if (p->init_ok && (p->parses || p->sends_async))
			return false;
	return true;
}

int wb_pump_prepare(wb_pump *m)
{
	wb_forget_failed(m->host);
	uint32_t n = number_columns(m);
	int rc = wb_builder_init(&m->builder, m->host, n, m->chunk_rows, m->window,
	                         m->data_fd);
	if (rc)
		return rc;
	m->prepared = true;
	wb_builder *b = &m->builder;
	wb_builder_column(b, COL_NUM, WB_KIND_U64, false, false);
	wb_builder_column(b, COL_TIME, WB_KIND_U64, false, false);
	for (uint32_t i = 0; i < m->selection.nrequests; i++) {
		wb_request *r = m->selection.requests[i];
		bool codes = r->type == ABI_STRING && m->flags & WB_DICTIONARIES &&
		             (!m->filter || wb_filter_codes(m->filter, i));
		wb_builder_column(b, r->col, wb_kind_of(r->type), r->is_list, codes);
		for (uint32_t k = 1; r->offsets && k < 3; k++)
			wb_builder_column(b, r->col + k, WB_KIND_U64, false, false);
	}
	const uint32_t of_bytes[] = {m->col_payload, m->col_raw, m->col_info};
	for (size_t i = 0; i < sizeof of_bytes / sizeof *of_bytes; i++)
		if (of_bytes[i])
			wb_builder_column(b, of_bytes[i], WB_KIND_BYTES, false, false);
	if (m->col_async) {
		wb_builder_column(b, m->col_async, WB_KIND_BOOL, false, false);
		wb_builder_column(b, m->col_async + 1, WB_KIND_BYTES, false, true);
	}
	if (m->filter)
		wb_filter_waves(m->filter, &m->selection);
	wb_selection_plan(&m->selection, &m->builder, m->event_source,
	                (m->flags & WB_ONE_FIELD) != 0);
	if (!m->filter)
		return 0;
	wb_pump_choose(m, may_look_back(m));
	return wb_filter_ready(m->filter, &m->selection, &m->builder);
}

int wb_pump_arena_fd(wb_pump *m) { return m->builder.arena.fd; }

/* ---- liveness: send what waits while next_batch blocks -------------------------- */

bool wb_pump_due(wb_pump *m, uint64_t now)
{
	wb_builder *b = &m->builder;
	return b->rows && now - b->started_ns >= m->flush_ns && wb_builder_may_send(b);
}

static void *flush_while_waiting(void *arg)
{
	wb_pump *m = arg;
	uint64_t nap = m->flush_ns / 2;
	if (nap < 1000000)
		nap = 1000000;
	if (nap > 50000000)
		nap = 50000000;
	struct timespec t = {0, (long)nap};
	while (!m->quit) {
		nanosleep(&t, NULL);
		if (!m->in_next || pthread_mutex_trylock(&m->lock))
			continue;
		if (m->in_next && wb_pump_due(m, wb_mono_ns()))
			wb_pump_emit(m);
		pthread_mutex_unlock(&m->lock);
	}
	return NULL;
}

static void start_flusher(wb_pump *m)
{
	if (m->data_fd < 0 || m->flusher_on)
		return;
	sigset_t all, old;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	m->flusher_on = !pthread_create(&m->flusher, NULL, flush_while_waiting, m);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

static void stop_flusher(wb_pump *m)
{
	if (!m->flusher_on)
		return;
	m->quit = true;
	pthread_join(m->flusher, NULL);
	m->flusher_on = false;
}

/* ---- open and close -------------------------------------------------------------- */

int32_t wb_pump_open(wb_pump *m, const char *params)
{
	wb_plugin *p = m->source;
	int32_t rc = ABI_FAILURE; /* preset: some plugins forget to set it */
	wb_frame frame;
	wb_call_begin(p, WB_CALL_open, &frame, "params=%s", params);
	m->instance = ((wb_open_fn)p->sym[WB_CALL_open])(p->state, params, &rc);
	wb_call_end(p, &frame, WB_RET_CODE, rc, NULL);
	m->opened = rc == ABI_SUCCESS;
	m->host->page->event_number = 0;
	m->host->page->stop = 0;
	if (m->opened) {
		m->async_budget = WB_QUEUE_EVENTS;
		m->live = wb_live_new(m->host, p, m->event_source);
		if (wb_live_start(m->live, m->live_error, sizeof m->live_error))
			start_flusher(m);
	}
	return rc;
}

void wb_pump_close(wb_pump *m)
{
	stop_flusher(m);
	if (m->source && m->have_batch)
		wb_family_release(m->source, &m->batch);
	m->have_batch = false;
	if (!m->opened || m->closed)
		return;
	m->closed = true;
	wb_plugin *p = m->source;
	wb_frame frame;
	wb_call_begin(p, WB_CALL_close, &frame, "after event #%llu",
	              (unsigned long long)m->events);
	((wb_close_fn)p->sym[WB_CALL_close])(p->state, m->instance);
	wb_call_end(p, &frame, WB_RET_VOID, 0, NULL);
	wb_live_stop(m->live);
}

const char *wb_pump_live_error(wb_pump *m)
{
	return m->live_error[0] ? m->live_error : NULL;
}

void wb_pump_async_counts(wb_pump *m, wb_async_counts *counts)
{
	*counts = m->live ? wb_live_counts(m->live) : (wb_async_counts){0};
}

void wb_pump_free(wb_pump *m)
{
	if (!m)
		return;
	wb_pump_close(m);
	wb_live_free(m->live);
	if (m->prepared)
		wb_builder_free(&m->builder);
	wb_filter_free(m->filter);
	wb_selection_free(&m->selection);
	pthread_mutex_destroy(&m->lock);
	wb_free(m->text);
	wb_free(m->event_source);
	wb_free(m);
}

int wb_pump_way(wb_pump *m, uint32_t i, int *order, int *staged, uint64_t *events,
                double *ns)
{
	const wb_choice *c = m->filter ? &m->filter->choice : NULL;
	if (!c || i >= c->n)
		return -1;
	*order = c->ways[i].order;
	*staged = c->ways[i].staged && m->filter->nstages > 1;
	*events = c->used[i];
	*ns = c->ns[i];
	return 0;
}

/* ---- small questions ------------------------------------------------------------------ */

void wb_pump_flush(wb_pump *m)
{
	pthread_mutex_lock(&m->lock);
	wb_pump_emit(m);
	pthread_mutex_unlock(&m->lock);
}

int wb_pump_end(wb_pump *m) { return m->end; }
int32_t wb_pump_end_code(wb_pump *m) { return m->end_code; }
const char *wb_pump_end_message(wb_pump *m) { return m->end_message; }
uint64_t wb_pump_events(wb_pump *m) { return m->events; }

uint8_t *wb_pump_take(wb_pump *m, uint64_t *bytes)
{
	wb_builder *b = &m->builder;
	wb_block *block = b->queue;
	if (!block)
		return NULL;
	b->queue = block->next;
	if (!b->queue)
		b->queue_end = &b->queue;
	uint8_t *memory = block->memory;
	*bytes = block->bytes;
	wb_free(block);
	return memory;
}

void wb_block_free(void *memory) { wb_free(memory); }

int wb_pump_progress(wb_pump *m, uint32_t *hundredths, const char **text)
{
	wb_plugin *p = m->source;
	*hundredths = 0;
	*text = NULL;
	if (!p || !m->opened || m->closed || !p->sym[WB_CALL_get_progress])
		return -1;
	wb_frame frame;
	wb_call_begin(p, WB_CALL_get_progress, &frame, "%s", "");
	void *fn = p->sym[WB_CALL_get_progress];
	const char *said = ((wb_progress_fn)fn)(p->state, m->instance, hundredths);
	char shown[96];
	snprintf(shown, sizeof shown, "%u, %s", *hundredths, said ? said : "NULL");
	wb_call_end(p, &frame, WB_RET_TEXT, 0, shown);
	wb_free(m->text);
	m->text = wb_copy_text(said);
	if (said && p->family == WB_A1)
		wb_family_release(p, &(wb_batch){.events.any = (void *)said});
	*text = m->text;
	return 0;
}
