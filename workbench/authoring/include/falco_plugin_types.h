/*
 * falco_plugin_types.h: the structures of the Falco plugin API 3.12.
 *
 * Include falco_plugin.h, which declares the functions too and explains who owns
 * what. The layouts are held by the asserts at the end of this file.
 *
 * Licensed under the Apache License 2.0.
 */
#ifndef FALCO_PLUGIN_TYPES_H
#define FALCO_PLUGIN_TYPES_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------ plain types */

/* What most functions return. Preset your own outputs; never leave one unset. */
typedef enum ss_plugin_rc {
  SS_PLUGIN_SUCCESS = 0,
  SS_PLUGIN_FAILURE = 1, /* get_last_error says why */
  SS_PLUGIN_TIMEOUT = -1, /* next_batch: nothing at the moment, ask again */
  SS_PLUGIN_EOF = 2, /* next_batch: nothing will ever come again */
  SS_PLUGIN_NOT_SUPPORTED = 3,
} ss_plugin_rc;

/* A truth value at the border is 32 bits wide, whatever `bool` is in your language. */
typedef uint32_t ss_plugin_bool;

/* What init returns: all that belongs to one loaded plugin. */
typedef void ss_plugin_t;
/* What open returns: one running event source. */
typedef void ss_instance_t;

/* Things of the framework that a plugin only passes back. */
typedef void ss_plugin_owner_t;
typedef void ss_plugin_table_t;
typedef void ss_plugin_table_entry_t;
typedef void ss_plugin_table_field_t;
typedef void ss_plugin_table_iterator_state_t;
typedef void ss_plugin_routine_t;
typedef void ss_plugin_routine_state_t;

/* The kind of text that get_init_schema returns. */
typedef enum ss_plugin_schema_type {
  SS_PLUGIN_SCHEMA_NONE = 0,
  SS_PLUGIN_SCHEMA_JSON = 1, /* a JSON Schema; an empty config arrives as "{}" */
} ss_plugin_schema_type;

/* How loud a line given to `log_fn` is. */
typedef enum ss_plugin_log_severity {
  SS_PLUGIN_LOG_SEV_FATAL = 1,
  SS_PLUGIN_LOG_SEV_CRITICAL = 2,
  SS_PLUGIN_LOG_SEV_ERROR = 3,
  SS_PLUGIN_LOG_SEV_WARNING = 4,
  SS_PLUGIN_LOG_SEV_NOTICE = 5,
  SS_PLUGIN_LOG_SEV_INFO = 6,
  SS_PLUGIN_LOG_SEV_DEBUG = 7,
  SS_PLUGIN_LOG_SEV_TRACE = 8,
} ss_plugin_log_severity;

/* Writes one line to the log. `component` NULL: the plugin's name. Any thread. */
typedef void (*ss_plugin_log_fn_t)(ss_plugin_owner_t* owner, const char* component,
                                   const char* msg, ss_plugin_log_severity sev);

/* --------------------------------------------------------------------- events */

#define FALCO_PLUGIN_EVENT_TYPE 322 /* an event of a plugin's source */
#define FALCO_ASYNC_EVENT_TYPE 402 /* an asynchronous event */
#define FALCO_PLUGIN_EVENT_OVERHEAD 38 /* bytes of a plugin event before its payload */

/*
 * The head of an event, 26 bytes without padding. After it come `nparams` lengths
 * (32 bits each in types 322 and 402) and the parameters, one after another.
 *
 *   type 322   26: 4   30: N       34: plugin id   38: payload, N bytes
 *   type 402   26: 4   30: name+1  34: N           38: plugin id
 *              42: name with its NUL, then N bytes of data
 */
#pragma pack(push, 1)
typedef struct ss_plugin_event {
  uint64_t ts; /* ns since the epoch; all ones: the framework sets the time */
  uint64_t tid; /* all ones in events of plugins */
  uint32_t len; /* of the whole event, this head included */
  uint16_t type;
  uint32_t nparams;
} ss_plugin_event;
#pragma pack(pop)

