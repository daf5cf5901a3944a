#include "request.h"

#include <inttypes.h>
#include <stdio.h>

uint8_t wb_kind_of(uint32_t field_type)
{
	switch (field_type) {
	case ABI_BOOL:
		return WB_KIND_BOOL;
	case ABI_STRING:
	case ABI_IPADDR:
	case ABI_IPNET:
		return WB_KIND_BYTES;
	default:
		return WB_KIND_U64;
	}
}

wb_want *wb_request_add(wb_request *r)
{
	wb_want *want = wb_alloc(sizeof *want);
	r->wants = wb_realloc(r->wants, (r->nwants + 1) * sizeof *r->wants);
	r->wants[r->nwants++] = want;
	return want;
}

void wb_request_free(wb_request *r)
{
	for (uint32_t i = 0; i < r->nwants; i++) {
		wb_free(r->wants[i]->field);
		wb_free(r->wants[i]->key);
		wb_free(r->wants[i]->arg);
		wb_free(r->wants[i]);
	}
	for (uint32_t i = 0; i < r->ngroups; i++) {
		wb_free(r->groups[i]->wants);
		wb_free(r->groups[i]->fields);
		wb_free(r->groups[i]);
	}
	wb_free(r->wants);
	wb_free(r->groups);
	wb_free(r->scratch);
}

static bool has_field(const wb_group *g, uint32_t field_id)
{
	for (uint32_t i = 0; i < g->n; i++)
		if (g->wants[i]->field_id == field_id)
			return true;
	return false;
}

/* A group for the want: its plugin's first without this field. Go plugins keep their
 * result buffers by field id, so one id never appears twice in a call. */
static wb_group *group_for(wb_request *r, const wb_want *want, bool alone)
{
	for (uint32_t i = 0; i < r->ngroups && !alone; i++) {
		wb_group *g = r->groups[i];
		if (g->plugin == want->plugin && !g->offsets.start && !g->wants[0]->offsets &&
		    !has_field(g, want->field_id))
			return g;
	}
	wb_group *g = wb_alloc(sizeof *g);
	g->plugin = want->plugin;
	r->groups = wb_realloc(r->groups, (r->ngroups + 1) * sizeof *r->groups);
	r->groups[r->ngroups++] = g;
	return g;
}

static void fill_fields(wb_group *g)
{
	wb_plugin *p = g->plugin;
	if (p->family == WB_A1) {
		abi_field_a1 *f = g->fields = wb_alloc(g->n * sizeof *f);
		for (uint32_t i = 0; i < g->n; i++)
			f[i] = (abi_field_a1){.field = g->wants[i]->field, .arg = g->wants[i]->arg,
			                      .ftype = g->wants[i]->type};
		return;
	}
	if (p->family == WB_A2) {
		abi_field_a2 *f = g->fields = wb_alloc(g->n * sizeof *f);
		for (uint32_t i = 0; i < g->n; i++)
			f[i] = (abi_field_a2){.field_id = g->wants[i]->field_id,
			                      .field = g->wants[i]->field, .arg = g->wants[i]->arg,
			                      .ftype = g->wants[i]->type};
		return;
	}
	abi_field *f = g->fields = wb_alloc(g->n * sizeof *f);
	for (uint32_t i = 0; i < g->n; i++)
		f[i] = (abi_field){.field_id = g->wants[i]->field_id,
		                   .field = g->wants[i]->field,
		                   .arg_key = g->wants[i]->key,
		                   .arg_index = g->wants[i]->index,
		                   .arg_present = g->wants[i]->arg_present,
		                   .ftype = g->wants[i]->type,
		                   .flist = g->wants[i]->is_list};
	if (p->family != WB_C)
		return;
	abi_reader_vtable_ext *reader = wb_tables_reader(p);
	g->input = (abi_extract_input){.owner = p,
	                               .get_owner_last_error = wb_owner_last_error,
	                               .num_fields = g->n,
	                               .fields = f,
	                               .table_reader_ext = reader};
	/* The older inline table is the beginning of the newer one. */
	memcpy(&g->input.table_reader, reader, sizeof g->input.table_reader);
	if (g->wants[0]->offsets)
		g->input.value_offsets = &g->offsets;
}

