/*
 * All tables as bytes, native byte order, for people to look at:
 *
 *   u32 tables; per table:
 *     text name, i32 key type, text owner ("" built-in), u64 size, text note,
 *     u32 fields; per field: text name, i32 type, u8 read-only
 *     u64 rows; per row: u8 key known, u64 key; per field: u8 present, then
 *       text for a string, the number of entries (u64) for a table, u64 otherwise
 *
 * text: u32 length, bytes. The host reads as a plugin does, through the same functions.
 */
#include "inner.h"

typedef struct bytes {
	uint8_t *data;
	uint64_t used, room;
} bytes;

static void put(bytes *b, const void *data, uint64_t n)
{
	if (b->used + n > b->room) {
		b->room = (b->used + n) * 2;
		b->data = wb_realloc(b->data, b->room);
	}
	if (n)
		memcpy(b->data + b->used, data, n);
	b->used += n;
}

static void put8(bytes *b, uint8_t v) { put(b, &v, 1); }
static void put32(bytes *b, uint32_t v) { put(b, &v, 4); }
static void put64(bytes *b, uint64_t v) { put(b, &v, 8); }

static void put_text(bytes *b, const char *text)
{
	uint64_t n = text ? strlen(text) : 0;
	if (n > UINT32_MAX)
		n = UINT32_MAX;
	put32(b, (uint32_t)n);
	put(b, text, n);
}

typedef struct dump {
	wbt_owner *host;
	bytes *out; /* of rows */
	abi_table *table;
	bool listed;
	abi_table_fieldinfo *fields;
	abi_accessor **accessors;
	uint32_t nfields;
	uint64_t rows, max_rows;
} dump;

static void put_value(dump *d, abi_entry *e, uint32_t i)
{
	abi_state_data value;
	if (!d->accessors[i] || wbt_reader_vtable.read_entry_field(
			d->table, e, d->accessors[i], &value) != ABI_SUCCESS) {
		put8(d->out, 0);
		return;
	}
	put8(d->out, 1);
	if (d->fields[i].field_type == ABI_STATE_STRING)
		put_text(d->out, value.str);
	else if (d->fields[i].field_type == ABI_STATE_TABLE)
		put64(d->out, wbt_reader_vtable.get_table_size(value.table));
	else
		put64(d->out, value.u64);
}

static uint32_t put_row(void *state, abi_entry *e)
{
	dump *d = state;
	if (d->rows == d->max_rows)
		return 0;
	d->rows++;
	wbt_lock();
	wbt_loan *l = wbt_live_find(e, WBT_LOAN);
	uint8_t known = l && l->record;
	uint64_t key = known ? l->record->key : 0;
	wbt_unlock();
	put8(d->out, known);
	put64(d->out, key);
	for (uint32_t i = 0; i < d->nfields; i++)
		put_value(d, e, i);
	return 1;
}

/* The fields of the table with their accessors: copies, as the list is its owner's and
 * reading fields may change it. */
static void find_fields(dump *d)
{
	const abi_table_fieldinfo *fields =
		d->table ? wbt_list_fields(d->table, &d->nfields) : NULL;
	d->listed = fields != NULL;
	d->fields = wb_alloc((d->nfields + 1) * sizeof *d->fields);
	d->accessors = wb_alloc((d->nfields + 1) * sizeof(abi_accessor *));
	for (uint32_t i = 0; i < d->nfields; i++) {
		d->fields[i] = fields[i];
		d->fields[i].name = wb_copy_text(fields[i].name ? fields[i].name : "");
	}
	for (uint32_t i = 0; i < d->nfields; i++)
		d->accessors[i] = wbt_get_field(d->table, d->fields[i].name,
		                                d->fields[i].field_type);
}

static void put_fields(bytes *out, const dump *d)
{
	put32(out, d->nfields);
	for (uint32_t i = 0; i < d->nfields; i++) {
		put_text(out, d->fields[i].name);
		put32(out, (uint32_t)d->fields[i].field_type);
		put8(out, d->fields[i].read_only != 0);
	}
}

static void forget_fields(dump *d)
{
	for (uint32_t i = 0; i < d->nfields; i++)
		wb_free((char *)d->fields[i].name);
	wb_free(d->fields);
	wb_free(d->accessors);
}

/* Returns a copy of what was wrong, "" when nothing was. */
static char *put_rows(dump *d, const char *note)
{
	char *kept = wb_copy_text(note);
	uint32_t all =
		d->table ? wbt_reader_vtable.iterate_entries(d->table, put_row, d) : 0;
	if (all || d->rows >= d->max_rows || *kept)
		return kept;
	wb_free(kept);
	const char *error = wbt_last_error(d->host->handle);
	return wb_copy_text(error ? error : "the iteration ended early");
}

static void put_table(bytes *out, wbt_owner *host, const abi_table_info *info,
                      const char *owner, uint64_t max_rows)
{
	bytes rows = {0};
	dump d = {.host = host, .out = &rows, .max_rows = max_rows};

	d.table = wbt_get_table(host->handle, info->name, info->key_type);
	find_fields(&d);
	uint64_t size = d.table ? wbt_reader_vtable.get_table_size(d.table) : UINT64_MAX;
	const char *error = d.listed ? NULL : wbt_last_error(host->handle);
	put_text(out, info->name);
	put32(out, (uint32_t)info->key_type);
	put_text(out, owner);
	put64(out, size);
	char *note = put_rows(&d, error ? error : "");
	put_text(out, note);
	put_fields(out, &d);
	put64(out, d.rows);
	put(out, rows.data, rows.used);
	wb_free(rows.data);
	wb_free(note);
	forget_fields(&d);
}

uint8_t *wbt_snapshot(wbt_registry *r, uint64_t max_rows, uint64_t *size)
{
	bytes out = {0};
	uint32_t n = 0;
	const abi_table_info *listed = wbt_list_tables(r, &n);
	abi_table_info *infos = wb_alloc((n + 1) * sizeof *infos);
	char **owners = wb_alloc((n + 1) * sizeof(char *));

	memcpy(infos, listed, n * sizeof *infos);
	wbt_lock();
	uint32_t i = 0;
	for (wbt_table *t = r->tables; t && i < n; t = t->next)
		if (t->store || t->foreign->owner)
			owners[i++] = wb_copy_text(t->store ? "" : t->foreign->owner->name);
	wbt_unlock();
	put32(&out, n);
	for (i = 0; i < n; i++) {
		put_table(&out, r->host, &infos[i], owners[i], max_rows);
		wb_free(owners[i]);
		wbt_call_ended(r->host);
	}
	wb_free(owners);
	wb_free(infos);
	*size = out.used;
	return out.data;
}
