/* One event becomes one row: live ones, and stored ones that are fed again. */
#include <stdio.h>

#include "state.h"

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
	wb_selection_blob(&m->selection, e, id);
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

void wb_pump_put_rest(wb_pump *m, wb_event *e, uint64_t row, uint32_t id)
{
	wb_builder *b = &m->builder;
	if (m->col_payload)
		put_bytes(b, m->col_payload, row, e->payload, e->payload_len);
	if (m->col_raw)
		put_bytes(b, m->col_raw, row, wb_selection_blob(&m->selection, e, id),
		          e->blob_len);
	if (m->col_info)
		put_info(m, b, e, row, id);
	if (m->col_async)
		put_async(b, m->col_async, e, row);
}

void wb_pump_add_row(wb_pump *m, wb_event *e, uint32_t id)
{
	wb_builder *b = &m->builder;
	uint64_t row = b->rows;
	m->host->page->event_number = e->num;
	if (!row)
		b->started_ns = wb_mono_ns();
	wb_put_u64(&b->cols[COL_NUM], row, e->num);
	wb_put_u64(&b->cols[COL_TIME], row, e->ts);
	wb_selection_run(&m->selection, b, e, row, m->event_source, id, 0);
	wb_pump_put_rest(m, e, row, id);
	wb_builder_commit(b);
}

/* ---- stored events ------------------------------------------------------------------ */

/* The number that plugins see for a stored event: its own one after the base of the
 * capture it comes from, or the next one of a block of numbers. */
static uint64_t stored_serial(wb_pump *m, uint64_t number, bool first)
{
	if (m->flags & WB_OWN_NUMBERS)
		return m->number_base + number;
	if (first || !(m->flags & WB_ONE_NUMBER))
		m->events++;
	return m->number_base + m->events;
}

int64_t wb_pump_extract(wb_pump *m, uint8_t *data, const int64_t *offsets,
                        const uint64_t *numbers, int64_t n)
{
	wb_builder *b = &m->builder;
	int64_t i = 0;
	while (i < n) {
		wb_event e = {.num = numbers[i], .serial = stored_serial(m, numbers[i], !i)};
		uint32_t len = (uint32_t)(offsets[i + 1] - offsets[i]);
		if (wb_event_view(data + offsets[i], len, &e)) {
			if (m->flags & WB_PARSE)
				wb_parse_event(m->host, &e, m->event_source, &m->selection, 0);
			wb_pump_add_row(m, &e, 0);
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
	wb_event e = {.num = number, .serial = stored_serial(m, number, true)};
	wb_free(m->text);
	m->text = NULL;
	if (plugin->init_ok && wb_event_view(data, bytes, &e))
		m->text = wb_family_event_text(plugin, &e, m->event_source);
	return m->text;
}
