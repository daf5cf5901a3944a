/*
 * The functions behind the reader vtable. Each one works on a built-in table under the
 * lock, or forwards to the plugin that owns the table.
 */
#include "inner.h"

static const char *get_name(abi_table *t)
{
	wbt_view *v = wbt_enter(t, "get_table_name");
	if (!v)
		return NULL;
	const char *name = v->face.name;
	wbt_unlock();
	return name;
}

static uint64_t get_size(abi_table *t)
{
	wbt_view *v = wbt_enter(t, "get_table_size");
	if (!v)
		return UINT64_MAX;
	if (v->store) {
		uint64_t size = v->store->size;
		wbt_unlock();
		return size;
	}
	wbt_trip trip;
	if (!wbt_trip_begin(v, &trip, "get_table_size"))
		return UINT64_MAX;
	uint64_t size = trip.how.reader.get_table_size(trip.how.table);
	wbt_trip_end();
	if (size == UINT64_MAX)
		wbt_trip_failed(&trip);
	return size;
}

static abi_entry *get_entry(abi_table *t, const abi_state_data *key)
{
	wbt_view *v = wbt_enter_key(t, key, "get_table_entry");
	if (!v)
		return NULL;
	if (v->store) {
		wbt_record *r = wbt_store_find(v->store, key->u64);
		if (!r) {
			wbt_refuse(v, "get_entry found no element at given key");
			return NULL;
		}
		wbt_loan *l = wbt_lend(v, r, NULL, WBT_BORROWED);
		wbt_unlock();
		return (abi_entry *)l;
	}
	wbt_trip trip;
	if (!wbt_trip_begin(v, &trip, "get_table_entry"))
		return NULL;
	abi_entry *e = trip.how.reader.get_table_entry(trip.how.table, key);
	wbt_trip_end();
	return wbt_adopt(t, &trip, e, WBT_BORROWED);
}

static void release_entry(abi_table *t, abi_entry *e)
{
	wbt_view *v = wbt_enter(t, "release_table_entry");
	wbt_loan *l = v ? wbt_loan_of(v, e, "release_table_entry") : NULL;
	if (!l)
		return;
	if (l->kind == WBT_CREATED) {
		wbt_refuse(v, "release_table_entry: the entry was created and not added; "
		           "destroy it instead");
		return;
	}
	wbt_hand_back(l);
}

/* ---- reading ---- */

/* A sub-table of a built-in entry, made on first sight, seen until the call ends. */
static abi_table *inner_view(wbt_view *v, wbt_record *r, const wbt_field *f)
{
	abi_state_data *at = wbt_record_value(r, f);
	if (!at->table)
		at->table = wbt_store_new(f->inner);
	for (wbt_view *w = v->owner->views; w; w = w->next)
		if (w->pin == r && w->pin_field == f && w->thread == wbt_thread())
			return (abi_table *)&w->face;
	wbt_view *w = wbt_view_new(v->owner, f->name, f->inner->key_type, f->inner, true);
	w->store = at->table;
	w->pin = r;
	w->pin_field = f;
	r->refs++;
	return (abi_table *)&w->face;
}

static void read_record(wbt_view *v, wbt_record *r, const wbt_field *f,
                        abi_state_data *out)
{
	if (f->type == ABI_STATE_TABLE) {
		out->table = inner_view(v, r, f);
		return;
	}
	*out = *wbt_record_value(r, f);
	if (f->type != ABI_STATE_STRING)
		return;
	if (!out->str)
		out->str = "";
	if (wbt_in_routine()) {
		/* Another thread may end a call, and with it old texts, at any time. */
		wbt_text *copy = wbt_text_new(out->str);
		copy->thread = wbt_thread();
		copy->next = v->owner->copies;
		v->owner->copies = copy;
		v->owner->litter++;
		out->str = copy->chars;
	}
}

/* A sub-table that the owner of a table handed out. */
static int32_t adopt_table(abi_table *t, const wbt_trip *trip, const wbt_field *f,
                           abi_state_data *out)
{
	const abi_table_input *in = out->table;
	wbt_foreign how;
	out->table = NULL;
	const char *wrong = in ? wbt_copy_vtables(in, trip->owner_minor, &how) : "it is null";
	if (wrong) {
		wbt_fail(trip->caller_handle, "table '%s' of plugin '%s' gave an unsound "
		         "sub-table '%s': %s", trip->table, trip->owner, f->name, wrong);
		return ABI_FAILURE;
	}
	wbt_view *v = wbt_enter(t, "read_entry_field");
	if (!v)
		return ABI_FAILURE;
	wbt_field *field = (wbt_field *)f;
	const char *name = in->name && *in->name ? in->name : f->name;
	if (!field->inner)
		field->inner = wbt_schema_new(v->owner->registry, name, in->key_type);
	for (wbt_view *w = v->owner->views; w; w = w->next)
		if (w->own_foreign && w->foreign->table == how.table &&
		    w->schema == field->inner && w->thread == wbt_thread()) {
			out->table = (abi_table *)&w->face;
			wbt_unlock();
			return ABI_SUCCESS;
		}
	wbt_view *w = wbt_view_new(v->owner, name, in->key_type, field->inner, true);
	how.owner = trip->how.owner;
	w->foreign = wb_alloc(sizeof how);
	*w->foreign = how;
	w->own_foreign = true;
	out->table = (abi_table *)&w->face;
	wbt_unlock();
	return ABI_SUCCESS;
}