void wb_request_plan(wb_request *r, const char *source, bool one_field_per_call)
{
	for (uint32_t i = 0; i < r->nwants; i++) {
		wb_want *want = r->wants[i];
		bool alone = one_field_per_call || want->offsets || !want->plugin->shares_calls;
		wb_group *g = group_for(r, want, alone);
		if (g->n == g->cap) {
			g->cap = g->cap ? g->cap * 2 : 8;
			g->wants = wb_realloc(g->wants, g->cap * sizeof *g->wants);
		}
		g->wants[g->n++] = want;
	}
	for (uint32_t i = 0; i < r->ngroups; i++) {
		wb_group *g = r->groups[i];
		g->active = g->plugin->extracts && g->plugin->init_ok &&
		            wb_scope_sees(&g->plugin->extract, source);
		fill_fields(g);
	}
}

uint8_t *wb_request_blob(wb_request *r, wb_event *event, uint32_t plugin_id)
{
	if (event->blob)
		return event->blob;
	if (r->scratch_cap < event->blob_len) {
		wb_free(r->scratch);
		r->scratch_cap = (uint64_t)event->blob_len * 2;
		r->scratch = wb_alloc(r->scratch_cap);
	}
	wb_event_build(r->scratch, event, plugin_id);
	event->blob = r->scratch;
	return event->blob;
}

/* ---- one value ----------------------------------------------------------------- */

static void complain(wb_want *want, const char *what)
{
	if (want->warned)
		return;
	want->warned = true;
	wb_warn(want->plugin, "field %s: %s; such values are left out (said once)",
	        want->field, what);
}

/* Store element i of a result array as element e. False: it cannot be stored. */
static inline bool store(wb_column *c, wb_want *want, const abi_field *f, uint64_t i,
                         uint64_t e)
{
	switch (want->type) {
	case ABI_STRING: {
		const char *text = f->res.str[i];
		if (!text) {
			complain(want, "the plugin gave a NULL string");
			return false;
		}
		if (wb_put_text(c, e, text))
			return true;
		complain(want, "a string larger than 1 GiB");
		return false;
	}
	case ABI_BOOL:
		wb_put_bool(c, e, f->res.boolean[i]);
		return true;
	case ABI_IPADDR:
	case ABI_IPNET: {
		const abi_byte_buffer *buf = &f->res.buf[i];
		if ((buf->len == 4 || buf->len == 16) && buf->ptr)
			return wb_put_bytes(c, e, buf->ptr, buf->len);
		if (buf->len) /* Go gives an empty one for a nil address */
			complain(want, "an address that has neither 4 nor 16 bytes");
		return false;
	}
	default:
		wb_put_u64(c, e, f->res.u64[i]);
		return true;
	}
}

static void store_list(wb_column *c, wb_want *want, const abi_field *f, uint64_t row)
{
	uint64_t n = f->res_len;
	if (n > WB_LIST_MAX) {
		complain(want, "a list of an impossible length");
		n = 0;
	}
	uint64_t first = c->elems;
	for (uint64_t i = 0; i < n; i++) {
		if (c->elems + 1 >= c->offsets_cap)
			wb_column_grow_elems(c, c->elems + 1);
		if (store(c, want, f, i, c->elems))
			c->elems++;
	}
	if (c->elems == first) {
		wb_cell_null(c, row);
		return;
	}
	*c->budget -= (int64_t)(c->elems - first) * 8;
	c->lists[row + 1] = (int32_t)c->elems;
	wb_cell_valid(c, row);
}

