/* One event's fields: the calls to extract_fields, by family and by way of asking. */
#include "cells.h"

/* Events on which both ways of asking are compared: at first, and one in so many later. */
#define TRIAL_EVENTS 32u
#define TRIAL_EVERY 512u
#define TRIAL_FIELDS 256u
/* Shared calls that failed before fields are asked one by one for good. */
#define MOST_FAILURES 16u

typedef struct call_args {
	abi_event_input input; /* family C */
	abi_event_ab flat;     /* families A and B */
} call_args;

/* Families B and C: n fields beginning with `from` in one call. */
static inline int32_t call_arrays(wb_group *g, wb_hot *hot, const call_args *args,
                                  uint32_t from, uint32_t n)
{
	wb_plugin *p = g->plugin;
	abi_field *f = (abi_field *)g->fields + from;
	for (uint32_t i = 0; i < n; i++) {
		f[i].res.any = NULL;
		f[i].res_len = 0;
	}
	void *fn = p->sym[WB_CALL_extract_fields];
	int32_t rc;
	hot->count++;
	if (p->family == WB_C) {
		g->input.fields = f;
		g->input.num_fields = n;
		g->offsets = (abi_value_offsets){NULL, NULL};
		rc = ((wb_extract_c_fn)fn)(p->state, &args->input, &g->input);
	} else {
		rc = ((wb_extract_b_fn)fn)(p->state, &args->flat, n, f);
	}
	if (__builtin_expect(rc != ABI_SUCCESS, 0))
		hot->failures++;
	return rc;
}

static void store_offsets(wb_builder *b, wb_group *g, uint64_t row)
{
	uint32_t col = g->requests[0]->col;
	const abi_value_offsets *o = &g->offsets;
	if (!o->start || !o->length || !((abi_field *)g->fields)[0].res_len) {
		wb_cell_null(&b->cols[col + 1], row);
		wb_cell_null(&b->cols[col + 2], row);
		return;
	}
	wb_put_u64(&b->cols[col + 1], row, o->start[0]);
	wb_put_u64(&b->cols[col + 2], row, o->length[0]);
}

static void ask_singly(wb_group *g, wb_builder *b, wb_hot *hot, const call_args *args,
                       uint64_t row, uint64_t *digests)
{
	abi_field *f = g->fields;
	for (uint32_t i = 0; i < g->n; i++) {
		if (call_arrays(g, hot, args, i, 1) == ABI_SUCCESS)
			wb_store_cells(&g->requests[i], &g->cols[i], &f[i], 1, row, false);
		else
			wb_null_cells(b, g->requests[i], row);
		if (digests)
			digests[i] = wb_value_digest(g->requests[i], &f[i]);
	}
}

/* Ask both ways, keep what the framework would have got, and compare. */
static void try_together(wb_group *g, wb_builder *b, wb_hot *hot, const call_args *args,
                         uint64_t row)
{
	uint64_t digests[TRIAL_FIELDS];
	ask_singly(g, b, hot, args, row, digests);
	bool same = call_arrays(g, hot, args, 0, g->n) == ABI_SUCCESS;
	for (uint32_t i = 0; same && i < g->n; i++)
		same = digests[i] == wb_value_digest(g->requests[i], (abi_field *)g->fields + i);
	g->trial++;
	if (!same)
		g->ask = WB_ASK_SINGLY;
	else if (g->trial >= TRIAL_EVENTS || g->ask == WB_ASK_TOGETHER) {
		g->ask = WB_ASK_TOGETHER;
		g->trial = 0;
	}
}

static inline void run_arrays(wb_group *g, wb_builder *b, wb_hot *hot,
                              const call_args *args, uint64_t row)
{
	bool watched = g->n > 1 && !g->plugin->shares_calls;
	if (g->ask == WB_ASK_TOGETHER && watched && ++g->trial >= TRIAL_EVERY)
		try_together(g, b, hot, args, row);
	else if (g->ask == WB_ASK_TOGETHER) {
		if (call_arrays(g, hot, args, 0, g->n) == ABI_SUCCESS) {
			if (wb_store_cells(g->requests, g->cols, g->fields, g->n, row, watched)) {
				if (g->requests[0]->offsets)
					store_offsets(b, g, row);
				return;
			}
			/* Two fields with one pointer may just have the same value: look. */
			wb_rewind_cells(g->cols, g->n, row);
			try_together(g, b, hot, args, row);
			if (++g->failures >= MOST_FAILURES)
				g->ask = WB_ASK_SINGLY;
			return;
		} else if (g->n == 1) {
			wb_null_cells(b, g->requests[0], row);
			return;
		} else if (++g->failures >= MOST_FAILURES) {
			g->ask = WB_ASK_SINGLY;
		}
		/* One failing field must not hide the others. */
		ask_singly(g, b, hot, args, row, NULL);
	} else if (g->ask == WB_ASK_TRIAL && g->n <= TRIAL_FIELDS)
		try_together(g, b, hot, args, row);
	else
		ask_singly(g, b, hot, args, row, NULL);
}

