/*
 * The C half of a plugin written in Python.
 *
 * What a plugin says of itself is constant text compiled in, so that it can be asked
 * without starting an interpreter. Everything else starts one (or finds one running)
 * and calls the functions that workbench/authoring/python/runtime.py defines.
 *
 * The build puts these macros in front: WBP_NAME, WBP_VERSION, WBP_DESCRIPTION,
 * WBP_CONTACT, WBP_API_VERSION, WBP_ID, WBP_SOURCE, WBP_FIELDS, WBP_SCHEMA,
 * WBP_EXTRACT_SOURCES, WBP_LIBPYTHON, WBP_EXECUTABLE and WBP_HAS_….
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

static pthread_once_t wbp_once = PTHREAD_ONCE_INIT;
static const char *wbp_failure;
/* Stands for the state when no interpreter could be started. */
static char wbp_dead_state;

static void wbp_start_interpreter(void)
{
	/*
	 * Extension modules look for Python's symbols in the global scope, but a host
	 * loads plugins with local scope: make libpython global ourselves.
	 */
	if (WBP_LIBPYTHON[0] && !dlopen(WBP_LIBPYTHON, RTLD_NOW | RTLD_GLOBAL)) {
		wbp_failure = dlerror();
		return;
	}
	if (Py_IsInitialized())
		return;
	PyConfig config;
	PyConfig_InitIsolatedConfig(&config);
	config.site_import = 1;
	config.install_signal_handlers = 0;
	PyStatus status =
		PyConfig_SetBytesString(&config, &config.executable, WBP_EXECUTABLE);
	if (!PyStatus_Exception(status))
		status = PyConfig_SetBytesString(&config, &config.program_name,
						 WBP_EXECUTABLE);
	if (!PyStatus_Exception(status))
		status = Py_InitializeFromConfig(&config);
	PyConfig_Clear(&config);
	if (PyStatus_Exception(status)) {
		wbp_failure = status.err_msg ? status.err_msg
					     : "the Python interpreter did not start";
		return;
	}
	PyEval_SaveThread();
}

static void wbp_call_log(void *fn, void *owner, const char *text, int32_t severity)
{
	void (*log)(void *, const char *, const char *, int32_t);

	memcpy(&log, &fn, sizeof(log));
	log(owner, NULL, text, severity);
}

/* What Python needs of an event, read here because it is cheap here. */
static wbp_event wbp_view(const wbp_event_input *in)
{
	wbp_event event = {.number = in->evtnum, .source = in->evtsrc ? in->evtsrc : ""};
	uint32_t size;

	memcpy(&event.time, in->evt, sizeof(event.time));
	memcpy(&size, in->evt + 16, sizeof(size));
	event.data = (const char *)in->evt + 38;
	event.size = size > 38 ? size - 38 : 0;
	return event;
}

/* To the workbench: one call may extract several fields. */
EXPORT const int workbench_shares_extract_calls = 1;

EXPORT const char *plugin_get_required_api_version(void) { return WBP_API_VERSION; }
EXPORT const char *plugin_get_version(void) { return WBP_VERSION; }
EXPORT const char *plugin_get_name(void) { return WBP_NAME; }
EXPORT const char *plugin_get_description(void) { return WBP_DESCRIPTION; }
EXPORT const char *plugin_get_contact(void) { return WBP_CONTACT; }

EXPORT const char *plugin_get_init_schema(int32_t *type)
{
	*type = WBP_SCHEMA[0] ? 1 : 0;
	return WBP_SCHEMA;
}

EXPORT void *plugin_init(const wbp_init_input *in, int32_t *rc)
{
	*rc = 1;
	pthread_once(&wbp_once, wbp_start_interpreter);
	if (wbp_failure)
		return &wbp_dead_state;
	return wbp_py_init(in->config, in->owner, in->log_fn, rc);
}

EXPORT void plugin_destroy(void *s)
{
	if (s && s != &wbp_dead_state)
		wbp_py_destroy(s);
}

EXPORT const char *plugin_get_last_error(void *s)
{
	if (s == &wbp_dead_state)
		return wbp_failure;
	const char *text = s ? wbp_py_last_error(s) : NULL;
	return text ? text : "";
}

#if WBP_HAS_SOURCING
typedef struct {
	void *handle;
	uint8_t **events;
	uint32_t room;
} wbp_instance;

EXPORT uint32_t plugin_get_id(void) { return WBP_ID; }
EXPORT const char *plugin_get_event_source(void) { return WBP_SOURCE; }

EXPORT const char *plugin_list_open_params(void *s, int32_t *rc)
{
	return wbp_py_list_open_params(s, rc);
}

EXPORT void *plugin_open(void *s, const char *params, int32_t *rc)
{
	*rc = 1;
	wbp_instance *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	h->handle = wbp_py_open(s, params ? params : "", rc);
	if (*rc != 0) {
		free(h);
		return NULL;
	}
	return h;
}

EXPORT void plugin_close(void *s, wbp_instance *h)
{
	if (!h)
		return;
	wbp_py_close(s, h->handle);
	free(h->events);
	free(h);
}

EXPORT int32_t plugin_next_batch(void *s, wbp_instance *h, uint32_t *nevts,
				 uint8_t ***evts)
{
	uint32_t count = 0;
	uint8_t *arena = NULL;

	*nevts = 0;
	*evts = NULL;
	int32_t rc = wbp_py_next_batch(s, h->handle, &count, &arena);

	if (count > h->room) {
		uint8_t **grown = realloc(h->events, count * sizeof(*grown));

		if (!grown)
			return 1;
		h->events = grown;
		h->room = count;
	}
	for (uint32_t i = 0; i < count; i++) {
		uint32_t size;

		h->events[i] = arena;
		memcpy(&size, arena + 16, sizeof(size));
		arena += size;
	}
	*nevts = count;
	*evts = h->events;
	return rc;
}

EXPORT const char *plugin_get_progress(void *s, wbp_instance *h, uint32_t *pct)
{
	*pct = 0;
	return wbp_py_progress(s, h->handle, pct);
}

EXPORT const char *plugin_event_to_string(void *s, const wbp_event_input *in)
{
	wbp_event event = wbp_view(in);

	return wbp_py_event_to_string(s, &event);
}
#endif

#if WBP_HAS_EXTRACTION
EXPORT const char *plugin_get_fields(void) { return WBP_FIELDS; }
EXPORT const char *plugin_get_extract_event_sources(void)
{
	return WBP_EXTRACT_SOURCES;
}

EXPORT int32_t plugin_extract_fields(void *s, const wbp_event_input *evt,
				     const wbp_extract_input *in)
{
	wbp_event event = wbp_view(evt);

	return wbp_py_extract(s, &event, in->num_fields, in->fields);
}
#endif

#if WBP_HAS_PARSING
EXPORT int32_t plugin_parse_event(void *s, const wbp_event_input *evt, const void *in)
{
	wbp_event event = wbp_view(evt);

	(void)in;
	return wbp_py_parse(s, &event);
}
#endif
