/* The plugin API in our own words: every struct that crosses the border, of every
 * version ever released, with sizes and offsets held by static asserts.
 *
 * Families: A1 = the 2021 draft and 0.1, A2 = 0.2 and 0.3, B = 1.x and 2.x, C = 3.x.
 */
#ifndef WB_ABI_H
#define WB_ABI_H

#include <stddef.h>
#include <stdint.h>

/* Return codes. Signed 32 bits in every version. */
enum {
	ABI_TIMEOUT = -1,
	ABI_SUCCESS = 0,
	ABI_FAILURE = 1,
	ABI_EOF = 2,
	ABI_NOT_SUPPORTED = 3,
	ABI_EOF_DRAFT = 6, /* family A1 only; 2 was unused there */
};

/* Kinds of plugin in 0.x and the drafts. */
enum { ABI_TYPE_SOURCE = 1, ABI_TYPE_EXTRACTOR = 2 };

/* Field types. */
enum {
	ABI_UINT64 = 8,
	ABI_STRING = 9,
	ABI_RELTIME = 20,
	ABI_ABSTIME = 21,
	ABI_BOOL = 25,
	ABI_IPADDR = 40,
	ABI_IPNET = 41,
};

/* Types of state table keys and fields. */
enum {
	ABI_STATE_INT8 = 1,
	ABI_STATE_INT16 = 2,
	ABI_STATE_INT32 = 3,
	ABI_STATE_INT64 = 4,
	ABI_STATE_UINT8 = 5,
	ABI_STATE_UINT16 = 6,
	ABI_STATE_UINT32 = 7,
	ABI_STATE_UINT64 = 8,
	ABI_STATE_STRING = 9,
	ABI_STATE_TABLE = 10,
	ABI_STATE_BOOL = 25,
};

/* Event types a host meets: plugin events, and events injected by plugins. */
enum { ABI_EVENT_PLUGIN = 322, ABI_EVENT_ASYNC = 402 };

#define ABI_NO_TIME UINT64_MAX
#define ABI_NO_TID UINT64_MAX
#define ABI_NO_INDEX UINT64_MAX

/* ---- events ---------------------------------------------------------------- */

/* Families A and B: a flat record that points to its payload. */
typedef struct abi_event_ab {
	uint64_t evtnum;
	const uint8_t *data;
	uint32_t datalen;
	uint64_t ts;
} abi_event_ab;

/* Family C: a packed header, then nparams lengths, then the parameters. */
typedef struct __attribute__((packed)) abi_event_c {
	uint64_t ts;
	uint64_t tid;
	uint32_t len;
	uint16_t type;
	uint32_t nparams;
} abi_event_c;

/* A whole plugin event: two 4-byte-counted parameters, the id and the payload. */
typedef struct __attribute__((packed)) abi_plugin_event {
	abi_event_c header;
	uint32_t id_len;
	uint32_t data_len;
	uint32_t plugin_id;
	uint8_t data[];
} abi_plugin_event;

#define ABI_PAYLOAD_OFFSET 38u
#define ABI_ASYNC_NAME_OFFSET 42u

typedef struct abi_event_input {
	const abi_event_c *evt;
	uint64_t evtnum;
	const char *evtsrc;
} abi_event_input;

/* ---- extraction ------------------------------------------------------------ */

typedef struct abi_field_a1 {
	const char *field;
	const char *arg;
	uint32_t ftype;
	uint8_t field_present;
	char *res_str;
	uint64_t res_u64;
} abi_field_a1;

typedef struct abi_field_a2 {
	uint32_t field_id;
	const char *field;
	const char *arg;
	uint32_t ftype;
	uint8_t field_present;
	const char *res_str;
	uint64_t res_u64;
} abi_field_a2;

typedef struct abi_byte_buffer {
	uint32_t len;
	const void *ptr;
} abi_byte_buffer;

/* Families B and C. In B the two flags are one byte wide; written as 0 or 1 in 32
 * bits, the low byte reads the same. */
typedef struct abi_field {
	union {
		void *any;
		const char **str;
		uint64_t *u64;
		uint32_t *boolean;
		abi_byte_buffer *buf;
	} res;
	uint64_t res_len;
	uint32_t field_id;
	const char *field;
	const char *arg_key;
	uint64_t arg_index;
	uint32_t arg_present;
	uint32_t ftype;
	uint32_t flist;
} abi_field;

typedef struct abi_value_offsets {
	uint32_t *start;
	uint32_t *length;
} abi_value_offsets;

/* ---- state tables ---------------------------------------------------------- */

typedef void abi_table;
typedef void abi_entry;
typedef void abi_accessor;
typedef void abi_owner;

typedef union abi_state_data {
	int8_t s8;
	int16_t s16;
	int32_t s32;
	int64_t s64;
	uint8_t u8;
	uint16_t u16;
	uint32_t u32;
	uint64_t u64;
	const char *str;
	uint32_t b;
	abi_table *table;
} abi_state_data;

typedef struct abi_table_info {
	const char *name;
	int32_t key_type;
} abi_table_info;

