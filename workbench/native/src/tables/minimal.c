/* The smallest registry a plugin can live with: one empty table, "threads". */
#include <stdio.h>

#include "../host/plugin.h"

typedef struct field_row {
	abi_table_fieldinfo info;
	struct field_row *next;
} field_row;

typedef struct registry {
	abi_table_input threads; /* plugins read name and key type through the handle */
	abi_init_tables_input init;
	abi_fields_vtable fields;
	abi_reader_vtable_ext reader;
	abi_writer_vtable writer;
	abi_table_info info;
	field_row *added;
	abi_table_fieldinfo *listed;
	wb_plugin *plugin;
} registry;

#define F(n, t) {n, t, 0}
static const abi_table_fieldinfo threads_fields[] = {
	F("tid", ABI_STATE_INT64), F("pid", ABI_STATE_INT64), F("ptid", ABI_STATE_INT64),
	F("reaper_tid", ABI_STATE_INT64), F("sid", ABI_STATE_INT64),
	F("vtid", ABI_STATE_INT64), F("vpid", ABI_STATE_INT64),
	F("vpgid", ABI_STATE_INT64), F("pgid", ABI_STATE_INT64),
	F("fd_limit", ABI_STATE_INT64), F("flags", ABI_STATE_UINT32),
	F("uid", ABI_STATE_UINT32), F("gid", ABI_STATE_UINT32),
	F("loginuid", ABI_STATE_UINT32), F("tty", ABI_STATE_UINT32),
	F("exe_ino", ABI_STATE_UINT64), F("exe_ino_ctime", ABI_STATE_UINT64),
	F("exe_ino_mtime", ABI_STATE_UINT64), F("pidns_init_start_ts", ABI_STATE_UINT64),
	F("comm", ABI_STATE_STRING), F("exe", ABI_STATE_STRING),
	F("exe_path", ABI_STATE_STRING), F("root", ABI_STATE_STRING),
	{"cwd", ABI_STATE_STRING, 1}, F("exe_writable", ABI_STATE_BOOL),
	F("exe_upper_layer", ABI_STATE_BOOL), F("exe_lower_layer", ABI_STATE_BOOL),
	F("exe_from_memfd", ABI_STATE_BOOL),
};
#undef F
#define THREADS_FIELDS (sizeof threads_fields / sizeof *threads_fields)

static registry *of_table(abi_table *table) { return (registry *)table; }

static abi_table_info *list_tables(abi_owner *owner, uint32_t *n)
{
	registry *r = ((wb_plugin *)owner)->tables;
	*n = 1;
	return &r->info;
}

static abi_table *get_table(abi_owner *owner, const char *name, int32_t key_type)
{
	wb_plugin *p = owner;
	registry *r = p->tables;
	if (!name || strcmp(name, "threads")) {
		wb_owner_fail(p, "no table named '%s'", name ? name : "");
		return NULL;
	}
	if (key_type != ABI_STATE_INT64) {
		wb_owner_fail(p, "table in registry accessed with wrong key type: "
		              "table='threads', requested='%d', actual='int64'", key_type);
		return NULL;
	}
	return &r->threads;
}

static int32_t add_table(abi_owner *owner, const abi_table_input *in)
{
	wb_owner_fail(owner, "tables of plugins are not taken by this host");
	return ABI_FAILURE;
}

static const abi_table_fieldinfo *list_fields(abi_table *table, uint32_t *n)
{
	registry *r = of_table(table);
	uint32_t count = THREADS_FIELDS;
	for (field_row *row = r->added; row; row = row->next)
		count++;
	r->listed = wb_realloc(r->listed, count * sizeof *r->listed);
	memcpy(r->listed, threads_fields, sizeof threads_fields);
	uint32_t i = THREADS_FIELDS;
	for (field_row *row = r->added; row; row = row->next)
		r->listed[i++] = row->info;
	*n = count;
	return r->listed;
}

static const abi_table_fieldinfo *find(registry *r, const char *name)
{
	for (uint32_t i = 0; i < THREADS_FIELDS; i++)
		if (!strcmp(threads_fields[i].name, name))
			return &threads_fields[i];
	for (field_row *row = r->added; row; row = row->next)
		if (!strcmp(row->info.name, name))
			return &row->info;
	return NULL;
}