static inline void store_cell(wb_builder *b, wb_want *want, const abi_field *f,
                              uint64_t row)
{
	wb_column *c = &b->cols[want->col];
	if (!f->res_len || !f->res.any) {
		if (f->res_len)
			complain(want, "a NULL result with a length");
		wb_cell_null(c, row);
	} else if (want->is_list) {
		store_list(c, want, f, row);
	} else if (store(c, want, f, 0, row)) {
		wb_cell_valid(c, row);
	} else {
		wb_cell_null(c, row);
	}
}

static void null_cells(wb_builder *b, wb_want *want, uint64_t row)
{
	wb_cell_null(&b->cols[want->col], row);
	if (!want->offsets)
		return;
	wb_cell_null(&b->cols[want->col + 1], row);
	wb_cell_null(&b->cols[want->col + 2], row);
}

static void store_offsets(wb_builder *b, wb_group *g, uint64_t row)
{
	uint32_t col = g->wants[0]->col;
	const abi_value_offsets *o = &g->offsets;
	if (!o->start || !o->length || !((abi_field *)g->fields)[0].res_len) {
		wb_cell_null(&b->cols[col + 1], row);
		wb_cell_null(&b->cols[col + 2], row);
		return;
	}
	wb_put_u64(&b->cols[col + 1], row, o->start[0]);
	wb_put_u64(&b->cols[col + 2], row, o->length[0]);
	wb_cell_valid(&b->cols[col + 1], row);
	wb_cell_valid(&b->cols[col + 2], row);
}

/* ---- one call ------------------------------------------------------------------- */

typedef struct call_args {
	abi_event_input input; /* family C */
	abi_event_ab flat;     /* families A and B */
} call_args;

static int32_t timed(wb_hot *hot, uint64_t start, int32_t rc)
{
	if (start) {
		hot->timed++;
		hot->timed_ns += wb_mono_ns() - start;
	}
	if (rc != ABI_SUCCESS)
		hot->failures++;
	return rc;
}

/* Families B and C: fields [from, from + n) in one call, then into their columns. */
static int32_t call_arrays(wb_group *g, const call_args *args, uint32_t from, uint32_t n,
                           uint64_t start)
{
	wb_plugin *p = g->plugin;
	abi_field *f = (abi_field *)g->fields + from;
	for (uint32_t i = 0; i < n; i++) {
		f[i].res.any = NULL;
		f[i].res_len = 0;
	}
	void *fn = p->sym[WB_CALL_extract_fields];
	int32_t rc;
	if (p->family == WB_C) {
		g->input.fields = f;
		g->input.num_fields = n;
		g->offsets = (abi_value_offsets){NULL, NULL};
		rc = ((wb_extract_c_fn)fn)(p->state, &args->input, &g->input);
	} else {
		rc = ((wb_extract_b_fn)fn)(p->state, &args->flat, n, f);
	}
	return timed(wb_hot_of(p, WB_HOT_EXTRACT), start, rc);
}

static void run_arrays(wb_group *g, wb_builder *b, const call_args *args, uint64_t row,
                       uint64_t start)
{
	abi_field *f = g->fields;
	if (!g->single) {
		if (call_arrays(g, args, 0, g->n, start) == ABI_SUCCESS) {
			for (uint32_t i = 0; i < g->n; i++)
				store_cell(b, g->wants[i], &f[i], row);
			if (g->wants[0]->offsets)
				store_offsets(b, g, row);
			return;
		}
		if (g->n == 1) {
			null_cells(b, g->wants[0], row);
			return;
		}
		/* The framework asks for one field at a time, so one failing field must not
		 * hide the others. */
		g->single = ++g->failures >= 16;
	}
	for (uint32_t i = 0; i < g->n; i++) {
		if (call_arrays(g, args, i, 1, 0) == ABI_SUCCESS)
			store_cell(b, g->wants[i], &f[i], row);
		else
			null_cells(b, g->wants[i], row);
	}
}