typedef struct abi_table_fieldinfo {
	const char *name;
	int32_t field_type;
	uint32_t read_only;
} abi_table_fieldinfo;

typedef struct abi_fields_vtable {
	const abi_table_fieldinfo *(*list_table_fields)(abi_table *, uint32_t *n);
	abi_accessor *(*get_table_field)(abi_table *, const char *name, int32_t type);
	abi_accessor *(*add_table_field)(abi_table *, const char *name, int32_t type);
} abi_fields_vtable;

typedef uint32_t (*abi_iterator)(void *state, abi_entry *);

typedef struct abi_reader_vtable {
	const char *(*get_table_name)(abi_table *);
	uint64_t (*get_table_size)(abi_table *);
	abi_entry *(*get_table_entry)(abi_table *, const abi_state_data *key);
	int32_t (*read_entry_field)(abi_table *, abi_entry *, const abi_accessor *,
	                            abi_state_data *out);
} abi_reader_vtable;

typedef struct abi_reader_vtable_ext {
	const char *(*get_table_name)(abi_table *);
	uint64_t (*get_table_size)(abi_table *);
	abi_entry *(*get_table_entry)(abi_table *, const abi_state_data *key);
	int32_t (*read_entry_field)(abi_table *, abi_entry *, const abi_accessor *,
	                            abi_state_data *out);
	void (*release_table_entry)(abi_table *, abi_entry *);
	uint32_t (*iterate_entries)(abi_table *, abi_iterator, void *state);
} abi_reader_vtable_ext;

typedef struct abi_writer_vtable {
	int32_t (*clear_table)(abi_table *);
	int32_t (*erase_table_entry)(abi_table *, const abi_state_data *key);
	abi_entry *(*create_table_entry)(abi_table *);
	void (*destroy_table_entry)(abi_table *, abi_entry *);
	abi_entry *(*add_table_entry)(abi_table *, const abi_state_data *key,
	                              abi_entry *);
	int32_t (*write_entry_field)(abi_table *, abi_entry *, const abi_accessor *,
	                             const abi_state_data *in);
} abi_writer_vtable;

typedef struct abi_table_input {
	const char *name;
	int32_t key_type;
	abi_table *table;
	abi_reader_vtable reader;
	abi_writer_vtable writer;
	abi_fields_vtable fields;
	/* read only from plugins that declare 3.1 or newer */
	abi_reader_vtable_ext *reader_ext;
	abi_writer_vtable *writer_ext;
	abi_fields_vtable *fields_ext;
} abi_table_input;

typedef struct abi_init_tables_input {
	abi_table_info *(*list_tables)(abi_owner *, uint32_t *n);
	abi_table *(*get_table)(abi_owner *, const char *name, int32_t key_type);
	int32_t (*add_table)(abi_owner *, const abi_table_input *);
	abi_fields_vtable fields;
	abi_fields_vtable *fields_ext;
	abi_reader_vtable_ext *reader_ext;
	abi_writer_vtable *writer_ext;
} abi_init_tables_input;

/* ---- inputs of family C ---------------------------------------------------- */

typedef const char *(*abi_owner_error_fn)(abi_owner *);
typedef void (*abi_log_fn)(abi_owner *, const char *component, const char *msg,
                           int32_t severity);
typedef int32_t (*abi_async_fn)(abi_owner *, const abi_event_c *, char *err);

typedef struct abi_init_input {
	const char *config;
	abi_owner *owner;
	abi_owner_error_fn get_owner_last_error;
	const abi_init_tables_input *tables;
	abi_log_fn log_fn;
} abi_init_input;

typedef struct abi_extract_input {
	abi_owner *owner;
	abi_owner_error_fn get_owner_last_error;
	uint32_t num_fields;
	abi_field *fields;
	abi_reader_vtable table_reader;
	abi_reader_vtable_ext *table_reader_ext;
	abi_value_offsets *value_offsets;
} abi_extract_input;

typedef struct abi_parse_input {
	abi_owner *owner;
	abi_owner_error_fn get_owner_last_error;
	abi_reader_vtable table_reader;
	abi_writer_vtable table_writer;
	abi_reader_vtable_ext *table_reader_ext;
	abi_writer_vtable *table_writer_ext;
} abi_parse_input;

typedef struct abi_set_config_input {
	const char *config;
} abi_set_config_input;

typedef struct abi_metric {
	const char *name;
	int32_t type;
	union {
		uint32_t u32;
		int32_t s32;
		uint64_t u64;
		int64_t s64;
		double d;
		float f;
		int32_t i;
	} value;
	int32_t value_type;
} abi_metric;

typedef void abi_routine;
typedef struct abi_routine_vtable {
	abi_routine *(*subscribe)(abi_owner *, uint32_t (*fn)(void *state, void *arg),
	                          void *arg);
	int32_t (*unsubscribe)(abi_owner *, abi_routine *);
} abi_routine_vtable;

typedef struct abi_listen_input {
	abi_owner *owner;
	abi_routine_vtable *routine;
	abi_reader_vtable_ext *table_reader_ext;
	abi_writer_vtable *table_writer_ext;
	abi_owner_error_fn get_owner_last_error;
} abi_listen_input;

