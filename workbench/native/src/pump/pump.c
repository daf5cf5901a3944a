/* The loop: next_batch → convert → number → parse → extract → row. Async events join
 * in order of time, before the event of the source that is later.
 *
 * One thread pumps. A second one, only when chunks go to a parent, sends a started chunk
 * while the first waits inside next_batch; the lock is held outside of next_batch. */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "../live/live.h"
#include "pump_api.h"
#include "request.h"

/* Columns that every chunk has, before the wanted ones. */
enum { COL_NUM, COL_TIME, COL_FIRST_WANT };

struct wb_pump {
	wb_host *host;
	wb_plugin *source;
	char *event_source;
	void *instance;
	bool opened;
	bool closed;
	int flags;
	int data_fd;
	uint32_t chunk_rows;
	uint64_t window;
	uint64_t flush_ns;
	uint64_t max_events;
	uint64_t events;
	wb_builder builder;
	wb_request request;
	bool prepared;
	uint32_t col_payload, col_raw, col_info, col_async;
	wb_live *live;
	bool async_closed;
	uint32_t async_budget; /* async events that may still come before the source's */
	char live_error[1200];
	wb_batch batch;
	uint32_t cursor;
	int32_t code; /* of the batch in hand, reported after its events */
	bool have_batch;
	int end;
	int32_t end_code;
	char end_message[512];
	uint32_t idle; /* immediate timeouts in a row */
	uint64_t last_poll_ns;
	char *text;
	pthread_mutex_t lock;
	pthread_t flusher;
	bool flusher_on;
	_Atomic bool in_next;
	_Atomic bool quit;
};

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

int wb_pump_want(wb_pump *m, wb_plugin *plugin, uint32_t field_id, const char *field,
                 uint32_t type, int is_list, int arg_present, const char *arg_key,
                 uint64_t arg_index, const char *arg, int offsets)
{
	wb_want *w = wb_request_add(&m->request);
	w->plugin = plugin;
	w->field_id = field_id;
	w->field = wb_copy_text(field);
	w->type = type;
	w->is_list = is_list != 0;
	w->arg_present = arg_present != 0;
	w->key = wb_copy_text(arg_key);
	w->arg = wb_copy_text(arg);
	w->index = arg_index;
	w->offsets = offsets != 0;
	return (int)m->request.nwants - 1;
}

int wb_pump_prepare(wb_pump *m)
{
	uint32_t n = COL_FIRST_WANT;
	for (uint32_t i = 0; i < m->request.nwants; i++) {
		m->request.wants[i]->col = n;
		n += m->request.wants[i]->offsets ? 3 : 1;
	}
	m->col_payload = m->flags & WB_KEEP_PAYLOAD ? n++ : 0;
	m->col_raw = m->flags & WB_KEEP_RAW ? n++ : 0;
	m->col_info = m->flags & WB_PLUGIN_INFO ? n++ : 0;
	m->col_async = m->flags & WB_ASYNC_COLUMNS ? n : 0;
	n += m->col_async ? 2 : 0;
	int rc = wb_builder_init(&m->builder, m->host, n, m->chunk_rows, m->window,
	                         m->data_fd);
	if (rc)
		return rc;
	m->prepared = true;
	wb_builder *b = &m->builder;
	wb_builder_column(b, COL_NUM, WB_KIND_U64, false, false);
	wb_builder_column(b, COL_TIME, WB_KIND_U64, false, false);
	for (uint32_t i = 0; i < m->request.nwants; i++) {
		wb_want *w = m->request.wants[i];
		wb_builder_column(b, w->col, wb_kind_of(w->type), w->is_list,
		                  w->type == ABI_STRING && m->flags & WB_DICTIONARIES);
		for (uint32_t k = 1; w->offsets && k < 3; k++)
			wb_builder_column(b, w->col + k, WB_KIND_U64, false, false);
	}
	if (m->col_payload)
		wb_builder_column(b, m->col_payload, WB_KIND_BYTES, false, false);
	if (m->col_raw)
		wb_builder_column(b, m->col_raw, WB_KIND_BYTES, false, false);
	if (m->col_info)
		wb_builder_column(b, m->col_info, WB_KIND_BYTES, false, false);
	if (m->col_async) {
		wb_builder_column(b, m->col_async, WB_KIND_BOOL, false, false);
		wb_builder_column(b, m->col_async + 1, WB_KIND_BYTES, false, true);
	}
	wb_request_plan(&m->request, &m->builder, m->event_source,
	                (m->flags & WB_ONE_FIELD) != 0);
	return 0;
}

