/*
 * falco_plugin.h: the Falco plugin API 3.12 for authors of plugins in C.
 *
 * A plugin is a shared library that exports some of the functions declared at the
 * end of this file. Which ones it exports decides what it can do:
 *
 *   always              get_required_api_version get_name get_version
 *                       get_description get_contact init destroy get_last_error
 *   sourcing            open close next_batch, with get_id and get_event_source
 *   extraction          get_fields extract_fields
 *   parsing             parse_event
 *   async events        get_async_events set_async_event_handler
 *   capture listening   capture_open capture_close
 *
 * (each name with `plugin_` before it; everything else is optional). A definition
 * that disagrees with its declaration here does not compile, and the declarations
 * carry default visibility, so `-fvisibility=hidden` hides only what is yours.
 *
 * Who owns what
 *   - What the framework hands in is valid during the call only. Exceptions, valid
 *     for as long as the plugin is initialised: owner handles, `log_fn`,
 *     `get_owner_last_error`, tables and field accessors.
 *   - What the plugin hands out stays the plugin's. Strings and arrays must live
 *     until the next call of the same function on the same state (or instance);
 *     batches until the next next_batch or close; extracted values until the next
 *     extract_fields.
 *
 * No structure carries its size: a framework that knows a newer minor version may
 * pass a longer one, and one that knows an older minor a shorter one. Declare the
 * version in get_required_api_version that has the last member you touch.
 *
 * Licensed under the Apache License 2.0.
 */
#ifndef FALCO_PLUGIN_H
#define FALCO_PLUGIN_H

#include <string.h>

#include "falco_plugin_types.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PLUGIN_API_VERSION_MAJOR 3
#define PLUGIN_API_VERSION_MINOR 12
#define PLUGIN_API_VERSION_PATCH 0
#define PLUGIN_API_VERSION_STR "3.12.0"

/* ------------------------------------------------- what a plugin may export */

#if defined(__GNUC__) || defined(__clang__)
#define FALCO_PLUGIN_EXPORT __attribute__((visibility("default")))
#else
#define FALCO_PLUGIN_EXPORT
#endif

/* Required of every plugin. The first five need no initialisation. */
FALCO_PLUGIN_EXPORT const char* plugin_get_required_api_version(void);
FALCO_PLUGIN_EXPORT const char* plugin_get_name(void);
FALCO_PLUGIN_EXPORT const char* plugin_get_version(void); /* x.y.z */
FALCO_PLUGIN_EXPORT const char* plugin_get_description(void);
FALCO_PLUGIN_EXPORT const char* plugin_get_contact(void);
/* May return a state together with a failure: get_last_error and destroy follow. */
FALCO_PLUGIN_EXPORT ss_plugin_t* plugin_init(const ss_plugin_init_input* input,
                                             ss_plugin_rc* rc);
FALCO_PLUGIN_EXPORT void plugin_destroy(ss_plugin_t* s);
FALCO_PLUGIN_EXPORT const char* plugin_get_last_error(ss_plugin_t* s);

/* Optional in every plugin. */
FALCO_PLUGIN_EXPORT const char* plugin_get_init_schema(
    ss_plugin_schema_type* schema_type);
FALCO_PLUGIN_EXPORT ss_plugin_rc plugin_set_config(
    ss_plugin_t* s, const ss_plugin_set_config_input* i);
FALCO_PLUGIN_EXPORT ss_plugin_metric* plugin_get_metrics(ss_plugin_t* s,
                                                         uint32_t* num_metrics);
FALCO_PLUGIN_EXPORT const char* plugin_get_required_event_schema_version(
    ss_plugin_t* s);

/* Sourcing. An id has a meaning for all plugins of the world: 999 is for trials. */
FALCO_PLUGIN_EXPORT uint32_t plugin_get_id(void);
FALCO_PLUGIN_EXPORT const char* plugin_get_event_source(void);
FALCO_PLUGIN_EXPORT ss_instance_t* plugin_open(ss_plugin_t* s, const char* params,
                                               ss_plugin_rc* rc);
FALCO_PLUGIN_EXPORT void plugin_close(ss_plugin_t* s, ss_instance_t* h);
/* `*evts`: an array of pointers to `*nevts` events; deliverable with any code. */
FALCO_PLUGIN_EXPORT ss_plugin_rc plugin_next_batch(ss_plugin_t* s, ss_instance_t* h,
                                                   uint32_t* nevts,
                                                   ss_plugin_event*** evts);
/* A JSON array of {"value", "desc", "separator"}. */
FALCO_PLUGIN_EXPORT const char* plugin_list_open_params(ss_plugin_t* s,
                                                        ss_plugin_rc* rc);
