/* The loop: next_batch → convert → number → parse → extract → row. Async events join
 * in order of time, before the event of the source that is later.
 *
 * One thread pumps. A second one, only when chunks go to a parent, sends a started chunk
 * while the first waits inside next_batch; the lock is held outside of next_batch. */
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "state.h"

static void end(wb_pump *m, int reason, int32_t code)
{
	m->end = reason;
	m->end_code = code;
	wb_pump_emit(m);
}

/* Count, parse and extract one event. False: the stream ended, or a chunk went out. */
static bool take_event(wb_pump *m, wb_event *e)
{
	wb_builder *b = &m->builder;
	e->num = ++m->events;
	e->serial = m->number_base + e->num;
	wb_parse_event(m->host, e, m->event_source, &m->selection, m->source->id);
	b->live->seen = m->events;
	if (!b->live->first_ns && e->type != ABI_EVENT_ASYNC)
		b->live->first_ns = e->ts;
	wb_pump_take_row(m, e, m->source->id);
	if (m->max_events && m->events >= m->max_events) {
		end(m, WB_END_LIMIT, 0);
		return false;
	}
	if (wb_builder_full(b) ||
	    (!(m->events & 15) && m->data_fd >= 0 && b->rows &&
	     wb_pump_due(m, wb_mono_ns()))) {
		wb_pump_emit(m);
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
	wb_shared_page *page = m->host->page;
	while (m->cursor < m->batch.n) {
		if (page->stop) {
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
	m->host->page->reading =
		m->source->sym[WB_CALL_next_batch] ? WB_CALL_next_batch : WB_CALL_next;
	bool used_up = deliver_batch(m);
	m->host->page->reading = WB_CALL_none;
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
	if (!m->filter || m->filter->order != WB_ORDER_AT_ONCE)
		wb_pump_settle(m);
	if (wb_builder_full(&m->builder))
		wb_pump_emit(m);
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
	m->host->page->enter_ns = start;
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

/* The parent has enough for now: wait a little. Returns why to return, 0 to go on. */
static int wait_for_room(wb_pump *m, int control_fd, uint64_t deadline)
{
	m->host->page->waiting = 1;
	pthread_mutex_unlock(&m->lock);
	bool asked = readable(control_fd, 20);
	pthread_mutex_lock(&m->lock);
	if (asked)
		return WB_RUN_CONTROL;
	return wb_mono_ns() > deadline ? WB_RUN_WAITING : 0;
}

/* After a batch: is it time to return? 0: no. */
static int look_around(wb_pump *m, int control_fd, uint64_t deadline, uint64_t sent)
{
	if (m->data_fd < 0 && m->host->page->chunks_sent != sent)
		return WB_RUN_QUEUED;
	uint64_t now = wb_mono_ns();
	if (wb_pump_due(m, now)) {
		wb_pump_emit(m);
		if (m->data_fd < 0)
			return WB_RUN_QUEUED;
	}
	if (now - m->last_poll_ns > 2000000) {
		m->last_poll_ns = now;
		if (readable(control_fd, 0))
			return WB_RUN_CONTROL;
	}
	return now > deadline ? WB_RUN_SLICE : 0;
}

static int run(wb_pump *m, int control_fd, uint64_t deadline)
{
	uint64_t sent = m->host->page->chunks_sent;
	while (!m->end) {
		int why;
		if (m->host->page->stop) {
			end(m, WB_END_CANCELLED, 0);
			break;
		}
		if (m->builder.broken) {
			m->end = WB_END_PARENT_GONE;
			break;
		}
		if (!wb_builder_may_send(&m->builder)) {
			why = wait_for_room(m, control_fd, deadline);
			if (why)
				return why;
			continue;
		}
		m->host->page->waiting = 0;
		if (!m->have_batch)
			get_batch(m);
		if (deliver(m))
			conclude(m);
		if (m->filter && !m->have_batch)
			wb_pump_note(m);
		if (m->end)
			break;
		why = look_around(m, control_fd, deadline, sent);
		if (why)
			return why;
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