int wb_pump_arena_fd(wb_pump *m) { return m->builder.arena.fd; }

/* ---- liveness: send what waits while next_batch blocks -------------------------- */

static bool due(wb_pump *m, uint64_t now)
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
		if (m->in_next && due(m, wb_mono_ns()))
			wb_builder_emit(&m->builder);
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
	m->host->board->event_number = 0;
	m->host->board->stop = 0;
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
	wb_request_free(&m->request);
	pthread_mutex_destroy(&m->lock);
	wb_free(m->text);
	wb_free(m->event_source);
	wb_free(m);
}

/* ---- one event -------------------------------------------------------------------- */

static void put_bytes(wb_builder *b, uint32_t col, uint64_t row, const void *bytes,
                      uint32_t len)
{
	if (!wb_put_bytes(&b->cols[col], row, bytes, len))
		wb_cell_null(&b->cols[col], row);
}

/* The framework's own words for an event whose plugin has none. */
static void put_info(wb_pump *m, wb_builder *b, wb_event *e, uint64_t row, uint32_t id)
{
	if (!m->source || e->type != ABI_EVENT_PLUGIN) {
		wb_cell_null(&b->cols[m->col_info], row);
		return;
	}
	wb_request_blob(&m->request, e, id);
	char *said = wb_family_event_text(m->source, e, m->event_source);
	char made[128];
	const char *text = said;
	if (!said || !*said) {
		uint32_t shown = e->payload_len < 50 ? e->payload_len : 50;
		int n = snprintf(made, sizeof made, "datalen=%u data=", e->payload_len);
		bool plain = true;
		for (uint32_t i = 0; i < shown; i++)
			plain = plain && e->payload[i] >= 0x20 && e->payload[i] < 0x7f;
		if (plain)
			snprintf(made + n, sizeof made - (size_t)n, "%.*s%s", (int)shown,
			         (const char *)e->payload, e->payload_len > 50 ? "..." : "");
		else
			snprintf(made + n, sizeof made - (size_t)n, "<binary>");
		text = made;
	}
	put_bytes(b, m->col_info, row, text, (uint32_t)strlen(text));
	wb_free(said);
}

static void put_async(wb_builder *b, uint32_t col, const wb_event *e, uint64_t row)
{
	bool is_async = e->type == ABI_EVENT_ASYNC;
	wb_put_bool(&b->cols[col], row, is_async);
	if (is_async)
		put_bytes(b, col + 1, row, e->blob + ABI_ASYNC_NAME_OFFSET,
		          (uint32_t)strnlen((char *)e->blob + ABI_ASYNC_NAME_OFFSET,
		                            e->blob_len - ABI_ASYNC_NAME_OFFSET));
	else
		wb_cell_null(&b->cols[col + 1], row);
}

static void add_row(wb_pump *m, wb_event *e, uint32_t id)
{
	wb_builder *b = &m->builder;
	uint64_t row = b->rows;
	m->host->board->event_number = e->num;
	if (!row)
		b->started_ns = wb_mono_ns();
	wb_put_u64(&b->cols[COL_NUM], row, e->num);
	wb_put_u64(&b->cols[COL_TIME], row, e->ts);
	wb_request_run(&m->request, b, e, row, m->event_source, id);
	if (m->col_payload)
		put_bytes(b, m->col_payload, row, e->payload, e->payload_len);
	if (m->col_raw)
		put_bytes(b, m->col_raw, row, wb_request_blob(&m->request, e, id), e->blob_len);
	if (m->col_info)
		put_info(m, b, e, row, id);
	if (m->col_async)
		put_async(b, m->col_async, e, row);
	wb_builder_commit(b);
}

static void end(wb_pump *m, int reason, int32_t code)
{
	m->end = reason;
	m->end_code = code;
	wb_builder_emit(&m->builder);
}

/* Count, parse and extract one event. False: the stream ended, or a chunk went out. */
static bool take_event(wb_pump *m, wb_event *e)
{
	wb_builder *b = &m->builder;
	e->num = ++m->events;
	wb_parse_event(m->host, e, m->event_source, &m->request, m->source->id);
	add_row(m, e, m->source->id);
	if (m->max_events && m->events >= m->max_events) {
		end(m, WB_END_LIMIT, 0);
		return false;
	}
	if (wb_builder_full(b) ||
	    (!(m->events & 15) && m->data_fd >= 0 && due(m, wb_mono_ns()))) {
		wb_builder_emit(b);
		return false;
	}
	return true;
}

