/* A plugin that exports just what -D says, to hold the loader's rules against. */
#include "../../../workbench/native/src/common/abi.h"

#define EXPORT __attribute__((visibility("default")))
#define TEXT(fn, value) \
	EXPORT const char *plugin_##fn(void) { return value; }

#ifdef API
TEXT(get_required_api_version, API)
#endif
#ifndef NO_NAME
#ifndef NAME
#define NAME "rules"
#endif
TEXT(get_name, NAME)
#endif
#ifndef VERSION
#define VERSION "0.1.0"
#endif
TEXT(get_version, VERSION)
TEXT(get_description, "d")
TEXT(get_contact, "c")
#ifndef NO_INIT
EXPORT void *plugin_init(const abi_init_input *in, int32_t *rc)
{
#ifdef READS_TABLES /* as the C++ SDK of the plugins' project does, whatever it can do */
	*rc = ((volatile const abi_init_tables_input *)in->tables)->list_tables == 0;
#elif defined(WANTS_TABLES)
	*rc = in->tables == 0;
#else
	*rc = 0;
#endif
	return (void *)1;
}
#endif
EXPORT void plugin_destroy(void *s) {}
EXPORT const char *plugin_get_last_error(void *s) { return "e"; }
#ifdef OPEN
EXPORT void *plugin_open(void *s, const char *p, int32_t *rc)
{
	*rc = 0;
	return (void *)1;
}
#endif
#ifdef CLOSE
EXPORT void plugin_close(void *s, void *h) {}
#endif
#ifdef NEXT
EXPORT int32_t plugin_next_batch(void *s, void *h, uint32_t *n, abi_event_c ***e)
{
	return 2;
}
#endif
#ifdef ID
EXPORT uint32_t plugin_get_id(void) { return ID; }
#endif
#ifdef SOURCE
TEXT(get_event_source, SOURCE)
#endif
#ifdef FIELDS
TEXT(get_fields, FIELDS)
#endif
#ifdef EXTRACT
EXPORT int32_t plugin_extract_fields(void *s, const abi_event_input *e,
                                     const abi_extract_input *in)
{
	return 0;
}
#endif
#ifdef EXTRACT_SOURCES
TEXT(get_extract_event_sources, EXTRACT_SOURCES)
#endif
#ifdef PARSE
EXPORT int32_t plugin_parse_event(void *s, const abi_event_input *e,
                                  const abi_parse_input *in)
{
	return 0;
}
#endif
#ifdef HANDLER
EXPORT int32_t plugin_set_async_event_handler(void *s, void *o, abi_async_fn fn)
{
	return 0;
}
#endif
#ifdef ASYNC_EVENTS
TEXT(get_async_events, ASYNC_EVENTS)
#endif
#ifdef CAPTURE_OPEN
EXPORT int32_t plugin_capture_open(void *s, const abi_listen_input *in) { return 0; }
#endif
#ifdef CAPTURE_CLOSE
EXPORT int32_t plugin_capture_close(void *s, const abi_listen_input *in) { return 0; }
#endif
#ifdef SCHEMA
EXPORT const char *plugin_get_init_schema(int32_t *type)
{
	*type = SCHEMA_TYPE;
	return SCHEMA;
}
#endif