/* ---- family A: one result by value, strings and numbers only -------------------- */

static void give_back_text(wb_plugin *p, char *text)
{
	if (text)
		wb_family_release(p, &(wb_batch){.events.any = text});
}

static bool call_a1(wb_group *g, const call_args *args, uint32_t i, uint64_t row)
{
	wb_plugin *p = g->plugin;
	abi_field_a1 *f = (abi_field_a1 *)g->fields + i;
	f->field_present = 0;
	f->res_str = NULL;
	wb_extract_a1_fn fn = (wb_extract_a1_fn)p->sym[WB_CALL_extract_fields];
	bool ok = fn(p->state, &args->flat, 1, f) == ABI_SUCCESS;
	if (ok)
		wb_store_value(g->cols[i], g->requests[i], f->field_present, f->res_str,
		               f->res_u64, row);
	if (g->requests[i]->type == ABI_STRING && (ok || f->field_present))
		give_back_text(p, f->res_str);
	return ok;
}

static bool call_a2(wb_group *g, const call_args *args, uint32_t i, uint64_t row)
{
	wb_plugin *p = g->plugin;
	abi_field_a2 *f = (abi_field_a2 *)g->fields + i;
	f->field_present = 0;
	f->res_str = NULL;
	wb_extract_a2_fn fn = (wb_extract_a2_fn)p->sym[WB_CALL_extract_fields];
	if (fn(p->state, &args->flat, 1, f) != ABI_SUCCESS)
		return false;
	wb_store_value(g->cols[i], g->requests[i], f->field_present, f->res_str, f->res_u64,
	               row);
	return true;
}

static void run_values(wb_group *g, wb_builder *b, wb_hot *hot, const call_args *args,
                       uint64_t row)
{
	for (uint32_t i = 0; i < g->n; i++) {
		hot->count++;
		bool ok = g->plugin->family == WB_A1 ? call_a1(g, args, i, row)
		                                     : call_a2(g, args, i, row);
		if (ok)
			continue;
		hot->failures++;
		wb_null_cells(b, g->requests[i], row);
	}
}

/* An event whose first wave failed counts once, whatever the later ones do. */
static void note_failed(wb_plugin *p, uint64_t number, uint32_t wave)
{
	if (!wave || number > p->failed_until)
		wb_note_failed(p, WB_FAILED_EXTRACT, number);
	if (number > p->failed_until)
		p->failed_until = number;
}

void wb_selection_run(wb_selection *s, wb_builder *b, wb_event *event, uint64_t row,
                      const char *source, uint32_t source_id, uint32_t wave)
{
	for (uint32_t i = 0; i < s->ngroups; i++) {
		wb_group *g = s->groups[i];
		wb_plugin *p = g->plugin;
		if (g->wave != wave)
			continue;
		if (!g->active || !wb_scope_type(&p->extract, event->type)) {
			for (uint32_t k = 0; k < g->n; k++)
				wb_null_cells(b, g->requests[k], row);
			continue;
		}
		call_args args;
		if (p->family == WB_C) {
			uint8_t *blob = wb_selection_blob(s, event, source_id);
			args.input = (abi_event_input){(abi_event_c *)blob, event->serial, source};
		} else {
			args.flat = (abi_event_ab){event->serial, event->payload, event->payload_len,
			                           event->ts};
		}
		wb_hot *hot = wb_hot_of(p, WB_HOT_EXTRACT);
		uint64_t before = hot->count, failures = hot->failures;
		uint64_t start = event->num & 63 ? 0 : wb_mono_ns();
		wb_mark(b->host, WB_CALL_extract_fields, p->index);
		if (p->family == WB_C || p->family == WB_B)
			run_arrays(g, b, hot, &args, row);
		else
			run_values(g, b, hot, &args, row);
		wb_unmark(b->host);
		if (start) {
			hot->timed += hot->count - before;
			hot->timed_ns += wb_mono_ns() - start;
		}
		if (__builtin_expect(hot->failures != failures, 0))
			note_failed(p, event->num, wave);
		wb_tables_call_ended(p);
	}
}