/* Deliver the async events due before time ts. False: as take_event. */
static bool deliver_async(wb_pump *m, uint64_t ts)
{
	wb_event e;
	/* Threads that send without end must not hold the source up for ever. */
	while (m->async_budget && wb_live_pending(m->live) &&
	       wb_live_take(m->live, ts, &e)) {
		m->async_budget--;
		bool go_on = take_event(m, &e);
		wb_free(e.blob);
		if (!go_on)
			return false;
	}
	return true;
}

/* Deliver the events of the batch in hand. False: the stream ended, or a chunk went out
 * and the caller should look around. */
static bool deliver_batch(wb_pump *m)
{
	wb_plugin *p = m->source;
	wb_board *board = m->host->board;
	while (m->cursor < m->batch.n) {
		if (board->stop) {
			end(m, WB_END_CANCELLED, 0);
			return false;
		}
		/* The plugin wrote the batch a while ago: fetch what comes after this event. */
		if (p->family == WB_C && m->cursor + 2 < m->batch.n) {
			const char *ahead = (const char *)m->batch.events.c[m->cursor + 2];
			__builtin_prefetch(ahead);
			__builtin_prefetch(ahead + 64);
		}
		wb_event e;
		const char *wrong = wb_family_event(p, &m->batch, m->cursor, &e, m->end_message,
		                                    sizeof m->end_message);
		if (wrong) {
			end(m, WB_END_BAD_EVENT, ABI_FAILURE);
			return false;
		}
		if (wb_live_pending(m->live) && !deliver_async(m, e.ts))
			return false;
		m->cursor++;
		m->async_budget = WB_QUEUE_EVENTS;
		if (!take_event(m, &e))
			return false;
	}
	return true;
}

static bool deliver(wb_pump *m)
{
	m->host->board->reading =
		m->source->sym[WB_CALL_next_batch] ? WB_CALL_next_batch : WB_CALL_next;
	bool used_up = deliver_batch(m);
	m->host->board->reading = WB_CALL_none;
	return used_up;
}

/* The batch in hand is used up: what did its return code say? */
static void conclude(wb_pump *m)
{
	uint32_t n = m->batch.n;
	/* While the source rests, async events wait only for their own time; when it ends
	 * they all come. A chunk that went out brings us back here. */
	bool rests = m->code == ABI_TIMEOUT;
	if (!rests && m->code != ABI_SUCCESS && !m->async_closed) {
		wb_live_close(m->live);
		m->async_closed = true;
		m->async_budget = WB_QUEUE_EVENTS;
	}
	if ((rests || m->async_closed) && wb_live_pending(m->live) &&
	    !deliver_async(m, rests ? wb_real_ns() : UINT64_MAX))
		return;
	m->async_budget = WB_QUEUE_EVENTS;
	wb_family_release(m->source, &m->batch);
	m->have_batch = false;
	switch (m->code) {
	case ABI_SUCCESS:
		m->idle = 0;
		if (n)
			return;
		snprintf(m->end_message, sizeof m->end_message,
		         "unexpected 0 size event returned by plugin %s", m->source->name);
		end(m, WB_END_BAD_EVENT, ABI_SUCCESS);
		return;
	case ABI_TIMEOUT:
		m->idle = n ? 0 : m->idle + 1;
		return;
	case ABI_EOF:
		end(m, WB_END_EOF, ABI_EOF);
		return;
	default:
		end(m, WB_END_FAILURE, m->code);
	}
}

static bool readable(int fd, int wait_ms)
{
	struct pollfd one = {fd, POLLIN, 0};
	return fd >= 0 && poll(&one, 1, wait_ms) > 0;
}

