/* Kinds of tables and their fields; the built-in table "threads" and what is in it. */
#include "inner.h"

static const struct {
	int32_t type;
	const char *name;
} type_names[] = {
	{ABI_STATE_INT8, "int8"}, {ABI_STATE_INT16, "int16"}, {ABI_STATE_INT32, "int32"},
	{ABI_STATE_INT64, "int64"}, {ABI_STATE_UINT8, "uint8"},
	{ABI_STATE_UINT16, "uint16"}, {ABI_STATE_UINT32, "uint32"},
	{ABI_STATE_UINT64, "uint64"}, {ABI_STATE_STRING, "string"},
	{ABI_STATE_TABLE, "table"}, {ABI_STATE_BOOL, "bool"},
};

const char *wbt_type_name(int32_t type)
{
	for (size_t i = 0; i < sizeof type_names / sizeof *type_names; i++)
		if (type_names[i].type == type)
			return type_names[i].name;
	return "unknown";
}

bool wbt_is_value_type(int32_t type)
{
	return (type >= ABI_STATE_INT8 && type <= ABI_STATE_STRING) ||
		type == ABI_STATE_BOOL;
}

wbt_schema *wbt_schema_new(wbt_registry *r, const char *name, int32_t key_type)
{
	wbt_schema *s = wb_alloc(sizeof *s);
	s->name = wb_copy_text(name);
	s->key_type = key_type;
	s->next = r->schemas;
	r->schemas = s;
	return s;
}

wbt_field *wbt_schema_add(wbt_schema *s, const char *name, int32_t type)
{
	wbt_field *f = wb_alloc(sizeof *f);
	f->schema = s;
	f->slot = s->count;
	f->name = wb_copy_text(name);
	f->type = type;
	if (s->count == s->room) {
		s->room = s->room ? s->room * 2 : 8;
		s->fields = wb_realloc(s->fields, s->room * sizeof(wbt_field *));
	}
	s->fields[s->count++] = f;
	wbt_live_add(f, WBT_FIELD, f);
	return f;
}

wbt_field *wbt_schema_find(const wbt_schema *s, const char *name)
{
	for (uint32_t i = 0; i < s->count; i++)
		if (!strcmp(s->fields[i]->name, name))
			return s->fields[i];
	return NULL;
}

void wbt_schemas_free(wbt_registry *r)
{
	for (wbt_schema *s = r->schemas, *next; s; s = next) {
		next = s->next;
		for (uint32_t i = 0; i < s->count; i++) {
			wbt_live_remove(s->fields[i]);
			wb_free(s->fields[i]->name);
			wb_free(s->fields[i]);
		}
		wb_free(s->fields);
		wb_free(s->name);
		wb_free(s);
	}
	r->schemas = NULL;
}

typedef struct row {
	const char *name;
	int32_t type;
} row;

static void add_static(wbt_schema *s, const row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		wbt_schema_add(s, rows[i].name, rows[i].type)->is_static = true;
}

#define I64 ABI_STATE_INT64
#define U8 ABI_STATE_UINT8
#define U16 ABI_STATE_UINT16
#define U32 ABI_STATE_UINT32
#define U64 ABI_STATE_UINT64
#define STR ABI_STATE_STRING
#define FLAG ABI_STATE_BOOL

static const row thread_fields[] = {
	{"tid", I64}, {"pid", I64}, {"ptid", I64}, {"reaper_tid", I64}, {"sid", I64},
	{"vtid", I64}, {"vpid", I64}, {"vpgid", I64}, {"pgid", I64}, {"fd_limit", I64},
	{"flags", U32}, {"uid", U32}, {"gid", U32}, {"loginuid", U32}, {"tty", U32},
	{"exe_ino", U64}, {"exe_ino_ctime", U64}, {"exe_ino_mtime", U64},
	{"pidns_init_start_ts", U64}, {"comm", STR}, {"exe", STR}, {"exe_path", STR},
	{"root", STR}, {"cwd", STR}, {"exe_writable", FLAG}, {"exe_upper_layer", FLAG},
	{"exe_lower_layer", FLAG}, {"exe_from_memfd", FLAG},
};

static const row descriptor_fields[] = {
	{"type", U8}, {"open_flags", U32}, {"name", STR}, {"name_raw", STR},
	{"old_name", STR}, {"flags", U32}, {"dev", U32}, {"mount_id", U32}, {"ino", U64},
	{"pid", I64}, {"fd", I64}, {"socket_ipv4_src_ip", U32},
	{"socket_ipv4_dest_dip", U32}, {"socket_ipv4_src_port", U16},
	{"socket_ipv4_dst_port", U16}, {"socket_ipv4_l4_proto", U8},
	{"socket_ipv6_src_ip_low", U64}, {"socket_ipv6_src_ip_high", U64},
	{"socket_ipv6_dest_ip_low", U64}, {"socket_ipv6_dest_ip_high", U64},
	{"socket_ipv6_src_port", U16}, {"socket_ipv6_dst_port", U16},
	{"socket_ipv6_l4_proto", U8}, {"socket_ipv4_server_ip", U32},
	{"socket_ipv4_server_port", U16}, {"socket_ipv4_server_l4_proto", U8},
	{"socket_ipv6_server_ip_low", U64}, {"socket_ipv6_server_ip_high", U64},
	{"socket_ipv6_server_port", U16}, {"socket_ipv6_server_l4_proto", U8},
	{"socket_unix_src", U64}, {"socket_unix_dest", U64},
};

static const row value_fields[] = {{"value", STR}};
static const row pair_fields[] = {{"first", STR}, {"second", STR}};

#define COUNT(rows) (sizeof(rows) / sizeof *(rows))

static void add_inner(wbt_registry *r, wbt_schema *s, const char *name,
                      int32_t key_type, const row *rows, size_t count)
{
	wbt_field *f = wbt_schema_add(s, name, ABI_STATE_TABLE);
	f->is_static = f->read_only = true;
	f->inner = wbt_schema_new(r, name, key_type);
	add_static(f->inner, rows, count);
}

wbt_schema *wbt_threads_schema(wbt_registry *r)
{
	wbt_schema *s = wbt_schema_new(r, "threads", I64);
	add_static(s, thread_fields, COUNT(thread_fields));
	wbt_schema_find(s, "cwd")->read_only = true;
	add_inner(r, s, "file_descriptors", I64, descriptor_fields,
	          COUNT(descriptor_fields));
	add_inner(r, s, "args", U64, value_fields, COUNT(value_fields));
	add_inner(r, s, "env", U64, value_fields, COUNT(value_fields));
	add_inner(r, s, "cgroups", U64, pair_fields, COUNT(pair_fields));
	return s;
}
