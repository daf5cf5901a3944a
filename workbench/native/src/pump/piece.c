/* A filter at work: events into a piece, and of the piece the rows that stay. */
#include "state.h"

static void begin(wb_filter *f, const wb_builder *b)
{
	f->base = b->rows;
	for (uint32_t i = 0; i < b->ncols; i++)
		f->marks[i] = wb_column_mark(&b->cols[i]);
}

static bool add(wb_pump *m, wb_event *e, uint32_t id)
{
	wb_filter *f = m->filter;
	wb_builder *b = &m->builder;
	if (!f->pending)
		begin(f, b);
	uint64_t row = f->base + f->pending;
	m->host->page->event_number = e->num;
	f->index[f->pending++] = m->cursor - 1;
	wb_put_u64(&b->cols[COL_NUM], row, e->num);
	wb_put_u64(&b->cols[COL_TIME], row, e->ts);
	uint32_t last = f->order == WB_ORDER_AT_ONCE ? f->nstages : f->first;
	for (uint32_t k = 0; k <= last; k++)
		wb_selection_run(&m->selection, b, e, row, m->event_source, id, k);
	if (f->order == WB_ORDER_AT_ONCE) {
		if (!row)
			b->started_ns = wb_mono_ns();
		wb_pump_put_rest(m, e, row, id);
		wb_builder_commit(b);
	}
	return f->order == WB_ORDER_BY_EVENT || f->pending == WB_PIECE_ROWS ||
	       f->base + f->pending >= b->max_rows || b->budget <= 0;
}

/* The event of a pending row: the one in hand, or one of the batch in hand. */
static bool event_of(wb_pump *m, uint64_t i, wb_event *in_hand, wb_event *out)
{
	wb_filter *f = m->filter;
	wb_builder *b = &m->builder;
	uint64_t row = f->base + i;
	if (in_hand) {
		*out = *in_hand;
		return true;
	}
	if (wb_family_event(m->source, &m->batch, f->index[i], out, m->end_message,
	                    sizeof m->end_message))
		return false;
	out->num = ((const uint64_t *)b->cols[COL_NUM].data)[row];
	out->ts = ((const uint64_t *)b->cols[COL_TIME].data)[row];
	out->serial = m->number_base + out->num;
	return true;
}

/* Extract a wave for all rows that are left. */
static void extract(wb_pump *m, uint32_t wave, wb_event *in_hand, uint32_t id)
{
	wb_filter *f = m->filter;
	wb_builder *b = &m->builder;
	for (uint64_t i = 0; i < f->pending; i++) {
		wb_event e;
		if (!event_of(m, i, in_hand, &e)) {
			/* The plugin took its event back: its fields stay empty. */
			e = (wb_event){.type = UINT16_MAX};
		}
		m->host->page->event_number = e.num;
		wb_selection_run(&m->selection, b, &e, f->base + i, m->event_source, id, wave);
		if (wave == f->nstages)
			wb_pump_put_rest(m, &e, f->base + i, id);
	}
}

static void settle(wb_pump *m, wb_event *in_hand, uint32_t id)
{
	wb_filter *f = m->filter;
	wb_builder *b = &m->builder;
	if (!f->pending)
		return;
	/* Nobody must read rows while they are moved. */
	b->live->rows = f->base;
	if (f->order == WB_ORDER_AT_ONCE) {
		wb_filter_decide(f, f->nstages - 1, f->nstages, &m->selection, b);
	} else {
		for (uint32_t k = f->first; k < f->nstages && f->pending; k++) {
			if (k > f->first)
				extract(m, k, in_hand, id);
			wb_filter_decide(f, k, k, &m->selection, b);
		}
		if (f->pending)
			extract(m, f->nstages, in_hand, id);
		if (!f->base && f->pending)
			b->started_ns = wb_mono_ns();
	}
	b->rows = f->base + f->pending;
	f->pending = 0;
	/* Values that a dictionary learned are not sent without rows, and never again. */
	if (!b->rows)
		b->budget = b->full_budget;
	for (uint32_t i = 0; i < b->ncols; i++)
		wb_column_judge(&b->cols[i], b->rows);
	b->live->rows = b->rows;
}

void wb_pump_take_row(wb_pump *m, wb_event *e, uint32_t id)
{
	if (!m->filter)
		wb_pump_add_row(m, e, id);
	else if (add(m, e, id))
		settle(m, m->filter->order == WB_ORDER_BY_EVENT ? e : NULL, id);
}

void wb_pump_settle(wb_pump *m)
{
	if (!m->filter || !m->filter->pending)
		return;
	/* Events of the batch in hand are read once more. */
	uint32_t reading = m->host->page->reading;
	m->host->page->reading =
		m->source->sym[WB_CALL_next_batch] ? WB_CALL_next_batch : WB_CALL_next;
	settle(m, NULL, m->source->id);
	m->host->page->reading = reading;
}

/* The way of filtering that is chosen now. */
static void follow(wb_filter *f)
{
	const wb_way *way = &f->choice.ways[f->choice.now];
	f->order = way->order;
	f->first = way->staged ? 0 : f->nstages - 1;
}

void wb_pump_choose(wb_pump *m, bool may_look_back)
{
	wb_filter *f = m->filter;
	wb_choice_begin(&f->choice, f->order, may_look_back, f->nstages > 1);
	follow(f);
}

static uint64_t cpu_ns(void) { return wb_clock(CLOCK_THREAD_CPUTIME_ID); }

void wb_pump_note(wb_pump *m)
{
	uint64_t events = m->events - m->noted;
	m->noted = m->events;
	if (!wb_choice_note(&m->filter->choice, events, cpu_ns))
		return;
	wb_pump_settle(m);
	follow(m->filter);
}

void wb_pump_emit(wb_pump *m)
{
	wb_pump_settle(m);
	wb_builder_emit(&m->builder);
}
