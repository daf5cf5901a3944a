"""The table of types and structures: a line of C and the versions that have it.

A line without a range holds in all versions; ``0.1-2.1`` means these and all between,
``3.1-`` from there on. A blank line ends one declaration. Offsets were measured against
compiled plugins of each generation; no structure carries its own size or version.
"""

# ruff: noqa: E501 - a row of the table is one line
from __future__ import annotations

__all__ = ["STRUCTURES"]

# range | declaration
STRUCTURES = """
      | enum {
      |   SS_PLUGIN_SUCCESS = 0,
      |   SS_PLUGIN_FAILURE = 1,
      |   SS_PLUGIN_TIMEOUT = -1,
      |   SS_PLUGIN_EOF = 2,
      |   SS_PLUGIN_NOT_SUPPORTED = 3
      | };
      | typedef int32_t ss_plugin_rc;

0.1-0.3| enum { TYPE_SOURCE_PLUGIN = 1, TYPE_EXTRACTOR_PLUGIN = 2 };
0.1-2.1| typedef _Bool ss_plugin_bool;
3.0-  | typedef uint32_t ss_plugin_bool;
      | typedef void ss_plugin_t;
      | typedef void ss_instance_t;

0.2-  | enum { SS_PLUGIN_SCHEMA_NONE = 0, SS_PLUGIN_SCHEMA_JSON = 1 };
0.2-  | typedef int32_t ss_plugin_schema_type;

      | enum {
3.0-  |   FTYPE_RELTIME = 20, FTYPE_ABSTIME = 21, FTYPE_BOOL = 25,
3.0-  |   FTYPE_IPADDR = 40, FTYPE_IPNET = 41,
      |   FTYPE_UINT64 = 8, FTYPE_STRING = 9
      | };

0.1-2.1| typedef struct ss_plugin_event {
0.1-2.1|   uint64_t evtnum;
0.1-2.1|   const uint8_t* data;
0.1-2.1|   uint32_t datalen;
0.1-2.1|   uint64_t ts;
0.1-2.1| } ss_plugin_event;

3.0-  | /* 26 bytes without padding, then the lengths, then the parameters: `nparams`
3.0-  |    lies at 22 and is written as two halves, low one first, because one text
3.0-  |    for cdef is packed as a whole or not at all. Trust `len`, not sizeof. */
3.0-  | typedef struct ss_plugin_event {
3.0-  |   uint64_t ts;
3.0-  |   uint64_t tid;
3.0-  |   uint32_t len;
3.0-  |   uint16_t type;
3.0-  |   uint16_t nparams[2];
3.0-  | } ss_plugin_event;

3.0-  | typedef struct ss_plugin_event_input {
3.0-  |   const ss_plugin_event* evt;
3.0-  |   uint64_t evtnum;
3.0-  |   const char* evtsrc;
3.0-  | } ss_plugin_event_input;

2.1-  | typedef struct ss_plugin_byte_buffer {
2.1-  |   uint32_t len;
2.1-  |   const void* ptr;
2.1-  | } ss_plugin_byte_buffer;

3.11- | typedef struct ss_plugin_extract_value_offsets {
3.11- |   uint32_t* start;
3.11- |   uint32_t* length;
3.11- | } ss_plugin_extract_value_offsets;

0.1-0.3| typedef struct ss_plugin_extract_field {
0.2-0.3|   uint32_t field_id;
0.1-0.3|   const char* field;
0.1-0.3|   const char* arg;
0.1-0.3|   uint32_t ftype;
0.1-0.3|   ss_plugin_bool field_present;
0.1-0.3|   const char* res_str;
0.1-0.3|   uint64_t res_u64;
0.1-0.3| } ss_plugin_extract_field;

1.0-  | typedef struct ss_plugin_extract_field {
1.0-  |   union {
1.0-  |     const char** str;
1.0-  |     uint64_t* u64;
2.1-  |     uint32_t* u32;
2.1-  |     ss_plugin_bool* boolean;
2.1-  |     ss_plugin_byte_buffer* buf;
1.0-  |   } res;
1.0-  |   uint64_t res_len;
1.0-  |   uint32_t field_id;
1.0-  |   const char* field;
1.0-  |   const char* arg_key;
1.0-  |   uint64_t arg_index;
1.0-  |   ss_plugin_bool arg_present;
1.0-  |   uint32_t ftype;
1.0-  |   ss_plugin_bool flist;
1.0-  | } ss_plugin_extract_field;

3.0-  | typedef void ss_plugin_owner_t;
3.0-  | typedef void ss_plugin_table_t;
3.0-  | typedef void ss_plugin_table_entry_t;
3.0-  | typedef void ss_plugin_table_field_t;
3.1-  | typedef void ss_plugin_table_iterator_state_t;

3.0-  | enum {
3.0-  |   SS_PLUGIN_ST_INT8 = 1, SS_PLUGIN_ST_INT16 = 2, SS_PLUGIN_ST_INT32 = 3,
3.0-  |   SS_PLUGIN_ST_INT64 = 4, SS_PLUGIN_ST_UINT8 = 5, SS_PLUGIN_ST_UINT16 = 6,
3.0-  |   SS_PLUGIN_ST_UINT32 = 7, SS_PLUGIN_ST_UINT64 = 8, SS_PLUGIN_ST_STRING = 9,
3.5-  |   SS_PLUGIN_ST_TABLE = 10,
3.0-  |   SS_PLUGIN_ST_BOOL = 25
3.0-  | };
3.0-  | typedef int32_t ss_plugin_state_type;

3.0-  | typedef union ss_plugin_state_data {
3.0-  |   int8_t s8;
3.0-  |   int16_t s16;
3.0-  |   int32_t s32;
3.0-  |   int64_t s64;
3.0-  |   uint8_t u8;
3.0-  |   uint16_t u16;
3.0-  |   uint32_t u32;
3.0-  |   uint64_t u64;
3.0-  |   const char* str;
3.0-  |   ss_plugin_bool b;
3.5-  |   ss_plugin_table_t* table;
3.0-  | } ss_plugin_state_data;

3.0-  | typedef struct ss_plugin_table_info {
3.0-  |   const char* name;
3.0-  |   ss_plugin_state_type key_type;
3.0-  | } ss_plugin_table_info;

3.0-  | typedef struct ss_plugin_table_fieldinfo {
3.0-  |   const char* name;
3.0-  |   ss_plugin_state_type field_type;
3.0-  |   ss_plugin_bool read_only;
3.0-  | } ss_plugin_table_fieldinfo;

3.0-  | typedef struct ss_plugin_table_fields_vtable {
3.0-  |   ss_plugin_table_fieldinfo* (*list_table_fields)(ss_plugin_table_t*, uint32_t*);
3.0-  |   ss_plugin_table_field_t* (*get_table_field)(ss_plugin_table_t*, const char*,
3.0-  |                                               ss_plugin_state_type);
3.0-  |   ss_plugin_table_field_t* (*add_table_field)(ss_plugin_table_t*, const char*,
3.0-  |                                               ss_plugin_state_type);
3.0-  | } ss_plugin_table_fields_vtable;
3.1-  | typedef ss_plugin_table_fields_vtable ss_plugin_table_fields_vtable_ext;

3.0-  | typedef struct ss_plugin_table_reader_vtable {
3.0-  |   const char* (*get_table_name)(ss_plugin_table_t*);
3.0-  |   uint64_t (*get_table_size)(ss_plugin_table_t*);
3.0-  |   ss_plugin_table_entry_t* (*get_table_entry)(ss_plugin_table_t*,
3.0-  |                                               const ss_plugin_state_data*);
3.0-  |   ss_plugin_rc (*read_entry_field)(ss_plugin_table_t*, ss_plugin_table_entry_t*,
3.0-  |                                    const ss_plugin_table_field_t*,
3.0-  |                                    ss_plugin_state_data*);
3.0-  | } ss_plugin_table_reader_vtable;

3.1-  | typedef ss_plugin_bool (*ss_plugin_table_iterator_func_t)(
3.1-  |     ss_plugin_table_iterator_state_t*, ss_plugin_table_entry_t*);

3.1-  | typedef struct ss_plugin_table_reader_vtable_ext {
3.1-  |   const char* (*get_table_name)(ss_plugin_table_t*);
3.1-  |   uint64_t (*get_table_size)(ss_plugin_table_t*);
3.1-  |   ss_plugin_table_entry_t* (*get_table_entry)(ss_plugin_table_t*,
3.1-  |                                               const ss_plugin_state_data*);
3.1-  |   ss_plugin_rc (*read_entry_field)(ss_plugin_table_t*, ss_plugin_table_entry_t*,
3.1-  |                                    const ss_plugin_table_field_t*,
3.1-  |                                    ss_plugin_state_data*);
3.1-  |   void (*release_table_entry)(ss_plugin_table_t*, ss_plugin_table_entry_t*);
3.1-  |   ss_plugin_bool (*iterate_entries)(ss_plugin_table_t*,
3.1-  |                                     ss_plugin_table_iterator_func_t,
3.1-  |                                     ss_plugin_table_iterator_state_t*);
3.1-  | } ss_plugin_table_reader_vtable_ext;

3.0-  | typedef struct ss_plugin_table_writer_vtable {
3.0-  |   ss_plugin_rc (*clear_table)(ss_plugin_table_t*);
3.0-  |   ss_plugin_rc (*erase_table_entry)(ss_plugin_table_t*,
3.0-  |                                     const ss_plugin_state_data*);
3.0-  |   ss_plugin_table_entry_t* (*create_table_entry)(ss_plugin_table_t*);
3.0-  |   void (*destroy_table_entry)(ss_plugin_table_t*, ss_plugin_table_entry_t*);
3.0-  |   ss_plugin_table_entry_t* (*add_table_entry)(ss_plugin_table_t*,
3.0-  |                                               const ss_plugin_state_data*,
3.0-  |                                               ss_plugin_table_entry_t*);
3.0-  |   ss_plugin_rc (*write_entry_field)(ss_plugin_table_t*, ss_plugin_table_entry_t*,
3.0-  |                                     const ss_plugin_table_field_t*,
3.0-  |                                     const ss_plugin_state_data*);
3.0-  | } ss_plugin_table_writer_vtable;
3.1-  | typedef ss_plugin_table_writer_vtable ss_plugin_table_writer_vtable_ext;

3.0-  | typedef struct ss_plugin_table_input {
3.0-  |   const char* name;
3.0-  |   ss_plugin_state_type key_type;
3.0-  |   ss_plugin_table_t* table;
3.0-  |   ss_plugin_table_reader_vtable reader;
3.0-  |   ss_plugin_table_writer_vtable writer;
3.0-  |   ss_plugin_table_fields_vtable fields;
3.1-  |   ss_plugin_table_reader_vtable_ext* reader_ext;
3.1-  |   ss_plugin_table_writer_vtable_ext* writer_ext;
3.1-  |   ss_plugin_table_fields_vtable_ext* fields_ext;
3.0-  | } ss_plugin_table_input;

3.0-  | typedef struct ss_plugin_init_tables_input {
3.0-  |   ss_plugin_table_info* (*list_tables)(ss_plugin_owner_t*, uint32_t*);
3.0-  |   ss_plugin_table_t* (*get_table)(ss_plugin_owner_t*, const char*,
3.0-  |                                   ss_plugin_state_type);
3.0-  |   ss_plugin_rc (*add_table)(ss_plugin_owner_t*, const ss_plugin_table_input*);
3.0-  |   ss_plugin_table_fields_vtable fields;
3.1-  |   ss_plugin_table_fields_vtable_ext* fields_ext;
3.5-  |   ss_plugin_table_reader_vtable_ext* reader_ext;
3.5-  |   ss_plugin_table_writer_vtable_ext* writer_ext;
3.0-  | } ss_plugin_init_tables_input;

3.3-  | typedef void (*ss_plugin_log_fn_t)(ss_plugin_owner_t*, const char* component,
3.3-  |                                    const char* msg, int32_t severity);

3.0-  | typedef struct ss_plugin_init_input {
3.0-  |   const char* config;
3.0-  |   ss_plugin_owner_t* owner;
3.0-  |   const char* (*get_owner_last_error)(ss_plugin_owner_t*);
3.0-  |   const ss_plugin_init_tables_input* tables;
3.3-  |   ss_plugin_log_fn_t log_fn;
3.0-  | } ss_plugin_init_input;

3.0-  | typedef struct ss_plugin_field_extract_input {
3.0-  |   ss_plugin_owner_t* owner;
3.0-  |   const char* (*get_owner_last_error)(ss_plugin_owner_t*);
3.0-  |   uint32_t num_fields;
3.0-  |   ss_plugin_extract_field* fields;
3.0-  |   ss_plugin_table_reader_vtable table_reader;
3.1-  |   ss_plugin_table_reader_vtable_ext* table_reader_ext;
3.11- |   ss_plugin_extract_value_offsets* value_offsets;
3.0-  | } ss_plugin_field_extract_input;

3.0-  | typedef struct ss_plugin_event_parse_input {
3.0-  |   ss_plugin_owner_t* owner;
3.0-  |   const char* (*get_owner_last_error)(ss_plugin_owner_t*);
3.0-  |   ss_plugin_table_reader_vtable table_reader;
3.0-  |   ss_plugin_table_writer_vtable table_writer;
3.1-  |   ss_plugin_table_reader_vtable_ext* table_reader_ext;
3.1-  |   ss_plugin_table_writer_vtable_ext* table_writer_ext;
3.0-  | } ss_plugin_event_parse_input;

3.4-  | typedef struct ss_plugin_set_config_input {
3.4-  |   const char* config;
3.4-  | } ss_plugin_set_config_input;

3.0-  | typedef ss_plugin_rc (*ss_plugin_async_event_handler_t)(
3.0-  |     ss_plugin_owner_t*, const ss_plugin_event*, char* err);

3.7-  | typedef void ss_plugin_routine_t;
3.7-  | typedef void ss_plugin_routine_state_t;
3.7-  | typedef ss_plugin_bool (*ss_plugin_routine_fn_t)(ss_plugin_t*,
3.7-  |                                                  ss_plugin_routine_state_t*);

3.7-  | typedef struct ss_plugin_routine_vtable {
3.7-  |   ss_plugin_routine_t* (*subscribe)(ss_plugin_owner_t*, ss_plugin_routine_fn_t,
3.7-  |                                     ss_plugin_routine_state_t*);
3.7-  |   ss_plugin_rc (*unsubscribe)(ss_plugin_owner_t*, ss_plugin_routine_t*);
3.7-  | } ss_plugin_routine_vtable;

3.7-  | typedef struct ss_plugin_capture_listen_input {
3.7-  |   ss_plugin_owner_t* owner;
3.7-  |   ss_plugin_routine_vtable* routine;
3.7-  |   ss_plugin_table_reader_vtable_ext* table_reader_ext;
3.7-  |   ss_plugin_table_writer_vtable_ext* table_writer_ext;
3.9-  |   const char* (*get_owner_last_error)(ss_plugin_owner_t*);
3.7-  | } ss_plugin_capture_listen_input;

3.5-3.5| enum { SS_PLUGIN_METRIC_TYPE_MONOTONIC = 1,
3.5-3.5|        SS_PLUGIN_METRIC_TYPE_NON_MONOTONIC = 2 };
3.5-3.5| enum {
3.5-3.5|   SS_PLUGIN_METRIC_VALUE_TYPE_U32 = 1,
3.5-3.5|   SS_PLUGIN_METRIC_VALUE_TYPE_S32 = 2,
3.5-3.5|   SS_PLUGIN_METRIC_VALUE_TYPE_U64 = 3,
3.5-3.5|   SS_PLUGIN_METRIC_VALUE_TYPE_S64 = 4,
3.5-3.5|   SS_PLUGIN_METRIC_VALUE_TYPE_D = 5,
3.5-3.5|   SS_PLUGIN_METRIC_VALUE_TYPE_F = 6,
3.5-3.5|   SS_PLUGIN_METRIC_VALUE_TYPE_I = 7
3.5-3.5| };
3.6-  | enum { SS_PLUGIN_METRIC_TYPE_MONOTONIC = 0,
3.6-  |        SS_PLUGIN_METRIC_TYPE_NON_MONOTONIC = 1 };
3.6-  | enum {
3.6-  |   SS_PLUGIN_METRIC_VALUE_TYPE_U32 = 0,
3.6-  |   SS_PLUGIN_METRIC_VALUE_TYPE_S32 = 1,
3.6-  |   SS_PLUGIN_METRIC_VALUE_TYPE_U64 = 2,
3.6-  |   SS_PLUGIN_METRIC_VALUE_TYPE_S64 = 3,
3.6-  |   SS_PLUGIN_METRIC_VALUE_TYPE_D = 4,
3.6-  |   SS_PLUGIN_METRIC_VALUE_TYPE_F = 5,
3.6-  |   SS_PLUGIN_METRIC_VALUE_TYPE_I = 6
3.6-  | };

3.5-  | typedef union ss_plugin_metric_value {
3.5-  |   uint32_t u32;
3.5-  |   int32_t s32;
3.5-  |   uint64_t u64;
3.5-  |   int64_t s64;
3.5-  |   double d;
3.5-  |   float f;
3.5-  |   int i;
3.5-  | } ss_plugin_metric_value;

3.5-  | typedef struct ss_plugin_metric {
3.5-  |   const char* name;
3.5-  |   int32_t type;
3.5-  |   ss_plugin_metric_value value;
3.5-  |   int32_t value_type;
3.5-  | } ss_plugin_metric;
"""