static abi_accessor *get_field(abi_table *table, const char *name, int32_t type)
{
	registry *r = of_table(table);
	const abi_table_fieldinfo *f = name ? find(r, name) : NULL;
	if (!f) {
		wb_owner_fail(r->plugin, "undefined field '%s' in table 'threads'",
		              name ? name : "");
		return NULL;
	}
	if (f->field_type != type) {
		wb_owner_fail(r->plugin, "incompatible data types for field: %s", name);
		return NULL;
	}
	return (abi_accessor *)f;
}

static abi_accessor *add_field(abi_table *table, const char *name, int32_t type)
{
	registry *r = of_table(table);
	const abi_table_fieldinfo *f = name ? find(r, name) : NULL;
	if (f)
		return get_field(table, name, type);
	field_row *row = wb_alloc(sizeof *row);
	row->info = (abi_table_fieldinfo){wb_copy_text(name ? name : ""), type, 0};
	row->next = r->added;
	r->added = row;
	return &row->info;
}

static const char *table_name(abi_table *table) { return "threads"; }
static uint64_t table_size(abi_table *table) { return 0; }

static abi_entry *get_entry(abi_table *table, const abi_state_data *key)
{
	wb_owner_fail(of_table(table)->plugin, "get_entry found no element at given key");
	return NULL;
}

static int32_t read_field(abi_table *t, abi_entry *e, const abi_accessor *f,
                          abi_state_data *out)
{
	memset(out, 0, sizeof *out);
	wb_owner_fail(of_table(t)->plugin, "no entry to read from");
	return ABI_FAILURE;
}

static void release_entry(abi_table *table, abi_entry *entry) {}
static uint32_t iterate(abi_table *table, abi_iterator it, void *state) { return 1; }
static int32_t clear(abi_table *table) { return ABI_SUCCESS; }

static int32_t erase(abi_table *table, const abi_state_data *key)
{
	wb_owner_fail(of_table(table)->plugin, "table entry not found");
	return ABI_FAILURE;
}

static abi_entry *create_entry(abi_table *table)
{
	wb_owner_fail(of_table(table)->plugin, "entries cannot be created here");
	return NULL;
}

static void destroy_entry(abi_table *table, abi_entry *entry) {}

static abi_entry *add_entry(abi_table *t, const abi_state_data *key, abi_entry *e)
{
	return create_entry(t);
}

static int32_t write_field(abi_table *t, abi_entry *e, const abi_accessor *f,
                           const abi_state_data *in)
{
	wb_owner_fail(of_table(t)->plugin, "no entry to write to");
	return ABI_FAILURE;
}

static registry *registry_of(wb_plugin *p)
{
	if (p->tables)
		return p->tables;
	registry *r = wb_alloc(sizeof *r);
	p->tables = r;
	r->plugin = p;
	r->fields = (abi_fields_vtable){list_fields, get_field, add_field};
	r->reader = (abi_reader_vtable_ext){table_name, table_size, get_entry,
	                                    read_field, release_entry, iterate};
	r->writer = (abi_writer_vtable){clear, erase, create_entry,
	                                destroy_entry, add_entry, write_field};
	r->info = (abi_table_info){"threads", ABI_STATE_INT64};
	r->threads = (abi_table_input){
		.name = "threads", .key_type = ABI_STATE_INT64, .table = &r->threads,
		.writer = r->writer, .fields = r->fields, .reader_ext = &r->reader,
		.writer_ext = &r->writer, .fields_ext = &r->fields};
	memcpy(&r->threads.reader, &r->reader, sizeof r->threads.reader);
	r->init = (abi_init_tables_input){
		.list_tables = list_tables, .get_table = get_table, .add_table = add_table,
		.fields = r->fields, .fields_ext = &r->fields, .reader_ext = &r->reader,
		.writer_ext = &r->writer};
	return r;
}

const abi_init_tables_input *wb_tables_for_init(wb_plugin *p)
{
	return &registry_of(p)->init;
}

abi_reader_vtable_ext *wb_tables_reader(wb_plugin *p) { return &registry_of(p)->reader; }
abi_writer_vtable *wb_tables_writer(wb_plugin *p) { return &registry_of(p)->writer; }
void wb_tables_call_ended(wb_plugin *p) {}

void wb_tables_free(wb_plugin *p)
{
	registry *r = p->tables;
	if (!r)
		return;
	for (field_row *row = r->added, *next; row; row = next) {
		next = row->next;
		wb_free((char *)row->info.name);
		wb_free(row);
	}
	wb_free(r->listed);
	wb_free(r);
	p->tables = NULL;
}