/* An event as it reaches extract_fields, parse_event and event_to_string. */
typedef struct ss_plugin_event_input {
  const ss_plugin_event* evt;
  uint64_t evtnum; /* the framework's number of the event */
  const char* evtsrc; /* the name of its event source */
} ss_plugin_event_input;

/* --------------------------------------------------------------------- fields */

typedef enum ss_plugin_field_type {
  FTYPE_UINT64 = 8,
  FTYPE_STRING = 9,
  FTYPE_RELTIME = 20, /* duration in ns */
  FTYPE_ABSTIME = 21, /* ns since the epoch */
  FTYPE_BOOL = 25,
  FTYPE_IPADDR = 40, /* 4 or 16 bytes in network order */
  FTYPE_IPNET = 41, /* the address; conditions compare it with networks */
} ss_plugin_field_type;

typedef struct ss_plugin_byte_buffer {
  uint32_t len;
  const void* ptr;
} ss_plugin_byte_buffer;

/* Where a value stands: bytes from the start of the event. {0, 0}: nowhere in it. */
typedef struct ss_plugin_extract_value_offsets {
  uint32_t* start;
  uint32_t* length;
} ss_plugin_extract_value_offsets;

/*
 * One value that is asked for. The framework fills everything except `res` and
 * `res_len`: point `res` at an array of `res_len` values of your own, `res_len` 0
 * when the event has no such value, never more than 1 unless `flist`.
 */
typedef struct ss_plugin_extract_field {
  union {
    const char** str;
    uint64_t* u64;
    uint32_t* u32;
    ss_plugin_bool* boolean;
    ss_plugin_byte_buffer* buf;
  } res;
  uint64_t res_len;
  uint32_t field_id; /* index of the field in what get_fields returned */
  const char* field; /* its name, without argument */
  const char* arg_key; /* the argument as text; NULL if it has none */
  uint64_t arg_index; /* the argument as a number */
  ss_plugin_bool arg_present;
  uint32_t ftype; /* ss_plugin_field_type */
  ss_plugin_bool flist; /* the field was declared with isList */
} ss_plugin_extract_field;

/* --------------------------------------------------------------- state tables */

typedef enum ss_plugin_state_type {
  SS_PLUGIN_ST_INT8 = 1,
  SS_PLUGIN_ST_INT16 = 2,
  SS_PLUGIN_ST_INT32 = 3,
  SS_PLUGIN_ST_INT64 = 4,
  SS_PLUGIN_ST_UINT8 = 5,
  SS_PLUGIN_ST_UINT16 = 6,
  SS_PLUGIN_ST_UINT32 = 7,
  SS_PLUGIN_ST_UINT64 = 8,
  SS_PLUGIN_ST_STRING = 9,
  SS_PLUGIN_ST_TABLE = 10, /* since 3.5 */
  SS_PLUGIN_ST_BOOL = 25,
} ss_plugin_state_type;

/* One value of a table: a key, or what a field of an entry holds. */
typedef union ss_plugin_state_data {
  int8_t s8;
  int16_t s16;
  int32_t s32;
  int64_t s64;
  uint8_t u8;
  uint16_t u16;
  uint32_t u32;
  uint64_t u64;
  const char* str;
  ss_plugin_bool b;
  ss_plugin_table_t* table;
} ss_plugin_state_data;

typedef struct ss_plugin_table_info {
  const char* name;
  ss_plugin_state_type key_type;
} ss_plugin_table_info;

typedef struct ss_plugin_table_fieldinfo {
  const char* name;
  ss_plugin_state_type field_type;
  ss_plugin_bool read_only;
} ss_plugin_table_fieldinfo;

/* Visits one entry; returning 0 ends the walk. */
typedef ss_plugin_bool (*ss_plugin_table_iterator_func_t)(
    ss_plugin_table_iterator_state_t* s, ss_plugin_table_entry_t* e);