/* ---- sizes and offsets, as measured on the historical headers --------------- */

#define ABI_SIZE(type, bytes) \
	_Static_assert(sizeof(type) == (bytes), "size of " #type)
#define ABI_AT(type, member, bytes) \
	_Static_assert(offsetof(type, member) == (bytes), #type "." #member)

ABI_SIZE(abi_event_ab, 32);
ABI_AT(abi_event_ab, data, 8);
ABI_AT(abi_event_ab, datalen, 16);
ABI_AT(abi_event_ab, ts, 24);
ABI_SIZE(abi_event_c, 26);
ABI_AT(abi_event_c, tid, 8);
ABI_AT(abi_event_c, len, 16);
ABI_AT(abi_event_c, type, 20);
ABI_AT(abi_event_c, nparams, 22);
ABI_AT(abi_plugin_event, id_len, 26);
ABI_AT(abi_plugin_event, data_len, 30);
ABI_AT(abi_plugin_event, plugin_id, 34);
ABI_AT(abi_plugin_event, data, 38);
ABI_SIZE(abi_event_input, 24);
ABI_AT(abi_event_input, evtsrc, 16);
ABI_SIZE(abi_field_a1, 40);
ABI_AT(abi_field_a1, arg, 8);
ABI_AT(abi_field_a1, ftype, 16);
ABI_AT(abi_field_a1, field_present, 20);
ABI_AT(abi_field_a1, res_str, 24);
ABI_AT(abi_field_a1, res_u64, 32);
ABI_SIZE(abi_field_a2, 48);
ABI_AT(abi_field_a2, field, 8);
ABI_AT(abi_field_a2, arg, 16);
ABI_AT(abi_field_a2, ftype, 24);
ABI_AT(abi_field_a2, field_present, 28);
ABI_AT(abi_field_a2, res_str, 32);
ABI_AT(abi_field_a2, res_u64, 40);
ABI_SIZE(abi_byte_buffer, 16);
ABI_AT(abi_byte_buffer, ptr, 8);
ABI_SIZE(abi_field, 64);
ABI_AT(abi_field, res_len, 8);
ABI_AT(abi_field, field_id, 16);
ABI_AT(abi_field, field, 24);
ABI_AT(abi_field, arg_key, 32);
ABI_AT(abi_field, arg_index, 40);
ABI_AT(abi_field, arg_present, 48);
ABI_AT(abi_field, ftype, 52);
ABI_AT(abi_field, flist, 56);
ABI_SIZE(abi_value_offsets, 16);
ABI_SIZE(abi_state_data, 8);
ABI_SIZE(abi_table_info, 16);
ABI_SIZE(abi_table_fieldinfo, 16);
ABI_AT(abi_table_fieldinfo, read_only, 12);
ABI_SIZE(abi_metric, 32);
ABI_AT(abi_metric, type, 8);
ABI_AT(abi_metric, value, 16);
ABI_AT(abi_metric, value_type, 24);
ABI_SIZE(abi_fields_vtable, 24);
ABI_SIZE(abi_reader_vtable, 32);
ABI_SIZE(abi_reader_vtable_ext, 48);
ABI_AT(abi_reader_vtable_ext, iterate_entries, 40);
ABI_SIZE(abi_writer_vtable, 48);
ABI_SIZE(abi_table_input, 152);
ABI_AT(abi_table_input, table, 16);
ABI_AT(abi_table_input, reader, 24);
ABI_AT(abi_table_input, writer, 56);
ABI_AT(abi_table_input, fields, 104);
ABI_AT(abi_table_input, reader_ext, 128);
ABI_AT(abi_table_input, fields_ext, 144);
ABI_SIZE(abi_init_tables_input, 72);
ABI_AT(abi_init_tables_input, fields, 24);
ABI_AT(abi_init_tables_input, fields_ext, 48);
ABI_AT(abi_init_tables_input, reader_ext, 56);
ABI_AT(abi_init_tables_input, writer_ext, 64);
ABI_SIZE(abi_init_input, 40);
ABI_AT(abi_init_input, tables, 24);
ABI_AT(abi_init_input, log_fn, 32);
ABI_SIZE(abi_extract_input, 80);
ABI_AT(abi_extract_input, num_fields, 16);
ABI_AT(abi_extract_input, fields, 24);
ABI_AT(abi_extract_input, table_reader, 32);
ABI_AT(abi_extract_input, table_reader_ext, 64);
ABI_AT(abi_extract_input, value_offsets, 72);
ABI_SIZE(abi_parse_input, 112);
ABI_AT(abi_parse_input, table_reader, 16);
ABI_AT(abi_parse_input, table_writer, 48);
ABI_AT(abi_parse_input, table_reader_ext, 96);
ABI_AT(abi_parse_input, table_writer_ext, 104);
ABI_SIZE(abi_set_config_input, 8);
ABI_SIZE(abi_routine_vtable, 16);
ABI_SIZE(abi_listen_input, 40);
ABI_AT(abi_listen_input, get_owner_last_error, 32);

#undef ABI_SIZE
#undef ABI_AT

#endif