static int32_t read_field(abi_table *t, abi_entry *e, const abi_accessor *a,
                          abi_state_data *out)
{
	wbt_view *v = wbt_enter(t, "read_entry_field");
	if (!v)
		return ABI_FAILURE;
	if (!out) {
		wbt_refuse(v, "read_entry_field: the output is null");
		return ABI_FAILURE;
	}
	out->u64 = 0;
	const wbt_field *f = wbt_field_of(v, a, "read_entry_field");
	wbt_loan *l = f ? wbt_loan_of(v, e, "read_entry_field") : NULL;
	if (!l)
		return ABI_FAILURE;
	if (v->store) {
		read_record(v, l->record, f, out);
		wbt_unlock();
		return ABI_SUCCESS;
	}
	abi_entry *entry = l->entry;
	wbt_trip trip;
	if (!wbt_trip_begin(v, &trip, "read_entry_field"))
		return ABI_FAILURE;
	int32_t rc = trip.how.reader.read_entry_field(trip.how.table, entry, f->foreign, out);
	wbt_trip_end();
	if (rc != ABI_SUCCESS) {
		out->u64 = 0;
		wbt_trip_failed(&trip);
		return rc;
	}
	if (f->type == ABI_STATE_TABLE)
		return adopt_table(t, &trip, f, out);
	if (f->type == ABI_STATE_STRING && !out->str)
		out->str = "";
	return rc;
}

/* ---- iterating ---- */

typedef struct steps {
	abi_table *table;
	abi_iterator visit;
	void *state;
} steps;

/* Lend an entry for one call of the plugin's iterator. 0 stops. */
static uint32_t step(const steps *s, wbt_record *r, abi_entry *e)
{
	wbt_view *v = wbt_enter(s->table, "iterate_entries");
	if (!v)
		return 0;
	if (r && r->home != v->store) {
		/* Erased since the iteration began. */
		wbt_unlock();
		return 1;
	}
	wbt_loan *l = wbt_lend(v, r, e, WBT_ITERATED);
	wbt_unlock();
	uint32_t more = s->visit(s->state, (abi_entry *)l);
	wbt_lock();
	wbt_return back;
	if (wbt_live_find(l, WBT_LOAN))
		wbt_loan_end(l, &back);
	wbt_unlock();
	return more;
}

static uint32_t foreign_step(void *state, abi_entry *e)
{
	return e ? step(state, NULL, e) : 0;
}

static uint32_t iterate_store(wbt_view *v, const steps *s)
{
	wbt_registry *reg = v->owner->registry;
	uint64_t count = v->store->size, n = 0;
	wbt_record **all = wb_alloc(count * sizeof(wbt_record *));
	for (wbt_record *r = v->store->first; r; r = r->after) {
		r->refs++;
		all[n++] = r;
	}
	wbt_unlock();
	uint32_t more = 1;
	for (uint64_t i = 0; i < n && more; i++)
		more = step(s, all[i], NULL);
	wbt_lock();
	for (uint64_t i = 0; i < n; i++)
		wbt_record_drop(reg, all[i]);
	wbt_unlock();
	wb_free(all);
	return more != 0;
}

static uint32_t iterate(abi_table *t, abi_iterator visit, void *state)
{
	wbt_view *v = wbt_enter(t, "iterate_entries");
	if (!v)
		return 0;
	if (!visit) {
		wbt_refuse(v, "iterate_entries: the iterator is null");
		return 0;
	}
	steps s = {t, visit, state};
	if (v->store)
		return iterate_store(v, &s);
	if (!v->foreign->extended) {
		wbt_refuse(v, "iterate_entries: table '%s' cannot be iterated, its plugin is "
		           "written for plugin API 3.0", v->face.name);
		return 0;
	}
	wbt_trip trip;
	if (!wbt_trip_begin(v, &trip, "iterate_entries"))
		return 0;
	uint32_t all = trip.how.reader.iterate_entries(trip.how.table, foreign_step, &s);
	wbt_trip_end();
	return all != 0;
}

abi_reader_vtable_ext wbt_reader_vtable = {
	get_name, get_size, get_entry, read_field, release_entry, iterate};