/* `progress_pct` in hundredths of a percent, 0 to 10000. */
FALCO_PLUGIN_EXPORT const char* plugin_get_progress(ss_plugin_t* s, ss_instance_t* h,
                                                    uint32_t* progress_pct);
FALCO_PLUGIN_EXPORT const char* plugin_event_to_string(
    ss_plugin_t* s, const ss_plugin_event_input* evt);

/* Extraction. get_fields: a JSON array of {"type", "name", "desc", "display",
 * "isList", "arg": {"isRequired", "isIndex", "isKey"}, "properties", "addOutput"}. */
FALCO_PLUGIN_EXPORT const char* plugin_get_fields(void);
FALCO_PLUGIN_EXPORT ss_plugin_rc plugin_extract_fields(
    ss_plugin_t* s, const ss_plugin_event_input* evt,
    const ss_plugin_field_extract_input* in);
FALCO_PLUGIN_EXPORT const char* plugin_get_extract_event_sources(void);
FALCO_PLUGIN_EXPORT uint16_t* plugin_get_extract_event_types(uint32_t* numtypes,
                                                             ss_plugin_t* s);

/* Parsing: sees every event once, before any value is extracted from it. */
FALCO_PLUGIN_EXPORT ss_plugin_rc plugin_parse_event(
    ss_plugin_t* s, const ss_plugin_event_input* evt,
    const ss_plugin_event_parse_input* in);
FALCO_PLUGIN_EXPORT const char* plugin_get_parse_event_sources(void);
FALCO_PLUGIN_EXPORT uint16_t* plugin_get_parse_event_types(uint32_t* numtypes,
                                                           ss_plugin_t* s);

/* Async events: names as a JSON array; a NULL handler means stop, threads joined. */
FALCO_PLUGIN_EXPORT const char* plugin_get_async_events(void);
FALCO_PLUGIN_EXPORT const char* plugin_get_async_event_sources(void);
FALCO_PLUGIN_EXPORT ss_plugin_rc plugin_set_async_event_handler(
    ss_plugin_t* s, ss_plugin_owner_t* owner,
    const ss_plugin_async_event_handler_t handler);
FALCO_PLUGIN_EXPORT ss_plugin_rc plugin_dump_state(
    ss_plugin_t* s, ss_plugin_owner_t* owner,
    const ss_plugin_async_event_handler_t handler);

/* Capture listening. */
FALCO_PLUGIN_EXPORT ss_plugin_rc plugin_capture_open(
    ss_plugin_t* s, const ss_plugin_capture_listen_input* i);
FALCO_PLUGIN_EXPORT ss_plugin_rc plugin_capture_close(
    ss_plugin_t* s, const ss_plugin_capture_listen_input* i);

/* -------------------------------------------------------------------- helpers */

/* The payload of a plugin event and its length; NULL if this is not a sound one. */
static inline const char* falco_plugin_payload(const ss_plugin_event* evt,
                                               uint32_t* len) {
  const char* bytes = (const char*)evt;
  uint32_t size = 0;
  *len = 0;
  if (evt == NULL || evt->type != FALCO_PLUGIN_EVENT_TYPE || evt->nparams != 2 ||
      evt->len < FALCO_PLUGIN_EVENT_OVERHEAD) {
    return NULL;
  }
  memcpy(&size, bytes + 30, sizeof size);
  if (size > evt->len - FALCO_PLUGIN_EVENT_OVERHEAD) {
    return NULL;
  }
  *len = size;
  return bytes + FALCO_PLUGIN_EVENT_OVERHEAD;
}

/*
 * Writes the head of a plugin event with `len` bytes of payload at `where`, which
 * has room for FALCO_PLUGIN_EVENT_OVERHEAD + `len` bytes. Returns where the payload
 * goes. `where` needs no alignment. The plugin id is left for the framework to fill.
 */
static inline char* falco_plugin_event_begin(void* where, uint64_t ts, uint32_t len) {
  char* bytes = (char*)where;
  const uint64_t tid = UINT64_MAX;
  const uint32_t total = FALCO_PLUGIN_EVENT_OVERHEAD + len;
  const uint16_t type = FALCO_PLUGIN_EVENT_TYPE;
  const uint32_t rest[4] = {2, 4, len, 0}; /* nparams, both lengths, plugin id */
  memcpy(bytes, &ts, 8);
  memcpy(bytes + 8, &tid, 8);
  memcpy(bytes + 16, &total, 4);
  memcpy(bytes + 20, &type, 2);
  memcpy(bytes + 22, rest, 16);
  return bytes + FALCO_PLUGIN_EVENT_OVERHEAD;
}

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* FALCO_PLUGIN_H */