/* Family A: results by value, strings only and numbers; no lists. */
static void store_value(wb_builder *b, wb_want *want, bool present, const char *text,
                        uint64_t number, uint64_t row)
{
	wb_column *c = &b->cols[want->col];
	bool ok = present;
	if (ok && want->type == ABI_STRING) {
		if (!text)
			complain(want, "the plugin gave a NULL string");
		ok = text && wb_put_text(c, row, text);
	} else if (ok) {
		wb_put_u64(c, row, number);
	}
	if (ok)
		wb_cell_valid(c, row);
	else
		null_cells(b, want, row);
}

static void give_back_text(wb_plugin *p, char *text)
{
	if (text)
		wb_family_release(p, &(wb_batch){.events.any = text});
}

static bool call_values(wb_group *g, wb_builder *b, const call_args *args, uint32_t from,
                        uint32_t n, uint64_t row, uint64_t start)
{
	wb_plugin *p = g->plugin;
	void *fn = p->sym[WB_CALL_extract_fields];
	wb_hot *hot = wb_hot_of(p, WB_HOT_EXTRACT);
	if (p->family == WB_A1) {
		abi_field_a1 *f = (abi_field_a1 *)g->fields + from;
		for (uint32_t i = 0; i < n; i++) {
			f[i].field_present = 0;
			f[i].res_str = NULL;
		}
		int32_t rc = ((wb_extract_a1_fn)fn)(p->state, &args->flat, n, f);
		bool ok = timed(hot, start, rc) == ABI_SUCCESS;
		for (uint32_t i = 0; i < n; i++) {
			if (ok)
				store_value(b, g->wants[from + i], f[i].field_present, f[i].res_str,
				            f[i].res_u64, row);
			if (g->wants[from + i]->type == ABI_STRING && (ok || f[i].field_present))
				give_back_text(p, f[i].res_str);
		}
		return ok;
	}
	abi_field_a2 *f = (abi_field_a2 *)g->fields + from;
	for (uint32_t i = 0; i < n; i++) {
		f[i].field_present = 0;
		f[i].res_str = NULL;
	}
	int32_t rc = ((wb_extract_a2_fn)fn)(p->state, &args->flat, n, f);
	if (timed(hot, start, rc) != ABI_SUCCESS)
		return false;
	for (uint32_t i = 0; i < n; i++)
		store_value(b, g->wants[from + i], f[i].field_present, f[i].res_str, f[i].res_u64,
		            row);
	return true;
}

static void run_values(wb_group *g, wb_builder *b, const call_args *args, uint64_t row,
                       uint64_t start)
{
	if (!g->single) {
		if (call_values(g, b, args, 0, g->n, row, start))
			return;
		if (g->n == 1) {
			null_cells(b, g->wants[0], row);
			return;
		}
		g->single = ++g->failures >= 16;
	}
	for (uint32_t i = 0; i < g->n; i++)
		if (!call_values(g, b, args, i, 1, row, 0))
			null_cells(b, g->wants[i], row);
}

void wb_request_run(wb_request *r, wb_builder *b, wb_event *event, uint64_t row,
                    const char *source, uint32_t source_id)
{
	for (uint32_t i = 0; i < r->ngroups; i++) {
		wb_group *g = r->groups[i];
		wb_plugin *p = g->plugin;
		if (!g->active || !wb_scope_type(&p->extract, event->type)) {
			for (uint32_t k = 0; k < g->n; k++)
				null_cells(b, g->wants[k], row);
			continue;
		}
		call_args args;
		if (p->family == WB_C)
			args.input = (abi_event_input){
				(abi_event_c *)wb_request_blob(r, event, source_id), event->num, source};
		else
			args.flat = (abi_event_ab){event->num, event->payload, event->payload_len,
			                           event->ts};
		wb_hot *hot = wb_hot_of(p, WB_HOT_EXTRACT);
		uint64_t start = (hot->count++ & 63) ? 0 : wb_mono_ns();
		wb_mark(b->host, WB_CALL_extract_fields, p->index);
		if (p->family == WB_C || p->family == WB_B)
			run_arrays(g, b, &args, row, start);
		else
			run_values(g, b, &args, row, start);
		wb_unmark(b->host);
		wb_tables_call_ended(p);
	}
}
