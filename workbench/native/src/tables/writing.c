/*
 * The functions behind the writer vtable. Each one works on a built-in table under the
 * lock, or forwards to the plugin that owns the table.
 */
#include "inner.h"

static int32_t clear(abi_table *t)
{
	wbt_view *v = wbt_enter(t, "clear_table");
	if (!v)
		return ABI_FAILURE;
	if (v->store) {
		wbt_store_clear(v->owner->registry, v->store);
		wbt_unlock();
		return ABI_SUCCESS;
	}
	wbt_trip trip;
	if (!wbt_trip_begin(v, &trip, "clear_table"))
		return ABI_FAILURE;
	int32_t rc = trip.how.writer.clear_table(trip.how.table);
	return wbt_trip_done(&trip, rc);
}

static int32_t erase(abi_table *t, const abi_state_data *key)
{
	wbt_view *v = wbt_enter_key(t, key, "erase_table_entry");
	if (!v)
		return ABI_FAILURE;
	if (v->store) {
		wbt_record *r = wbt_store_find(v->store, key->u64);
		if (!r) {
			wbt_refuse(v, "table entry not found");
			return ABI_FAILURE;
		}
		wbt_store_take(v->owner->registry, v->store, r);
		wbt_unlock();
		return ABI_SUCCESS;
	}
	wbt_trip trip;
	if (!wbt_trip_begin(v, &trip, "erase_table_entry"))
		return ABI_FAILURE;
	int32_t rc = trip.how.writer.erase_table_entry(trip.how.table, key);
	return wbt_trip_done(&trip, rc);
}

static abi_entry *create_entry(abi_table *t)
{
	wbt_view *v = wbt_enter(t, "create_table_entry");
	if (!v)
		return NULL;
	if (v->store) {
		wbt_loan *l = wbt_lend(v, wbt_record_new(v->schema), NULL, WBT_CREATED);
		wbt_unlock();
		return (abi_entry *)l;
	}
	wbt_trip trip;
	if (!wbt_trip_begin(v, &trip, "create_table_entry"))
		return NULL;
	abi_entry *e = trip.how.writer.create_table_entry(trip.how.table);
	wbt_trip_end();
	return wbt_adopt(t, &trip, e, WBT_CREATED);
}

static void destroy_entry(abi_table *t, abi_entry *e)
{
	wbt_view *v = wbt_enter(t, "destroy_table_entry");
	wbt_loan *l = v ? wbt_loan_of(v, e, "destroy_table_entry") : NULL;
	if (!l)
		return;
	if (l->kind != WBT_CREATED) {
		wbt_refuse(v, "destroy_table_entry called on entry not created by "
		           "create_table_entry");
		return;
	}
	wbt_hand_back(l);
}

static void add_record(wbt_view *v, const abi_state_data *key, wbt_loan *l)
{
	wbt_store_put(v->owner->registry, v->store, key->u64, l->record);
	/* A thread's entry knows its own number. */
	const wbt_field *tid = v->schema->count ? v->schema->fields[0] : NULL;
	if (tid && tid->type == v->face.key_type && !strcmp(tid->name, "tid"))
		wbt_record_value(l->record, tid)->u64 = key->u64;
	l->kind = WBT_BORROWED;
	wbt_unlock();
}

/* Called locked, returns unlocked. */
static abi_entry *add_foreign(wbt_view *v, const abi_state_data *key, wbt_loan *l)
{
	/* While the owner decides, nobody may give the entry back. */
	l->kind = WBT_ITERATED;
	abi_entry *entry = l->entry;
	wbt_trip trip;
	abi_entry *added = NULL;
	if (wbt_trip_begin(v, &trip, "add_table_entry")) {
		added = trip.how.writer.add_table_entry(trip.how.table, key, entry);
		wbt_trip_end();
		if (!added)
			wbt_trip_failed(&trip);
	}
	wbt_lock();
	bool live = wbt_live_find(l, WBT_LOAN) == l;
	if (live) {
		l->kind = added ? WBT_BORROWED : WBT_CREATED;
		if (added)
			l->entry = added;
	}
	wbt_unlock();
	if (added && !live)
		wbt_give_back(&(wbt_return){trip.how, added, WBT_BORROWED});
	return added && live ? (abi_entry *)l : NULL;
}

static abi_entry *add_entry(abi_table *t, const abi_state_data *key, abi_entry *e)
{
	wbt_view *v = wbt_enter(t, "add_table_entry");
	wbt_loan *l = v ? wbt_loan_of(v, e, "add_table_entry") : NULL;
	if (!l)
		return NULL;
	if (!key || l->kind != WBT_CREATED) {
		wbt_refuse(v, key ? "add_entry called on entry not created by create_table_entry"
		           : "add_table_entry: the key is null");
		return NULL;
	}
	if (!v->store)
		return add_foreign(v, key, l);
	add_record(v, key, l);
	return e;
}

static int32_t write_field(abi_table *t, abi_entry *e, const abi_accessor *a,
                           const abi_state_data *in)
{
	wbt_view *v = wbt_enter(t, "write_entry_field");
	const wbt_field *f = v ? wbt_field_of(v, a, "write_entry_field") : NULL;
	wbt_loan *l = f ? wbt_loan_of(v, e, "write_entry_field") : NULL;
	if (!l)
		return ABI_FAILURE;
	if (!in || f->type == ABI_STATE_TABLE || f->read_only) {
		if (!in)
			wbt_refuse(v, "write_entry_field: the value is null");
		else if (f->type == ABI_STATE_TABLE)
			wbt_refuse(v, "writing to table fields is currently not supported");
		else
			wbt_refuse(v, "attempt to write to read-only static struct field: %s",
			           f->name);
		return ABI_FAILURE;
	}
	if (v->store) {
		wbt_record_write(v->owner->registry, l->record, f, in);
		wbt_unlock();
		return ABI_SUCCESS;
	}
	abi_entry *entry = l->entry;
	wbt_trip trip;
	if (!wbt_trip_begin(v, &trip, "write_entry_field"))
		return ABI_FAILURE;
	int32_t rc = trip.how.writer.write_entry_field(trip.how.table, entry, f->foreign, in);
	return wbt_trip_done(&trip, rc);
}

abi_writer_vtable wbt_writer_vtable = {
	clear, erase, create_entry, destroy_entry, add_entry, write_field};
