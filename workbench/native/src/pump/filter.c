/* A filter's programs and the columns they read. */
#include "filter.h"

#include <errno.h>
#include <stdlib.h>

#include "dict.h"

/* What a program's column is called: number, time, then the requests. */
enum { WHERE_NUM, WHERE_TIME, WHERE_REQUEST };

wb_filter *wb_filter_new(void)
{
	wb_filter *f = wb_alloc(sizeof *f);
	f->index = wb_alloc(WB_PIECE_ROWS * sizeof *f->index);
	return f;
}

void wb_filter_free(wb_filter *f)
{
	if (!f)
		return;
	for (uint32_t i = 0; i < f->nstages; i++)
		wbk_packed_free(f->stages[i]);
	wb_free(f->index);
	wb_free(f->marks);
	wb_free(f->wave_of);
	wb_free(f);
}

int wb_filter_stage(wb_filter *f, const uint8_t *program, uint64_t bytes)
{
	if (f->nstages == WB_MOST_STAGES)
		return -EINVAL;
	wbk_packed *p = wbk_packed_new(program, bytes, WB_PIECE_ROWS);
	if (!p)
		return -EINVAL;
	f->stages[f->nstages++] = p;
	return 0;
}

void wb_filter_waves(wb_filter *f, wb_selection *s)
{
	for (uint32_t i = 0; i < s->nrequests; i++)
		s->requests[i]->wave = f->nstages;
	for (uint32_t k = f->nstages; k-- > 0;) {
		const wbk_packed *p = f->stages[k];
		for (uint32_t i = 0; i < p->n_columns; i++) {
			uint32_t where = p->wanted[i].where;
			if (where >= WHERE_REQUEST && where - WHERE_REQUEST < s->nrequests)
				s->requests[where - WHERE_REQUEST]->wave = k;
		}
	}
}

/* Finding a code costs about as much as so many checks of a text. */
#define CHECKS_FOR_CODES 6u

bool wb_filter_codes(const wb_filter *f, uint32_t i)
{
	uint32_t checks = 0;
	const wbk_packed *p = f->stages[f->nstages - 1];
	for (int64_t k = 0; k < p->program.n_slots; k++)
		checks += p->wanted[p->facts[k].left].where == i + WHERE_REQUEST;
	return !checks || checks >= CHECKS_FOR_CODES;
}

/* The builder's number of a program's column, -1 for none. */
static int64_t column_of(const wb_selection *s, uint32_t where)
{
	if (where < WHERE_REQUEST)
		return where;
	where -= WHERE_REQUEST;
	return where < s->nrequests ? (int64_t)s->requests[where]->col : -1;
}

static uint32_t kind_of(const wb_column *c)
{
	uint32_t kind = c->kind == WB_KIND_U64    ? WBK_U64
	                : c->kind == WB_KIND_BOOL ? WBK_BOOL
	                                          : WBK_BYTES32;
	return kind | (c->is_list ? WBK_PACKED_LIST : 0);
}

int wb_filter_ready(wb_filter *f, const wb_selection *s, const wb_builder *b)
{
	f->marks = wb_alloc(b->ncols * sizeof *f->marks);
	f->wave_of = wb_alloc(b->ncols * sizeof *f->wave_of);
	/* After number and time, what no program can read comes last. */
	for (uint32_t i = WHERE_REQUEST; i < b->ncols; i++)
		f->wave_of[i] = f->nstages;
	for (uint32_t i = 0; i < s->nrequests; i++)
		for (uint32_t k = 0; k < (s->requests[i]->offsets ? 3 : 1); k++)
			f->wave_of[s->requests[i]->col + k] = s->requests[i]->wave;
	for (uint32_t k = 0; k < f->nstages; k++) {
		const wbk_packed *p = f->stages[k];
		for (uint32_t i = 0; i < p->n_columns; i++) {
			int64_t col = column_of(s, p->wanted[i].where);
			if (col < 0 || kind_of(&b->cols[col]) != p->wanted[i].kind)
				return -EINVAL;
		}
	}
	return 0;
}

/* Describe the values of a column: rows of it, or the items of its lists. */
static void describe_values(wbk_column *out, wbk_column *values, const wb_column *c,
                            int64_t offset, int64_t length)
{
	*out = (wbk_column){.length = length, .offset = offset, .values = c->data};
	if (c->kind == WB_KIND_U64) {
		out->kind = WBK_U64;
	} else if (c->kind == WB_KIND_BOOL) {
		out->kind = WBK_BOOL;
	} else if (!c->dict_on) {
		out->kind = WBK_BYTES32;
		out->values = c->offsets;
		out->data = c->data;
		out->data_bytes = (int64_t)c->data_len;
	} else {
		uint32_t n = wb_dict_count(c->dict);
		const int32_t *ends = wb_dict_offsets_from(c->dict, 0);
		out->kind = WBK_DICT;
		out->width = 4;
		out->values = c->offsets;
		out->child = values;
		*values = (wbk_column){.kind = WBK_BYTES32, .length = n, .values = ends,
		                       .data = wb_dict_data_from(c->dict, 0),
		                       .data_bytes = ends[n]};
	}
}

static void bind(wbk_packed *p, uint32_t i, const wb_column *c, uint64_t base, uint64_t n)
{
	wbk_bound *b = &p->bound[i];
	if (c->is_list) {
		describe_values(&b->items, &b->values, c, 0, (int64_t)c->elems);
		b->rows = (wbk_column){.kind = WBK_LIST32, .length = (int64_t)n,
		                       .offset = (int64_t)base, .values = c->lists,
		                       .child = &b->items};
	} else {
		describe_values(&b->rows, &b->values, c, (int64_t)base, (int64_t)n);
	}
	b->rows.validity = c->nulls ? c->validity : NULL;
	wbk_packed_bind(p, i, c->dict_on);
}

void wb_filter_decide(wb_filter *f, uint32_t stage, uint32_t wave, const wb_selection *s,
                      wb_builder *b)
{
	wbk_packed *p = f->stages[stage];
	for (uint32_t i = 0; i < p->n_columns; i++)
		bind(p, i, &b->cols[column_of(s, p->wanted[i].where)], f->base, f->pending);
	int64_t n = (int64_t)f->pending;
	/* Without an answer every row stays. */
	if (wbk_packed_run(p, n, f->bits))
		wbk_ones(f->bits, n);
	uint64_t kept = (uint64_t)wbk_count(f->bits, n), to = 0;
	if (kept == f->pending)
		return;
	for (uint32_t i = 0; i < b->ncols; i++)
		if (f->wave_of[i] <= wave)
			wb_column_keep(&b->cols[i], &f->marks[i], f->base, f->pending, f->bits,
			               kept);
	for (int64_t k = 0; k < wbk_words(n); k++)
		for (uint64_t rest = f->bits[k]; rest; rest &= rest - 1)
			f->index[to++] = f->index[k * 64 + __builtin_ctzll(rest)];
	f->pending = kept;
}