/* The fields of a table: list, find, add. Failure: NULL. */
typedef struct ss_plugin_table_fields_vtable {
  const ss_plugin_table_fieldinfo* (*list_table_fields)(ss_plugin_table_t* t,
                                                        uint32_t* nfields);
  ss_plugin_table_field_t* (*get_table_field)(ss_plugin_table_t* t, const char* name,
                                              ss_plugin_state_type data_type);
  ss_plugin_table_field_t* (*add_table_field)(ss_plugin_table_t* t, const char* name,
                                              ss_plugin_state_type data_type);
} ss_plugin_table_fields_vtable;
typedef ss_plugin_table_fields_vtable ss_plugin_table_fields_vtable_ext;

/* Reading, as in 3.0: kept at its place in older structures. */
typedef struct ss_plugin_table_reader_vtable {
  const char* (*get_table_name)(ss_plugin_table_t* t);
  uint64_t (*get_table_size)(ss_plugin_table_t* t); /* all ones on failure */
  ss_plugin_table_entry_t* (*get_table_entry)(ss_plugin_table_t* t,
                                              const ss_plugin_state_data* key);
  ss_plugin_rc (*read_entry_field)(ss_plugin_table_t* t, ss_plugin_table_entry_t* e,
                                   const ss_plugin_table_field_t* f,
                                   ss_plugin_state_data* out);
} ss_plugin_table_reader_vtable;

/* Reading, since 3.1. An entry got must be given back with release_table_entry. */
typedef struct ss_plugin_table_reader_vtable_ext {
  const char* (*get_table_name)(ss_plugin_table_t* t);
  uint64_t (*get_table_size)(ss_plugin_table_t* t);
  ss_plugin_table_entry_t* (*get_table_entry)(ss_plugin_table_t* t,
                                              const ss_plugin_state_data* key);
  ss_plugin_rc (*read_entry_field)(ss_plugin_table_t* t, ss_plugin_table_entry_t* e,
                                   const ss_plugin_table_field_t* f,
                                   ss_plugin_state_data* out);
  void (*release_table_entry)(ss_plugin_table_t* t, ss_plugin_table_entry_t* e);
  ss_plugin_bool (*iterate_entries)(ss_plugin_table_t* t,
                                    ss_plugin_table_iterator_func_t it,
                                    ss_plugin_table_iterator_state_t* s);
} ss_plugin_table_reader_vtable_ext;

/* Writing. A created entry is yours until added to the table or destroyed. */
typedef struct ss_plugin_table_writer_vtable {
  ss_plugin_rc (*clear_table)(ss_plugin_table_t* t);
  ss_plugin_rc (*erase_table_entry)(ss_plugin_table_t* t,
                                    const ss_plugin_state_data* key);
  ss_plugin_table_entry_t* (*create_table_entry)(ss_plugin_table_t* t);
  void (*destroy_table_entry)(ss_plugin_table_t* t, ss_plugin_table_entry_t* e);
  ss_plugin_table_entry_t* (*add_table_entry)(ss_plugin_table_t* t,
                                              const ss_plugin_state_data* key,
                                              ss_plugin_table_entry_t* entry);
  ss_plugin_rc (*write_entry_field)(ss_plugin_table_t* t, ss_plugin_table_entry_t* e,
                                    const ss_plugin_table_field_t* f,
                                    const ss_plugin_state_data* in);
} ss_plugin_table_writer_vtable;
typedef ss_plugin_table_writer_vtable ss_plugin_table_writer_vtable_ext;

/* A table of the plugin's own, given to add_table. All three `_ext` are required. */
typedef struct ss_plugin_table_input {
  const char* name;
  ss_plugin_state_type key_type;
  ss_plugin_table_t* table; /* handed back as the first argument of every function */
  ss_plugin_table_reader_vtable reader;
  ss_plugin_table_writer_vtable writer;
  ss_plugin_table_fields_vtable fields;
  ss_plugin_table_reader_vtable_ext* reader_ext; /* since 3.1, as the next two */
  ss_plugin_table_writer_vtable_ext* writer_ext;
  ss_plugin_table_fields_vtable_ext* fields_ext;
} ss_plugin_table_input;

