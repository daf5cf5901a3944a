#include "request.h"

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
		wb_free(r->groups[i]->cols);
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

void wb_request_plan(wb_request *r, wb_builder *b, const char *source,
                     bool one_field_per_call)
{
	for (uint32_t i = 0; i < r->nwants; i++) {
		wb_want *want = r->wants[i];
		wb_group *g = group_for(r, want, one_field_per_call || want->offsets);
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
		bool arrays = g->plugin->family == WB_B || g->plugin->family == WB_C;
		if (g->n == 1 || g->plugin->shares_calls)
			g->ask = WB_ASK_TOGETHER;
		else
			g->ask = arrays ? WB_ASK_TRIAL : WB_ASK_SINGLY;
		g->cols = wb_alloc(g->n * sizeof *g->cols);
		for (uint32_t k = 0; k < g->n; k++)
			g->cols[k] = &b->cols[g->wants[k]->col];
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
