/* From init to destroy: the calls that happen once, each one traced. */
#include <stdatomic.h>
#include <stdio.h>

#include "host_api.h"
#include "plugin.h"

int32_t wb_plugin_init(wb_plugin *p, const char *config, int as_falco)
{
	wb_frame frame;
	wb_call_begin(p, WB_CALL_init, &frame, "config=%s", config);
	int32_t rc = wb_family_init(p, config, !as_falco || p->extracts || p->parses);
	wb_call_end(p, &frame, WB_RET_CODE, rc, NULL);
	wb_tables_call_ended(p);
	p->init_ok = rc == ABI_SUCCESS;
	return rc;
}

int wb_plugin_has_state(wb_plugin *p) { return p->state != NULL; }

const char *wb_plugin_last_error(wb_plugin *p)
{
	/* Go and C++ plugins abort when asked without a state. */
	if (!p->state || !p->sym[WB_CALL_get_last_error])
		return NULL;
	wb_frame frame;
	wb_call_begin(p, WB_CALL_get_last_error, &frame, "%s", "");
	const char *text = ((wb_state_text_fn)p->sym[WB_CALL_get_last_error])(p->state);
	wb_call_end(p, &frame, WB_RET_TEXT, 0, text ? text : "NULL");
	return wb_family_keep_text(p, text);
}

static wb_failed *failed_of(wb_plugin *p, int which)
{
	uint32_t i = p->index < WB_HOT_PLUGINS ? p->index : WB_HOT_PLUGINS - 1;
	return &p->host->page->failed[i][which];
}

void wb_forget_failed(wb_host *host)
{
	for (wb_plugin *p = host->first; p; p = p->next) {
		memset(failed_of(p, 0), 0, WB_FAILED_CALLS * sizeof(wb_failed));
		p->failed_until = 0;
	}
}

void wb_note_failed(wb_plugin *p, int which, uint64_t number)
{
	wb_failed *f = failed_of(p, which);
	if (!f->events) {
		/* The framework does not ask why; people want to know it of the first one. */
		const char *said = wb_plugin_last_error(p);
		f->first = number;
		snprintf(f->text, sizeof f->text, "%s", said ? said : "");
		atomic_thread_fence(memory_order_release);
	}
	f->events++;
}

static void ask_types(wb_plugin *p, wb_call call, wb_scope *scope)
{
	uint32_t n = 0;
	uint16_t *types = NULL;
	if (p->family == WB_C && p->sym[call]) {
		wb_frame frame;
		wb_call_begin(p, call, &frame, "%s", "");
		types = ((wb_types_fn)p->sym[call])(&n, p->state);
		char text[32];
		snprintf(text, sizeof text, "%u types", types ? n : 0);
		wb_call_end(p, &frame, WB_RET_TEXT, 0, text);
	}
	wb_free(scope->types);
	scope->types = NULL;
	if (n > 65536)
		n = 0; /* an impossible count: as good as no answer */
	if (types && n) {
		scope->types = wb_alloc(WB_TYPE_BITS_BYTES);
		for (uint32_t i = 0; i < n; i++)
			scope->types[types[i] >> 3] |= (uint8_t)(1u << (types[i] & 7));
	} else if (p->family != WB_C || !wb_scope_sees(scope, "syscall")) {
		scope->types = wb_alloc(WB_TYPE_BITS_BYTES);
		scope->types[ABI_EVENT_PLUGIN >> 3] |= 1u << (ABI_EVENT_PLUGIN & 7);
	}
}

void wb_plugin_ask_types(wb_plugin *p)
{
	if (p->extracts)
		ask_types(p, WB_CALL_get_extract_event_types, &p->extract);
	if (p->parses)
		ask_types(p, WB_CALL_get_parse_event_types, &p->parse);
}

void wb_plugin_destroy(wb_plugin *p)
{
	void *state = p->state;
	p->state = NULL;
	p->init_ok = false;
	wb_tables_retire(p);
	if (!state || !p->sym[WB_CALL_destroy])
		return;
	wb_frame frame;
	wb_call_begin(p, WB_CALL_destroy, &frame, "%s", "");
	((wb_destroy_fn)p->sym[WB_CALL_destroy])(state);
	wb_call_end(p, &frame, WB_RET_VOID, 0, NULL);
}

const char *wb_plugin_open_params(wb_plugin *p, int32_t *rc)
{
	*rc = ABI_SUCCESS;
	if (!p->state || !p->sym[WB_CALL_list_open_params])
		return NULL;
	*rc = ABI_FAILURE;
	wb_frame frame;
	wb_call_begin(p, WB_CALL_list_open_params, &frame, "%s", "");
	const char *text = ((wb_params_fn)p->sym[WB_CALL_list_open_params])(p->state, rc);
	wb_call_end(p, &frame, WB_RET_CODE, *rc, text ? text : "NULL");
	return wb_family_keep_text(p, text);
}

int32_t wb_plugin_set_config(wb_plugin *p, const char *config)
{
	if (p->family != WB_C || !p->init_ok || !p->sym[WB_CALL_set_config])
		return ABI_NOT_SUPPORTED;
	abi_set_config_input in = {config};
	wb_frame frame;
	wb_call_begin(p, WB_CALL_set_config, &frame, "config=%s", config);
	int32_t rc = ((wb_set_config_fn)p->sym[WB_CALL_set_config])(p->state, &in);
	wb_call_end(p, &frame, WB_RET_CODE, rc, NULL);
	return rc;
}

uint32_t wb_plugin_metrics(wb_plugin *p, wb_metric_copy *out, uint32_t max)
{
	if (p->family != WB_C || !p->init_ok || !p->sym[WB_CALL_get_metrics])
		return 0;
	uint32_t n = 0;
	wb_frame frame;
	wb_call_begin(p, WB_CALL_get_metrics, &frame, "%s", "");
	const abi_metric *m = ((wb_metrics_fn)p->sym[WB_CALL_get_metrics])(p->state, &n);
	if (!m)
		n = 0;
	/* The enums of 3.5 started at 1. */
	int32_t shift = p->minor == 5 ? 1 : 0;
	uint32_t kept = n < max ? n : max;
	for (uint32_t i = 0; i < kept; i++) {
		snprintf(out[i].name, sizeof out[i].name, "%s", m[i].name ? m[i].name : "");
		out[i].type = m[i].type - shift;
		out[i].value_type = m[i].value_type - shift;
		memcpy(&out[i].bits, &m[i].value, sizeof out[i].bits);
	}
	char text[32];
	snprintf(text, sizeof text, "%u metrics", n);
	wb_call_end(p, &frame, WB_RET_TEXT, 0, text);
	return kept;
}