/* What init may do with tables: find those of others, publish its own. */
typedef struct ss_plugin_init_tables_input {
  ss_plugin_table_info* (*list_tables)(ss_plugin_owner_t* o, uint32_t* ntables);
  ss_plugin_table_t* (*get_table)(ss_plugin_owner_t* o, const char* name,
                                  ss_plugin_state_type key_type);
  ss_plugin_rc (*add_table)(ss_plugin_owner_t* o, const ss_plugin_table_input* in);
  ss_plugin_table_fields_vtable fields;
  ss_plugin_table_fields_vtable_ext* fields_ext; /* since 3.1 */
  ss_plugin_table_reader_vtable_ext* reader_ext; /* since 3.5 */
  ss_plugin_table_writer_vtable_ext* writer_ext; /* since 3.5 */
} ss_plugin_init_tables_input;

/* --------------------------------------------------------- arguments of calls */

typedef struct ss_plugin_init_input {
  const char* config; /* never NULL */
  ss_plugin_owner_t* owner;
  const char* (*get_owner_last_error)(ss_plugin_owner_t* o); /* may return NULL */
  const ss_plugin_init_tables_input* tables; /* NULL without extraction and parsing */
  ss_plugin_log_fn_t log_fn; /* since 3.3 */
} ss_plugin_init_input;

typedef struct ss_plugin_field_extract_input {
  ss_plugin_owner_t* owner;
  const char* (*get_owner_last_error)(ss_plugin_owner_t* o);
  uint32_t num_fields;
  ss_plugin_extract_field* fields;
  ss_plugin_table_reader_vtable table_reader;
  ss_plugin_table_reader_vtable_ext* table_reader_ext; /* since 3.1 */
  ss_plugin_extract_value_offsets* value_offsets; /* since 3.11; NULL: not wanted */
} ss_plugin_field_extract_input;

typedef struct ss_plugin_event_parse_input {
  ss_plugin_owner_t* owner;
  const char* (*get_owner_last_error)(ss_plugin_owner_t* o);
  ss_plugin_table_reader_vtable table_reader;
  ss_plugin_table_writer_vtable table_writer;
  ss_plugin_table_reader_vtable_ext* table_reader_ext; /* since 3.1 */
  ss_plugin_table_writer_vtable_ext* table_writer_ext; /* since 3.1 */
} ss_plugin_event_parse_input;

typedef struct ss_plugin_set_config_input {
  const char* config;
} ss_plugin_set_config_input;

/* Takes an async event from any thread. `err`: NULL, or room for 1024 bytes. */
typedef ss_plugin_rc (*ss_plugin_async_event_handler_t)(ss_plugin_owner_t* o,
                                                        const ss_plugin_event* evt,
                                                        char* err);

/* Background work: called again and again until it returns 0. */
typedef ss_plugin_bool (*ss_plugin_routine_fn_t)(ss_plugin_t* s,
                                                 ss_plugin_routine_state_t* i);

/* May be served by nobody: then subscribe returns NULL, unsubscribe FAILURE. */
typedef struct ss_plugin_routine_vtable {
  ss_plugin_routine_t* (*subscribe)(ss_plugin_owner_t* o, ss_plugin_routine_fn_t f,
                                    ss_plugin_routine_state_t* i);
  ss_plugin_rc (*unsubscribe)(ss_plugin_owner_t* o, ss_plugin_routine_t* r);
} ss_plugin_routine_vtable;

typedef struct ss_plugin_capture_listen_input {
  ss_plugin_owner_t* owner;
  ss_plugin_routine_vtable* routine;
  ss_plugin_table_reader_vtable_ext* table_reader_ext;
  ss_plugin_table_writer_vtable_ext* table_writer_ext;
  const char* (*get_owner_last_error)(ss_plugin_owner_t* o); /* since 3.9 */
} ss_plugin_capture_listen_input;

/* -------------------------------------------------------------------- metrics */