static void get_batch(wb_pump *m)
{
	wb_plugin *p = m->source;
	wb_hot *hot = wb_hot_of(p, WB_HOT_NEXT);
	uint32_t call = p->sym[WB_CALL_next_batch] ? WB_CALL_next_batch : WB_CALL_next;
	m->in_next = true;
	pthread_mutex_unlock(&m->lock);
	uint64_t start = wb_mono_ns();
	m->host->board->enter_ns = start;
	wb_mark(m->host, call, p->index);
	m->code = wb_family_next(p, m->instance, &m->batch);
	wb_unmark(m->host);
	uint64_t took = wb_mono_ns() - start;
	pthread_mutex_lock(&m->lock);
	m->in_next = false;
	hot->count++;
	hot->timed++;
	hot->timed_ns += took;
	if (m->code == ABI_FAILURE)
		hot->failures++;
	m->cursor = 0;
	m->have_batch = true;
	/* A source that says "nothing yet" at once must not eat a whole core. */
	if (m->code == ABI_TIMEOUT && !m->batch.n && took < 1000000 && m->idle > 2) {
		useconds_t nap = m->idle > 20 ? 5000 : 500;
		m->in_next = true;
		pthread_mutex_unlock(&m->lock);
		usleep(nap);
		pthread_mutex_lock(&m->lock);
		m->in_next = false;
	}
}

static int run(wb_pump *m, int control_fd, uint64_t deadline)
{
	wb_builder *b = &m->builder;
	uint64_t sent = m->host->board->chunks_sent;
	while (!m->end) {
		if (m->host->board->stop) {
			end(m, WB_END_CANCELLED, 0);
			break;
		}
		if (b->broken) {
			m->end = WB_END_PARENT_GONE;
			break;
		}
		if (!wb_builder_may_send(b)) {
			m->host->board->waiting = 1;
			pthread_mutex_unlock(&m->lock);
			bool asked = readable(control_fd, 20);
			pthread_mutex_lock(&m->lock);
			if (asked)
				return WB_RUN_CONTROL;
			if (wb_mono_ns() > deadline)
				return WB_RUN_WAITING;
			continue;
		}
		m->host->board->waiting = 0;
		if (!m->have_batch)
			get_batch(m);
		if (deliver(m))
			conclude(m);
		if (m->end)
			break;
		if (m->data_fd < 0 && m->host->board->chunks_sent != sent)
			return WB_RUN_QUEUED;
		uint64_t now = wb_mono_ns();
		if (due(m, now)) {
			wb_builder_emit(b);
			if (m->data_fd < 0)
				return WB_RUN_QUEUED;
		}
		if (now - m->last_poll_ns > 2000000) {
			m->last_poll_ns = now;
			if (readable(control_fd, 0))
				return WB_RUN_CONTROL;
		}
		if (now > deadline)
			return WB_RUN_SLICE;
	}
	return WB_RUN_ENDED;
}

int wb_pump_run(wb_pump *m, int control_fd, uint64_t slice_ns)
{
	pthread_mutex_lock(&m->lock);
	int why = run(m, control_fd, wb_mono_ns() + slice_ns);
	pthread_mutex_unlock(&m->lock);
	return why;
}

/* ---- stored events ------------------------------------------------------------------ */

int64_t wb_pump_feed(wb_pump *m, uint8_t *data, const int64_t *offsets,
                     const uint64_t *numbers, int64_t n)
{
	wb_builder *b = &m->builder;
	int64_t i = 0;
	while (i < n) {
		wb_event e = {.num = numbers[i]};
		uint32_t len = (uint32_t)(offsets[i + 1] - offsets[i]);
		if (wb_event_view(data + offsets[i], len, &e)) {
			if (m->flags & WB_PARSE)
				wb_parse_event(m->host, &e, m->event_source, &m->request, 0);
			add_row(m, &e, 0);
		} else {
			/* No event at all: a row of nulls keeps the rows in step. */
			e.type = UINT16_MAX;
			uint64_t row = b->rows;
			if (!row)
				b->started_ns = wb_mono_ns();
			for (uint32_t c = 0; c < b->ncols; c++)
				wb_cell_null(&b->cols[c], row);
			wb_builder_commit(b);
		}
		i++;
		if (wb_builder_full(b)) {
			wb_builder_emit(b);
			break;
		}
	}
	return i;
}

const char *wb_pump_event_text(wb_pump *m, wb_plugin *plugin, uint8_t *data,
                               uint32_t bytes, uint64_t number)
{
	wb_event e = {.num = number};
	wb_free(m->text);
	m->text = NULL;
	if (plugin->init_ok && wb_event_view(data, bytes, &e))
		m->text = wb_family_event_text(plugin, &e, m->event_source);
	return m->text;
}

/* ---- small questions ------------------------------------------------------------------ */

void wb_pump_flush(wb_pump *m)
{
	pthread_mutex_lock(&m->lock);
	wb_builder_emit(&m->builder);
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
