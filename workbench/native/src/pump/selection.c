#include "selection.h"

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

wb_request *wb_selection_add(wb_selection *s)
{
	wb_request *request = wb_alloc(sizeof *request);
	s->requests = wb_realloc(s->requests, (s->nrequests + 1) * sizeof *s->requests);
	s->requests[s->nrequests++] = request;
	return request;
}

void wb_selection_free(wb_selection *s)
{
	for (uint32_t i = 0; i < s->nrequests; i++) {
		wb_free(s->requests[i]->field);
		wb_free(s->requests[i]->key);
		wb_free(s->requests[i]->arg);
		wb_free(s->requests[i]);
	}
	for (uint32_t i = 0; i < s->ngroups; i++) {
		wb_free(s->groups[i]->requests);
		wb_free(s->groups[i]->cols);
		wb_free(s->groups[i]->fields);
		wb_free(s->groups[i]);
	}
	wb_free(s->requests);
	wb_free(s->groups);
	wb_free(s->scratch);
}

static bool has_field(const wb_group *g, uint32_t field_id)
{
	for (uint32_t i = 0; i < g->n; i++)
		if (g->requests[i]->field_id == field_id)
			return true;
	return false;
}

/* A group for the request: its plugin's first without this field. Go plugins keep their
 * result buffers by field id, so one id never appears twice in a call. */
static wb_group *group_for(wb_selection *s, const wb_request *request, bool alone)
{
	for (uint32_t i = 0; i < s->ngroups && !alone; i++) {
		wb_group *g = s->groups[i];
		if (g->plugin == request->plugin && g->wave == request->wave &&
		    !g->offsets.start &&
		    !g->requests[0]->offsets && !has_field(g, request->field_id))
			return g;
	}
	wb_group *g = wb_alloc(sizeof *g);
	g->plugin = request->plugin;
	g->wave = request->wave;
	s->groups = wb_realloc(s->groups, (s->ngroups + 1) * sizeof *s->groups);
	s->groups[s->ngroups++] = g;
	return g;
}

static void fill_fields(wb_group *g)
{
	wb_plugin *p = g->plugin;
	size_t size = p->family == WB_A1   ? sizeof(abi_field_a1)
	              : p->family == WB_A2 ? sizeof(abi_field_a2)
	                                   : sizeof(abi_field);
	g->fields = wb_alloc(g->n * size);
	for (uint32_t i = 0; i < g->n; i++) {
		const wb_request *r = g->requests[i];
		if (p->family == WB_A1)
			((abi_field_a1 *)g->fields)[i] = (abi_field_a1){
				.field = r->field, .arg = r->arg, .ftype = r->type};
		else if (p->family == WB_A2)
			((abi_field_a2 *)g->fields)[i] = (abi_field_a2){
				.field_id = r->field_id, .field = r->field, .arg = r->arg,
				.ftype = r->type};
		else
			((abi_field *)g->fields)[i] = (abi_field){
				.field_id = r->field_id, .field = r->field, .arg_key = r->key,
				.arg_index = r->index, .arg_present = r->arg_present,
				.ftype = r->type, .flist = r->is_list};
	}
	if (p->family != WB_C)
		return;
	abi_reader_vtable_ext *reader = wb_tables_reader(p);
	g->input = (abi_extract_input){.owner = p,
	                               .get_owner_last_error = wb_owner_last_error,
	                               .num_fields = g->n,
	                               .fields = g->fields,
	                               .table_reader_ext = reader};
	/* The older inline table is the beginning of the newer one. */
	memcpy(&g->input.table_reader, reader, sizeof g->input.table_reader);
	if (g->requests[0]->offsets)
		g->input.value_offsets = &g->offsets;
}

void wb_selection_plan(wb_selection *s, wb_builder *b, const char *source,
                       bool one_field_per_call)
{
	for (uint32_t i = 0; i < s->nrequests; i++) {
		wb_request *request = s->requests[i];
		wb_group *g = group_for(s, request, one_field_per_call || request->offsets);
		if (g->n == g->cap) {
			g->cap = g->cap ? g->cap * 2 : 8;
			g->requests = wb_realloc(g->requests, g->cap * sizeof *g->requests);
		}
		g->requests[g->n++] = request;
	}
	for (uint32_t i = 0; i < s->ngroups; i++) {
		wb_group *g = s->groups[i];
		g->active = g->plugin->extracts && g->plugin->init_ok &&
		            wb_scope_sees(&g->plugin->extract, source);
		bool arrays = g->plugin->family == WB_B || g->plugin->family == WB_C;
		if (g->n == 1 || g->plugin->shares_calls)
			g->ask = WB_ASK_TOGETHER;
		else
			g->ask = arrays ? WB_ASK_TRIAL : WB_ASK_SINGLY;
		g->cols = wb_alloc(g->n * sizeof *g->cols);
		for (uint32_t k = 0; k < g->n; k++)
			g->cols[k] = &b->cols[g->requests[k]->col];
		fill_fields(g);
	}
}

uint8_t *wb_selection_blob(wb_selection *s, wb_event *event, uint32_t plugin_id)
{
	if (event->blob)
		return event->blob;
	if (s->scratch_cap < event->blob_len) {
		wb_free(s->scratch);
		s->scratch_cap = (uint64_t)event->blob_len * 2;
		s->scratch = wb_alloc(s->scratch_cap);
	}
	wb_event_build(s->scratch, event, plugin_id);
	event->blob = s->scratch;
	return event->blob;
}