typedef enum ss_plugin_metric_type {
  SS_PLUGIN_METRIC_TYPE_MONOTONIC = 0,
  SS_PLUGIN_METRIC_TYPE_NON_MONOTONIC = 1,
} ss_plugin_metric_type;

typedef enum ss_plugin_metric_value_type {
  SS_PLUGIN_METRIC_VALUE_TYPE_U32 = 0,
  SS_PLUGIN_METRIC_VALUE_TYPE_S32 = 1,
  SS_PLUGIN_METRIC_VALUE_TYPE_U64 = 2,
  SS_PLUGIN_METRIC_VALUE_TYPE_S64 = 3,
  SS_PLUGIN_METRIC_VALUE_TYPE_D = 4,
  SS_PLUGIN_METRIC_VALUE_TYPE_F = 5,
  SS_PLUGIN_METRIC_VALUE_TYPE_I = 6,
} ss_plugin_metric_value_type;

typedef union ss_plugin_metric_value {
  uint32_t u32;
  int32_t s32;
  uint64_t u64;
  int64_t s64;
  double d;
  float f;
  int i;
} ss_plugin_metric_value;

typedef struct ss_plugin_metric {
  const char* name;
  ss_plugin_metric_type type;
  ss_plugin_metric_value value;
  ss_plugin_metric_value_type value_type;
} ss_plugin_metric;

/* ------------------------------------------------------- layouts, held by asserts */

#if defined(__cplusplus)
#define FALCO_PLUGIN_ASSERT(cond) static_assert(cond, #cond)
#else
#define FALCO_PLUGIN_ASSERT(cond) _Static_assert(cond, #cond)
#endif

FALCO_PLUGIN_ASSERT(sizeof(ss_plugin_event) == 26);
FALCO_PLUGIN_ASSERT(offsetof(ss_plugin_event, nparams) == 22);
#if UINTPTR_MAX == UINT64_MAX
FALCO_PLUGIN_ASSERT(sizeof(ss_plugin_event_input) == 24);
FALCO_PLUGIN_ASSERT(sizeof(ss_plugin_byte_buffer) == 16);
FALCO_PLUGIN_ASSERT(sizeof(ss_plugin_extract_value_offsets) == 16);
FALCO_PLUGIN_ASSERT(sizeof(ss_plugin_extract_field) == 64);
FALCO_PLUGIN_ASSERT(offsetof(ss_plugin_extract_field, arg_present) == 48);
FALCO_PLUGIN_ASSERT(offsetof(ss_plugin_extract_field, flist) == 56);
FALCO_PLUGIN_ASSERT(sizeof(ss_plugin_state_data) == 8);
FALCO_PLUGIN_ASSERT(sizeof(ss_plugin_table_info) == 16);
FALCO_PLUGIN_ASSERT(sizeof(ss_plugin_table_fieldinfo) == 16);
FALCO_PLUGIN_ASSERT(sizeof(ss_plugin_table_input) == 152);
FALCO_PLUGIN_ASSERT(offsetof(ss_plugin_table_input, reader_ext) == 128);
FALCO_PLUGIN_ASSERT(sizeof(ss_plugin_init_tables_input) == 72);
FALCO_PLUGIN_ASSERT(sizeof(ss_plugin_init_input) == 40);
FALCO_PLUGIN_ASSERT(sizeof(ss_plugin_field_extract_input) == 80);
FALCO_PLUGIN_ASSERT(offsetof(ss_plugin_field_extract_input, table_reader_ext) == 64);
FALCO_PLUGIN_ASSERT(offsetof(ss_plugin_field_extract_input, value_offsets) == 72);
FALCO_PLUGIN_ASSERT(sizeof(ss_plugin_event_parse_input) == 112);
FALCO_PLUGIN_ASSERT(sizeof(ss_plugin_capture_listen_input) == 40);
FALCO_PLUGIN_ASSERT(sizeof(ss_plugin_metric) == 32);
#endif

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* FALCO_PLUGIN_TYPES_H */
